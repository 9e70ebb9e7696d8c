"""How much one session may have uploaded at once: Streamlit limits a file, not how many of them."""

from __future__ import annotations

import os
import re
from collections import Counter

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit import runtime

LIMIT_VARIABLE = "LSTM_PLAYGROUND_UPLOAD_MB"
DEFAULT_MB = 400
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/[^/]+$")


class UploadBudget:
    """Answers 413 to an upload that would take its session over the limit.

    What a session holds is Streamlit's own to know: files that are deleted, replaced or outlived give their bytes back
    by themselves. Here are counted only the bytes under way.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._limit = upload_limit()
        self._under_way: Counter[str] = Counter()  # session → bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        upload = _UPLOAD.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "PUT" else None
        if upload is None:
            await self._app(scope, receive, send)
            return
        session, counted = upload[1], 0
        said = Headers(scope=scope).get("content-length", "")
        if said.isdecimal() and self._over(session, int(said)):
            await PlainTextResponse(self._sentence(), 413)(scope, receive, send)
            return

        async def receive_counted() -> Message:
            nonlocal counted
            message = await receive()
            length = len(message.get("body", b""))
            counted += length
            self._under_way[session] += length
            if length and self._over(session):  # its length was not said, or more came than was
                raise HTTPException(413, self._sentence())
            return message

        try:
            await self._app(scope, receive_counted, send)
        finally:
            self._under_way[session] -= counted
            if not self._under_way[session]:
                del self._under_way[session]

    def _over(self, session: str, more: int = 0) -> bool:
        return stored_bytes(session) + self._under_way[session] + more > self._limit

    def _sentence(self) -> str:
        return f"A session may have {self._limit >> 20} MB of files at once: remove one, or set {LIMIT_VARIABLE}."


def upload_limit() -> int:
    """In bytes: LSTM_PLAYGROUND_UPLOAD_MB, a whole number of megabytes, or DEFAULT_MB."""
    chosen = os.environ.get(LIMIT_VARIABLE, "")
    return (int(chosen) if chosen.isdecimal() else DEFAULT_MB) << 20


def stored_bytes(session: str) -> int:
    """Of the files that Streamlit holds for a session."""
    files = runtime.get_instance().uploaded_file_mgr.file_storage.get(session, {})
    return sum(len(file.data) for file in list(files.values()))
