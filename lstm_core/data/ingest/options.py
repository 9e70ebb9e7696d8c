"""CsvOptions: what is detected in a CSV file, each of which the user may correct."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from lstm_core.experiment import PlaygroundError

KINDS = ("number", "category", "time")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar", " ": "blanks", "": "one column"}
ENCODINGS = (  # what the page offers; decode_text takes any text encoding that Python knows
    "utf-8",
    "utf-16",
    "cp1252",
    "latin-1",
    "cp1250",
    "cp1251",
    "gb18030",
    "big5",
    "shift_jis",
    "euc-kr",
    "mac-roman",
)


@dataclass(frozen=True)
class CsvOptions:
    """How to parse a CSV file; None: detect it."""

    encoding: str | None = None
    delimiter: str | None = None  # one character; "" reads each line as one cell
    decimal: str | None = None  # "." or ","
    header: bool | None = None  # whether the first line after skip_rows names the columns
    skip_rows: int | None = None  # lines before the header or the data
    day_first: bool | None = None  # whether 1/2/2020 is the first of February
    kinds: tuple[tuple[str, str], ...] = ()  # column name → "number", "category" or "time"
    header_rows: int | None = None  # how many lines name the columns, if any does
    join_times: bool | None = None  # whether columns of dates, hours and the like become one of times
    turn: bool | None = None  # whether times along the columns become rows
    missing: tuple[float, ...] = ()  # numbers that stand for a missing value, such as -999

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) > 1 or self.delimiter in ("\n", "\r", '"')):
            raise PlaygroundError(f"The delimiter is {self.delimiter!r}: it must be one character.")
        if self.decimal not in (None, ".", ","):
            raise PlaygroundError(f"The decimal sign is {self.decimal!r}: choose a point or a comma.")
        if self.skip_rows is not None and self.skip_rows < 0:
            raise PlaygroundError(f"{self.skip_rows} lines to skip: choose 0 or more.")
        if self.header_rows is not None and not 0 <= self.header_rows <= 20:
            raise PlaygroundError(f"{self.header_rows} lines of names: choose 0 to 20.")
        for column, kind in self.kinds:
            if kind not in KINDS:
                raise PlaygroundError(f"Column {column!r} cannot be read as {kind!r}: choose {', '.join(KINDS)}.")

    def to_json(self) -> dict[str, Any]:
        """What is not left to be detected, as JSON holds it."""
        return {name: value for name, value in dataclasses.asdict(self).items() if value not in (None, ())}

    @staticmethod
    def from_json(values: Any) -> CsvOptions:
        """The inverse of to_json, of what a stranger may have written.

        Raises:
            PlaygroundError: an unknown option, or a value of the wrong type or out of range.
        """
        if not isinstance(values, dict) or not set(values) <= set(_TYPES):
            raise PlaygroundError(f"read_options must be an object of some of {', '.join(_TYPES)}.")
        for name, value in values.items():
            if type(value) is not _TYPES[name]:
                raise PlaygroundError(f"read_options.{name} is {str(value)[:40]!r}: it must be {_NAMES[_TYPES[name]]}.")
        kinds = values.get("kinds", [])
        if not all(isinstance(one, list) and len(one) == 2 and all(isinstance(x, str) for x in one) for one in kinds):
            raise PlaygroundError("read_options.kinds must be a list of pairs: a column's name and its kind.")
        missing = values.get("missing", [])
        if not all(isinstance(one, int | float) and math.isfinite(one) for one in missing):
            raise PlaygroundError("read_options.missing must be a list of numbers.")
        pairs = {"kinds": tuple((name, kind) for name, kind in kinds), "missing": tuple(map(float, missing))}
        return CsvOptions(**values | pairs)


_TYPES = {
    "encoding": str,
    "delimiter": str,
    "decimal": str,
    "header": bool,
    "header_rows": int,
    "skip_rows": int,
    "day_first": bool,
    "join_times": bool,
    "turn": bool,
    "missing": list,
    "kinds": list,
}
_NAMES = {str: "a text", bool: "true or false", int: "a whole number", list: "a list"}
DETECT = CsvOptions()
