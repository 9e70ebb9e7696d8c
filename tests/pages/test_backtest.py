"""The backtest under a forecast: errors by step and period, any origin's forecast beside what came, refits."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.forecasting.backtest import backtest
from lstm_core.forecasting.contest import QUICK
from pages.shared.forecast import backtest_view
from pages.shared.session.messages import escape_markdown
from tests.pages.conftest import Visitor, plotly_values, wait_until


def sales_csv(rows: int = 140) -> bytes:
    rng = np.random.default_rng(1)
    y = 100 + np.tile([3.0, 5.0, 9.0, 4.0, 2.0, 8.0, 1.0], rows // 7) + rng.normal(size=rows)
    days = np.datetime64("2024-01-01") + np.arange(rows)
    return ("day,sales\n" + "".join(f"{day},{value:.3f}\n" for day, value in zip(days, y, strict=True))).encode()


@pytest.fixture
def tab(visit, monkeypatch) -> Visitor:
    for module in ("lstm_core.runs.contest_jobs", "pages.shared.forecast.contest_table"):
        monkeypatch.setattr(f"{module}.available", lambda: QUICK)
    tab = visit("data").upload(sales_csv())
    tab.workspace.change("data", horizon=2)
    tab.workspace.change("train", epochs=2)
    tab.workspace.start_training().train_here()
    return tab.go("forecast")


def expected(tab: Visitor):
    run = tab.training
    return backtest(run.scored_models()["test"], run.windows)


def texts(tab: Visitor) -> str:
    return "\n".join(one.value for one in tab.at.markdown)


def forecast_drawn(tab: Visitor) -> np.ndarray:
    figure = tab.figure("backtest_picture")
    return plotly_values(figure, [one.get("name") for one in figure["data"]].index("forecast"))


def test_errors_are_told_by_step_and_by_period(tab):
    want = expected(tab)
    assert escape_markdown(want.sentence()) in texts(tab)
    np.testing.assert_allclose(plotly_values(tab.figure("backtest_steps"), 0), want.by_step())
    tab.at.segmented_control(key="backtest_period").set_value("weekday")
    tab.run()
    by_day = want.by_period(tab.training.windows, "weekday")
    figure = tab.figure("backtest_periods")
    assert list(figure["data"][0]["x"]) == list(by_day)
    np.testing.assert_allclose(plotly_values(figure, 0), [rmse for rmse, _ in by_day.values()])


def test_any_origins_forecast_is_drawn_after_it(tab):
    want, y = expected(tab), tab.training.windows.y[:, 0]
    for chosen in (len(want.origins) - 1, 3):
        tab.at.selectbox(key="backtest_origin").set_value(chosen)
        tab.run()
        np.testing.assert_allclose(forecast_drawn(tab), [y[want.origins[chosen]], *want.forecasts[chosen]])


def test_a_click_on_an_origins_point_chooses_it(monkeypatch):
    chosen = {}
    monkeypatch.setattr(backtest_view, "set_widget", lambda key, value, of: chosen.update({key: value}))
    points = [{"curve_number": 0, "point_index": 1}, {"curve_number": 1, "point_index": 2}]
    for selected, want in ((points, {"backtest_origin": 7}), (points[:1], {}), ([], {})):
        chosen.clear()
        event = {"selection": {"points": selected}}
        monkeypatch.setattr(backtest_view, "get_state", lambda key, default, event=event: event)
        backtest_view._clicked(np.array([5, 6, 7]), ())
        assert chosen == want


def test_refits_are_made_for_the_asking_and_shown(tab):
    tab.at.segmented_control(key="backtest_kind").set_value(backtest_view.REFITTED)
    tab.run()
    assert not [one for one in tab.at.selectbox if one.key == "backtest_origin"]
    tab.at.button(key="backtest_refit").click()
    tab.run()
    job = tab.training.cache["backtest_refits"]
    wait_until(lambda: job.done, "the refits are made")
    tab.run()
    assert job.result.refitted and escape_markdown(job.result.sentence()) in texts(tab)
    assert not [one for one in tab.at.button if one.key == "backtest_refit"]
