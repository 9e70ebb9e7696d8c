"""RemoteRun: a run's folder on another machine, where a session trains it; it tells what has changed in its files."""

from __future__ import annotations

import shutil
import tempfile
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

from lstm_core.runs.folder import RunFolder
from lstm_core.runs.session import Session

GROWING = ("events.jsonl", "records.bin", "snapshots.bin")  # only ever appended to, but where a session begins or ends
REPLACED = ("state.safetensors", "model.safetensors", "score.json", "status.json")  # in the order of writing
LEAVE_SECONDS = 5.0  # a step of a huge model may take longer
SENT = ("experiment.json", "table.safetensors", "about.json", "start.safetensors", "control.jsonl", *GROWING, *REPLACED)


@dataclass(frozen=True)
class Change:
    """A file's bytes from an offset on; what was there before is as it was. At 0: the whole file, anew."""

    name: str
    offset: int
    data: bytes


@dataclass(frozen=True)
class News:
    """changes: in the order in which they are to be written; end: of Session.run, once it has ended; obeyed: so many
    bytes of control.jsonl are obeyed, then; is_at_work: whether it trains or scores."""

    changes: tuple[Change, ...]
    end: str | None
    obeyed: int
    is_at_work: bool


class RemoteRun:
    """It begins to train as soon as it is made."""

    def __init__(self, id: str, files: dict[str, bytes]) -> None:
        """files: those of SENT that the run has."""
        self.folder = RunFolder(Path(tempfile.mkdtemp(prefix="lstm-playground-")) / id, id)
        self.folder.path.mkdir(mode=0o700)
        for name, data in files.items():
            self.folder.file(name).write_bytes(data)
        self._told: dict[str, tuple[int, int, int]] = {}  # name → when it was changed, its size, its checksum
        self._yields = threading.Event()
        self._session = Session(self.folder, self._yields.is_set)
        self._end: str | None = None
        self._obeyed = 0
        self._thread = threading.Thread(target=self._train, name="train", daemon=True)
        self._thread.start()

    def exchange(self, commands: bytes, should_yield: bool) -> News:
        """Append commands to control.jsonl; what has changed since the last call.

        should_yield: it is another's turn: the run saves itself and waits.
        """
        if commands:
            with self.folder.file("control.jsonl").open("ab") as file:
                file.write(commands)
        if should_yield:
            self._yields.set()
        is_at_work, end = self._thread.is_alive(), self._end  # before the files: then none changes after the last news
        # What is written last is read first: so what is told of a step never lacks what was written before it.
        found = [self._changed(name) for name in (*reversed(REPLACED), *reversed(GROWING))]
        changes = tuple(change for change in reversed(found) if change is not None)
        return News(changes, end, self._obeyed, is_at_work)

    def score(self) -> None:
        """Begin to write score.json."""
        self._thread = threading.Thread(target=self._session.score, name="score", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """End, and leave nothing on this machine."""
        self._yields.set()
        self._thread.join(LEAVE_SECONDS)
        shutil.rmtree(self.folder.path.parent, ignore_errors=True)

    def _train(self) -> None:
        end = self._session.run()
        self._obeyed = self.folder.control_size if self._session.has_obeyed_all else 0
        self._end = end

    def _changed(self, name: str) -> Change | None:
        path = self.folder.file(name)
        try:
            about = path.stat()
            before = self._told.get(name)
            if before is not None and before[:2] == (about.st_mtime_ns, about.st_size):
                return None
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        self._told[name] = about.st_mtime_ns, len(data), zlib.crc32(data)
        if before is not None and name in GROWING:
            _, size, checksum = before
            if len(data) >= size and zlib.crc32(memoryview(data)[:size]) == checksum:
                return Change(name, size, data[size:])
        return Change(name, 0, data)
