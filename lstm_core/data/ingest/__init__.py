"""Bytes of a file → a Table, with a report of what was changed."""
