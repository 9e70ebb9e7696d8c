"""What tests of commands set up: small experiments as files, and what a command printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lstm_core.cli import main
from lstm_core.experiment import Experiment
from tests.conftest import end_all_runs
from tests.factories import ENDLESS

SMALL = {
    "format": 2,
    "data": {"name": "nile", "seq_len": 5, "targets": ["volume"], "features": ["volume"]},
    "model": {"hidden_size": 4, "num_layers": 2, "dropout": 0.3},
    "train": {"epochs": 3, "batch_size": 16, "patience": 2, "device": "cpu"},
}
FOREVER = {"train": SMALL["train"] | {"epochs": ENDLESS, "patience": 0}}
OWN = "y,b\n" + "".join(f"{np.sin(k / 7):.4f},{k % 5}\n" for k in range(120))
OWN_SPEC = {"source": "csv", "name": "own.csv", "targets": ["y"], "features": ["y", "b"], "seq_len": 5}


@pytest.fixture
def write(tmp_path) -> Callable[..., str]:
    """Writes SMALL with other parts to a file; its name."""

    def write_experiment(name: str = "small.json", **parts: Any) -> str:
        path = tmp_path / name
        path.write_text(json.dumps(SMALL | parts))
        return str(path)

    return write_experiment


@pytest.fixture
def own_file(tmp_path) -> str:
    path = tmp_path / "own.csv"
    path.write_text(OWN)
    return str(path)


@pytest.fixture
def call(capsys) -> Iterator[Callable[..., Any]]:
    """Runs a command that is to succeed: with --json the object that it printed, else the text. Ends all runs."""

    def run(*arguments: str | Path, status: int = 0) -> Any:
        capsys.readouterr()
        assert main([str(one) for one in arguments]) == status
        out = capsys.readouterr().out
        if "--json" not in arguments:
            return out
        assert out.count("\n") == 1 and out.endswith("\n")
        return json.loads(out, parse_constant=pytest.fail)  # NaN and Infinity are no JSON

    yield run
    end_all_runs()


@pytest.fixture
def refuse(capsys) -> Callable[..., str]:
    """Runs a command that is to be refused: the one sentence on stderr."""

    def run(*arguments: str | Path) -> str:
        capsys.readouterr()
        assert main([str(one) for one in arguments]) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.endswith(".\n") and said.err.count("\n") == 1
        return said.err

    return run


def experiment_of(path: str) -> Experiment:
    return Experiment.from_json(Path(path).read_text())
