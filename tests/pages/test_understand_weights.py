"""The instrument "Weights from elsewhere": a file becomes the model of every page, once its scaling is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from lstm_core.forecasting.predict import predict
from lstm_core.model.import_weights import import_lstms
from pages.shared.understand import import_weights as view
from tests.pages.conftest import Visitor, unescaped, wait_until

FOLDER = Path(__file__).parents[1] / "fixtures/imported"
FILE = FOLDER / "projected.safetensors"
ROWS = np.random.default_rng(3).normal(size=(80, 3)).round(3)
CSV = "a,b,c\n" + "\n".join(",".join(map(str, row)) for row in ROWS)


@pytest.fixture
def tab(visit) -> Visitor:
    tab = visit("data").upload(CSV.encode()).go("understand")
    return tab.set("instrument", "Weights from elsewhere")


def give(tab: Visitor, data: bytes, name: str) -> Visitor:
    tab.widget("import_file").upload(name, data, "application/octet-stream")
    return tab.run()


def widget(tab: Visitor, name: str):
    kinds = ("selectbox", "multiselect", "number_input", "text_input", "button_group")
    (found,) = (one for kind in kinds for one in tab.at.get(kind) if one.key and one.key.startswith(f"import_{name}_"))
    return found


def say(tab: Visitor, **values) -> Visitor:
    for name, value in values.items():
        widget(tab, name).set_value(value)
        tab.run()
    return tab


def test_an_input_and_its_output_are_set_beside_it(tab):
    give(tab, FILE.read_bytes(), FILE.name)
    pair = json.loads((FOLDER / "pairs.json").read_text())[FILE.name]
    for moved, words in ((0.0, "the same but for rounding"), (0.1, "more than rounding")):
        changed = pair | {"y": (np.array(pair["y"]) + moved).tolist()}
        tab.widget("import_pair").upload("pair.json", json.dumps(changed).encode(), "application/json")
        tab.run()
        assert words in tab.words() + " ".join(one.value for one in tab.at.warning)
        assert moved or "nearest to the linear layer's output of the last step" in tab.words()
    tab.widget("import_pair").upload("<b>.json", b"{}", "application/json")
    assert "has no input x" in unescaped(" ".join(tab.run().errors()))


def test_a_file_becomes_the_model_once_its_scaling_is_told(tab):
    give(tab, FILE.read_bytes(), FILE.name)
    assert "nn.LSTM(3, 5, num_layers=2, bidirectional=True, proj_size=2)" in tab.words()
    assert not tab.pressable("import_use") and "is not guessed" in tab.words()
    say(tab, scaling=view.OWN, x_center="[0.5 0.1 0.2]", x_scale="2, 1, 1", y_center="3", y_scale="4")
    say(tab, features=["c", "a", "b"], target="b", seq_len=6, horizon=1)
    tab.press("import_use")
    run = tab.training
    assert "is the model of every page now" in tab.words() and tab.errors() == []
    (imported,) = import_lstms(FILE.read_bytes(), FILE.name)
    starts = run.windows.starts["test"]
    x = (ROWS[:, [2, 0, 1]] - [0.5, 0.1, 0.2]) / [2, 1, 1]
    with torch.no_grad():
        windows = torch.from_numpy(x[starts[:, None] + np.arange(6)]).float()
        h_n = imported.lstm(windows)[1][0][-2:].transpose(0, 1).flatten(1)
        expected = imported.head(h_n)[:, 0].numpy() * 4 + 3
    assert predict(run.current_model(), run.windows, starts)[:, 0, 0] == pytest.approx(expected, abs=1e-5)
    tab.go("gates")
    assert tab.training is run and not tab.errors() and "Imported" in tab.words()
    before = run.current_model().lstm.weight_ih_l0.clone()
    tab.go("train").set("step_by", "batch").press("step")
    wait_until(lambda: run.step == 1 and not run.is_active, "one batch is trained")
    assert 0 < (run.current_model().lstm.weight_ih_l0 - before).abs().max() < 0.05  # on from the file's weights
    assert "Imported" not in tab.run().words()
    tab.go("understand").set("instrument", "Patterns")
    assert "of this window" in tab.words()


def test_h_of_a_unit_is_drawn_where_there_is_no_linear_layer(tab):
    lstm = torch.nn.LSTM(2, 3)
    data = safetensors.torch.save(lstm.state_dict())
    give(tab, data, "mine.safetensors")
    say(tab, scaling="standard", unit=2).press("import_use")
    run = tab.training
    model = run.current_model()
    starts = run.windows.starts["valid"]
    with torch.no_grad():
        h = model.lstm(torch.from_numpy(run.windows.inputs(starts)))[0][:, -1, 2]
    assert predict(model, run.windows, starts)[:, 0, 0] == pytest.approx(h.numpy(), abs=1e-6)


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"\x80\x04K\x01.", "model.pt", "it is a pickle"),
        (b"hello", "a.safetensors", "neither a safetensors nor a Keras nor an ONNX file"),
    ],
)
def test_what_cannot_be_read_is_told_why(tab, data, name, words):
    give(tab, data, name)
    assert len(tab.errors()) == 1 and words in tab.errors()[0]
    assert not [button for button in tab.at.button if button.key == "import_use"]


def test_too_few_columns_and_numbers_that_are_none_are_told(tab):
    wide = torch.nn.LSTM(9, 2)
    give(tab, safetensors.torch.save(wide.state_dict()), "wide.safetensors")
    assert "reads 9 inputs" in tab.errors()[0] and "on Data first" in tab.errors()[0]
    give(tab, FILE.read_bytes(), FILE.name)
    say(tab, scaling=view.OWN, x_center="one two")
    assert "is not a list of numbers" in tab.errors()[0]
    say(tab, x_center="1 2", x_scale="1 1 1").press("import_use")
    assert "one number for each input, 3 in all" in tab.errors()[0]
