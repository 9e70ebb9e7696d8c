"""What the README shows is what comes out."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from lstm_core.cli import settings_table

README = Path(__file__).parents[1] / "README.md"


def test_the_library_example_prints_what_it_says():
    text = README.read_text(encoding="utf-8")
    code, printed = re.search(r"<!-- library -->\n```python\n(.*?)```\n\n```\n(.*?)```", text, re.S).groups()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, str(README), "exec"), {})
    assert output.getvalue() == printed


def test_the_table_of_settings_is_the_one_that_the_experiment_tells():
    """Print it with python -m lstm_core schema --markdown."""
    shown = re.search(r"<!-- settings -->\n(.*?)\n\n", README.read_text(encoding="utf-8"), re.S).group(1)
    assert shown == settings_table()
