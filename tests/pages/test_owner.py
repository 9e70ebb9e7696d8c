"""The name that a visitor's runs are kept under."""

from __future__ import annotations

import hashlib
import re

from streamlit.runtime.context import ContextProxy, StreamlitCookies
from streamlit.testing.v1 import AppTest


def names() -> None:
    import streamlit as st

    from pages.shared.session.owner import owner

    st.text(owner())


def test_a_session_without_a_cookie_has_a_name_of_its_own_that_stays():
    one, other = AppTest.from_function(names).run(), AppTest.from_function(names).run()
    name = one.text[0].value
    assert re.fullmatch("[0-9a-f]{64}", name) and other.text[0].value != name
    assert one.run().text[0].value == name


def test_all_sessions_with_one_cookie_have_the_same_name_which_does_not_tell_the_secret(monkeypatch):
    secret = "s" * 43
    cookies = StreamlitCookies({"lstm_playground": secret})
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda self: cookies))
    found = {AppTest.from_function(names).run().text[0].value for _ in range(2)}
    assert found == {hashlib.sha256(secret.encode()).hexdigest()}


def test_a_cookie_that_anybody_could_guess_is_not_taken(monkeypatch):
    monkeypatch.setattr(ContextProxy, "cookies", property(lambda self: StreamlitCookies({"lstm_playground": "1"})))
    assert len({AppTest.from_function(names).run().text[0].value for _ in range(2)}) == 2
