"""What commands print and read: one JSON object a line, sentences on stderr, aligned tables, files."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from lstm_core.experiment import PlaygroundError

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit statuses


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON object on one line")


def add_ray(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        default="",
        help="train on this Ray cluster: HOST:PORT, ray://HOST:PORT or auto. Needs the package ray, and the cluster's "
        "token in RAY_AUTH_TOKEN",
    )


def print_json(value: dict[str, Any]) -> None:
    """One line; a number that is none is null, as JSON has no other word for it."""
    print(json.dumps(_without_nan(value), allow_nan=False), flush=True)


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def note(sentence: str) -> None:
    """To whoever sits at the terminal, and never into what a script reads."""
    print(sentence, file=sys.stderr, flush=True)


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Columns as wide as their longest cell; the last one is not padded."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in (head, *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def read_file(path: str) -> bytes:
    """Raises PlaygroundError: there is no such file, or it may not be read."""
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise PlaygroundError(f"{path!r} cannot be read ({error.strerror}): check the name.") from None


def write_file(path: str, data: bytes) -> None:
    """An old file is replaced. Raises PlaygroundError: it cannot be written."""
    try:
        Path(path).expanduser().write_bytes(data)
    except OSError as error:
        raise PlaygroundError(f"{path!r} cannot be written ({error.strerror}): choose another file.") from None
