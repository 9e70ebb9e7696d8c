"""What the README says of the command line and of a run's folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
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


@pytest.mark.parametrize("is_there", [False, True])
def test_the_slurm_file_trains_and_goes_on_once_the_run_is_there(is_there: bool, tmp_path):
    script = re.search(r"<!-- slurm -->\n```sh\n(.*?)```", README, re.S).group(1)
    for name, prints in {"srun": 'printf "%s\\n" "$@"', "scontrol": "printf 'first\\nsecond\\n'"}.items():
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{prints}\n")
        program.chmod(0o755)
    if is_there:
        (tmp_path / "runs/shared").mkdir(parents=True)
        (tmp_path / "runs/shared/experiment.json").touch()
    job = {"JOB_NUM_NODES": "2", "CPUS_PER_TASK": "4", "JOB_ID": "7", "JOB_NODELIST": "first,second"}
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"} | {f"SLURM_{name}": value for name, value in job.items()}
    done = subprocess.run(["sh", "-ec", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    words = done.stdout.split()
    assert words[0] == ".venv/bin/torchrun", done.stderr
    assert words[words.index("--rdzv-endpoint") + 1] == "first:29500"
    arguments = words[words.index("lstm_core") + 1 :]
    assert arguments[0] == ("resume" if is_there else "train")
    assert make_parser().parse_args(arguments)


@pytest.mark.parametrize("command", make_parser()._subparsers._group_actions[0].choices)
def test_every_command_is_in_the_table(command):
    assert re.search(rf"^\| `{command}\b", README, re.M)
