"""What the server answers without running a script: the records of a run, to browsers that draw its curves.

Whoever has a run's id may watch it; nobody can write here. A request costs no more than the bytes that it asks for.
"""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from lstm_core.runs.home import folder_of
from lstm_core.runs.records import RECORD, first_step, offset_of, read_records
from pages.shared.server.buckets import MAX_BUCKETS, bucketed

MAX_RECORDS = 2_000_000 // RECORD.itemsize  # of one answer
_AT_ONCE = 4_000  # records read beside all other requests: fewer take less than handing them to a thread
_WHOLE = re.compile(r"[0-9]{1,10}", re.ASCII)
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Encoding": "identity",  # else Streamlit compresses it: 4 kB of noise, four times a second
}


def routes() -> list[BaseRoute]:
    """GET /run/<id>/records?from=K and /run/<id>/curves?buckets=N, under the server's base path."""
    base = st.get_option("server.baseUrlPath").strip("/")
    run = f"{'/' if base else ''}{base}/run/{{id}}"
    return [Route(f"{run}/records", records, methods=["GET"]), Route(f"{run}/curves", curves, methods=["GET"])]


async def records(request: Request) -> Response:
    """The records from the K-th on, counted from 0, as records.bin has them; at most MAX_RECORDS of them."""
    start = _whole_number(request, "from", 0, 2**32)
    path = _records_path(request)
    if start is None:
        return PlainTextResponse("from is the number of a record, from 0.", 400)
    if path is None:
        return _no_run()
    after = start + (first_step(path) or 0)
    if _available(path) - start <= _AT_ONCE:
        found = read_records(path, after, after + _AT_ONCE)
    else:
        found = await run_in_threadpool(read_records, path, after, after + MAX_RECORDS)
    return Response(found.tobytes(), media_type="application/octet-stream", headers=_HEADERS)


async def curves(request: Request) -> Response:
    """All records so far in at most N buckets: see buckets.py."""
    count = _whole_number(request, "buckets", 2000, MAX_BUCKETS)
    path = _records_path(request)
    if not count:
        return PlainTextResponse(f"buckets is a number from 1 to {MAX_BUCKETS}.", 400)
    if path is None:
        return _no_run()
    data = await run_in_threadpool(bucketed, path, count)
    return Response(data, media_type="application/octet-stream", headers=_HEADERS)


def _whole_number(request: Request, name: str, default: int, most: int) -> int | None:
    text = QueryParams(request.url.query).get(name, str(default))
    return int(text) if _WHOLE.fullmatch(text) and int(text) <= most else None


def _records_path(request: Request) -> Path | None:
    folder = folder_of(request.path_params["id"])
    return None if folder is None else folder / "records.bin"


def _available(path: Path) -> int:
    return (path.stat().st_size - offset_of(0)) // RECORD.itemsize if path.exists() else 0


def _no_run() -> Response:
    return PlainTextResponse("There is no such run on this server.", 404)
