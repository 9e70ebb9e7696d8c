"""Model: each argument at once changes shapes, counts, code and advice; what cannot be is refused and put back."""

from __future__ import annotations

from types import SimpleNamespace

import psutil
import pytest
import torch

from lstm_core.model.recurrent import build_model


def shape_rows(tab) -> dict[str, str]:
    """The page's table of shapes: tensor → shape."""
    frame = next(d.value for d in tab.at.dataframe if "tensor" in d.value.columns)
    return dict(zip(frame["tensor"], frame["shape"], strict=True))


def counts(tab) -> dict[str, int]:
    frame = next(d.value for d in tab.at.dataframe if "layer" in d.value.columns)
    return dict(zip(frame["layer"], frame["parameters"], strict=True))


def code(tab) -> str:
    return tab.at.code[0].value


CHANGES = {
    "hidden_size": (7, "hidden_size=7"),
    "num_layers": (3, "num_layers=3"),
    "proj_size": (4, "proj_size=4"),
    "bidirectional": (True, "bidirectional=True"),
    "batch_first": (False, ".transpose(0, 1)"),
    "bias": (False, "bias=False"),
    "head": ("per_step", "self.head(output"),
    "linear_skip": (True, " + self.skip(x.flatten(1))"),
    "forget_bias": (1.5, "1.5 if name"),
    "chrono_t_max": (50, "uniform_(1, 49)"),
    "model_seed": (11, "manual_seed(11)"),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("key", CHANGES)
def test_an_argument_is_in_the_code_and_in_every_shape(visit, key):
    value, words = CHANGES[key]
    tab = visit("model")
    assert words not in code(tab)
    tab.set(key, value)
    assert not tab.errors()
    assert words in code(tab)
    compile(code(tab), "model.py", "exec")
    spec = tab.workspace.experiment.model
    assert getattr(spec, key.removeprefix("model_")) == value
    built = build_model(spec, 1, 1, tab.workspace.experiment.data.seq_len)
    shown = shape_rows(tab)
    for name, tensor in built.lstm.named_parameters():
        assert shown[name] == str(tuple(tensor.shape)), name
    x = torch.zeros(tab.workspace.experiment.train.batch_size, tab.workspace.experiment.data.seq_len, 1)
    output, (h_n, c_n) = built.lstm(built.to_module_layout(x))
    for name, tensor in (("output", output), ("h_n", h_n), ("c_n", c_n), ("prediction", built(x))):
        assert shown[name] == str(tuple(tensor.shape)), name
    assert sum(counts(tab).values()) == sum(p.numel() for p in built.parameters())


def test_a_linear_skip_that_cannot_be_is_refused_in_a_sentence(visit):
    tab = visit("model").set("linear_skip", True).set("head", "per_step")
    assert "switch linear_skip off" in tab.words()
    assert tab.workspace.experiment.model.head == "last"
    tab.go("data").set("generator", "which_wave").go("model")
    assert any("this target has classes" in error for error in tab.errors())


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_another_cell_is_in_the_code_the_shapes_and_the_words(visit, cell):
    tab = visit("model").set("cell", cell)
    assert not tab.errors()
    assert tab.workspace.experiment.model.cell == cell
    assert f"self.{cell} = nn.{cell.upper()}(" in code(tab)
    shown, built = shape_rows(tab), build_model(tab.workspace.experiment.model, 1, 1)
    for name, tensor in built.recurrent.named_parameters():
        assert shown[name] == str(tuple(tensor.shape)), name
    assert not {"c_0", "c_n"} & set(shown)
    assert sum(counts(tab).values()) == sum(p.numel() for p in built.parameters())
    for key in ("proj_size", "forget_bias", "chrono_t_max"):
        assert not tab.pressable(key)
        assert "Only nn.LSTM" in tab.widget(key).help
    assert "step by step" in tab.words()
    assert not tab.set("cell", "lstm").errors()
    assert tab.pressable("proj_size") and tab.pressable("forget_bias")


def test_what_only_an_lstm_has_goes_with_it_and_is_named(visit):
    tab = visit("model").set("proj_size", 4).set("forget_bias", 1.0).set("cell", "gru")
    spec = tab.workspace.experiment.model
    assert (spec.cell, spec.proj_size, spec.forget_bias) == ("gru", 0, None)
    assert not tab.errors()
    assert "Only nn.LSTM has proj_size and forget_bias: switched off with it." in tab.words()
    assert tab.widget("proj_size").value == 0
    assert tab.widget("forget_bias").value is None
    assert "switched off" not in tab.set("hidden_size", 9).words()
    tab.set("cell", "lstm").set("forget_bias", 1.0).set("cell", "rnn")
    assert "Only nn.LSTM has forget_bias:" in tab.words()


def test_a_cell_that_needs_nothing_taken_away_is_taken_in_silence(visit):
    assert "switched off" not in visit("model").set("cell", "gru").words()


def test_dropout_shows_where_it_acts(visit):
    tab = visit("model").set("dropout", 0.3)
    assert "no effect with num_layers 1" in tab.words()
    assert "dropout" not in code(tab)
    tab.set("num_layers", 2)
    assert "no effect" not in tab.words()
    assert "dropout=0.3" in code(tab)


def test_input_size_comes_from_the_data(visit):
    tab = visit("data").set("generator", "random_regression").go("model")
    assert shape_rows(tab)["weight_ih_l0"].endswith(", 4)")
    first = next(text.value for text in tab.at.main.markdown if "input_size" in text.value)
    assert "**4**" in first and "x1" in first
    assert [link.proto.label for link in tab.at.main.get("page_link")][:2] == ["Change n_features", "Next: Train"]
    tab.go("data").set("sample", "nile").go("model")
    assert "input_size **2**: the inputs **start error**" in tab.words().replace("`", "")
    assert tab.at.main.get("page_link")[0].proto.label == "Change the features"


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"hidden_size": 16}, ("proj_size", 16)),
        ({"hidden_size": 16, "proj_size": 8}, ("hidden_size", 8)),
        ({"forget_bias": 1.0}, ("bias", False)),
        ({"forget_bias": 1.0}, ("chrono_t_max", 20)),
    ],
)
def test_what_does_not_go_together_is_refused_and_put_back_with_the_message(visit, first, then):
    tab = visit("model")
    for key, value in first.items():
        tab.set(key, value)
    assert not tab.errors()
    key, value = then
    kept = tab.widget(key).value
    before = tab.workspace.experiment
    tab.set(key, value)
    errors = tab.errors()
    assert len(errors) == 1, errors
    assert tab.widget(key).value == (kept if isinstance(value, bool) else value)
    assert errors[0].endswith(f"{key} stays {'empty' if kept is None else kept}.")
    assert tab.workspace.experiment == before
    assert tab.run().errors() == errors  # a rerun for another reason does not wipe it
    assert not tab.go("start").errors()
    assert tab.go("model").widget(key).value == kept


def test_the_refusal_goes_when_a_value_is_taken(visit):
    tab = visit("model").set("proj_size", 16)
    assert len(tab.errors()) == 1
    assert not tab.set("proj_size", 1).errors()
    assert not tab.set("proj_size", 0).errors()


def test_the_refusal_goes_with_the_value_that_holds_the_emptied_field_or_what_was_lacking(visit):
    tab = visit("model").set("hidden_size", 16).set("proj_size", 16)
    assert len(tab.errors()) == 1
    assert not tab.set("proj_size", 0).errors()  # what the experiment has
    assert len(tab.set("proj_size", 16).errors()) == 1
    assert not tab.set("proj_size", None).errors()
    assert tab.widget("proj_size").value == 0
    assert len(tab.set("proj_size", 16).errors()) == 1
    assert not tab.set("hidden_size", 32).errors()
    model = tab.workspace.experiment.model
    assert (model.hidden_size, model.proj_size, tab.widget("proj_size").value) == (32, 16, 16)


def test_a_refused_number_goes_from_its_field_when_something_else_is_changed(visit):
    tab = visit("model").set("hidden_size", 16).set("proj_size", 16).set("num_layers", 2)
    assert not tab.errors()
    model = tab.workspace.experiment.model
    assert (model.num_layers, model.proj_size, tab.widget("proj_size").value) == (2, 0, 0)


def test_a_giant_model_is_refused_with_the_size_that_fits(visit, monkeypatch):
    # What is free on the machine decides, so that is fixed: here 2 GB, as on a small laptop.
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=2_000_000_000))
    tab = visit("model").set("hidden_size", 16_384)
    assert len(tab.errors()) == 1
    fits = int(tab.errors()[0].split("hidden_size ")[-1].split()[0])
    example = tab.training
    tab.go("train").press("train")
    assert len(tab.errors()) == 1
    assert f"hidden_size {fits}" in tab.errors()[0]
    assert tab.training is example
    assert not tab.go("model").set("hidden_size", fits).errors()
    assert len(tab.set("hidden_size", fits + 1).errors()) == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"bidirectional": True}, "bidirectional does not leak here"),
        ({"bidirectional": True, "head": "per_step"}, "leaks the future"),
        ({"hidden_size": 1}, "memory of a single number"),
        ({"num_layers": 2, "dropout": 1.0}, "of every layer below the top during training"),
        ({"proj_size": 3}, "projects the hidden state to the smaller size"),
        ({"bias": False}, "bias=False"),
        ({"forget_bias": -3.0}, "forget gates start at f = 0.05"),
        ({"batch_first": False}, "with batch second"),
    ],
)
def test_advice_appears_beside_the_setting(visit, settings, sentence):
    tab = visit("model")
    if "batch_first" not in settings:
        assert sentence not in tab.words()
    for key, value in settings.items():
        tab.set(key, value)
    assert sentence in tab.words()


def test_nothing_that_is_set_touches_the_trained_model(visit):
    tab = visit("model")
    before = tab.training.experiment
    tab.set("hidden_size", 50).set("num_layers", 2)
    assert tab.training.experiment == before
    assert not tab.go("gates").errors()
    header, _ = tab.component("gate_view")
    assert header["units"] == before.model.hidden_size


def test_the_drawing_follows_the_model(visit):
    tab = visit("model")
    before = tab.figure("stack")
    assert tab.set("num_layers", 3).figure("stack") != before


def test_settings_survive_a_look_at_other_pages(visit):
    tab = visit("model").set("hidden_size", 21).set("bidirectional", True).set("forget_bias", 2.0)
    tab.go("data").go("train").go("model")
    assert tab.widget("hidden_size").value == 21
    assert tab.widget("bidirectional").value is True
    assert tab.widget("forget_bias").value == 2.0
    tab.set("forget_bias", None)  # emptied: PyTorch's own again
    assert tab.workspace.experiment.model.forget_bias is None
