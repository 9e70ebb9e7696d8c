"""What the README says of the command line and of a run's folder."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from lstm_core.cli import main
from lstm_core.cli.main import make_parser
from tests.conftest import end_all_runs

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ONLY_OF_SOME = {"data.csv", "start.safetensors"}  # of uploads; of runs that went on from a saved model


def test_the_examples_run_and_the_table_of_files_lists_what_they_leave(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    block = re.search(r"<!-- commands -->\n```sh\n(.*?)```", README, re.S).group(1)
    for line in block.splitlines():
        words, out = shlex.split(line), None
        if ">" in words:
            words, out = words[: words.index(">")], words[-1]
        capsys.readouterr()
        if words[0] == "echo":
            print(words[1])
        else:
            assert words[:3] == [".venv/bin/python", "-m", "lstm_core"]
            assert main(words[3:]) == 0, line
        if out:
            Path(out).write_text(capsys.readouterr().out)
    end_all_runs()
    assert Path("nile.npz").stat().st_size > 1000
    table = re.search(r"<!-- folder -->\n(.*?)\n\n", README, re.S).group(1)
    files = {row.split("|")[1].strip(" `") for row in table.splitlines()[2:]}
    assert {path.name for path in Path("runs/nile").iterdir()} == files - ONLY_OF_SOME


@pytest.mark.parametrize("command", make_parser()._subparsers._group_actions[0].choices)
def test_every_command_is_in_the_table(command):
    assert re.search(rf"^\| `{command}\b", README, re.M)
