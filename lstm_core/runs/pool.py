"""The pool of this machine: which runs want to train, which may, and the processes that train them.

wanted/ID stands from the moment that a run is to train until it pauses or ends. Any worker takes a wanted run whose
lock is free, if it gets a slot: so a run whose process was killed goes on in the next one, and nobody needs to be in
charge. A slot, a worker's place and a run's lock are locks of the system, free as soon as their holder is gone.

A run may be wanted elsewhere: its mark holds the address of a cluster (lstm_core.runs.cluster). As long as somebody
brings runs there, no worker of this machine takes it.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lstm_core.experiment import PlaygroundError
from lstm_core.model.devices import cpu_cores
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, run_path
from lstm_core.runs.locks import Lock, is_taken, take

FIRST_SECONDS = 10.0  # of training, which a new run gets at once although all slots are taken
PRESENT_SECONDS = 30.0  # a server that gave no sign for so long is gone

ACTIVE = ("waiting", "running")
ENDED = ("ready", "paused", "stopped", "finished", "failed")


def cpu_slots() -> int:
    """Runs that train on the CPU at once: LSTM_PLAYGROUND_SLOTS, or one a core."""
    chosen = os.environ.get("LSTM_PLAYGROUND_SLOTS", "")
    return int(chosen) if chosen.isdecimal() and int(chosen) else max(2, cpu_cores())


def want(folder: RunFolder, address: str = "") -> None:
    """The run is to train: a worker takes it as soon as one may. address: where; "": where it was wanted before."""
    marker = home() / "wanted" / folder.id
    marker.parent.mkdir(mode=0o700, exist_ok=True)
    if address:
        marker.write_text(address, encoding="utf-8")
    marker.touch()


def address_of(folder: RunFolder) -> str:
    """The address of the cluster that a wanted run is to train on; "" for this machine."""
    try:
        return (home() / "wanted" / folder.id).read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""


def wanted_at(folder: RunFolder) -> str:
    """The same, but "" where nobody brings runs there."""
    address = address_of(folder)
    return address if address and is_manned(address) else ""


def unwant(folder: RunFolder) -> None:
    (home() / "wanted" / folder.id).unlink(missing_ok=True)


def is_wanted(folder: RunFolder) -> bool:
    return (home() / "wanted" / folder.id).exists()


def wanted_runs() -> list[RunFolder]:
    """In the order in which they get a slot: those without a viewer last, else first come, first served."""
    found = []
    with suppress(FileNotFoundError):
        for entry in os.scandir(home() / "wanted"):
            with suppress(FileNotFoundError):
                found.append((entry.stat().st_mtime_ns, RunFolder(run_path(entry.name), entry.name)))
    return [folder for _, folder in sorted(found, key=lambda one: (not one[1].is_watched, one[0]))]


def queue_position(folder: RunFolder) -> int:
    """The run's position among those that wait for a slot, from 1; 0 if it does not wait."""
    waiting = [other.id for other in wanted_runs() if other.status().get("status") != "running"]
    return waiting.index(folder.id) + 1 if folder.id in waiting else 0


def current_status(folder: RunFolder, said: dict, wanted: Collection[str] | None = None) -> str:
    """A run's status: what was said last (status.json), unless nobody is at work any more, or a command waits.

    ready, waiting (for a slot), running, paused, stopped, finished, failed, or interrupted: its process is gone, and
    nobody is to go on with it. wanted: the ids of wanted runs, where they are known.
    """
    status, is_on = said.get("status"), is_wanted(folder) if wanted is None else folder.id in wanted
    if status in ENDED:
        control = said.get("control")
        is_asked = folder.control_size > (control if isinstance(control, int) else 0)
        # Locked and not wanted: who has just ended it took the mark away, and sets it again on seeing the command.
        return "waiting" if is_asked and (is_on or folder.is_locked) else status
    if status == "running" and folder.is_locked:
        return "running"
    return "waiting" if is_on or folder.is_locked else "interrupted"


class Claim:
    """A run that this process may train now: the run's lock and a slot. Its turn may end before the run does."""

    def __init__(self, folder: RunFolder, lock: Lock, slot: Lock | None, guest: bool) -> None:
        """slot: None where this machine does not train it."""
        self.folder = folder
        self._lock, self._slot = lock, slot
        self._leave_at = time.monotonic() + FIRST_SECONDS if guest else None

    def is_over(self) -> bool:
        """Whether the first seconds of a run for which there was no slot are over, and there is none now."""
        if self._leave_at is None or time.monotonic() < self._leave_at:
            return False
        slot = _cpu_slot()
        if slot is None:
            return True
        self._slot.release()
        self._slot, self._leave_at = slot, None
        return False

    def release(self) -> None:
        if self._slot is not None:
            self._slot.release()
        self._lock.release()


def claim(address: str = "") -> Claim | None:
    """The first run wanted at this address that nobody trains; "": on this machine, if there is a slot for it."""
    for folder in wanted_runs():
        if not folder.exists:
            unwant(folder)
            continue
        if wanted_at(folder) != address:
            continue
        lock = take(folder.file("lock"))
        if lock is None:
            continue
        if not is_wanted(folder):  # it has just ended
            lock.release()
            continue
        if address:
            return Claim(folder, lock, None, guest=False)
        slot, guest = _slot(folder)
        if slot is not None:
            return Claim(folder, lock, slot, guest)
        lock.release()
    return None


def _slot(folder: RunFolder) -> tuple[Lock | None, bool]:
    """A slot of the run's device, and whether it is only for its first seconds."""
    try:
        device = _device(folder)
    except PlaygroundError:
        device = "cpu"  # the session says what is wrong with it
    if device != "cpu":
        return take(_file("slots", device.replace(":", "-"))), False
    slot = _cpu_slot()
    if slot is None and folder.status().get("seconds", 0.0) < FIRST_SECONDS:
        return take(_file("slots", "first-seconds")), True
    return slot, False


def _device(folder: RunFolder) -> str:
    from lstm_core.model.devices import resolve_device

    return str(resolve_device(folder.experiment().train.device))


def _cpu_slot() -> Lock | None:
    return next(filter(None, (take(_file("slots", f"cpu-{k}")) for k in range(cpu_slots()))), None)


def _file(folder: str, name: str) -> Path:
    path = home() / folder
    path.mkdir(mode=0o700, exist_ok=True)
    return path / f"{name}.lock"


# ---- workers


def worker_places() -> int:
    """Workers at once: one a CPU slot and a card, and one for the first seconds of a new run."""
    torch = sys.modules.get("torch")
    cards = torch.cuda.device_count() if torch is not None else 0
    return cpu_slots() + cards + 1


@contextmanager
def worker_place() -> Iterator[bool]:
    """A place among this machine's workers, until its holder ends; whether there was one left."""
    for k in range(worker_places()):
        place = take(_file("workers", str(k)), seconds=0.05)
        if place is not None:
            try:
                yield True
            finally:
                place.release()
            return
    yield False


def count_workers() -> int:
    return sum(is_taken(_file("workers", str(k))) for k in range(worker_places()))


# ---- who brings runs to a cluster


def place_lock(address: str) -> Path:
    """Held by whoever brings runs to the cluster at this address."""
    return _file("workers", f"cluster-{hashlib.sha256(address.encode()).hexdigest()[:16]}")


def is_manned(address: str) -> bool:
    return is_taken(place_lock(address))


@contextmanager
def manned(address: str) -> Iterator[bool]:
    """Be the one who brings runs there; whether nobody else is."""
    place = take(place_lock(address), seconds=0.5)
    try:
        yield place is not None
    finally:
        if place is not None:
            place.release()


# ---- whether idle workers are to stay


def be_present() -> None:
    """A server or a waiting command line is there: idle workers stay."""
    (home() / "present").touch()


def is_anybody_present() -> bool:
    try:
        return time.time() - (home() / "present").stat().st_mtime < PRESENT_SECONDS
    except FileNotFoundError:
        return False
