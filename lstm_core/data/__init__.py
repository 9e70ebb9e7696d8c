"""Tables from files, samples and generators, and windows cut from them. No torch here."""

from lstm_core.data.ingest.read import read_table
from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows

__all__ = ["Table", "Windows", "make_windows", "read_table"]
