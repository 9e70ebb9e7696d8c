"""The README's library example prints what the README says that it prints."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_the_library_example_prints_what_it_says():
    text = README.read_text(encoding="utf-8")
    code, printed = re.search(r"<!-- library -->\n```python\n(.*?)```\n\n```\n(.*?)```", text, re.S).groups()
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, str(README), "exec"), {})
    assert output.getvalue() == printed
