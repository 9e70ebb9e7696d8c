"""The contest under a forecast: all methods on the same windows, the best marked, more seeds for the asking."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from lstm_core.forecasting import contest
from lstm_core.forecasting.contest import QUICK, contest_of, train_seeds
from lstm_core.runs.background import BackgroundJob
from pages.shared.session.messages import escape_markdown
from tests.pages.conftest import Visitor, wait_until


def sales_csv(rows: int = 100) -> bytes:
    rng = np.random.default_rng(1)
    y = 100 + np.tile([3.0, 5.0, 9.0, 4.0], rows // 4) + rng.normal(size=rows)
    return ("sales_*x*\n" + "".join(f"{value:.3f}\n" for value in y)).encode()


@pytest.fixture
def tab(visit, monkeypatch) -> Visitor:
    for module in ("lstm_core.runs.contest_jobs", "pages.shared.forecast.contest_table"):
        monkeypatch.setattr(f"{module}.available", lambda: QUICK)
    monkeypatch.setattr(contest, "available", lambda: QUICK)
    tab = visit("data").upload(sales_csv())
    tab.workspace.change("data", horizon=2)
    tab.workspace.change("train", epochs=2)
    tab.workspace.start_training().train_here()
    tab.go("forecast")
    wait_until(lambda: job_of(tab).done, "the contest is there")
    return tab.run()


def job_of(tab: Visitor):
    return list(tab.training.cache["contest"].values())[-1]


def texts(tab: Visitor) -> str:
    return "\n".join(one.value for one in (*tab.at.markdown, *tab.at.caption))


def table(tab: Visitor) -> str:
    (found,) = [one.proto.body for one in tab.at.get("html") if 'class="contest"' in one.proto.body]
    return found


def test_every_method_is_in_the_table_and_the_best_is_named(tab):
    run = tab.training
    want = contest_of(run.scored_models()["test"], run.windows, QUICK)
    assert escape_markdown(want.sentence()) in texts(tab)
    assert table(tab).count("<tr>") == 1 + len(QUICK) + 1
    assert table(tab).count("(best)") == 1 and "RMSE, steps 1 to 2" in table(tab)
    assert f"{want.windows} test windows" in texts(tab) and r"sales\_\*x\*" in texts(tab)
    assert "statsforecast" in texts(tab)


def test_two_more_seeds_tell_the_spread(tab):
    run = tab.training
    tab.at.button(key="contest_seeds").click()
    tab.run()
    wait_until(lambda: run.cache["contest_seeds"].done, "two seeds are trained")
    tab.run()
    seed = run.experiment.model.seed
    others = train_seeds(run.windows, run.experiment, (seed + 1, seed + 2))
    assert run.cache["contest_errors"] == others
    assert "over 3 seeds" in texts(tab)


def test_further_seeds_can_be_cancelled(tab):
    run = tab.training
    job = hold_seeds(run)
    tab.run()
    tab.at.button(key="contest_cancel").click()
    tab.run()
    assert job.cancelled
    job.go_on.set()
    wait_until(lambda: job.done, "it has ended")
    tab.run()
    assert "over" not in table(tab) and [one for one in tab.at.button if one.key == "contest_seeds"]


def hold_seeds(run):
    """A job of further seeds that waits."""
    go_on = threading.Event()

    def compute(job: BackgroundJob) -> tuple:
        job.report(0.1, "Training")
        go_on.wait(30)
        job.report(0.2, "Training")
        return ((1.0, 1.0),)

    job = run.cache["contest_seeds"] = BackgroundJob(compute)
    job.go_on = go_on
    return job
