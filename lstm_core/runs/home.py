"""Where runs are kept on this machine, and what may be a run's id.

A run lies in home()/runs/ID, or elsewhere, as train --out has it: home()/runs/ID is then a link to its folder or,
where the system permits none, a text file with its path.
"""

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
    path = path.absolute()  # a worker has another working directory
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
    folder = run_path(id)
    return folder if folder.is_dir() else None


def run_path(id: str) -> Path:
    """Where the run of this id lies, or is to lie."""
    return path_at(home() / "runs" / id)


def path_at(place: Path) -> Path:
    """The run's folder, of its place in home(): itself, a link to it, or a file that names it."""
    return Path(place.read_text(encoding="utf-8")) if place.is_file() else place


def run_ids() -> list[str]:
    """Ids of all runs of this machine; their folders may be gone or damaged."""
    return [name for name in os.listdir(home() / "runs") if ID.fullmatch(name)]


def id_at(folder: Path) -> str | None:
    """The id of the run in this folder, wherever it lies; None if it has none on this machine."""
    folder = folder.resolve()
    return next((id for id in run_ids() if run_path(id).resolve() == folder), None)


def adopt(folder: Path, kind: str = "runs") -> str:
    """An id for the run in a folder elsewhere; kind: the folder of home() that then has a link to it.

    Raises:
        OSError: the disk is full.
    """
    id, folder = new_id(), folder.resolve()
    place = home() / kind / id
    place.parent.mkdir(mode=0o700, exist_ok=True)
    try:
        place.symlink_to(folder, target_is_directory=True)
    except (OSError, NotImplementedError):  # Windows lets administrators and developers make links only
        place.write_text(str(folder), encoding="utf-8")
    return id
