"""A click is never lost: what it asks for is done before the page that was opened right after it is drawn.

Streamlit asks for a newer request before it calls the callbacks of a click, and at each look of theirs into
st.session_state. A link that is clicked a moment after a button thus ends the button's callback, or forestalls it, and
nothing comes of the button. Here newer requests wait until the callbacks are through, which takes milliseconds.
"""

from __future__ import annotations

import functools
import threading
from typing import Any

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.state import SafeSessionState

_thread = threading.local()


def keep_callbacks_whole() -> None:
    """From now on, in this process. Once a process."""
    begin, look = SafeSessionState.on_script_will_rerun, ScriptRunner._maybe_handle_execution_control_request

    @functools.wraps(begin)
    def begin_undisturbed(self: SafeSessionState, *arguments: Any, **named: Any) -> None:
        _thread.in_callbacks = True
        try:
            begin(self, *arguments, **named)
        finally:
            _thread.in_callbacks = False

    @functools.wraps(look)
    def look_afterwards(self: ScriptRunner) -> None:
        if not getattr(_thread, "in_callbacks", False):
            look(self)

    SafeSessionState.on_script_will_rerun = begin_undisturbed
    ScriptRunner._maybe_handle_execution_control_request = look_afterwards
