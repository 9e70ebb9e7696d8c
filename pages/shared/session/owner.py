"""Who a visitor is: the hash of a secret that only this browser has. Nothing but the hash is ever stored or shown."""

from __future__ import annotations

import hashlib
import secrets

import streamlit as st

from pages.shared.server.security import COOKIE, SECRET

_OWN = "_owner_secret"


def owner() -> str:
    """The visitor's name for the runs that are theirs: 64 hexadecimal digits.

    All tabs of one browser have the same, by the cookie that came with the page; without cookies it is the session's.
    """
    secret = str(st.context.cookies.get(COOKIE, ""))  # AppTest has no cookies, and gives no text
    if not SECRET.fullmatch(secret):
        secret = st.session_state.setdefault(_OWN, secrets.token_urlsafe(32))
    return hashlib.sha256(secret.encode()).hexdigest()
