"""What takes a while under a forecast: a run's contest, further seeds of it, and its backtest with refits."""

from __future__ import annotations

from lstm_core.forecasting.backtest import Backtest, backtest, refit_from
from lstm_core.forecasting.contest import FITTED, QUICK, Contest, available, baseline_errors, contest_of, train_seeds
from lstm_core.runs.background import BackgroundJob
from lstm_core.runs.run import Run

SeedErrors = tuple[tuple[float, ...], ...]  # (seeds, horizon)


def begin_contest(run: Run) -> BackgroundJob[Contest]:
    """The run's model as it is now; what takes no time comes first, ETS and ARIMA afterwards."""
    model, windows = run.scored_models()["test"], run.windows

    def compute(job: BackgroundJob[Contest]) -> Contest:
        job.result = contest = contest_of(model, windows, QUICK, lambda share, what: job.report(share / 2, what))
        slow = tuple(name for name in available() if name in FITTED)
        errors = baseline_errors(windows, slow, lambda share, what: job.report((1 + share) / 2, what)) if slow else {}
        return contest.with_baselines(errors)

    return BackgroundJob(compute)


def begin_seeds(run: Run, count: int, before: SeedErrors) -> BackgroundJob[SeedErrors]:
    """Train the run's experiment from `count` seeds after those before: all errors of other seeds than its own."""
    experiment, windows = run.experiment, run.windows
    first = experiment.model.seed + 1 + len(before)
    seeds = tuple(range(first, first + count))

    def compute(job: BackgroundJob[SeedErrors]) -> SeedErrors:
        return before + train_seeds(windows, experiment, seeds, job.report)

    return BackgroundJob(compute)


def begin_refits(run: Run) -> BackgroundJob[Backtest]:
    """A backtest of the run whose model is trained again at each origin, for as many passes as were best."""
    model, windows = run.scored_models()["test"], run.windows
    steps = run.best_epoch * run.steps_per_epoch if run.train_spec.patience else run.step
    refit = refit_from(windows, run.experiment, steps, run.shrunk)
    return BackgroundJob(lambda job: backtest(model, windows, refit=refit, progress=job.report))
