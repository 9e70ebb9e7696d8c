"""Where runs are kept on this machine, and what may be a run's id."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

import platformdirs

ID = re.compile(r"[0-9a-f]{24}")


def home() -> Path:
    """LSTM_PLAYGROUND_HOME, or the system's folder for a user's data; made if it is not there, for its owner alone.

    Read anew each time: a test has a home of its own.
    """
    chosen = os.environ.get("LSTM_PLAYGROUND_HOME")
    path = Path(chosen).expanduser() if chosen else platformdirs.user_data_path("lstm-playground", appauthor=False)
    for folder in (path, path / "runs"):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def new_id() -> str:
    """An unguessable id: whoever has it may watch the run."""
    return secrets.token_hex(12)


def folder_of(id: str) -> Path | None:
    """The folder of a run in home(); None if there is none, or the id is none: it may come from a stranger."""
    if not ID.fullmatch(id):
        return None
    folder = home() / "runs" / id
    return folder if folder.is_dir() else None
