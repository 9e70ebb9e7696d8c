"""Who may talk to the server, and what a browser may do with its pages: hosts, headers, and the visitor's cookie."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from pages.shared.server.uploads import UploadBudget

COOKIE = "lstm_playground"
SECRET = re.compile(r"[A-Za-z0-9_-]{22,64}", re.ASCII)  # 128 bits at least
HOSTS_VARIABLE = "LSTM_PLAYGROUND_HOSTS"
_YEAR = 365 * 24 * 3600
_CONDITIONS = (b"if-none-match", b"if-modified-since")
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def headers() -> dict[str, str]:
    """What every answer tells the browser: it takes scripts, pictures and data from this server and nowhere else."""
    page = (Path(get_static_dir()) / "index.html").read_bytes()  # Streamlit's, with its one small script in it
    digests = (base64.b64encode(hashlib.sha256(script).digest()) for script in _INLINE_SCRIPT.findall(page))
    inline = " ".join(f"'sha256-{digest.decode()}'" for digest in digests)
    policy = (
        "default-src 'self'",
        # blob: the components, which Streamlit imports from texts; wasm-unsafe-eval: stage/touch/fast_sums.js, and no
        # text that is evaluated as a script.
        f"script-src 'self' blob: 'wasm-unsafe-eval' {inline}",
        "style-src 'self' 'unsafe-inline'",  # Streamlit's own style elements
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "object-src 'none'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",  # an address has a run's id: whoever has that may watch the run
    }


def middleware() -> list[Middleware]:
    """What every request goes through before Streamlit's own, in this order."""
    return [Middleware(AllowedHosts), Middleware(PageHeaders), Middleware(UploadBudget)]


class AllowedHosts:
    """Refuses what is asked of the server by a name that is not its own.

    A page of a stranger can have its own name point to 127.0.0.1 (DNS rebinding): the visitor's browser then takes
    this server's answers for that page's own. Such a request still carries the stranger's name.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._hosts = allowed_hosts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            name = host_name(Headers(scope=scope).get("host", ""))
            if name not in self._hosts and "*" not in self._hosts:
                await _refuse(name, scope, receive, send)
                return
        await self._app(scope, receive, send)


def allowed_hosts() -> frozenset[str]:
    """This machine's own names, the configured ones, and those of LSTM_PLAYGROUND_HOSTS, with commas between them."""
    configured: Iterable[str | None] = (
        "localhost",
        "127.0.0.1",
        "[::1]",
        st.get_option("server.address"),
        st.get_option("browser.serverAddress"),
        *os.environ.get(HOSTS_VARIABLE, "").split(","),
    )
    # 0.0.0.0 and :: mean every interface, which is nobody's name
    return frozenset(filter(None, (host_name(host or "") for host in configured))) - {"0.0.0.0", "::"}


def host_name(host: str) -> str:
    """The name of a Host header without its port, in lower case; "" if it is none."""
    host = host.strip()
    if host == "*":
        return host
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"  # as an address of IPv6 may stand in a setting
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port  # raises ValueError if it is no number
    except ValueError:
        return ""
    extra = parts.path or parts.query or parts.fragment or parts.username is not None or parts.password is not None
    return "" if extra else (parts.hostname or "").rstrip(".")


async def _refuse(name: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})  # before it is accepted: the answer is 403
        return
    shown = name if re.fullmatch(r"[a-z0-9.:_-]{1,253}", name) else "that name"
    port = (scope.get("server") or ("", None))[1]
    text = (
        f"This server does not answer to {shown}: open http://localhost{f':{port}' if port else ''} instead, or start "
        f"the server with the environment variable {HOSTS_VARIABLE}={shown.replace(' ', '-')}.\n"
    )
    await PlainTextResponse(text, 403)(scope, receive, send)


class PageHeaders:
    """Adds headers() to every answer, and to a page's the visitor's cookie where there is none yet.

    The cookie is what tells visitors apart: runs belong to the hash of its secret (session/owner.py).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = headers()
        self._secure = "; Secure" if st.get_option("server.sslCertFile") else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_known = has_secret(scope)
        if not is_known:  # "304, as you have it" would bring no cookie
            scope = scope | {"headers": [pair for pair in scope["headers"] if pair[0] not in _CONDITIONS]}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    sent[name] = value
                if not is_known and sent.get("content-type", "").startswith("text/html"):
                    sent.append("Set-Cookie", self._new_cookie())
                    sent["Cache-Control"] = "no-store"  # a secret is one visitor's
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _new_cookie(self) -> str:
        secret = secrets.token_urlsafe(32)
        return f"{COOKIE}={secret}; Path=/; Max-Age={_YEAR}; HttpOnly; SameSite=Lax{self._secure}"


def has_secret(scope: Scope) -> bool:
    """Whether the request brings a cookie that can be ours."""
    cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
    return SECRET.fullmatch(cookies.get(COOKIE, "")) is not None
