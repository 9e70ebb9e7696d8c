"""explain: the shown prediction of a trained model as a sum in its own units; the shipped models' known answers."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from lstm_core.analysis.attribution.explain import METHODS, Ledger, explain
from lstm_core.analysis.attribution.ledger import batch_contributions, contributions
from lstm_core.analysis.attribution.sentences import cancelling_sentence, ledger_sentence
from lstm_core.data.generators.reber import SYMBOLS, decode_one_hot
from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.forecasting.predict import predict, predict_steps
from lstm_core.lessons import lessons
from lstm_core.model.recurrent import build_model
from tests.conftest import quick
from tests.factories import labelled, spec_of, table_of
from tests.lessons.shipped import shipped_runs

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def positive_table(rows: int = 80):
    row = np.arange(rows)
    y = np.exp(0.02 * row) * (5 + np.sin(row / 2))
    return table_of(y=y, price=3 + np.cos(row / 5), year=1900.0 + row)


def windows_with(**fields):
    chosen = {"features": ("y", "price"), "seq_len": 6, "horizon": 2, "time": "year"}
    return make_windows(positive_table(), spec_of(**(chosen | fields)))


def model_of(windows, **fields):
    """An untrained model with weights large enough to matter, and a skip that is not zero."""
    model = build_model(ModelSpec(**({"hidden_size": 5} | fields)), *windows.model_sizes).eval()
    with torch.no_grad():
        for k, parameter in enumerate(model.parameters()):
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(k)) / 2)
    return model


def size_of(ledger: Ledger) -> float:
    """Of all parts together, at least 1."""
    parts = [ledger.inputs.ravel(), ledger.constants, [*ledger.fixed.values()]]
    return max(1.0, float(np.abs(np.concatenate(parts)).sum()))


DATA = [
    {},
    {"scaling": "minmax"},
    {"scaling": "none"},
    {"start": "last"},
    {"start": "season_change", "season": 4},
    {"start": "smooth", "season": 4, "known_future": ("price",)},
    {"start": "last", "log": True},
    {"start": "mean", "log": True, "scale_per_series": True},
    {"targets": ("y", "price"), "start": "last"},
]
MODELS = [
    {},
    {"num_layers": 2, "bidirectional": True, "linear_skip": True},
    {"proj_size": 2, "head": "per_step", "batch_first": False, "bias": False},
]


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("data", DATA, ids=str)
def test_the_parts_sum_to_the_shown_prediction_in_the_targets_units(data, model):
    windows = windows_with(**data)
    model, start = model_of(windows, **model), windows.starts["test"][:1]
    shown = predict(model, windows, start)[0]
    for method in METHODS:
        for output in (0, shown.size - 1):
            ledger = explain(model, windows, int(start[0]), output, method=method)
            assert ledger.prediction == pytest.approx(shown.flat[output], rel=1e-7)
            parts = ledger.inputs.sum() + ledger.constants.sum() + sum(ledger.fixed.values())
            allowed = 1e-3 if method == "gradients" else 1e-6
            size = size_of(ledger)
            assert abs(parts - ledger.prediction) <= allowed * size
            assert ledger.error == pytest.approx(parts - ledger.prediction, abs=1e-9 * size)
            assert len(ledger.step_names) == len(ledger.steps) == 6
            assert ledger.inputs.shape == (6, len(ledger.input_names))


def test_a_start_and_a_centre_are_constants_with_a_name():
    windows = windows_with(start="last")
    first = int(windows.starts["test"][0])
    ledger = explain(model_of(windows), windows, first, 1)
    assert ledger.fixed["start: the last value"] == pytest.approx(windows.y[first + 5, 0])
    assert ledger.predicted == "y, 2 rows ahead"
    assert ledger.step_names[0] == f"{1900 + first}" and ledger.input_names == windows.input_names
    windows = windows_with()
    ledger = explain(model_of(windows), windows, first, 0)
    assert ledger.fixed["mean of the training rows"] == pytest.approx(float(windows.y_center[0]))
    factor = float(windows.y_scale[0])
    x = torch.from_numpy(windows.inputs(np.array([first]))[0])
    raw = contributions(model_of(windows).lstm, model_of(windows).head, x, 0)
    np.testing.assert_allclose(ledger.inputs, raw.inputs * factor, rtol=1e-12)
    assert ledger.fixed["bias of the output head"] == pytest.approx(raw.bias * factor)


def test_with_a_logarithm_each_part_has_its_share_of_the_difference():
    windows = windows_with(start="last", log=True)
    first, model = int(windows.starts["test"][0]), model_of(windows)
    ledger = explain(model, windows, first, 0)
    raw = contributions(model.lstm, model.head, torch.from_numpy(windows.inputs(np.array([first]))[0]), 0)
    start = windows.y[first + 5, 0]
    log_items = raw.inputs * windows.target.scale[0, 0]
    share = (ledger.prediction - start) / np.log(ledger.prediction / start)
    np.testing.assert_allclose(ledger.inputs, log_items * share, rtol=1e-6)


def test_a_skip_is_part_of_the_inputs_and_told_apart():
    windows = windows_with()
    model, first = model_of(windows, linear_skip=True), int(windows.starts["test"][0])
    x = torch.from_numpy(windows.inputs(np.array([first])))
    ledger, factor = explain(model, windows, first, 1), float(windows.y_scale[0])
    skip = model.skip_outputs(x)[0, 1].item() - model.skip.bias[1].item()
    assert ledger.skip.sum() == pytest.approx(skip * factor, rel=1e-5)
    raw = contributions(model.lstm, model.head, x[0], 1)
    np.testing.assert_allclose(ledger.inputs - ledger.skip, raw.inputs * factor, rtol=1e-9, atol=1e-12)
    assert ledger.fixed["bias of the linear skip"] == pytest.approx(model.skip.bias[1].item() * factor)


def test_a_head_at_every_step_is_explained_at_each():
    windows = windows_with(start="last")
    model, starts = model_of(windows, head="per_step", bidirectional=True), windows.starts["test"][:1]
    _, _, shown = predict_steps(model, windows, starts)  # (seq_len, output_steps, targets)
    for step in range(6):
        ledger = explain(model, windows, int(starts[0]), 1, step)
        assert ledger.prediction == pytest.approx(shown[step, 1, 0], rel=1e-6)
        assert abs(ledger.error) <= 1e-6 * size_of(ledger)
    with pytest.raises(PlaygroundError, match="There is no step 6"):
        explain(model, windows, int(starts[0]), 1, 6)
    with pytest.raises(PlaygroundError, match="leave step empty"):
        explain(model_of(windows), windows, int(starts[0]), 1, 2)


def test_of_classes_the_likeliest_is_set_against_the_second():
    windows = labelled()
    model, start = model_of(windows), int(windows.starts["test"][0])
    (up, down) = (windows.classes.index(name) for name in ("up", "down"))
    probabilities = predict(model, windows, np.array([start]))[0]
    ledger = explain(model, windows, start)
    assert ledger.prediction == pytest.approx(abs(np.log(probabilities[up] / probabilities[down])), rel=1e-4)
    single = explain(model, windows, start, up)
    assert single.predicted == "logit of up"
    pair = explain(model, windows, start, (up, down))
    assert pair.prediction == pytest.approx(single.prediction - explain(model, windows, start, down).prediction)


def test_only_integrated_gradients_take_another_cell():
    windows = windows_with()
    model, start = model_of(windows, cell="gru"), int(windows.starts["test"][0])
    assert explain(model, windows, start, method="gradients").points >= 32
    with pytest.raises(PlaygroundError, match="nn.GRU"):
        explain(model, windows, start)
    with pytest.raises(PlaygroundError, match="no method 'lime'"):
        explain(model, windows, start, method="lime")
    with pytest.raises(PlaygroundError, match="one output at a time"):
        explain(model, windows, start, (0, 1), method="gradients")


def test_integrated_gradients_tell_how_far_they_are_and_can_be_cancelled():
    windows = windows_with()
    model, start, told = model_of(windows), int(windows.starts["test"][0]), []
    explain(model, windows, start, method="gradients", progress=told.append)
    assert told == sorted(told) and 0 < told[-1] <= 1

    def cancel(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain(model, windows, start, method="gradients", progress=cancel)


def test_parts_that_cancel_to_rounding_are_refused():
    """Over thousands of steps of a stream the frozen run of this model explodes, forwards and back."""
    run = shipped_runs("continual_reber")["lstm"]
    model, windows = run.current_model(), run.windows
    start = int(windows.starts["test"][0])
    assert abs(explain(model, windows, start, step=9).error) < 1e-4
    with pytest.raises(PlaygroundError, match="cancel one another") as caught:
        explain(model, windows, start)
    assert str(caught.value).endswith("integrated gradients.")


def a_ledger(inputs, constants=(0.0, 0.0, 0.0), fixed=None, prediction=None, **fields) -> Ledger:
    inputs, constants, fixed = np.array(inputs, float), np.array(constants), fixed or {}
    total = inputs.sum() + constants.sum() + sum(fixed.values())
    names = tuple(f"x{k}" for k in range(inputs.shape[1]))
    steps = ("1986", "1987", "1988")
    return Ledger(inputs, constants, fixed, total if prediction is None else prediction, "y", names, steps, **fields)


def test_the_sentence_names_the_largest_and_adds_up():
    ledger = a_ledger([[0.4], [31.0], [-5.0]], (1.0, 1.0, 8.0), {"start: the last value": 60.0})
    assert ledger_sentence(ledger) == (
        "1987 added +31.0, 1988 −5.0, the other step +0.4 and the constants +70.0: together 96.4, the prediction."
    )
    assert cancelling_sentence(ledger) == ""
    two = a_ledger([[0.0, 0.002], [0.0, -0.001], [0.0, 0.0]])
    assert ledger_sentence(two) == (
        "x1 at 1986 added +0.00200, x1 at 1987 −0.00100, the other 4 inputs 0.00000 and the constants 0.00000: "
        "together 0.00100, the prediction."
    )


def test_the_sentence_says_what_is_missing_and_what_cancels():
    missing = a_ledger([[1.0], [2.0], [0.0]], prediction=3.5)
    assert ledger_sentence(missing).endswith("together 3.00, but the prediction is 3.50: 0.50 is not accounted for.")
    cancelling = a_ledger([[1000.0], [-999.0], [0.0]])
    assert cancelling_sentence(cancelling) == (
        "Parts of 2,000 in all cancel to 1.00: what a single one says depends on how they are divided."
    )
    padded = a_ledger([[1.0], [2.0], [0.0]], (500.0, -300.0, -199.0))  # constants are one item
    assert cancelling_sentence(padded) == ""
    named = dataclasses.replace(a_ledger([[1.0], [2.0], [0.0]]), step_names=("step 1", "step 2", "step 3"))
    assert ledger_sentence(named).startswith("Step 2 added +2.00, step 1 +1.00, ")


SHIPPED = [name for name, lesson in lessons().items() if lesson.experiments]


@pytest.mark.parametrize("name", quick(SHIPPED, "first_lstm", "minibatches", "copy_memory"))
def test_the_ledger_of_every_shipped_lstm_sums_to_its_prediction(name):
    for run in shipped_runs(name).values():
        model, windows = run.current_model(), run.windows
        if model.spec.cell != "lstm":
            continue
        starts = windows.starts[windows.last_split][:4]
        step = windows.spec.seq_len - 1 if model.spec.head == "per_step" else None
        for result in batch_contributions(model.lstm, model.head, torch.from_numpy(windows.inputs(starts)), 0, step):
            assert abs(result.error) <= 1e-6 * max(1.0, result.magnitude)


def test_of_embedded_reber_the_deciding_symbol_is_ranked_first():
    run = shipped_runs("embedded_reber")["lstm"]
    model, windows = run.current_model(), run.windows
    x = windows.inputs(windows.starts["test"])  # padded in front, as in training
    strings = decode_one_hot(x)
    deciding = x.shape[1] - (strings >= 0).sum(1) + 1
    logits = SYMBOLS.index("T"), SYMBOLS.index("P")
    results = batch_contributions(model.lstm, model.head, torch.from_numpy(x), logits, x.shape[1] - 1)
    steps = np.stack([result.inputs.sum(1) for result in results])  # (windows, seq_len)
    assert (np.abs(steps).argmax(1) == deciding).mean() >= 0.7
    sign = np.where(strings[np.arange(len(x)), deciding] == logits[0], 1, -1)
    assert ((sign[:, None] * steps).argmax(1) == deciding).mean() >= 0.8


def test_of_the_adding_problem_each_addend_is_credited_with_itself():
    run = shipped_runs("adding_problem")["lstm"]
    model, windows = run.current_model(), run.windows
    x = windows.inputs(windows.starts["test"][:100])
    results = batch_contributions(model.lstm, model.head, torch.from_numpy(x))
    credit = np.stack([result.inputs[:, 0] for result in results])
    marked = x[..., 1] == 1
    assert marked.sum() == 200
    assert np.corrcoef(credit[marked], x[..., 0][marked])[0, 1] > 0.98
    assert np.abs(credit[~marked]).mean() < 0.1 * np.abs(credit[marked]).mean()
