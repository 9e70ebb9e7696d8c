"""Rollout: each prediction becomes the next input, and errors are measured in one scale for all ways to forecast."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.forecasting.predict import predict
from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.papers import rollout
from lstm_core.lessons.runs import new_runs, pretrained_runs

LESSON = get_lesson("rollout")
EXAMPLE, ERRORS = (picture.draw for picture in LESSON.figures)


@pytest.fixture(scope="module")
def shipped():
    return pretrained_runs(LESSON)


def test_a_prediction_has_the_scale_of_an_input(shipped):
    windows = shipped["one_step"].windows
    assert windows.x_center == windows.y_center and windows.x_scale == windows.y_scale


def test_a_rollout_is_the_window_read_again_with_each_prediction_behind_it(shipped):
    run = shipped["one_step"]
    model, start = run.current_model(), rollout._starts(run)[3]
    values = torch.from_numpy(run.windows.inputs(np.array([start])))
    with torch.no_grad():
        for _ in range(12):
            values = torch.cat([values, model(values)[:, -1:]], dim=1)
    rolled = rollout._forecasts(shipped)["rollout"][3]
    np.testing.assert_allclose(rolled[:12], values[0, -12:, 0].numpy(), atol=1e-4)


def test_every_row_that_is_compared_lies_in_the_test_split(shipped):
    for run in shipped.values():
        rows = rollout._starts(run)[:, None] + run.windows.spec.seq_len + np.arange(rollout.AHEAD)
        assert (run.windows.split_of_row[rows] == 2).all()


def test_the_direct_forecast_is_the_other_models_own(shipped):
    one, direct = shipped["one_step"], shipped["direct"]
    theirs = predict(direct.current_model(), direct.windows, rollout._starts(direct)[:5])[..., 0]
    scaled = (theirs - one.windows.y_center) / one.windows.y_scale
    np.testing.assert_allclose(rollout._forecasts(shipped)["direct"][:5], scaled, atol=1e-4)


def test_the_first_step_of_a_rollout_is_teacher_forced(shipped):
    errors = rollout._errors(shipped)
    assert errors["rollout"][0] == pytest.approx(errors["forced"][0], rel=1e-3)
    assert errors["forced"].max() < 2 * errors["forced"].min(), "with true values read, errors do not grow"
    outcome = LESSON.outcome(shipped)
    assert outcome.reached and outcome.metrics["rollout 84"] > outcome.metrics["direct 84"]
    drawn = {trace.name: np.asarray(trace.y) for trace in ERRORS(shipped).data}
    np.testing.assert_array_equal(drawn[rollout.NAMES["rollout"]], errors["rollout"])


def test_the_drawn_rollout_continues_the_series(shipped):
    drawn = {trace.name: trace for trace in EXAMPLE(shipped).data}
    assert len(drawn["series"].x) == 50 + rollout.AHEAD and drawn[rollout.NAMES["rollout"]].x[0] == 51


def test_before_training_nothing_has_grown():
    runs = new_runs(LESSON, 3)
    assert not LESSON.outcome(runs).reached
    assert rollout._errors(runs)["rollout"][0] > 0.3
