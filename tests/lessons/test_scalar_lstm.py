"""The unit by hand against nn.LSTM, its arithmetic in words, and its course through a checkpoint."""

from __future__ import annotations

import math
import re
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.number_format import format_number
from lstm_core.experiment import GATES, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm import (
    TUTORIAL_END,
    TUTORIAL_START,
    TWO_COMPANIES,
    ScalarLSTM,
    max_difference_from_lstm,
    prediction_history,
    scalar_lstm_of,
    training_sequences,
    weight_history,
)
from lstm_core.lessons.runs import load_windows, new_runs
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint
from lstm_core.training.trainer import Trainer
from tests.conftest import examples

A, B = [0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 1.0]
WEIGHT = st.floats(-6, 6, width=32)
UNITS = st.lists(WEIGHT, min_size=12, max_size=12).map(ScalarLSTM.from_numbers)
SEQUENCES = st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=9)


def made(frozen: tuple[str, ...] = ("bias_hh", "head"), **train: object) -> Run:
    table, windows = load_windows(TWO_COMPANIES)
    spec = TrainSpec(**({"lr": 1e-3, "batch_size": 1, "epochs": 5000, "max_grad_norm": 0.0, "device": "cpu"} | train))
    experiment = Experiment(windows.spec, ModelSpec(hidden_size=1, frozen=frozen), spec)
    return Run(Trainer(windows, experiment), table)


@examples(100)
@given(UNITS, SEQUENCES)
def test_it_is_nn_lstm_to_float32s_rounding(unit, sequence):
    assert max_difference_from_lstm(unit, np.array([sequence])) < 2e-5


def test_the_distance_sees_a_unit_that_is_another():
    class Other(ScalarLSTM):
        def to_tensors(self):
            return ScalarLSTM.from_numbers([0.1 + value for value in self.to_numbers()]).to_tensors()

    assert max_difference_from_lstm(Other(*TUTORIAL_END.__dict__.values()), np.array([A, B])) > 0.01


@given(UNITS)
def test_the_twelve_numbers_go_to_tensors_and_back(unit):
    assert ScalarLSTM.from_tensors(unit.to_tensors()) == unit
    assert ScalarLSTM.from_numbers(unit.to_numbers()) == unit


def test_tensors_are_in_pytorchs_order_with_one_bias_a_gate():
    tensors = ScalarLSTM.from_numbers(range(12)).to_tensors()
    assert tensors["lstm.weight_ih_l0"].flatten().tolist() == [0, 3, 6, 9]
    assert tensors["lstm.weight_hh_l0"].flatten().tolist() == [1, 4, 7, 10]
    assert tensors["lstm.bias_ih_l0"].tolist() == [2, 5, 8, 11]
    assert tensors["lstm.bias_hh_l0"].tolist() == [0, 0, 0, 0]
    assert set(tensors) == {name for name, _ in made()._mirror.current.model.lstm.named_parameters(prefix="lstm")}


def test_the_two_biases_of_nn_lstm_count_as_their_sum():
    lstm = torch.nn.LSTM(1, 1, batch_first=True)
    unit = ScalarLSTM.from_tensors({f"lstm.{name}": p.detach() for name, p in lstm.named_parameters()})
    with torch.inference_mode():
        predictions = lstm(torch.tensor([A])[..., None])[1][0].item()
    assert unit.predict(A) == pytest.approx(predictions, abs=1e-6)


@given(UNITS, st.floats(-3, 3), st.floats(-1, 1), st.floats(-5, 5))
def test_a_step_is_the_equations_of_the_cell(unit, x, h, c):
    step = unit.step(x, h, c)
    f = 1 / (1 + math.exp(-(unit.f.weight_ih * x + unit.f.weight_hh * h + unit.f.bias)))
    g = math.tanh(unit.g.weight_ih * x + unit.g.weight_hh * h + unit.g.bias)
    assert step.gates["f"].value == pytest.approx(f)
    assert step.c == pytest.approx(step.gates["f"].value * c + step.gates["i"].value * g)
    assert step.h == pytest.approx(step.gates["o"].value * math.tanh(step.c))


def test_gates_saturate_without_overflow():
    unit = ScalarLSTM.from_numbers([1e4, 0, 0, -1e4, 0, 0, 1e4, 0, 0, 1e4, 0, 0])
    assert [gate.value for gate in unit.step(1.0, 0.0, 5.0).gates.values()] == [1.0, 0.0, 1.0, 1.0]


def test_the_arithmetic_in_words():
    first, second, *_ = TUTORIAL_END.unroll(A)
    assert first.sum_text("f") == "1.63·0 + 2.70·0 + 1.62"
    assert first.sum_text("g") == "0.94·0 + 1.41·0 − 0.32"
    assert second.sum_text("o") == "−0.19·0.5 + 4.38·(−0.13) + 0.59"
    assert second.c_text() == "0.89·(−0.20) + 0.77·(−0.03)"
    assert second.h_text() == "0.48·tanh(−0.21)"


@given(UNITS, SEQUENCES)
def test_the_words_can_be_reckoned_and_give_what_they_say(unit, sequence):
    for step in unit.unroll(sequence):
        for gate in GATES:
            words = step.sum_text(gate).replace("−", "-").replace("·", "*")
            assert re.fullmatch(r"[-0-9.*+ ()e]+", words)
            worst = 0.005 * (abs(step.x) + abs(step.h_before) + 1) + 0.0051 * 2 * 6
            assert eval(words) == pytest.approx(step.gates[gate].total, abs=worst)


@pytest.mark.parametrize("numbers", [[1.0] * 11, [1.0] * 13, [math.nan] * 12, [math.inf] * 12])
def test_a_unit_is_twelve_finite_numbers(numbers):
    with pytest.raises(PlaygroundError, match="twelve"):
        ScalarLSTM.from_numbers(numbers)


def gradient(unit: ScalarLSTM, sequence: list[float], target: float) -> np.ndarray:
    """Of (h − target)² by the twelve numbers: backpropagation through time, written out."""
    *_, last = steps = unit.unroll(sequence)
    result, d_h, d_c = np.zeros((4, 3)), 2 * (last.h - target), 0.0
    for step in reversed(steps):
        i, f, g, o = (gate.value for gate in step.gates.values())
        squashed = math.tanh(step.c)
        d_c += d_h * o * (1 - squashed**2)
        d = np.array(
            [
                d_c * g * i * (1 - i),
                d_c * step.c_before * f * (1 - f),
                d_c * i * (1 - g**2),
                d_h * squashed * o * (1 - o),
            ]
        )
        result += d[:, None] * (step.x, step.h_before, 1.0)
        d_h, d_c = float(d @ np.reshape(unit.to_numbers(), (4, 3))[:, 1]), d_c * f
    return result.ravel()


def test_the_tutorials_start_becomes_the_tutorials_numbers():
    """The original's course: A and B in turn, (out − label)², Adam 1e-3, 5000 epochs."""
    p, m, v = np.array(TUTORIAL_START.to_numbers()), np.zeros(12), np.zeros(12)
    for step in range(1, 10_001):
        grad = gradient(ScalarLSTM.from_numbers(p), *((A, 0.0) if step % 2 else (B, 1.0)))
        m, v = 0.9 * m + 0.1 * grad, 0.999 * v + 0.001 * grad**2
        p = p - 1e-3 * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
    assert p == pytest.approx(TUTORIAL_END.to_numbers(), abs=2e-3)
    assert [format_number(TUTORIAL_END.predict(one), 3) for one in (A, B)] == ["0.002", "0.969"]


def test_a_run_tells_its_sequences_and_what_it_said_along_the_way():
    run = made()
    sequences, targets = training_sequences(run)
    assert sequences.tolist() == [A, B] and targets.tolist() == [0.0, 1.0]
    untrained = [scalar_lstm_of(run).predict(one) for one in (A, B)]
    for _ in islice(run._mirror.current, 40):
        pass
    epochs, predictions = prediction_history(run)
    assert epochs[0] == 0 and epochs[-1] == 20 and (np.diff(epochs) > 0).all()
    assert predictions[0] == pytest.approx(untrained)
    assert predictions[-1] == pytest.approx([scalar_lstm_of(run).predict(one) for one in (A, B)])
    model = run.snapshot_at().model
    with torch.inference_mode():
        assert predictions[-1] == pytest.approx(model(torch.tensor([A, B])[..., None])[:, 0].numpy(), abs=1e-6)


def test_numbers_put_by_hand_are_the_ones_that_train_and_are_remembered():
    run = made()
    run._mirror.current.set_weights(TUTORIAL_START.to_tensors())
    assert scalar_lstm_of(run).to_numbers() == pytest.approx(TUTORIAL_START.to_numbers())
    next(run._mirror.current)
    moved = np.abs(np.subtract(scalar_lstm_of(run).to_numbers(), TUTORIAL_START.to_numbers()))
    assert moved == pytest.approx(np.full(12, 1e-3), rel=1e-2)  # Adam's first step is the learning rate
    epochs, predictions = prediction_history(run)
    assert epochs.tolist() == [0.0, 0.5]
    assert predictions[0] == pytest.approx([TUTORIAL_START.predict(one) for one in (A, B)])


def test_numbers_put_in_mid_training_leave_a_file_that_loads():
    run = made()
    for _ in islice(run._mirror.current, 30):
        pass
    for value in (1.0, 2.0):
        run._mirror.current.set_weights(ScalarLSTM.from_numbers([value] * 12).to_tensors())
    assert run.snapshots.steps.count(30) == 1
    checkpoint = load_checkpoint(save_checkpoint(run._mirror.current, {}))
    resumed = resume_trainer(checkpoint, run.windows)
    assert ScalarLSTM.from_tensors(resumed.model.state_dict()) == ScalarLSTM.from_numbers([2.0] * 12)


@pytest.mark.parametrize("at", [1, 40, 41])
def test_resumed_from_the_checkpoint_is_bit_for_bit_the_run_that_never_stopped(at):
    through, stopped = made(), made()
    for _ in islice(through._mirror.current, at + 60):
        pass
    for _ in islice(stopped._mirror.current, at):
        pass
    resumed = resume_trainer(load_checkpoint(save_checkpoint(stopped._mirror.current, {})), stopped.windows)
    for _ in islice(resumed, 60):
        pass
    assert resumed.step == through.step
    for one, other in zip(resumed.model.parameters(), through._mirror.current.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    "model", [{"num_layers": 2}, {"frozen": ("bias_hh",)}, {"cell": "gru"}, {"bidirectional": True, "frozen": ()}]
)
def test_a_model_that_is_not_one_unit_is_refused(model):
    table, windows = load_windows(TWO_COMPANIES)
    spec = ModelSpec(**({"hidden_size": 1, "frozen": ("bias_hh", "head")} | model))
    run = Run(Trainer(windows, Experiment(windows.spec, spec, TrainSpec(device="cpu"))), table)
    for ask in (scalar_lstm_of, weight_history, prediction_history):
        with pytest.raises(PlaygroundError, match="no longer one LSTM unit"):
            ask(run)
    for name, label in (("by_hand", "hand"), ("nn_lstm_1_1", "nn_lstm")):
        outcome = get_lesson(name).outcome({label: run, "hand": run})
        assert not outcome.reached and "no longer" in outcome.summary


@pytest.mark.parametrize("optimizer", ["Adam", "SGD"])
def test_two_biases_move_as_one_and_their_sum_twice_as_far(optimizer):
    run = made(frozen=("head",), lr=0.1, optimizer=optimizer, momentum=0.0)
    for _ in islice(run._mirror.current, 200):
        pass
    _, weights = weight_history(run)
    ih, hh = (np.stack([w[f"lstm.bias_{kind}_l0"].numpy() for w in weights]) for kind in ("ih", "hh"))
    assert np.ptp(ih - hh, axis=0) == pytest.approx(np.zeros(4), abs=1e-5)
    assert (ih + hh) - (ih + hh)[0] == pytest.approx(2 * (ih - ih[0]), abs=1e-5)
    assert np.ptp(ih, axis=0).min() > 0.01


@pytest.mark.parametrize("name", ["by_hand", "nn_lstm_1_1"])
def test_the_lessons_draw_at_every_moment_and_are_not_reached_untrained(name):
    one = get_lesson(name)
    runs = new_runs(one, 1)
    for steps in (0, 1, 20):
        for run in runs.values():
            run.train_here(steps)
        for picture in one.figures:
            assert all(np.isfinite(line.y).all() and len(line.x) for line in picture.draw(runs).lines)
        outcome = one.outcome(runs)
        assert not outcome.reached
        predictions = next(iter(runs.values())).snapshot_at().model(torch.tensor([A, B])[..., None]).flatten().tolist()
        assert [outcome.metrics["out_0"], outcome.metrics["out_1"]] == pytest.approx(predictions, abs=1e-6)


@pytest.mark.parametrize("name", ["by_hand", "nn_lstm_1_1"])
def test_what_ships_has_reached_what_the_lesson_says(name):
    from lstm_core.lessons.runs import pretrained_runs

    outcome = get_lesson(name).outcome(pretrained_runs(get_lesson(name)))
    assert outcome.reached and outcome.metrics["out_1"] > 0.95 and abs(outcome.metrics["out_0"]) < 0.01
