"""The address of a Ray cluster: what is wrong with one, and where the worker that brings runs there says how it is."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool

INSTALL = "python -m pip install -r requirements-extras.txt"
TOKEN_FILE = "~/.ray/auth_token"
PORTS = {"": 6379, "ray": 10001}  # of Ray itself and of its client, where the address has none


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


def said_path(address: str) -> Path:
    return pool.place_lock(address).with_suffix(".json")
