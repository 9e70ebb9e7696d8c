"""Computations beside the page: they report, publish a first result, can be cancelled, and say why they failed."""

from __future__ import annotations

import threading

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting import contest
from lstm_core.forecasting.contest import QUICK, contest_of, train_seeds
from lstm_core.runs.background import BackgroundJob
from lstm_core.runs.contest_jobs import begin_contest, begin_seeds
from lstm_core.runs.run import Run
from tests.factories import TABLE, trainer_of, wave


@pytest.fixture
def run(monkeypatch) -> Run:
    monkeypatch.setattr("lstm_core.runs.contest_jobs.available", lambda: QUICK)
    monkeypatch.setattr(contest, "available", lambda: QUICK)
    trainer = trainer_of(wave(seq_len=4))
    for _ in trainer:
        pass
    return Run(trainer, TABLE)


def test_a_job_publishes_and_reports_and_ends():
    go_on = threading.Event()

    def compute(job: BackgroundJob[str]) -> str:
        job.report(0.5, "half")
        job.result = "first"
        go_on.wait(30)
        return "whole"

    job = BackgroundJob(compute)
    job.wait(0.05)
    assert not job.done and (job.result, job.progress, job.what) == ("first", 0.5, "half")
    go_on.set()
    job.wait(30)
    assert job.done and job.result == "whole" and job.message == ""


def test_a_cancelled_job_ends_at_its_next_report_and_keeps_what_it_published():
    go_on, after = threading.Event(), []

    def compute(job: BackgroundJob[str]) -> str:
        job.result = "first"
        go_on.wait(30)
        job.report(0.9, "more")
        after.append("reached")
        return "whole"

    job = BackgroundJob(compute)
    job.cancel()
    go_on.set()
    job.wait(30)
    assert job.done and job.result == "first" and not after and job.message == ""


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (PlaygroundError("Too few rows."), "Too few rows."),
        (MemoryError(), "not enough memory"),
        (ValueError("secret"), "internal error"),
    ],
)
def test_a_failure_is_told_in_a_sentence(error, message):
    def compute(job: BackgroundJob[str]) -> str:
        raise error

    job = BackgroundJob(compute)
    job.wait(30)
    assert job.done and message in job.message and "secret" not in job.message


def test_a_runs_contest_is_of_its_own_model(run):
    job = begin_contest(run)
    job.wait(30)
    assert job.result == contest_of(run.scored_models()["test"], run.windows, QUICK)


def test_further_seeds_follow_the_runs_own_and_those_before(run):
    seed = run.experiment.model.seed
    both = train_seeds(run.windows, run.experiment, (seed + 1, seed + 2))
    first = begin_seeds(run, 1, ())
    first.wait(30)
    second = begin_seeds(run, 1, first.result)
    second.wait(30)
    assert first.result == both[:1] and second.result == both
