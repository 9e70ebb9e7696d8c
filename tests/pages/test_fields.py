"""Every setting that a page shows has the label, the help and the limits that its field tells."""

from __future__ import annotations

import pytest

from lstm_core.experiment import PARTS
from lstm_core.settings import settings

SHOWN = {
    "data": {
        "targets": "target",
        "features": "features",
        "time": "time",
        "group": "group",
        "seq_len": "seq_len",
        "horizon": "horizon",
        "scaling": "scaling",
        "missing": "missing",
    },
    "model": {name: "model_seed" if name == "seed" else name for name in settings(PARTS["model"])},
    "train": {name: "train_seed" if name == "seed" else name for name in settings(PARTS["train"])},
}
GENERATED = {"length": "data_length", "n_features": "data_n_features", "noise": "data_noise", "seed": "data_seed"}


def check(tab, part: str, keys: dict[str, str]) -> None:
    for name, key in keys.items():
        widget, setting = tab.widget(key), settings(PARTS[part])[name]
        assert widget.label == setting.label, name
        assert widget.proto.help == setting.help, name
        if setting.type in (int, float):
            assert (widget.min, widget.max) == (setting.minimum, setting.maximum), name
        elif setting.choices:
            assert [getattr(option, "content", option) for option in widget.options] == [*setting.choices.values()], (
                name
            )


@pytest.mark.parametrize("part", PARTS)
def test_a_page_shows_its_settings_as_their_fields_tell(visit, part):
    tab = visit(part)
    if part == "train":
        tab.set("optimizer", "SGD")  # it alone has momentum
    check(tab, part, SHOWN[part])


def test_a_generator_shows_its_settings_as_their_fields_tell(visit):
    tab = visit("data").set("generator", "echo")
    check(tab, "data", GENERATED)
    assert tab.set("generator", "random_regression").widget("data_length").label == "sequences"


def test_an_emptied_number_comes_back_unless_it_may_be_empty(visit):
    tab = visit("model")
    tab.set("hidden_size", None)
    assert tab.widget("hidden_size").value == tab.workspace.experiment.model.hidden_size > 0
    assert not tab.errors()  # it was not even tried
    tab.set("forget_bias", 1.0).set("forget_bias", None)
    assert tab.workspace.experiment.model.forget_bias is None
