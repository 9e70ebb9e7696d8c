"""Upload: a CSV as it came."""

from __future__ import annotations

import hashlib
import tempfile

from lstm_core.data.ingest.options import DETECT, CsvOptions


class Upload:
    """The bytes of a CSV, kept on disk to be read again with corrected guesses, and the corrections made so far."""

    def __init__(self, data: bytes, corrections: CsvOptions = DETECT) -> None:
        # unnamed, so it is deleted with the table, and not in memory
        self._file = tempfile.TemporaryFile()  # noqa: SIM115
        self._file.write(data)
        self.corrections = corrections
        self.sha256 = hashlib.sha256(data).hexdigest()

    def read(self) -> bytes:
        self._file.seek(0)
        return self._file.read()
