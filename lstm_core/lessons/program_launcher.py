"""Runs one script and tells which of its lines prints what: python program_launcher.py SCRIPT ARGUMENTS.

Each call of print becomes one line of JSON on stdout, {"line": 12, "text": "…"}. The process ends with its parent:
as soon as nobody holds the other end of its stdin.
"""

from __future__ import annotations

import builtins
import json
import os
import runpy
import sys
import threading
from typing import Any

ORPHANED = 3  # the exit status


def main(script: str, *arguments: str) -> None:
    """Run the script as if it had been called with these arguments; what it raises is raised."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [script, *arguments]
    plain_print = print

    def print_with_line(*values: Any, sep: str | None = " ", end: str | None = "\n", **more: Any) -> None:
        if more.get("file") is not None:
            plain_print(*values, sep=sep, end=end, **more)
            return
        text = (" " if sep is None else sep).join(map(str, values)) + ("\n" if end is None else end)
        record = {"line": _line_of(script), "text": text.removesuffix("\n")}
        plain_print(json.dumps(record), flush=True)

    builtins.print = print_with_line
    runpy.run_path(script, run_name="__main__")


def _line_of(script: str) -> int:
    """The line of the script that is being run, also where it has called into a library."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_filename != script:
        frame = frame.f_back
    return frame.f_lineno


def _end_with_parent() -> None:
    while os.read(0, 1):  # not sys.stdin, whose lock a thread must not hold when the interpreter ends
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    main(*sys.argv[1:])
