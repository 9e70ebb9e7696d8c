"""Runs a tutorial's program in a process of its own: one at a time a visitor, watched, and killed when nobody looks."""

from __future__ import annotations

import csv
import io
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.program import Program, measured
from lstm_core.runs.home import home
from lstm_core.runs.tensorboard import event_file

LAUNCHER = Path(__file__).with_name("program_launcher.py")
MAX_SECONDS = 600.0  # of one program: many times what the longest takes on an idle core
UNWATCHED_SECONDS = 30.0  # without a heartbeat, after which it is stopped
MAX_BYTES = 2_000_000  # of what it prints
WATCH_SECONDS = 0.1  # between two looks at the process
STALE_SECONDS = 86_400.0  # after which a folder is what a server that was killed left behind
MAX_SEED = 2**31 - 1
SCALARS = ("train_loss", "out_0", "out_1")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Printed:
    """What one call of print wrote; line: of the script, from 1."""

    line: int
    text: str


class ProgramRun:
    """One run of a program; its status: "running", then "finished", "failed", "stopped", "unwatched" or "timeout"."""

    def __init__(self, program: Program, seed: int, *arguments: str, seconds: float = MAX_SECONDS) -> None:
        """Start it. arguments: further ones of the script's.

        Raises:
            PlaygroundError: the process cannot be started, or the disk is full.
        """
        if not 0 <= seed <= MAX_SEED:
            raise PlaygroundError(f"seed is {seed}: choose a whole number from 0 to {MAX_SEED}.")
        self.program, self.seed, self.status, self.error = program, seed, "running", ""
        self._seconds, self._seen = seconds, time.monotonic()
        self._wanted_status = ""
        self._printed: list[Printed] = []
        self._points: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self.created = time.time()
        try:
            self._folder = Path(tempfile.mkdtemp(dir=_programs_folder()))
        except OSError as error:
            raise _not_started(error) from None
        try:
            with (self._folder / "stdout").open("wb") as out, (self._folder / "stderr").open("wb") as err:
                self._process = subprocess.Popen(
                    # -P: the folder of the launcher is not searched for modules
                    [sys.executable, "-P", str(LAUNCHER), str(program.path), "--seed", str(seed), *arguments],
                    cwd=self._folder,
                    env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONIOENCODING": "utf-8"},
                    stdin=subprocess.PIPE,  # closed when this process ends, and then the program ends, too
                    stdout=out,
                    stderr=err,
                )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise _not_started(error) from None
        self._thread = threading.Thread(target=self._watch, name=f"program {program.name}", daemon=True)
        self._thread.start()

    @property
    def is_active(self) -> bool:
        return self.status == "running"

    def heartbeat(self) -> None:
        """Somebody is looking."""
        self._seen = time.monotonic()

    def stop(self) -> None:
        """Kill it, and wait until it is gone; nothing happens to one that has ended."""
        self._wanted_status = self._wanted_status or "stopped"
        self._thread.join()

    def wait(self) -> None:
        """Until it has ended, somebody looking all the while."""
        while self.is_active:
            self.heartbeat()
            time.sleep(WATCH_SECONDS)

    def printed(self) -> list[Printed]:
        """All that it has printed so far, in order."""
        if self.is_active:
            self._read()
        return list(self._printed)

    def measured(self) -> dict[int, list[str]]:
        """What it has measured so far, by the number of the note."""
        found: dict[int, list[str]] = {}
        for one in self.printed():
            if (of_note := measured(one.text)) is not None:
                found.setdefault(of_note[0], []).append(of_note[1])
        return found

    def scalars(self) -> dict[str, tuple[np.ndarray, np.ndarray]]:
        """Tag → (steps, values), each (points,), of what is in lightning_logs; empty of a program that logs nothing."""
        if self.is_active:
            self._read()
        return dict(self._points)

    def event_file(self) -> bytes:
        """The same scalars for TensorBoard; each point bears the time at which the program was started."""
        points = [
            (self.created, int(step), tag, float(value))
            for tag, (steps, values) in self.scalars().items()
            for step, value in zip(steps, values, strict=True)
        ]
        return event_file(sorted(points, key=lambda point: point[1]), self.created)

    def _watch(self) -> None:
        """Wait for its end, or bring it about; then keep what it wrote, and remove its folder."""
        end = time.monotonic() + self._seconds
        while self._process.poll() is None:
            now = time.monotonic()
            reason = self._wanted_status
            if not reason and now > end:
                reason = "timeout"
            if not reason and now - self._seen > UNWATCHED_SECONDS:
                reason = "unwatched"
            if not reason and self._file("stdout").stat().st_size > MAX_BYTES:
                reason, self.error = "failed", f"It printed more than {MAX_BYTES:,} bytes."
            if reason:
                self._wanted_status = reason
                self._process.kill()
                self._process.wait()
                break
            time.sleep(WATCH_SECONDS)
        self._process.stdin.close()
        status = self._wanted_status or ("failed" if self._process.returncode else "finished")
        try:
            self._read()
            if status == "failed" and not self.error:
                lines = self._file("stderr").read_text(encoding="utf-8", errors="replace").split("\n")
                last = [line for line in lines if line.strip()][-1:]
                self.error = last[0] if last else f"It ended with status {self._process.returncode}."
        except OSError as error:
            log.warning("what %s wrote cannot be read: %s", self.program.name, error)
        shutil.rmtree(self._folder, ignore_errors=True)
        self.status = status

    def _file(self, name: str) -> Path:
        return self._folder / name

    def _read(self) -> None:
        """Read what the program has written; the files of one that has just ended may be gone, and were read then."""
        try:
            text = self._file("stdout").read_bytes()[:MAX_BYTES].decode("utf-8", "replace")
            rows = [
                row
                for path in sorted(self._folder.glob("lightning_logs/version_*/metrics.csv"))
                for row in _whole_rows(path.read_text(encoding="utf-8"))
            ]
        except FileNotFoundError:
            return
        whole = text[: text.rfind("\n") + 1].splitlines()  # the last line may be half written
        records = [json.loads(line) for line in whole if line.startswith('{"line":')]
        self._printed = [Printed(record["line"], record["text"]) for record in records]
        steps = np.array([float(row["step"]) for row in rows])
        self._points = {tag: (steps, np.array([float(row[tag]) for row in rows])) for tag in SCALARS} if rows else {}


def _not_started(error: OSError) -> PlaygroundError:
    return PlaygroundError(f"The program cannot be started ({error.strerror}): make room on the server and try again.")


def _whole_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1])))


def _programs_folder() -> Path:
    """Where each program has a folder of its own; those of a server that was killed are removed."""
    folder = home() / "programs"
    folder.mkdir(mode=0o700, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > STALE_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    return folder


class ProgramRuns:
    """The last program of each visitor; starting another one stops it."""

    MAX_VISITORS = 200  # whose output is kept
    MAX_ACTIVE = 16  # programs of all visitors together

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, ProgramRun] = {}

    def get(self, owner: str, program: str) -> ProgramRun | None:
        """The visitor's last run, if it is of this program."""
        run = self._runs.get(owner)
        return run if run is not None and run.program.name == program else None

    def start(self, owner: str, program: Program, seed: int) -> ProgramRun:
        """Start a program for this visitor, whose last one is stopped and forgotten.

        Raises:
            PlaygroundError: too many programs are running, or the process cannot be started.
        """
        with self._lock:
            before = self._runs.pop(owner, None)
            if before is not None:
                before.stop()
            if sum(run.is_active for run in self._runs.values()) >= self.MAX_ACTIVE:
                raise PlaygroundError(f"{self.MAX_ACTIVE} programs are running on this server: try again in a minute.")
            self._runs[owner] = run = ProgramRun(program, seed)
            for oldest in list(self._runs)[: -self.MAX_VISITORS]:
                self._runs.pop(oldest).stop()
        return run
