"""Protocol buffers, read field by field without a copy: what an ONNX file needs, and no more.

A whole parser makes an object of every field, so that a small file can fill the memory; here what is not asked for
costs nothing, and the fields are counted.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_core.experiment import PlaygroundError

MAX_FIELDS = 200_000
DAMAGED = "it is damaged as an ONNX file: download or export it again."
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SIZES = {_FIXED64: 8, _FIXED32: 4}


class FieldReader:
    """Reads messages of one file, MAX_FIELDS fields in all."""

    def __init__(self) -> None:
        self.left = MAX_FIELDS

    def fields(self, message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
        """(number, value) of each field in turn: a whole number, or the bytes of a text, a message or numbers.

        Raises:
            PlaygroundError: the message is damaged, or there are too many fields.
        """
        at = 0
        while at < len(message):
            self.left -= 1
            if self.left < 0:
                raise PlaygroundError(f"it has more than {MAX_FIELDS:,} parts: export the LSTM alone.")
            key, at = _varint(message, at)
            if key & 7 == _VARINT:
                value, at = _varint(message, at)
                yield key >> 3, value
                continue
            size = _SIZES.get(key & 7)
            if key & 7 == _BYTES:
                size, at = _varint(message, at)
            if size is None or at + size > len(message):
                raise PlaygroundError(DAMAGED)
            yield key >> 3, message[at : at + size]
            at += size

    def integers(self, value: int | memoryview) -> Iterator[int]:
        """One field of a repeated integer: a single one, or many packed."""
        if isinstance(value, int):
            yield value
            return
        at = 0
        while at < len(value):
            self.left -= 1
            if self.left < 0:
                raise PlaygroundError(f"it has more than {MAX_FIELDS:,} parts: export the LSTM alone.")
            number, at = _varint(value, at)
            yield number


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A whole number of at most 64 bits, and where the next field begins."""
    value = 0
    for k, byte in enumerate(message[at : at + 10]):
        value |= (byte & 0x7F) << 7 * k
        if byte < 0x80:
            return value, at + k + 1
    raise PlaygroundError(DAMAGED)
