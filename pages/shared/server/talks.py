"""The talks that come with the app, as the files that the Stage opens: GET /talk/<name>.

To build one takes seconds, once. So that nobody waits for all of them, a process of its own begins as soon as somebody
sees the Lessons, or the Stage for a while: a thread of the server's would hold up whoever looks at other pages.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from lstm_core.experiment import PlaygroundError
from lstm_core.runs.home import home
from pages.shared.server.talk_file import check_name, place_of, talk_file

_ROOT = Path(__file__).parents[3]
_lock = threading.Lock()
_begun: dict[str, Building] = {}
_serving = False  # a page that runs without a server, in a test, begins nothing


class Building:
    """A process that builds a talk; done of so many moments (0 of 0 while it starts)."""

    def __init__(self, name: str) -> None:
        """Begins at once.

        Raises:
            OSError: no process can be started.
        """
        self.done = self.of = 0
        options = {} if os.name == "nt" else {"start_new_session": True}  # Ctrl+C is the server's
        self._process = subprocess.Popen(
            [sys.executable, "-m", "pages.shared.server.talk_file", name],
            cwd=_ROOT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "LSTM_PLAYGROUND_HOME": str(home())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # what fails here fails again where it is asked for, and is told there
            text=True,
            **options,
        )
        threading.Thread(target=self._read, name="building a talk", daemon=True).start()

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def _read(self) -> None:
        for line in self._process.stdout:
            self.done, self.of = map(int, line.split())


def routes() -> list[BaseRoute]:
    """GET /talk/<name>, under the server's base path."""
    global _serving
    _serving = True
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"{'/' if base else ''}{base}/talk/{{name}}", talk, methods=["GET"])]


async def talk(request: Request) -> Response:
    """The file; while it is being built 202 and how far that is. HEAD only begins to build it."""
    name = request.path_params["name"]
    # no-cache: a browser asks each time, since the models may have changed. Its scenes are packed already.
    headers = {"Cache-Control": "no-cache", "Content-Encoding": "identity"}
    try:
        found = await run_in_threadpool(begin if request.method == "HEAD" else _found, name)
    except PlaygroundError as error:
        return PlainTextResponse(str(error), 404)
    if isinstance(found, bytes):
        return Response(found, media_type="application/json", headers=headers)
    return JSONResponse({"done": found.done, "of": found.of} if found else {}, 202, headers)


def begin(name: str) -> Building | None:
    """Build it in a process of its own, unless it is there. Returns that process; None if there is none.

    Raises:
        PlaygroundError: there is no talk of that name.
    """
    check_name(name)
    with _lock:
        if _serving and name not in _begun and not place_of(name).is_file():
            try:
                _begun[name] = Building(name)
            except OSError:
                return None  # then who opens the talk builds it
        return _begun.get(name)


def _found(name: str) -> bytes | Building:
    """The file, or the process that is at it. What a process could not build is built here, and tells why."""
    building = begin(name)
    if building and building.lives:
        return building
    _begun.pop(name, None)  # the next visitor's models or code may be others
    return talk_file(name)
