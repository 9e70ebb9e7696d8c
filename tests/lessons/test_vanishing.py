"""The gradients drawn are the models' own, and the shipped runs show what the lesson says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory.vanishing import HISTORY_POINTS
from lstm_core.lessons.runs import new_runs, train_to_end
from tests.lessons.shipped import shipped_runs

LESSON = get_lesson("vanishing")
GRADIENTS, REACHES, LOSSES = (picture.draw for picture in LESSON.figures)
SHORT = {"data": {"seq_len": 12, "length": 300}, "train": {"epochs": 1}}


@pytest.fixture(scope="module")
def runs():
    result = new_runs(LESSON, 4, SHORT)
    train_to_end(result)
    return result


def test_the_runs_differ_in_their_cell_alone():
    specs = [experiment.model for experiment in LESSON.experiments.values()]
    assert [spec.cell for spec in specs] == ["rnn", "gru", "lstm"]
    assert len({spec.hidden_size for spec in specs}) == 1
    assert len({(experiment.data, experiment.train) for experiment in LESSON.experiments.values()}) == 1


def test_the_first_point_of_every_line_is_what_the_head_reads_of_h(runs):
    lines = {line.name: line for line in GRADIENTS(runs).lines}
    assert set(lines) == {"RNN, h", "GRU, h", "LSTM, h", "LSTM, c"}
    for label, run in runs.items():
        line = lines[f"{label.upper()}, h"]
        assert line.x.tolist() == list(range(12))
        assert line.y[0] == pytest.approx(run.current_model().head.weight.norm().item(), rel=1e-5)


def test_the_rnns_line_is_autograds(runs):
    run = runs["rnn"]
    model, windows = run.current_model(), run.windows
    x = torch.from_numpy(windows.inputs(windows.starts["valid"][:8]))
    w_x, w_h, b_x, b_h = model.rnn.parameters()
    states = [torch.zeros(8, model.spec.hidden_size, requires_grad=True)]
    for x_t in x.unbind(1):
        states.append(torch.tanh(x_t @ w_x.T + b_x + states[-1] @ w_h.T + b_h))
    result = torch.autograd.grad(model.head(states[-1]).sum(), states[1:])
    norms = [grad.norm(dim=1).mean().item() for grad in result][::-1]
    line = next(line for line in GRADIENTS(runs).lines if line.name == "RNN, h")
    np.testing.assert_allclose(line.y, norms, rtol=1e-3)


def test_the_reach_is_drawn_from_the_start_to_now_and_stays_in_the_window(runs):
    for line, run in zip(REACHES(runs).lines, runs.values(), strict=True):
        assert (line.x[0], line.x[-1]) == (0, run.epoch)
        assert 2 <= len(line.x) <= HISTORY_POINTS + 1 and (np.diff(line.x) > 0).all()
        assert line.y.min() >= 1 and line.y.max() <= 12


def test_every_run_has_its_two_loss_curves(runs):
    lines = {line.name: line for line in LOSSES(runs).lines}
    for label, run in runs.items():
        assert len(lines[f"{label.upper()}, training"].y) == run.step
        assert len(lines[f"{label.upper()}, validation"].y) == run.epoch


def test_what_has_learned_nothing_yet_has_not_reached_the_goal(runs):
    assert not LESSON.outcome(runs).reached


def test_the_shipped_runs_show_the_rnn_fail_and_the_others_learn():
    runs = shipped_runs("vanishing")
    outcome = LESSON.outcome(runs)
    assert outcome.reached, outcome.summary
    assert outcome.metrics["rnn gradient left"] < 1e-3 < 1e-2 < outcome.metrics["lstm gradient left"]
    reach = {line.name: line.y[-1] for line in REACHES(runs).lines}
    assert reach["RNN"] < 30 < reach["LSTM"] == reach["GRU"] == 50
