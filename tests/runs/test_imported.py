"""An LSTM from elsewhere as a run: it predicts what the file's own layers do, with the scaling that was told."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from lstm_core.data.windows import make_windows
from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.predict import predict
from lstm_core.model.import_weights import ImportedLstm, import_lstms
from lstm_core.runs.imported import IMPORTED, KnownScaling, imported_run
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import load_checkpoint
from tests.factories import labelled, series, spec_of

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
FILE = Path(__file__).parents[1] / "fixtures/imported/projected.safetensors"
DATA = spec_of(features=("b", "a", "y"), seq_len=5, horizon=1, start="mean")
SCALING = KnownScaling((1000.0, 3.0, 2000.0), (10.0, 7.0, 20.0), (2040.0,), (30.0,))


@pytest.fixture(scope="module")
def projected() -> ImportedLstm:
    (found,) = import_lstms(FILE.read_bytes(), FILE.name)
    return found


def lstm_of(inputs: int, outputs: int | None = None, **more) -> ImportedLstm:
    torch.manual_seed(0)
    lstm = nn.LSTM(inputs, 4, batch_first=True, **more)
    head = None if outputs is None else nn.Linear(4 * (1 + lstm.bidirectional), outputs, bias=False)
    return ImportedLstm("lstm", lstm, head, ())


def test_it_predicts_as_in_the_file_with_the_scaling_that_was_told(projected):
    table = series(60)
    run = imported_run(projected, table, DATA, scaling=SCALING, name="theirs")
    windows = run.windows
    starts = windows.starts["test"]
    columns = np.stack([table.column(name).values for name in DATA.features], axis=1)
    rows = columns[starts[:, None] + np.arange(5)]
    x = torch.from_numpy((rows - np.array(SCALING.x_center)) / np.array(SCALING.x_scale)).float()
    with torch.no_grad():
        h_n = projected.lstm(x)[1][0][-2:].transpose(0, 1).flatten(1)  # of both directions' own last steps
        expected = projected.head(h_n)[:, 0].numpy() * 30 + 2040
    assert predict(run.current_model(), windows, starts)[:, 0, 0] == pytest.approx(expected, rel=1e-6)
    assert run.about[IMPORTED]
    assert (run.step, run.about["name"], windows.spec.start) == (0, "theirs", "none")


def test_it_is_saved_and_opened_as_any_run(projected):
    table = series(60)
    run = imported_run(projected, table, DATA, scaling=SCALING)
    checkpoint = load_checkpoint(run.checkpoint())
    again = Run.from_checkpoint(checkpoint, make_windows(table, checkpoint.experiment.data), table)
    starts = run.windows.starts["test"]
    first, second = (predict(one.current_model(), one.windows, starts) for one in (run, again))
    assert (first == second).all()


def test_without_told_numbers_the_training_rows_are_scaled(projected):
    run = imported_run(projected, series(60), DATA)
    train = run.windows.features[run.windows.split_of_row == 0]
    assert run.windows.x_center == pytest.approx(train.mean(0)) and run.windows.spec.scaling == "standard"


@pytest.mark.parametrize("unit", [0, 6])
def test_a_units_h_is_predicted_as_it_is(unit):
    imported = lstm_of(3, bidirectional=True)
    run = imported_run(imported, series(60), DATA, unit, SCALING)
    starts = run.windows.starts["valid"]
    with torch.no_grad():
        h_n = imported.lstm(torch.from_numpy(run.windows.inputs(starts)))[1][0].transpose(0, 1).flatten(1)
    assert predict(run.current_model(), run.windows, starts)[:, 0, 0] == pytest.approx(h_n[:, unit].numpy(), abs=1e-6)


def test_a_linear_layer_of_classes_answers_with_their_probabilities():
    windows = labelled()
    imported = lstm_of(1, len(windows.classes))
    run = imported_run(imported, windows.table, windows.spec)
    starts = run.windows.starts["test"]
    with torch.no_grad():
        logits = imported.head(imported.lstm(torch.from_numpy(run.windows.inputs(starts)))[0][:, -1])
    assert np.allclose(predict(run.current_model(), run.windows, starts), logits.softmax(1).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("imported", "changes", "arguments", "words"),
    [
        (lstm_of(2, 1), {}, {}, "reads 2 inputs, and 3 columns"),
        (lstm_of(3), {}, {}, "no linear layer"),
        (lstm_of(3, 2), {}, {}, "2 outputs, and the target takes 1 numbers"),
        (lstm_of(3), {}, {"unit": 4}, "choose 0 to 3"),
        (lstm_of(3), {"horizon": 3}, {"unit": 1}, "h of a unit is one number"),
        (lstm_of(3, 1), {}, {"scaling": KnownScaling((0.0,), (1.0,))}, "one number for each input, 3 in all"),
        (lstm_of(3, 1), {}, {"scaling": dataclasses.replace(SCALING, x_scale=(1.0, 0.0, 1.0))}, "none of a scale 0"),
        (lstm_of(3, 1), {}, {"scaling": dataclasses.replace(SCALING, y_center=(np.nan,))}, "center of the targets"),
    ],
)
def test_what_does_not_fit_is_refused(imported, changes, arguments, words):
    with pytest.raises(PlaygroundError, match=words):
        imported_run(imported, series(60), dataclasses.replace(DATA, **changes), **arguments)
