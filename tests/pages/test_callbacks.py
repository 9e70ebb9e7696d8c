"""Callbacks are called to their end, whatever else has been asked for meanwhile."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import patch

import pytest
from streamlit import config
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData, ScriptRequests
from streamlit.runtime.state import SafeSessionState, SessionState

from pages.shared.server.callbacks import FAST, awaits_callbacks, keep_callbacks_whole


class NewerRequest(Exception):
    pass


@pytest.fixture
def runner(monkeypatch) -> ScriptRunner:
    """One that has a newer request waiting, and whose callbacks look into the session's state."""
    runner = object.__new__(ScriptRunner)

    def look(self):
        raise NewerRequest

    def begin(self, done: list[str]) -> None:
        runner._maybe_handle_execution_control_request()
        done.append("callback")
        if "fail" in done:
            raise ValueError

    monkeypatch.setattr(ScriptRunner, "_maybe_handle_execution_control_request", look)
    monkeypatch.setattr(SafeSessionState, "on_script_will_rerun", begin)
    return runner


def test_without_it_the_newer_request_forestalls_the_callback(runner):
    done: list[str] = []
    with pytest.raises(NewerRequest):
        object.__new__(SafeSessionState).on_script_will_rerun(done)
    assert done == []


def test_the_newer_request_waits_for_the_callback(runner):
    keep_callbacks_whole()
    done: list[str] = []
    object.__new__(SafeSessionState).on_script_will_rerun(done)
    assert done == ["callback"]
    with pytest.raises(NewerRequest):
        runner._maybe_handle_execution_control_request()


def test_after_a_callback_that_fails_requests_are_heard_again(runner):
    keep_callbacks_whole()
    with pytest.raises(ValueError):  # noqa: PT011
        object.__new__(SafeSessionState).on_script_will_rerun(["fail"])
    with pytest.raises(NewerRequest):
        runner._maybe_handle_execution_control_request()


@pytest.fixture
def requests(runner) -> ScriptRequests:
    """Patched, with a click that waits."""
    keep_callbacks_whole()
    requests = ScriptRequests()
    requests.request_rerun(RerunData(widget_states=WidgetStates()))
    return requests


@pytest.fixture(autouse=True)
def _patched_here_alone(monkeypatch):
    for owner, names in {
        ScriptRequests: ("on_scriptrunner_yield", "on_scriptrunner_ready"),
        AppSession: ("request_rerun",),
        ScriptRunner: ("__init__",),
    }.items():
        for name in names:
            monkeypatch.setattr(owner, name, getattr(owner, name))


@pytest.mark.parametrize("take", [ScriptRequests.on_scriptrunner_ready, ScriptRequests.on_scriptrunner_yield])
def test_a_click_awaits_its_callbacks_from_when_it_is_asked_until_they_are_through(requests, take):
    assert awaits_callbacks(requests)
    getattr(requests, take.__name__)()
    assert awaits_callbacks(requests)
    assert requests.on_scriptrunner_yield() is None and awaits_callbacks(requests)
    context = SimpleNamespace(script_requests=requests)
    with patch("pages.shared.server.callbacks.get_script_run_ctx", lambda **_: context):
        object.__new__(SafeSessionState).on_script_will_rerun([])
    assert not awaits_callbacks(requests)


def test_a_thread_that_ends_before_its_callbacks_keeps_no_one_waiting(requests):
    requests.on_scriptrunner_ready()
    requests.on_scriptrunner_ready()  # there is no more: it stops
    assert not awaits_callbacks(requests)


def test_a_clock_has_no_callbacks_and_keeps_no_one_waiting(requests):
    requests.on_scriptrunner_ready()
    requests.on_scriptrunner_ready()
    clock = ScriptRequests()
    clock.request_rerun(RerunData(widget_states=WidgetStates(), is_auto_rerun=True, fragment_id="poll"))
    assert not awaits_callbacks(clock)
    assert clock.on_scriptrunner_yield() is None and not awaits_callbacks(clock)
    clock.on_scriptrunner_ready()
    assert not awaits_callbacks(clock)


@pytest.mark.parametrize("is_late", [False, True])
def test_what_is_asked_before_the_callbacks_are_through_goes_to_the_same_thread(requests, monkeypatch, is_late):
    heard: list[bool] = []
    monkeypatch.setattr(AppSession, "request_rerun", lambda *_: heard.append(config.get_option(FAST)))
    keep_callbacks_whole()
    if is_late:
        requests.on_scriptrunner_ready()
        requests.in_hand = None
    session = SimpleNamespace(_scriptrunner=SimpleNamespace(_requests=requests))
    AppSession.request_rerun(session, None)
    assert heard == [is_late] and config.get_option(FAST)


def test_the_threads_of_a_session_share_one_lock(monkeypatch):
    def make(self, session_id: str, state: SessionState) -> None:
        self._session_state = SafeSessionState(state, lambda: None)

    monkeypatch.setattr(ScriptRunner, "__init__", make)
    keep_callbacks_whole()
    mine, yours = SessionState(), SessionState()
    made = [ScriptRunner(*of)._session_state for of in (("a", mine), ("a", mine), ("b", yours))]
    assert made[0]._lock is made[1]._lock is not made[2]._lock
    made[1]["a"] = 1
    assert made[0]["a"] == 1 and "a" not in made[2]
