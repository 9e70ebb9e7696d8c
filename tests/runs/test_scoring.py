"""A split scored beside the page: progress, another model's job in place of the old one, failures in one sentence."""

from __future__ import annotations

import threading

import pytest

from lstm_core.forecasting.scores import evaluate
from lstm_core.runs import scoring
from tests.factories import until


def test_a_score_is_that_of_all_windows_and_is_kept_until_the_weights_change(make):
    run = make()
    job = run.score("test", wait=60)
    assert job.done and not run.is_scoring
    mine = evaluate(run.current_model(), run.windows, "test")
    assert (job.evaluation.model, job.evaluation.windows) == (mine.model, len(run.windows.starts["test"]))
    assert run.score("test") is job
    run.train_here(1)
    again = run.score("test", wait=60)
    assert again is not job and again.evaluation.model != job.evaluation.model
    assert run.score("valid", wait=60).evaluation.split == "valid"


def test_a_long_one_tells_how_far_it_is_and_gives_way_to_that_of_newer_weights(make, monkeypatch):
    go_on, reports = threading.Event(), []

    def slow(model, windows, split, progress):
        progress(0.25)
        go_on.wait(30)
        reports.append("asked")
        progress(0.5)
        reports.append("went on")

    monkeypatch.setattr(scoring, "evaluate", slow)
    run = make()
    job = run.score("test", wait=0)
    until(lambda: job.progress == 0.25)
    assert run.is_scoring and job.evaluation is None
    run.train_here(1)
    newer = run.score("test", wait=0)
    go_on.set()
    until(lambda: job.done and newer.done)
    assert sorted(reports) == ["asked", "asked", "went on"]  # the older one ended at its next report


@pytest.mark.parametrize(("error", "says"), [(MemoryError(), "not enough memory"), (ValueError("x"), "server's log")])
def test_a_failure_is_one_sentence(make, monkeypatch, error, says):
    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(scoring, "evaluate", fail)
    job = make().score("test", wait=60)
    assert job.evaluation is None and says in job.message
