"""Lets there be a worker that brings runs to a cluster; loads nothing large."""

from __future__ import annotations

import subprocess
import time

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.cluster.address import check_address, said_path
from lstm_core.runs.folder import read_json
from lstm_core.runs.home import home
from lstm_core.runs.launcher import detach

POLL_SECONDS = 0.1  # between two looks whether the worker is connected
START_SECONDS = 90.0  # Ray may take a minute to find out that it is not let in

_started: dict[str, subprocess.Popen] = {}  # by this process


def ensure_worker(address: str) -> None:
    """Let there be one for this address."""
    if not pool.is_manned(address) and (address not in _started or _started[address].poll() is not None):
        said_path(address).unlink(missing_ok=True)
        _started[address] = detach(["lstm_core.runs.cluster.worker", address], home() / "log.txt")


def await_worker(address: str) -> None:
    """Let there be one that is connected.

    Raises:
        PlaygroundError: it cannot be.
    """
    check_address(address)
    ensure_worker(address)
    give_up = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up:
        said = read_json(said_path(address))
        if "refused" in said:
            raise PlaygroundError(said["refused"])
        if "slots" in said and pool.is_manned(address):
            return
        time.sleep(POLL_SECONDS)
    raise PlaygroundError(f"The Ray cluster {address} does not answer: {home() / 'log.txt'} may say why.")


def slots(address: str) -> int:
    """Runs that train there at once, as the worker has said; 1 before it has."""
    return read_json(said_path(address)).get("slots", 1)
