"""A click is never lost: what it asks for is done before the page that was opened right after it is drawn.

Streamlit asks for a newer request before it calls the callbacks of a click, and at each look of theirs into
st.session_state: a link that is clicked a moment after a button would end the button's callback, or forestall it. And
with fastReruns the newer request has a thread of its own, which would draw its page from a state that the callback is
about to change. Here newer requests wait until the callbacks are through, which takes milliseconds.
"""

from __future__ import annotations

import functools
import threading
from typing import Any
from weakref import WeakValueDictionary

from streamlit import config
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import (
    RerunData,
    ScriptRequest,
    ScriptRequests,
    ScriptRequestType,
)
from streamlit.runtime.state import SafeSessionState

FAST = "runner.fastReruns"
_thread = threading.local()


def keep_callbacks_whole() -> None:
    """From now on, in this process. Once a process."""
    _share_the_lock()
    _finish_callbacks()
    _note_what_is_in_hand()
    _queue_behind_callbacks()


def _share_the_lock() -> None:
    """All threads of a session take the same lock around its state.

    Streamlit gives each thread a lock of its own: a page that has just been left may clear up the state while the next
    one writes into it, and ends with "dictionary changed size during iteration".
    """
    make, locks = ScriptRunner.__init__, WeakValueDictionary()  # by session, for as long as one of its threads lives

    @functools.wraps(make)
    def make_with_shared_lock(self: ScriptRunner, session_id: str, *arguments: Any, **named: Any) -> None:
        make(self, session_id, *arguments, **named)
        object.__setattr__(self._session_state, "_lock", locks.setdefault(session_id, threading.RLock()))

    ScriptRunner.__init__ = make_with_shared_lock


def _finish_callbacks() -> None:
    """No newer request is looked for while callbacks are called."""
    begin, look = SafeSessionState.on_script_will_rerun, ScriptRunner._maybe_handle_execution_control_request

    @functools.wraps(begin)
    def begin_undisturbed(self: SafeSessionState, *arguments: Any, **named: Any) -> None:
        _thread.in_callbacks = True
        try:
            begin(self, *arguments, **named)
        finally:
            _thread.in_callbacks = False
            if context := get_script_run_ctx(suppress_warning=True):
                context.script_requests.in_hand = None

    @functools.wraps(look)
    def look_afterwards(self: ScriptRunner) -> None:
        if not getattr(_thread, "in_callbacks", False):
            look(self)

    SafeSessionState.on_script_will_rerun = begin_undisturbed
    ScriptRunner._maybe_handle_execution_control_request = look_afterwards


def _note_what_is_in_hand() -> None:
    """Requests know the one whose callbacks have not been called yet."""

    def noting(take: Any) -> Any:
        @functools.wraps(take)
        def taken(self: ScriptRequests) -> ScriptRequest | None:
            if self._state == ScriptRequestType.RERUN:
                self.in_hand = self._rerun_data  # before it is taken: it is never neither waiting nor in hand
            request = take(self)
            if request is not None:
                has_callbacks = request.type == ScriptRequestType.RERUN and _has_callbacks(request.rerun_data)
                self.in_hand = request.rerun_data if has_callbacks else None
            elif self._state == ScriptRequestType.RERUN:
                self.in_hand = None  # it waits on: a fragment's, which does not end the page being drawn
            return request

        return taken

    ScriptRequests.on_scriptrunner_yield = noting(ScriptRequests.on_scriptrunner_yield)
    ScriptRequests.on_scriptrunner_ready = noting(ScriptRequests.on_scriptrunner_ready)


def _queue_behind_callbacks() -> None:
    """A request that comes before an older one's callbacks are through is taken by the same thread, after them."""
    request_rerun = AppSession.request_rerun

    @functools.wraps(request_rerun)
    def request_in_turn(self: AppSession, client_state: ClientState | None) -> None:
        # Called by the thread of the event loop alone, for one session at a time, as nothing else reads the option.
        if not (runner := self._scriptrunner) or not config.get_option(FAST) or not awaits_callbacks(runner._requests):
            request_rerun(self, client_state)
            return
        config.set_option(FAST, False)
        try:
            request_rerun(self, client_state)
        finally:
            config.set_option(FAST, True)

    AppSession.request_rerun = request_in_turn


def awaits_callbacks(requests: ScriptRequests) -> bool:
    """Whether somebody has clicked, and what the click asks for has not been done yet."""
    is_waiting = requests._state == ScriptRequestType.RERUN
    return (is_waiting and _has_callbacks(requests._rerun_data)) or getattr(requests, "in_hand", None) is not None


def _has_callbacks(data: RerunData) -> bool:
    """Not those of a clock (run_every), which nobody misses."""
    asked = (data.widget_states, data.replay_trigger_states, data.replay_trigger_values)
    return not data.is_auto_rerun and any(one is not None for one in asked)
