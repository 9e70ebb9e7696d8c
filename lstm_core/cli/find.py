"""A run, as a user names it: by its id, or by its folder."""

from __future__ import annotations

from pathlib import Path

from lstm_core.experiment import PlaygroundError
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import ID, adopt, folder_of, id_at

FORM = "DIR|ID"  # in usage lines
HELP = "the run's folder, or its id"


def find_run(name: str, to_train: bool = False) -> RunFolder:
    """The run of this id, or in this folder.

    to_train: give a folder that came from elsewhere an id, under which a worker finds it.

    Raises:
        PlaygroundError: there is no such run.
    """
    path = folder_of(name)
    if path is not None and (folder := RunFolder(path, name)).exists:
        return folder
    path = Path(name).expanduser().resolve()
    if not RunFolder(path).exists:
        what = "id" if ID.fullmatch(name) else "folder"
        raise PlaygroundError(f"No run has the {what} {name!r}: python -m lstm_core runs lists all that there are.")
    return RunFolder(path, id_at(path) or (adopt(path) if to_train else None))
