"""Without clipping the run breaks off; with it the same run goes on. Until the first cut both are one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory.exploding import CLIP, MAX_NORM_SHOWN
from lstm_core.lessons.runs import new_runs, train_to_end
from tests.lessons.shipped import shipped_runs

LESSON = get_lesson("exploding")


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
    figure = LESSON.figures[2].draw(runs)
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
