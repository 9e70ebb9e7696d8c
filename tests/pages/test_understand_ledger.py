"""Understand, Ledger: the page's parts are those of the room analysis, and its sentence adds up."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from lstm_core.analysis.attribution.explain import explain
from tests.pages import conftest
from tests.pages.conftest import Visitor, open_lesson, plotly_values, unescaped


def understand(visit, **model: object) -> Visitor:
    tab = visit("understand", run=conftest.trained(hidden_size=5, **model))
    assert not tab.errors()
    return tab


def figure(tab: Visitor, key: str = "ledger_figure") -> dict:
    (chart,) = (chart for chart in tab.at.get("plotly_chart") if key in chart.proto.id)
    return json.loads(chart.proto.spec)


def drawn(tab: Visitor) -> list[np.ndarray]:
    """The heights of the bars, one array for each colour."""
    picture = figure(tab)
    return [plotly_values(picture, k) for k, one in enumerate(picture["data"]) if one["type"] == "bar"]


def exact(tab: Visitor, **arguments: object):
    run = tab.training
    start = int(run.windows.starts[run.windows.last_split][-1])
    return explain(run.current_model(), run.windows, start, **arguments)


def test_the_page_shows_the_ledger_of_the_window(visit):
    tab = understand(visit)
    ledger = exact(tab)
    prediction = next(one for one in figure(tab)["data"] if one.get("name", "").startswith("prediction"))
    assert prediction["y"] == [pytest.approx(ledger.prediction)]
    words = tab.words()
    told = [float(text.replace("−", "-")) for text in re.findall(r"\*\*([+−]?[\d.]+)\*\*", words)]
    assert sum(told[:-1]) == pytest.approx(told[-1], abs=0.51 * len(told) * 10 ** -_decimals(words))
    assert "which is rounding" in words and "is a convention" in words


def _decimals(words: str) -> int:
    return len(re.search(r"\*\*[+−]?\d+\.?(\d*)\*\*", words)[1])


@pytest.mark.parametrize("method", ["writes", "gradients"])
def test_each_way_to_divide_it_is_drawn_and_told(visit, method):
    tab = understand(visit, num_layers=2, bidirectional=True).set("ledger_method", method)
    ledger = exact(tab, method=method)
    np.testing.assert_allclose(np.sum(drawn(tab), axis=0), ledger.steps, rtol=1e-6, atol=1e-9)
    told = {"writes": "Written at a step is not caused by its input", "gradients": f"{ledger.points:,} points"}
    assert told[method] in tab.words()


def test_a_head_at_every_step_is_explained_at_the_chosen_one(visit):
    tab = understand(visit, head="per_step").set("ledger_step", 3)
    prediction = next(one for one in figure(tab)["data"] if one.get("name", "").startswith("prediction"))
    assert prediction["y"] == [pytest.approx(exact(tab, step=2).prediction)]


def test_of_symbols_a_logit_is_set_against_another(visit):
    tab = open_lesson(visit, "embedded_reber").go("understand")
    assert "logit of" in tab.words() and "less that of" in tab.words()
    assert len(drawn(tab)) == 1
    tab.set("ledger_class", 1).set("ledger_less", 2)
    ledger = exact(tab, output=(1, 2))
    prediction = next(one for one in figure(tab)["data"] if one.get("name", "").startswith("prediction"))
    assert prediction["y"] == [pytest.approx(ledger.prediction)]
    assert "the logit of T less that of P" in unescaped(tab.words())


def test_the_table_has_every_part(visit):
    tab = understand(visit)
    (table,) = (frame.value for frame in tab.at.dataframe)
    assert np.isclose(table["added"].sum(), exact(tab).total)
