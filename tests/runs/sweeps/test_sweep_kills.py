"""Eight SIGKILLs at random moments of workers, dispatcher and server; the benchmark does twenty."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("optuna", reason="an extra: requirements-extras.txt")

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_no_kill_loses_a_trial_or_changes_a_number():
    # in a process of its own: here threads train runs, whatever home they are in
    environment = {name: value for name, value in os.environ.items() if not name.startswith("LSTM_PLAYGROUND_")}
    command = [sys.executable, "-m", "tests.benchmarks.sweep", "kills", "--trials", "8", "--kills", "8", "--json"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900, check=True)
    said = json.loads(done.stdout)["kills"]
    for name in ("unbroken", "killed"):
        assert {kind: said[name][kind] for kind in ("lost", "stuck", "twice")} == {"lost": 0, "stuck": 0, "twice": 0}
    assert sum(said["killed"][kind] for kind in ("workers", "dispatcher", "server")) >= 4
    assert said["different"] == []
