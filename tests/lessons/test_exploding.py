"""Without clipping the run breaks off; with it the same run goes on. Until the first cut both are one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory.exploding import cliff
from lstm_core.lessons.catalog.memory.exploding.lesson import CLIP, MAX_NORM_SHOWN
from lstm_core.lessons.runs import new_runs, train_to_end
from tests.lessons.shipped import shipped_runs

LESSON = get_lesson("exploding")
CLIFF = LESSON.figures[2].draw


@pytest.fixture(scope="module")
def runs():
    """Of the shown seed: the clipped one only as far as the other lasts, and a little further."""
    result = new_runs(LESSON, 0)
    result["clip"]._mirror.current.change(epochs=6)
    train_to_end(result)
    return result


def test_the_runs_differ_in_clipping_alone():
    clip, free = LESSON.experiments.values()
    assert (clip.data, clip.model) == (free.data, free.model)
    assert (clip.train.max_grad_norm, free.train.max_grad_norm) == (CLIP, 0)


def test_without_clipping_the_run_breaks_off_and_says_so(runs):
    free = runs["no_clip"]
    assert free.status == "failed" and not free.finished
    assert "became NaN or infinite at step" in free.message and "clipping (off now)" in free.message
    assert all(bool(p.isfinite().all()) for p in free._mirror.current.model.parameters())
    assert runs["clip"].status == "finished"


def test_both_runs_are_one_until_the_first_gradient_is_cut(runs):
    norms = {label: run.curves["grad_norm"].points()[1] for label, run in runs.items()}
    losses = {label: run.curves["train_loss"].points()[1] for label, run in runs.items()}
    first = int(np.argmax(norms["clip"] > CLIP))
    assert norms["clip"][first] > CLIP
    for result in (norms, losses):
        np.testing.assert_array_equal(result["clip"][: first + 1], result["no_clip"][: first + 1])
    assert losses["clip"][first + 1] != losses["no_clip"][first + 1]


def test_the_drawn_arrows_keep_and_lose_their_direction(runs):
    figure = LESSON.figures[3].draw(runs)
    circle, gradient, by_norm, by_value = figure.data
    tips = [np.array([arrow.x[1], arrow.y[1]]) for arrow in (gradient, by_norm, by_value)]
    cut = torch.nn.Parameter(torch.zeros(2))
    cut.grad = torch.tensor(tips[0], dtype=torch.float32)
    torch.nn.utils.clip_grad_norm_([cut], CLIP)
    np.testing.assert_allclose(tips[1], cut.grad.numpy(), rtol=1e-4)
    cut.grad = torch.tensor(tips[0], dtype=torch.float32)
    torch.nn.utils.clip_grad_value_([cut], CLIP)
    np.testing.assert_allclose(tips[2], cut.grad.numpy(), rtol=1e-6)
    np.testing.assert_allclose(np.hypot(circle.x, circle.y), CLIP)
    assert f"{np.linalg.norm(tips[0]):.2f}" in figure.layout.annotations[0].text


def test_the_shipped_runs_show_the_one_learn_and_the_other_end():
    runs = shipped_runs("exploding")
    outcome = LESSON.outcome(runs)
    assert outcome.reached, outcome.summary
    assert f"broke off after {runs['no_clip'].step} steps" in outcome.summary
    norms, limit = LESSON.figures[0].draw(runs).lines[1:]
    assert norms.y[-1] == MAX_NORM_SHOWN and (limit.y == CLIP).all()


def test_the_shipped_weights_are_those_that_the_shipped_run_had_before_its_last_good_step():
    run = shipped_runs("exploding")["no_clip"]
    step = cliff.last_good_step(run)
    drawn, early = cliff.slices(run, CLIP, max_replayed=0)
    epochs, losses = run.curves["train_loss"].points()
    at = int(np.argmin(abs(epochs * run.steps_per_epoch - step)))
    assert (drawn.step, epochs[at] * run.steps_per_epoch) == (step, pytest.approx(step))
    assert drawn.marked_losses[0] == pytest.approx(losses[at], rel=1e-3) and losses[at] < 1 < losses[at + 1 :].min()
    assert drawn.norm == pytest.approx(run.curves["grad_norm"].points()[1][at], rel=1e-3)
    assert early.step < step and early.norm < drawn.norm / 5


def test_a_run_of_ones_own_is_trained_again_as_far_as_its_last_good_step(runs, monkeypatch):
    shipped = cliff.slices(shipped_runs("exploding")["no_clip"], CLIP)[0]
    monkeypatch.setattr(cliff, "FILE", "none")
    own = cliff.slices(runs["no_clip"], CLIP)[0]  # of the same seed
    assert own.step == shipped.step
    np.testing.assert_allclose(own.losses, shipped.losses, rtol=1e-3)


def test_where_the_weights_cannot_be_had_an_earlier_snapshot_is_drawn(runs, monkeypatch):
    run = runs["no_clip"]
    monkeypatch.setattr(cliff, "FILE", "none")
    drawn = cliff.slices(run, CLIP, max_replayed=0)[0]
    assert drawn.step - 1 in run.snapshots.steps and drawn.step <= cliff.last_good_step(run)


def test_the_step_that_is_not_clipped_ends_up_the_wall_and_the_clipped_one_further_down():
    figure = CLIFF(shipped_runs("exploding"))
    losses, _, before, clipped, whole = figure.data
    assert (before.x[0], clipped.x[0], before.y[0] < 1) == (0, pytest.approx(0.1 * CLIP), True)
    assert min(losses.y) < clipped.y[0] < before.y[0] < 1 < whole.y[0]
    assert clipped.x[0] < losses.x[np.argmin(losses.y)] < whole.x[0]


def test_the_drawn_losses_are_those_of_the_batch_along_its_gradient():
    run = new_runs(LESSON, 4)["no_clip"]
    run.train_here(30)
    (drawn,) = cliff.slices(run, CLIP)
    (inputs, targets), model = cliff.training_batch(run, 31), run.current_model()
    assert drawn.step == 31
    loss = (model(inputs) - targets.flatten(1)).square().mean()
    loss.backward()
    assert drawn.marked_losses[0] == pytest.approx(loss.item(), rel=1e-5)
    norm = torch.nn.utils.get_total_norm([one.grad for one in model.parameters()]).item()
    assert drawn.norm == pytest.approx(norm, rel=1e-5)
    with torch.no_grad():
        for one in model.parameters():
            one -= drawn.distances[-1] / norm * one.grad
        assert drawn.losses[-1] == pytest.approx((model(inputs) - targets.flatten(1)).square().mean().item(), rel=1e-4)
    run.train_here(1)
    assert run.curves["train_loss"].points()[1][-1] == pytest.approx(loss.item(), rel=1e-5), "another batch"


def test_a_gradient_without_a_direction_is_refused():
    run = new_runs(LESSON, 4)["no_clip"]
    model = run.current_model()
    torch.nn.init.constant_(model.head.bias, torch.nan)
    with pytest.raises(PlaygroundError, match="no direction: its norm is nan"):
        cliff._along_gradient(run, 1, model, CLIP, 5)
