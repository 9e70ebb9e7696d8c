"""An address that is copied from one server's tab and opened in a fresh browser on another server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from lstm_core.link import experiment_from_link
from tests.browser.conftest import server
from tests.browser.tab import Tab


def experiment_of(tab: Tab):
    return experiment_from_link(parse_qs(urlsplit(tab.page.url).query)["x"][0])


@pytest.fixture
def other_server(browser, tmp_path) -> Iterator[str]:
    """It outlives the tabs: a tab whose server has gone complains."""
    with server(tmp_path / "log.txt") as address:
        yield address
    assert "Traceback" not in (tmp_path / "log.txt").read_text()


def test_an_address_opens_the_same_experiment_on_another_server(other_server: str, new_tab: Callable[..., Tab]):
    tab = new_tab().open("model").fill("hidden_size", 13).fill("num_layers", 2)
    query = urlsplit(tab.page.url).query
    experiment = experiment_of(tab)
    assert (experiment.model.hidden_size, experiment.model.num_layers) == (13, 2)
    for title in ("Data", "Train", "Gates"):
        assert experiment_of(tab.go(title)) == experiment
    there = new_tab(url=other_server).open(f"model?{query}")
    expect(there.widget("hidden_size").locator("input")).to_have_value("13")
    assert experiment_of(there) == experiment
    assert parse_qs(urlsplit(there.page.url).query)["run"] != parse_qs(query)["run"]
