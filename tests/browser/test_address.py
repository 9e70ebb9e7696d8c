"""An address that is copied from one server's tab and opened in a fresh browser on another server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from lstm_core.runs.link import experiment_from_link
from tests.browser.conftest import server
from tests.browser.tab import Tab


def experiment_of(tab: Tab):
    """The experiment of the address, once it has one: it follows the page."""
    tab.page.wait_for_url(re.compile("[?&]x="))
    return experiment_from_link(parse_qs(urlsplit(tab.page.url).query)["x"][0])


def wait_for(tab: Tab, **model) -> None:
    """Until the address has these settings of the model."""
    for _ in range(100):
        if all(getattr(experiment_of(tab).model, name) == value for name, value in model.items()):
            return
        tab.page.wait_for_timeout(50)
    raise AssertionError(f"the address has {experiment_of(tab).model}")


@pytest.fixture
def other_server(browser, tmp_path) -> Iterator[str]:
    """It outlives the tabs: a tab whose server has gone complains."""
    with server(tmp_path / "log.txt") as address:
        yield address
    assert "Traceback" not in (tmp_path / "log.txt").read_text()


@pytest.mark.slow  # in the fast tests tests/pages/test_address.py opens addresses elsewhere
def test_an_address_opens_the_same_experiment_on_another_server(other_server: str, new_tab: Callable[..., Tab]):
    tab = new_tab().open("model").fill("hidden_size", 13).fill("num_layers", 2)
    wait_for(tab, hidden_size=13, num_layers=2)
    query, experiment = urlsplit(tab.page.url).query, experiment_of(tab)
    for title in ("Data", "Train", "Gates"):
        assert experiment_of(tab.go(title)) == experiment
    there = new_tab(url=other_server).open(f"model?{query}")
    expect(there.widget("hidden_size").locator("input")).to_have_value("13")
    assert experiment_of(there) == experiment
    assert parse_qs(urlsplit(there.page.url).query)["run"] != parse_qs(query)["run"]


@pytest.mark.slow
def test_back_leads_to_the_page_before_and_not_through_the_settings(tab: Tab):
    tab.open("data").page.wait_for_url(re.compile("x="))  # else the click on Model comes first, as nobody's does
    tab.go("Model")
    before = experiment_of(tab)
    for size in (8, 9):
        tab.fill("hidden_size", size)
    assert before.model.hidden_size != 9
    wait_for(tab, hidden_size=9)
    tab.page.go_back()
    expect(tab.page).to_have_url(re.compile("/data"))
    wait_for(tab, hidden_size=9)
