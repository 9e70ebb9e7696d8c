"""MirroredSession: a session that trains elsewhere. What changes there is written here, and commands go there."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from lstm_core.experiment import Experiment
from lstm_core.runs.cluster.remote_run import SENT, Change, News
from lstm_core.runs.folder import RunFolder, replace_file
from lstm_core.runs.session import MAX_ATTEMPTS, Session

EXCHANGE_SECONDS = 0.25  # between two exchanges without a command
WAIT_SECONDS = 0.05  # between two looks whether there is an answer, a command, or somebody else's turn


class LostError(Exception):
    """The other machine, or the process there, has gone; the message says why, as far as it is known."""


class Remote(Protocol):
    """A RemoteRun, through whatever is between; each raises LostError."""

    def exchange(self, commands: bytes, should_yield: bool) -> None: ...

    def score(self) -> None: ...

    def news(self, seconds: float) -> News | None:
        """The answer to the last exchange; None: there is none for so long."""

    def end(self) -> None:
        """It is not needed any more; never raises."""


class MirroredSession:
    """One run, with the interface of Session."""

    def __init__(
        self,
        folder: RunFolder,
        should_yield: Callable[[], bool],
        start: Callable[[str, Experiment, dict[str, bytes]], Remote],
    ) -> None:
        """The caller holds the folder's lock; start: begins a RemoteRun of an id, an experiment and its files."""
        self.folder = folder
        self._should_yield, self._start = should_yield, start
        self._remote: Remote | None = None
        self._sent = self._obeyed = 0  # bytes of control.jsonl that are there; that are obeyed

    @property
    def has_obeyed_all(self) -> bool:
        return self.folder.control_size <= self._obeyed

    def run(self) -> str:
        """Until it ends, is paused, or its turn is over; the written status. "deleted": the folder has gone.

        Lost, it goes on from what had come back, on another machine of the cluster.
        """
        lost, step = 0, None
        while True:
            try:
                return self._run()
            except LostError as error:
                before, step = step, self.folder.status().get("step", 0)
                lost = lost + 1 if step == before else 1
                if lost >= MAX_ATTEMPTS:
                    return self._fail(f"The cluster lost this run {lost} times at step {step:,}: {error}")

    def score(self) -> None:
        """Let score.json be written there, and bring it here."""
        try:
            self._remote.score()
            self._follow(lambda news: None if news.is_at_work else "scored")
        except LostError:
            return  # a page works it out itself

    def close(self) -> None:
        """After the last call."""
        if self._remote is not None:
            self._remote.end()
            self._remote = None

    def _run(self) -> str:
        self.close()
        folder = self.folder
        files = {name: folder.file(name).read_bytes() for name in SENT if folder.file(name).exists()}
        self._sent = len(files.get("control.jsonl", b""))
        self._remote = self._start(folder.id, folder.experiment(), files)
        return self._follow(lambda news: news.end)

    def _follow(self, ended: Callable[[News], str | None]) -> str:
        """Exchange until there is an end; "waiting" where there is nothing to wait for."""
        has_begun, yields = False, False
        while True:
            commands = self._new_commands()
            self._sent += len(commands)
            self._remote.exchange(commands, yields)
            while (news := self._remote.news(WAIT_SECONDS)) is None:
                if not self.folder.exists:
                    return "deleted"
                if not has_begun and self._should_yield():
                    return "waiting"
                if not has_begun and self._is_called_off():
                    self.close()
                    return self._call_off()
            if not self.folder.exists:
                return "deleted"
            has_begun = True
            for change in news.changes:
                self._write(change)
            self._obeyed = news.obeyed
            end = ended(news)
            if end is not None:
                return end
            yields = self._rest()

    def _rest(self) -> bool:
        """Until there is a reason for another exchange; whether it is another's turn."""
        until = time.monotonic() + EXCHANGE_SECONDS
        while time.monotonic() < until and self.folder.control_size <= self._sent:
            if self._should_yield():
                return True
            time.sleep(WAIT_SECONDS)
        return self._should_yield()

    def _new_commands(self) -> bytes:
        if self.folder.control_size <= self._sent:
            return b""
        with self.folder.file("control.jsonl").open("rb") as file:
            file.seek(self._sent)
            return file.read()

    def _write(self, change: Change) -> None:
        path = self.folder.file(change.name)
        if not change.offset:
            replace_file(path, change.data, sync=False)
            return
        with path.open("r+b") as file:
            file.truncate(change.offset)
            file.seek(change.offset)
            file.write(change.data)

    # ---- while no machine has taken it

    def _is_called_off(self) -> bool:
        last = self.folder.commands(0)[-1:]
        return bool(last) and last[0][1].get("do") in ("pause", "stop")

    def _call_off(self) -> str:
        """The commands end in one that ends the training: a session here obeys them without a step."""
        session = Session(self.folder, lambda: True)
        end = session.run()
        self._obeyed = self.folder.control_size if session.has_obeyed_all else 0
        return end

    def _fail(self, message: str) -> str:
        self._obeyed = self.folder.control_size
        said = {"status": "failed", "message": message, "control": self._obeyed, "time": time.time()}
        self.folder.write_status(self.folder.status() | said)
        return "failed"
