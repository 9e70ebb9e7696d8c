"""The talk's file: made once of the shipped models, kept, and asked for by the Stage when an address names it."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import ClassVar

import pytest

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.talks import TALKS
from lstm_core.lessons.talks.moment import Talk
from pages.shared.server import talk_file as talks
from pages.shared.server import talks as routes


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


class FakeBuilding:
    """Stands for a process: it builds when a test says so."""

    begun: ClassVar[list[str]] = []

    def __init__(self, name: str) -> None:
        self.begun.append(name)
        self.lives, self.done, self.of = True, 1, 4


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """As if the app served pages. What it has begun to build."""
    monkeypatch.setattr(routes, "_begun", {})
    monkeypatch.setattr(routes, "_serving", True)
    monkeypatch.setattr(routes, "Building", FakeBuilding)
    monkeypatch.setattr(FakeBuilding, "begun", [])
    return FakeBuilding.begun


def test_who_asks_while_it_is_being_built_hears_how_far_it_is(server: list[str], short: str):
    building = routes.begin(short)
    assert routes.begin(short) is building is routes._found(short) and server == [short]
    building.lives = False  # it could not build it, or it could not keep it
    assert json.loads(routes._found(short))["title"] == "Short"
    assert routes.begin(short) is None and server == [short]  # it is there


def test_pages_without_a_server_begin_nothing(server: list[str], short: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(routes, "_serving", False)
    assert routes.begin(short) is None and server == []
    with pytest.raises(PlaygroundError, match="no talk of that name"):
        routes.begin("../secret")


@pytest.mark.slow
def test_a_process_builds_the_same_file(home: Path):
    building = routes.Building("forty_minutes")
    building._process.wait(300)
    (kept,) = (home / "talks").iterdir()
    moments = len(TALKS["forty_minutes"].moments)
    assert kept.read_bytes() == talks.talk_file("forty_minutes")
    assert (building.lives, building.done, building.of) == (False, moments - 1, moments)


def test_an_address_asks_for_a_talk_once(visit):
    tab = visit("stage", talk="forty_minutes")
    first, _ = tab.component("stage")
    assert first["talk"]["name"] == "forty_minutes"
    assert "talk" not in tab.at.query_params
    again, _ = tab.set("window", 3).component("stage")
    assert again["talk"] == first["talk"]  # the same wish, which the browser has granted


def test_without_one_nothing_is_asked(visit):
    assert "talk" not in visit("stage").component("stage")[0]
