"""The session: whose workspace it is, what survives, and that names from files stay data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.runtime.pages_manager import PagesManager

from lstm_core.runs import pool
from pages.shared.session.messages import escape_markdown
from tests.pages.conftest import Visitor, series_csv, unescaped, wait_until

HOSTILE = (
    "![x](http://evil.example/a.png)",
    "[click](http://evil.example)",
    "<img src=x onerror=alert(1)>",
    "$\\frac{1}{2}$",
    ":red[danger]",
    ":material/delete:",
    "**bold** _it_ `code`",
    "# heading",
)
PAGES = ("data", "model", "train", "gates", "start")


def test_the_workspace_is_in_the_url(visit):
    tab = visit()
    assert re.fullmatch(r"[\w-]{16,}", tab.id)
    for page in PAGES:
        tab.go(page)
        assert tab.at.query_params["run"] == tab.workspace.id


def test_two_visitors_have_a_run_each(visit):
    one, two = visit("model"), visit("model")
    assert one.id != two.id
    one.set("hidden_size", 40)
    two.run()
    assert two.widget("hidden_size").value == 16
    one.train(epochs=1)
    assert two.training is not one.training
    assert two.training.experiment.model.hidden_size == 16


def test_past_the_limit_a_run_waits_and_says_so(visit, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_SLOTS", "1")
    monkeypatch.setattr(pool, "FIRST_SECONDS", 0.0)  # no run gets its first seconds beside another
    one, two, three = (visit("train").set("patience", 0).set("epochs", 1_000_000) for _ in range(3))
    for tab in (one, two, three):
        tab.press("train")
        wait_until(lambda run=tab.training: run.status == "running" or run.queue_position, "it ran or queued")
    assert one.training.status == "running"
    for index, tab in ((1, two), (2, three)):
        assert f"number {index} in the queue" in tab.run().at.progress[0].text
        assert tab.training.step == 0
    two.press("pause")  # one may stop waiting
    assert "number 1 in the queue" in three.run().at.progress[0].text
    one.press("stop")
    wait_until(lambda: three.training.step > 0, "the next one started")
    assert two.training.step == 0


def test_a_second_tab_watches_the_same_run(visit):
    tab = visit("train").set("patience", 0).set("epochs", 1_000_000).press("train")
    run = tab.training
    other = visit("train", run=tab.id)
    assert other.training is run
    assert not other.pressable("train")  # it never runs twice
    step = run.step
    wait_until(lambda: run.step > step, "it trained on")
    other.press("pause")
    assert run.status == "paused"
    assert tab.run().widget("pause").label == "Resume"


def test_f5_comes_back_to_the_same_settings(visit):
    tab = visit("data").upload(series_csv(), "load.csv").set("seq_len", 7)
    tab.go("model").set("hidden_size", 11)
    again = visit("data", run=tab.id)
    assert again.widget("seq_len").value == 7
    assert again.workspace.table.name == "load.csv"
    assert again.set("read_decimal", ",").workspace.table.options.decimal == ","  # the bytes were kept too
    assert again.go("model").widget("hidden_size").value == 11


def test_a_change_in_one_tab_is_seen_in_the_other(visit):
    tab = visit("model")
    other = visit("model", run=tab.id)
    tab.set("hidden_size", 33)
    assert other.run().widget("hidden_size").value == 33


@pytest.mark.parametrize("unknown", ["nobody-has-this", "", "../../etc/passwd", "a" * 5000, "<b>"])
def test_an_unknown_run_opens_the_example_and_says_so(visit, unknown):
    tab = visit(run=unknown)
    assert tab.id != unknown
    assert ("no longer on the server" in tab.words()) == bool(unknown)
    assert tab.training.status == "finished"
    assert "no longer" not in tab.go("model").words()  # said on the page of arrival


def test_a_fresh_server_s_first_visitor_may_come_by_a_deep_link(monkeypatch):
    def begin_cold(self, *args, begin=PagesManager.__init__, **kwargs):
        begin(self, *args, **kwargs)
        PagesManager.uses_pages_directory = True

    monkeypatch.setattr(PagesManager, "__init__", begin_cold)
    tab = Visitor("data")
    assert tab.at.title[0].value == "Data"
    assert any("Trained" in m.value for m in tab.at.sidebar.markdown)


@pytest.mark.slow
def test_hostile_names_are_shown_as_they_are_on_every_page(visit):
    """Names of columns and classes, in a table that trains; the file bears one too."""
    quoted = ",".join('"' + name.replace('"', '""') + '"' for name in HOSTILE)
    numbers = ",".join(f"{{0}}{k}" for k in range(len(HOSTILE)))
    rows = [f'{k},{numbers.format(k % 13)},"{HOSTILE[k % len(HOSTILE)]}"' for k in range(160)]
    tab = visit("data").upload("\n".join([f"t,{quoted},label", *rows]).encode(), f"{HOSTILE[4]}.csv")
    assert not tab.errors()
    assert {*HOSTILE} <= {column.name for column in tab.workspace.table.columns}
    assert {*HOSTILE} == {*tab.workspace.table.column("label").classes}
    tab.set("target", ["label"]).set("seq_len", 4).set("time", HOSTILE[1])
    raw = [tab.markdown()]
    raw.append(tab.set("seq_len", 999).markdown())  # an error that speaks of the file
    tab.set("seq_len", 4).train(epochs=1)
    for page in PAGES:
        raw.append(tab.go(page).markdown())
        assert not tab.errors()
    tab.go("gates")
    for k in range(len(HOSTILE)):  # each class in its turn is the truth
        raw.append(tab.set("window", k + 1).markdown())
    assert not tab.go("data").set("target", [HOSTILE[0], HOSTILE[2]]).set("horizon", 2).errors()
    for page in ("train", "gates"):
        raw.append(tab.train(epochs=1).go(page).markdown())
    for name in HOSTILE:
        assert any(name in unescaped(text) for text in raw), f"{name} is shown nowhere"
        bare = re.compile(rf"(?<!\\){re.escape(name)}")
        assert not [text for text in raw if bare.search(text)]


def test_tags_in_names_are_escaped_for_plotly(visit):
    rows = "\n".join(f"{k},{k % 13},{k % 7}" for k in range(60))
    tab = visit("data").upload(f"<b>when</b>,<a href='x'>y</a>,<i>z</i>\n{rows}".encode()).set("seq_len", 4)
    tab.set("target", ["<a href='x'>y</a>", "<i>z</i>"]).set("time", "<b>when</b>")
    for key in ("split", "one_window"):
        assert not re.search(r"<(a|b|i)\b", json.dumps(tab.figure(key)).replace("\\u003c", "<")), key


@given(st.text(max_size=60))
def test_plain_text_reads_as_it_was_and_has_no_bare_markdown(text):
    shown = escape_markdown(text)
    assert unescaped(shown) == text.replace("\u2060", "").replace("\n", " ")
    bare = re.sub(r"\\.", "", shown, flags=re.DOTALL)
    assert not set(bare) & set("`*_{}[]()<>#+-.!|~$\"&'\\")
    assert not re.search(r":\w", bare)


def test_only_the_one_helper_makes_download_buttons():
    """Its data are bytes: a callable hangs the button now and then (pages/shared/components/download.py)."""
    pages = Path(__file__).parents[2] / "pages"
    users = [path.name for path in pages.rglob("*.py") if ".download_button(" in path.read_text(encoding="utf-8")]
    assert users == ["download.py"]
