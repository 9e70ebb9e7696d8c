"""Every file is in the formatter's form and short enough to read, and no test module leans on another."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "lstm_core"
SOURCES = [
    ROOT / "app.py",
    *(path for folder in (CORE, ROOT / "pages") for path in folder.rglob("*") if path.suffix in {".py", ".js", ".css"}),
]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
MAX_CORE_ENTRIES = 16
MAX_FORMATTER_EXCEPTIONS = 30  # tables of numbers that are aligned by hand


@pytest.mark.parametrize("command", ["format --check", "check"])
def test_ruff_finds_nothing(command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command.split(), "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No Python files" not in done.stderr


@pytest.mark.parametrize(("files", "max_lines"), [(SOURCES, 300), (TESTS, 400)], ids=["sources", "tests"])
def test_no_file_is_too_long(files, max_lines):
    lengths = {str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert len(lengths) > 50
    assert {name: length for name, length in lengths.items() if length > max_lines} == {}


def test_the_core_has_few_entries():
    entries = {path.name for path in CORE.iterdir()} - {"__pycache__"}
    assert "experiment" in entries
    assert len(entries) <= MAX_CORE_ENTRIES, sorted(entries)


def test_hardly_anything_is_exempt_from_the_formatter():
    text = "\n".join(path.read_text(encoding="utf-8") for path in [*SOURCES, *TESTS])
    assert len(re.findall(r"#\s*fmt: (?:skip|off)", text)) <= MAX_FORMATTER_EXCEPTIONS


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_module_is_imported(path):
    """What several tests set up is in tests/factories.py."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            assert not any(re.match(r"tests\.(\w+\.)*test_", name) for name in names), f"line {node.lineno}"
