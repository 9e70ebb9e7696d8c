"""FileCache: what was read of files that others write, read again only when one has changed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any


class FileCache:
    """Any thread may ask."""

    def __init__(self) -> None:
        self._read: dict[Path, tuple[tuple, Any]] = {}  # file → its mark, and what was read then

    def read(self, file: Path, reader: Callable[[Path], Any], *also: Any) -> Any:
        """reader(file), or its result when the file was the same; None: there is no such file.

        also: what else the result depends on.
        """
        try:
            stat = os.stat(file)
        except OSError:
            self._read.pop(file, None)
            return None
        mark = (stat.st_mtime_ns, stat.st_size, stat.st_ino, *also)
        kept = self._read.get(file)
        if kept is None or kept[0] != mark:
            kept = self._read[file] = (mark, reader(file))
        return kept[1]

    def forget_unless(self, most: int) -> None:
        """Forget everything where more files than so many have been read."""
        if len(self._read) > most:
            self._read.clear()
