"""One sentence of what went wrong or well, at the top of the page; text from outside as Markdown that stays text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from lstm_core.experiment import PlaygroundError

_MESSAGES = "_messages"


def show_error(text: str) -> None:
    """Show one sentence about what went wrong at the top of the page, until the person does something else."""
    st.session_state[_MESSAGES] = {"error": text}


def show_info(text: str) -> None:
    """Show one sentence of good or neutral news at the top of the page, likewise."""
    st.session_state[_MESSAGES] = {"info": text}


def message(kind: str) -> str:
    """The sentence of this kind, "error" or "info", at the top of the page; "" if there is none."""
    return st.session_state.get(_MESSAGES, {}).get(kind, "")


def refused() -> dict[str, Any]:
    """What the error at the top refuses, as it was given to errors_on_top; empty without one."""
    return st.session_state.get(_MESSAGES, {}).get("refused", {})


def clear_messages() -> None:
    """Drop the message: the person has done something else since."""
    st.session_state.pop(_MESSAGES, None)


@contextmanager
def errors_on_top(then: str = "", refused: dict[str, Any] | None = None) -> Iterator[None]:
    """Drop the message at the top; a PlaygroundError inside becomes the new one, followed by `then`.

    refused: what it then refuses, for refused() to tell as long as the message is there.
    """
    clear_messages()
    try:
        yield
    except PlaygroundError as error:
        show_error(f"{error} {then}".rstrip())
        st.session_state[_MESSAGES]["refused"] = refused or {}


@contextmanager
def errors_here(icon: str | None = ":material/error:") -> Iterator[None]:
    """A PlaygroundError inside ends what is drawn there and is shown in its place."""
    try:
        yield
    except PlaygroundError as error:
        st.error(escape_markdown(str(error)), icon=icon)


def draw_messages(page: str) -> None:
    """Draw the message of show_error or show_info. It outlives reruns, but not its page.

    Its place is kept where there is none: else all below would be mounted anew with it, and an open expander close.
    """
    place = st.container()
    messages = st.session_state.get(_MESSAGES, {})
    if messages.setdefault("page", page) != page:
        clear_messages()
    elif "error" in messages:
        place.error(escape_markdown(messages["error"]), icon=":material/error:")
    elif "info" in messages:
        place.info(escape_markdown(messages["info"]), icon=":material/info:")


def escape_markdown(text: str) -> str:
    """Text from outside as Markdown that shows exactly that text: no links, images, colours, formulas or icons."""
    escaped = "".join(f"\\{c}" if c in r"""\`*_{}[]()<>#+-.!|~$"&'""" else c for c in text)
    return escaped.replace(":", ":\u2060").replace("\n", " ")  # a word joiner: ":red[" and ":smile:" mean nothing
