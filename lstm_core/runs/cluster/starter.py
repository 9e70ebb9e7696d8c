"""Lets there be a worker that brings runs to a cluster, and says what is wrong with an address; loads nothing large."""

from __future__ import annotations

import os
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.folder import read_json
from lstm_core.runs.home import home
from lstm_core.runs.launcher import detach

INSTALL = "python -m pip install -r requirements-extras.txt"
TOKEN_FILE = "~/.ray/auth_token"
PORTS = {"": 6379, "ray": 10001}  # of Ray itself and of its client, where the address has none
POLL_SECONDS = 0.1  # between two looks whether the worker is connected
START_SECONDS = 90.0  # Ray may take a minute to find out that it is not let in

_started: dict[str, subprocess.Popen] = {}  # by this process


def check_address(address: str) -> None:
    """What can be said without loading Ray.

    Raises:
        PlaygroundError: it is no address, Ray is not installed, or there is no token.
    """
    host, _ = host_and_port(address)
    if not host:
        raise PlaygroundError(f"--ray {address!r} is no address: give HOST:PORT, ray://HOST:PORT or auto.")
    if find_spec("ray") is None:
        raise PlaygroundError(f"Training on a Ray cluster needs the package ray: {INSTALL} installs it.")
    at = os.environ.get("RAY_AUTH_TOKEN_PATH") or TOKEN_FILE
    if not os.environ.get("RAY_AUTH_TOKEN") and not Path(at).expanduser().is_file():
        raise PlaygroundError(
            "Training on a Ray cluster needs its token: set RAY_AUTH_TOKEN, or RAY_AUTH_TOKEN_PATH to the file that "
            "has it (ray get-auth-token prints it where the cluster was started with RAY_AUTH_MODE=token)."
        )


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


def said_path(address: str) -> Path:
    return pool.place_lock(address).with_suffix(".json")


def host_and_port(address: str) -> tuple[str, int]:
    """("", 0) where it is none."""
    if address == "auto":
        return "auto", 0
    scheme, separator, rest = address.rpartition("://")
    host, colon, port = rest.rpartition(":")
    if not colon:
        host, port = rest, str(PORTS.get(scheme, ""))
    if (separator and scheme != "ray") or not port.isdecimal() or not host:
        return "", 0
    return host.strip("[]"), int(port)
