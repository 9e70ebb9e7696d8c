"""The view "Weights": what is drawn is the model's own rows, at any moment, and what is said of them is true."""

from __future__ import annotations

import math
import re
from itertools import product

import numpy as np
import pytest

from lstm_core.experiment import GATES
from pages.shared.components import weight_heatmaps
from pages.shared.gates import weights as weights_view
from tests.pages import conftest
from tests.pages.conftest import Visitor, series_csv, wait_until

MODELS = {
    "plain": {},
    "everything": {"num_layers": 2, "bidirectional": True, "proj_size": 2, "bias": False},
    "two layers": {"num_layers": 2, "bidirectional": True},
    "proj_size": {"proj_size": 3},
}
pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")


def trained(visit, epochs: int = 1, **model: object) -> Visitor:
    """Weights of a model of a few units that has trained a little."""
    return visit("gates", run=conftest.trained(epochs, hidden_size=5, **model)).set("view", "Weights")


class Drawn:
    """What the picture was sent: maps[parameter][gate], norms[parameter][gate], counts[gate]."""

    def __init__(self, tab: Visitor) -> None:
        self.header, data = tab.component("weights_map")
        numbers = np.frombuffer(data, "<f4")
        self.size = len(data)

        def take(*shape: int) -> np.ndarray:
            nonlocal numbers
            result, numbers = numbers[: math.prod(shape)], numbers[math.prod(shape) :]
            return result.reshape(shape)

        panels, units = self.header["panels"], self.header["units"]
        self.maps = {p["name"]: {g: take(units, p["columns"]) for g in GATES} for p in panels}
        self.norms = {p["name"]: dict(zip(GATES, take(4), strict=True)) for p in panels}
        self.counts = {g: take(self.header["bins"]) for g in GATES}
        self.labels = {p["name"]: p["labels"] for p in panels}
        assert not len(numbers)


def rows(tensors, name: str, gate: str) -> np.ndarray:
    """PyTorch's own rows, cut by hand."""
    whole = tensors[name].detach().numpy()
    n, k = len(whole) // 4, "ifgo".index(gate)
    return whole[k * n : (k + 1) * n]


def assert_shows(drawn: Drawn, tensors, suffix: str, bias: bool, summed: bool) -> None:
    assert list(drawn.maps) == ["weight_ih", "weight_hh"] + ["bias"] * bias
    for gate in GATES:
        for name in ("weight_ih", "weight_hh"):
            expected = rows(tensors, f"lstm.{name}{suffix}", gate)
            assert np.array_equal(drawn.maps[name][gate], expected)
            assert drawn.norms[name][gate] == pytest.approx(np.linalg.norm(expected.astype(float)), rel=1e-6)
            assert len(drawn.labels[name]) == expected.shape[1]
        if bias:
            ih, hh = (rows(tensors, f"lstm.{name}{suffix}", gate) for name in ("bias_ih", "bias_hh"))
            columns = [ih, hh, ih + hh] if summed else [ih, hh]
            assert np.array_equal(drawn.maps["bias"][gate], np.stack(columns, 1))
            acts = ih + hh if summed else ih
            assert drawn.norms["bias"][gate] == pytest.approx(np.linalg.norm(acts.astype(float)), rel=1e-6)


@pytest.mark.parametrize("kind", MODELS)
def test_every_layer_s_own_weights_and_gradients_are_drawn(visit, kind):
    tab = trained(visit, **MODELS[kind])
    spec, snapshot = tab.training.experiment.model, tab.training.snapshot_at()
    weights, gradients = dict(snapshot.model.named_parameters()), snapshot.gradients
    for layer in range(spec.num_layers):
        tab.set("layer", layer)
        for direction in range(spec.num_directions):
            if spec.bidirectional:
                tab.set("direction", direction)
            suffix = f"_l{layer}" + "_reverse" * direction
            tab.set("weights_of", weights_view.WEIGHTS)
            assert_shows(Drawn(tab), weights, suffix, spec.bias, summed=True)
            tab.set("weights_of", weights_view.GRADIENTS)
            assert_shows(Drawn(tab), gradients, suffix, spec.bias, summed=False)
    assert not tab.errors()
    assert any(tensor.any() for tensor in gradients.values())


def test_at_an_earlier_moment_the_weights_and_gradients_are_those_of_then(visit):
    tab = trained(visit, epochs=3)
    run = tab.training
    step = run.snapshots.steps[5]
    snapshot = run.snapshots.nearest(step)
    moved_to(tab, step)
    assert_shows(Drawn(tab), run.weights_by_name(snapshot.weights), "_l0", True, summed=True)
    tab.set("weights_of", weights_view.GRADIENTS)
    assert_shows(Drawn(tab), run.weights_by_name(snapshot.gradients), "_l0", True, summed=False)
    assert not np.array_equal(snapshot.weights, run._mirror.current.snapshot().weights)


def moved_to(tab: Visitor, step: int) -> None:
    """As if the slider over the epochs had been moved and the page opened again: AppTest moves no component."""
    tab.go("train").at.session_state[f"snapshot_{tab.training.id}"] = step
    tab.go("gates")
    assert f"after step {step}." in Drawn(tab).header["title"]


def test_the_scale_is_the_same_at_every_moment_so_that_weights_are_seen_to_grow(visit):
    tab = trained(visit, epochs=5)
    last = Drawn(tab).header
    moved_to(tab, tab.training.snapshots.steps[1])
    first = Drawn(tab).header
    assert (first["limit"], first["edge"]) == (last["limit"], last["edge"])


def test_without_gradients_one_sentence_says_why_and_what_to_do(visit):
    tab = visit("gates").set("view", "Weights").set("weights_of", weights_view.GRADIENTS)
    assert "came with a saved model" in tab.words()
    assert not [c for c in tab.at.get("bidi_component") if c.proto.id.endswith("-weights_map")]
    fresh = visit("train").press("reset")
    fresh.go("gates").set("view", "Weights").set("weights_of", weights_view.GRADIENTS)
    assert "Before its first step" in fresh.words()
    fresh.train(epochs=1).go("gates").set("view", "Weights").set("weights_of", weights_view.GRADIENTS)
    assert "largest gradients" in fresh.words()


def test_the_histograms_count_every_number_once(visit, subtests: pytest.Subtests):
    tab = trained(visit)
    for of, counted in product((weights_view.WEIGHTS, weights_view.GRADIENTS), ("weight_ih", "weight_hh", "bias")):
        with subtests.test(of=of, counted=counted):
            drawn = Drawn(tab.set("weights_of", of).set("weights_counted", counted))
            assert drawn.header["counted"] == counted
            for gate in GATES:
                values = drawn.maps[counted][gate]
                values = (
                    values[:, -1] if counted == "bias" else values
                )  # the sum, or bias_hh's gradient, which is the same
                assert drawn.counts[gate].sum() == values.size
                half = drawn.header["bins"] // 2
                assert drawn.counts[gate][:half].sum() == (values < 0).sum()
                assert np.abs(values).max() <= drawn.header["edge"]


def test_a_choice_that_the_next_model_has_not_is_forgotten(visit):
    tab = trained(visit).set("weights_counted", "bias")
    tab.go("model").set("bias", False).train(epochs=1).go("gates").set("view", "Weights")
    assert not tab.errors()
    assert Drawn(tab).header["counted"] == "weight_hh"
    assert "There is no bias" in tab.words() and "50 %" in tab.words()


def test_hostile_names_of_features_are_sent_as_they_are_and_bearably_long(visit):
    names = ["<img src=x onerror=alert(1)>", "x" * 150]
    data = series_csv().decode().replace("load", names[0]).replace("price", names[1]).encode()
    tab = visit("data").upload(data).set("features", names).set("start", "none")
    tab.train(epochs=1).go("gates").set("view", "Weights")
    first, second = Drawn(tab).labels["weight_ih"]
    assert first == names[0]
    assert second == "x" * 59 + "…"
    assert names[0] not in tab.markdown()


def test_the_layer_above_reads_both_directions_of_the_layer_below(visit):
    tab = trained(visit, **MODELS["two layers"]).set("layer", 1)
    labels = Drawn(tab).labels["weight_ih"]
    assert labels[0] == "forward unit 0 of layer 0" and labels[5] == "reverse unit 0 of layer 0"


def test_the_curves_are_the_norms_of_the_kept_moments(visit):
    tab = trained(visit, epochs=2).set("weights_counted", "bias")
    trainer = tab.training._mirror.current
    kept = [trainer.snapshots.nearest(step) for step in trainer.snapshots.steps]
    for k, gate in enumerate(GATES):
        x, y = tab.curve("weights_norms", k)
        named = [trainer.unflatten(snapshot.weights) for snapshot in kept]
        sums = [rows(n, "lstm.bias_ih_l0", gate) + rows(n, "lstm.bias_hh_l0", gate) for n in named]
        assert y == pytest.approx([np.linalg.norm(values) for values in sums], rel=1e-5)
        assert x == pytest.approx([snapshot.step / trainer.steps_per_epoch for snapshot in kept])


def test_forgotten_snapshots_are_measured_no_more_and_new_ones_once(visit, monkeypatch):
    tab = trained(visit)
    measured = []
    measure = weights_view._measure
    monkeypatch.setattr(weights_view, "_measure", lambda *a: measured.append(a[1].step) or measure(*a))
    tab.run()
    assert measured == []
    tab.training.snapshots.drop_from(4)
    tab.run()
    assert measured == []
    assert len(tab.curve("weights_norms")[0]) == len(tab.training.snapshots.steps)


def test_follows_the_training(visit):
    tab = visit("train").set("patience", 0).set("epochs", 1_000_000).press("train")
    tab.go("gates").set("view", "Weights").set("weights_of", weights_view.GRADIENTS)
    run, seen = tab.training, set()
    for _ in range(3):
        key = run.weights_key
        wait_until(lambda key=key: run.weights_key != key, "it trained on")
        seen.add(Drawn(tab.run()).maps["weight_hh"]["f"].tobytes())
    assert run.is_active
    assert len(seen) == 3


def test_the_sentence_of_the_forget_gate_s_bias():
    acts = {"weight_hh": {}, "bias": {"f": np.array([1.0, 3.0], np.float32)}}
    text = weights_view.weight_sentence(acts)
    assert "**+2.00**" in text
    assert "**84\u202f%**" in text  # the mean of 73 % and 95 %
    assert "0\u202f%" in weights_view.weight_sentence({"bias": {"f": np.array([-1e4], np.float32)}})


def test_the_sentence_of_growth_names_the_gate_and_when():
    epochs = np.array([0.0, 1.0, 2.0, 3.0])
    norms = dict.fromkeys(GATES, np.array([1.0, 1.0, 1.0, 1.1])) | {"o": np.array([2.0, 1.5, 0.5, 1.0])}
    text = weights_view.growth_sentence(norms, epochs, "weight_hh")
    assert "**output gate**" in text and "2 → 1, half of it by epoch 1)" in text
    still = dict.fromkeys(GATES, np.ones(4))
    assert "not changed yet" in weights_view.growth_sentence(still, epochs, "weight_hh")


def test_the_sentence_of_the_gradients_gives_shares_of_the_squared_norm():
    def of(**sizes: float) -> dict[str, np.ndarray]:
        return {gate: np.array([sizes.get(gate, 0.0)]) for gate in GATES}

    text = weights_view.gradient_sentence({"weight_ih": of(f=3, g=1), "weight_hh": of(f=1, i=3)})
    assert re.search(r"\*\*forget gate\*\* .*50\s%.*output gate the smallest \(0\s%\)", text)
    assert "exactly 0" in weights_view.gradient_sentence({"weight_ih": of()})


@pytest.mark.parametrize(
    ("units", "widths"),
    [
        (128, [512, 128, 3]),
        (512, [512, 512, 3]),
        (16384, [16384, 16384, 3]),
        (16384, [1, 16384, 3]),
        (3000, [1, 2, 3]),
        (200_000, [1, 1, 2]),
    ],
)
def test_thinned_until_it_fits_a_message(units, widths):
    down, *across = weight_heatmaps._strides(units, widths)
    cells = 4 * -(-units // down) * sum(-(-width // stride) for width, stride in zip(widths, across, strict=True))
    assert cells <= weight_heatmaps.MAX_CELLS
    assert across[-1] == 1  # the biases are a few columns
    if 4 * units * sum(widths) <= weight_heatmaps.MAX_CELLS:
        assert (down, *across) == (1, 1, 1, 1)
    else:
        assert cells > weight_heatmaps.MAX_CELLS / 3


@pytest.mark.slow
def test_a_large_model_is_thinned_with_a_word_and_its_histograms_count_all(visit):
    tab = visit("model").set("hidden_size", 400).train(epochs=1)
    drawn = Drawn(tab.go("gates").set("view", "Weights"))
    assert drawn.size < 2_000_000
    down, across = drawn.header["stride"], -(-400 // drawn.header["panels"][1]["columns"])
    weights = dict(tab.training._mirror.current.model.named_parameters())
    for gate in GATES:
        expected = rows(weights, "lstm.weight_hh_l0", gate)
        assert np.array_equal(drawn.maps["weight_hh"][gate], expected[::down, ::across])
        assert drawn.counts[gate].sum() == 400 * 400
    assert "of 400" in drawn.header["warning"]
    assert drawn.labels["weight_hh"][-1] == f"unit {399 // across * across}"
