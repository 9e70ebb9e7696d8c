"""RunFolder: a run on disk. Whoever holds its lock writes it; everybody else reads, and asks through control.jsonl.

Every file is replaced as a whole or only ever appended to, so that a reader never sees half of one, whenever the
writer is killed. The README's table lists them.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstm_core.data.table import Table
from lstm_core.data.table_file import table_from_bytes, table_to_bytes
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs.locks import is_taken, take
from lstm_core.training.changes import Change, changes_to_json

WATCHED_SECONDS = 30.0  # a run that somebody looked at so recently is watched
LINE = 4000  # bytes of a command at most: one write of it is never torn apart by another's


class RunFolder:
    """The files of one run."""

    def __init__(self, path: Path, id: str | None = None) -> None:
        """id: None for the folder's name, which it is unless the run lies outside of home()."""
        self.path = path
        self.id = id or path.name

    def file(self, name: str) -> Path:
        return self.path / name

    # ---- what is written once

    def create(
        self, experiment: Experiment, table: Table, about: dict[str, Any], changes: Iterable[Change] = ()
    ) -> None:
        """Make the folder, for its owner alone. It is a run as soon as experiment.json is there, which comes last.

        changes: made while another run of this experiment trained; this one makes them at the same steps.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(self.file("table.safetensors"), table_to_bytes(table))
        if table.upload is not None:
            replace_file(self.file("data.csv"), table.upload.read())
        self.write_about(about)
        for one in changes:
            self.record_event({"step": one.step, "do": "change", "fields": {one.field: one.value}})
        described = json.loads(experiment.to_json()) | {"table_sha256": table.sha256, "versions": _versions()}
        if table.upload is not None and (corrections := table.upload.corrections.to_json()):
            described["read_options"] = corrections
        replace_file(self.file("experiment.json"), json.dumps(described, indent=1).encode())

    @property
    def exists(self) -> bool:
        return self.file("experiment.json").is_file()

    def experiment(self) -> Experiment:
        """As it was when the run began.

        Raises:
            PlaygroundError: it is missing or damaged.
        """
        return Experiment.from_json(self._text("experiment.json"))

    def table(self) -> Table:
        """The data of the run, the very same: built-in data, too, is kept, which another version may make otherwise.

        Raises:
            PlaygroundError: it is missing, damaged, or not what the run began with.
        """
        spec = self.experiment().data
        try:
            table = table_from_bytes(self.file("table.safetensors").read_bytes())
        except OSError:
            raise PlaygroundError(f"The data of this run, {spec.name!r}, is missing from its folder.") from None
        expected = json.loads(self._text("experiment.json")).get("table_sha256", "")
        if table.sha256 != expected:
            raise PlaygroundError(
                f"The data of this run has changed: {spec.name!r} has the SHA-256 {table.sha256[:12]}…, not "
                f"{expected[:12]}…. Train a new model on it."
            )
        return table

    def export(self) -> str:
        """experiment.json with the changes made since: what trains to the same weights again."""
        described = json.loads(self._text("experiment.json"))
        changes = changes_to_json(self.changes())
        return json.dumps(described | ({"changes": changes} if changes else {}), indent=1)

    @property
    def is_repeatable(self) -> bool:
        """Whether export() holds all that its weights come from: no saved model that it began from, and no weights that
        were set by hand."""
        is_new = not self.file("start.safetensors").exists()
        return is_new and not any(event.get("do") == "weights" for event in self.events())

    # ---- what people say about it

    def about(self) -> dict[str, Any]:
        """name, owner, created, note, pinned …; whoever may write the run replaces it as a whole."""
        return read_json(self.file("about.json"))

    def write_about(self, about: dict[str, Any]) -> None:
        replace_file(self.file("about.json"), json.dumps(about).encode())

    # ---- control.jsonl: what pages and the command line ask for

    def ask(self, do: str, **fields: Any) -> int:
        """Append a command; how long the file then is, which status.json's "control" reaches once it is obeyed."""
        return append_line(self.file("control.jsonl"), {"do": do, **fields})

    def commands(self, offset: int) -> list[tuple[int, dict]]:
        """The commands from this offset on, each with the offset behind it; lines that are none are left out."""
        return _lines(self.file("control.jsonl"), offset)

    @property
    def control_size(self) -> int:
        return _size(self.file("control.jsonl"))

    # ---- events.jsonl: what was done about it, written before it is done

    def record_event(self, event: dict[str, Any]) -> None:
        """Raises OSError: the disk is full."""
        append_line(self.file("events.jsonl"), event, sync=True)

    def events(self) -> list[dict]:
        return [event for _, event in _lines(self.file("events.jsonl"), 0)]

    def interrupted_training(self, notes: dict) -> dict | None:
        """The event of the training that a kill, or another's turn, interrupted; notes: of the last state."""
        trains = [event for event in self.events() if event.get("do") == "train"]
        was_on = notes.get("end") in (None, "waiting")
        return trains[-1] if trains and (was_on or trains[-1]["control"] > notes.get("control", 0)) else None

    def changes(self) -> list[Change]:
        """The live changes among the events, in their order."""
        return [
            Change(event["step"], name, value)
            for event in self.events()
            if event.get("do") == "change"
            for name, value in event["fields"].items()
        ]

    # ---- status.json, and who is at work

    def status(self) -> dict[str, Any]:
        """The last one written; {} before there is any."""
        return read_json(self.file("status.json"))

    def write_status(self, status: dict[str, Any]) -> None:
        replace_file(self.file("status.json"), json.dumps(status).encode(), sync=False)

    @property
    def is_locked(self) -> bool:
        """Whether somebody is at work on the run, whatever status.json says."""
        return is_taken(self.file("lock"))

    @contextmanager
    def locked(self, seconds: float) -> Iterator[bool]:
        """Hold the lock, if it can be had within so many seconds; whether it is held."""
        lock = take(self.file("lock"), seconds)
        try:
            yield lock is not None
        finally:
            if lock is not None:
                lock.release()

    def watch(self) -> None:
        """Somebody is looking at the run now."""
        path = self.file("watched")
        try:
            os.utime(path)
        except FileNotFoundError:
            path.touch()

    @property
    def is_watched(self) -> bool:
        try:
            return time.time() - self.file("watched").stat().st_mtime < WATCHED_SECONDS
        except FileNotFoundError:
            return False

    def _text(self, name: str) -> str:
        try:
            return self.file(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise PlaygroundError(f"{name} of the run cannot be read ({type(error).__name__}).") from None


def replace_file(path: Path, data: bytes, sync: bool = True) -> None:
    """Write all of a file or nothing; sync: also where the power is cut.

    Raises:
        OSError: the disk is full; the file is as it was.
    """
    temporary = path.with_name(path.name + ".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        _replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    if sync and os.name != "nt":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def append_line(path: Path, value: dict[str, Any], sync: bool = False) -> int:
    """Append one line of JSON in one write, which no other process's tears apart; how long the file then is.

    Raises:
        OSError: the disk is full.
    """
    line = json.dumps(value).encode() + b"\n"
    assert len(line) <= LINE, "a command is one short line"
    with path.open("a+b", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":  # whoever wrote before was killed in the middle
                line = b"\n" + line
        file.write(line)
        if sync:
            os.fsync(file.fileno())
        return file.tell()


def read_json(path: Path) -> dict[str, Any]:
    """An object of JSON; {} if there is none."""
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _replace(source: Path, target: Path) -> None:
    for wait in (0.01, 0.05, 0.2):  # Windows refuses while somebody reads the file
        try:
            os.replace(source, target)
            return
        except PermissionError:
            time.sleep(wait)
    os.replace(source, target)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _lines(path: Path, offset: int) -> list[tuple[int, dict]]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read()
    except FileNotFoundError:
        return []
    found = []
    for line in data.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # still being written
        offset += len(line)
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append((offset, value))
    return found


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "numpy")}
