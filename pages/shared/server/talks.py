"""The talks that come with the app, as the files that the Stage opens: GET /talk/<name>.

Built of the lessons' trained models, which takes seconds, and then kept in the home folder until a model or the code
changes. So a talk's numbers are those of the models that ship.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import threading
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from lstm_core.experiment import PlaygroundError
from lstm_core.runs.home import home
from pages.shared.components.wire import pack

FORMAT, VERSION = "lstm-stage-talk", 1  # as stage/talk/talk_file.js has them
_CORE = Path(__file__).parents[3] / "lstm_core"
_building = threading.Lock()  # two visitors who ask at once wait for one building


def routes() -> list[BaseRoute]:
    """GET /talk/<name>, under the server's base path."""
    base = st.get_option("server.baseUrlPath").strip("/")
    return [Route(f"{'/' if base else ''}{base}/talk/{{name}}", talk, methods=["GET"])]


async def talk(request: Request) -> Response:
    try:
        content = await run_in_threadpool(talk_file, request.path_params["name"])
    except PlaygroundError as error:
        return PlainTextResponse(str(error), 404)
    # no-cache: a browser asks each time, since the models may have changed. Its scenes are packed already.
    headers = {"Cache-Control": "no-cache", "Content-Encoding": "identity"}
    return Response(content, media_type="application/json", headers=headers)


def talk_file(name: str) -> bytes:
    """The talk's file, built or as it was kept.

    Raises:
        PlaygroundError: there is no talk of that name, or one of its models is missing.
    """
    from lstm_core.lessons.talks import TALKS

    if name not in TALKS:
        raise PlaygroundError("There is no talk of that name.")
    with _building:
        kept = home() / "talks" / f"{name}-{_fingerprint()}.json"
        if not kept.is_file():
            content = _build(name)
            _keep(kept, content)
            return content
        return kept.read_bytes()


def _build(name: str) -> bytes:
    from lstm_core.lessons.talks import TALKS
    from lstm_core.lessons.talks.build import build_talk
    from lstm_core.model.devices import limit_to_one_thread

    limit_to_one_thread()
    built = build_talk(TALKS[name])
    scenes = {key: gzip.compress(pack(*scene), 5, mtime=0) for key, scene in built.scenes.items()}
    file = {
        "format": FORMAT,
        "version": VERSION,
        "title": built.title,
        "moments": built.moments,
        "scenes": {key: base64.b64encode(packed).decode() for key, packed in scenes.items()},
    }
    return json.dumps(file, ensure_ascii=False, allow_nan=False).encode()


def _keep(place: Path, content: bytes) -> None:
    """Older ones of the same talk are removed; on a full disk it is built anew each time."""
    part = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        for old in place.parent.glob(f"{place.name.partition('-')[0]}-*"):
            old.unlink()
        part.write_bytes(content)
        part.replace(place)
    except OSError:
        part.unlink(missing_ok=True)  # it is only a copy


def _fingerprint() -> str:
    """Of the code that makes a talk and of the models that it shows."""
    found = hashlib.blake2b(digest_size=12)
    for path in sorted([*_CORE.rglob("*.py"), *_CORE.glob("lessons/pretrained/**/*.safetensors")]):
        found.update(path.relative_to(_CORE).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()
