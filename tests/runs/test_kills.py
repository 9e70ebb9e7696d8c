"""Five SIGKILLs at random moments, of workers and of the process that watches over them; the benchmark does 200."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_no_kill_changes_a_number():
    # in a process of its own: here threads train runs, whatever home they are in
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LSTM_PLAYGROUND_")}
    command = [sys.executable, "-m", "tests.benchmarks.kills", "--kills", "5", "--seed", "77", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=True)
    said = json.loads(done.stdout)
    assert [one["kills"] for one in said["runs"]] == [1, 1, 1, 1, 1]
    assert said["tracebacks"] == 0
    assert {one["name"]: (one["exact"], one["stuck"]) for one in said["runs"]} == {
        one["name"]: (True, False) for one in said["runs"]
    }
