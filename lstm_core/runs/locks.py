"""Locks of the system, between processes: free as soon as their holder is gone, however it went."""

from __future__ import annotations

from pathlib import Path

import filelock

Lock = filelock.BaseFileLock


def take(path: Path, seconds: float = 0.01) -> Lock | None:
    """The lock, taken; None if somebody else has it for so long. Who only looks has it for microseconds."""
    lock = filelock.FileLock(path, thread_local=False)
    try:
        return lock.acquire(timeout=seconds, poll_interval=0.002).lock
    except filelock.Timeout:
        return None


def is_taken(path: Path) -> bool:
    """Whether somebody has it now; leaves no file where none is."""
    if not path.exists():
        return False
    lock = take(path, seconds=0)
    if lock is not None:
        lock.release()
    return lock is None
