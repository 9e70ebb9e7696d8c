"""The talk's file: made once of the shipped models, kept, and asked for by the Stage when an address names it."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.talks import TALKS
from lstm_core.lessons.talks.moment import Talk
from pages.shared.server import talk_file as talks


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> str:
    """A talk of one unit's moments."""
    moments = [moment for moment in TALKS["forty_minutes"].moments if moment.lesson == "by_hand"]
    monkeypatch.setitem(TALKS, "short", Talk("Short", tuple(moments)))
    return "short"


def test_each_scene_is_in_it_once(home: Path, short: str):
    file = json.loads(talks.talk_file(short))
    assert (file["format"], file["version"], file["title"]) == (talks.FORMAT, talks.VERSION, "Short")
    assert len(file["scenes"]) == 2 < len(file["moments"])  # two companies
    assert {moment["scene"] for moment in file["moments"]} == set(file["scenes"])
    content = gzip.decompress(base64.b64decode(next(iter(file["scenes"].values()))))
    header = json.loads(content[4 : 4 + int.from_bytes(content[:4], "little")])
    assert header["steps"] == 4 and header["hidden"] == 1


def test_it_is_made_once_until_models_or_code_change(home: Path, short: str, monkeypatch: pytest.MonkeyPatch):
    made = []
    build = talks._build
    monkeypatch.setattr(talks, "_build", lambda name, report: made.append(name) or build(name, report))
    first = talks.talk_file(short)
    assert talks.talk_file(short) == first and made == [short]
    monkeypatch.setattr(talks, "_fingerprint", lambda: "other")
    assert talks.talk_file(short) == first and made == [short, short]
    assert [path.name for path in (home / "talks").iterdir()] == ["short-other.json"]


def test_a_talk_that_does_not_exist_is_refused(home: Path):
    with pytest.raises(PlaygroundError, match="no talk of that name"):
        talks.talk_file("../secret")


def test_an_address_asks_for_a_talk_once(visit):
    tab = visit("stage", talk="forty_minutes")
    first, _ = tab.component("stage")
    assert first["talk"]["name"] == "forty_minutes"
    assert "talk" not in tab.at.query_params
    again, _ = tab.set("window", 3).component("stage")
    assert again["talk"] == first["talk"]  # the same wish, which the browser has granted


def test_without_one_nothing_is_asked(visit):
    assert "talk" not in visit("stage").component("stage")[0]
