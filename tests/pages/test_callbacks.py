"""Callbacks are called to their end, whatever else has been asked for meanwhile."""

from __future__ import annotations

import pytest
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.state import SafeSessionState

from pages.shared.server.callbacks import keep_callbacks_whole


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
