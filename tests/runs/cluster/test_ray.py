"""Where Ray is installed: runs on a cluster of this machine that asks for a token."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest

from lstm_core.runs.folder import RunFolder
from lstm_core.runs.records import read_records
from tests.factories import until
from tests.runs.sessions import weights
from tests.training.shared import free_port

pytest.importorskip("ray", reason="Ray is not installed: python -m pip install -r requirements-extras.txt")
pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
PATIENCE = 180.0  # seconds for what takes about thirty
EXPERIMENT = {
    "format": 2,
    "data": {"name": "nile", "seq_len": 5, "targets": ["volume"], "features": ["volume"]},
    "model": {"hidden_size": 8, "num_layers": 2, "dropout": 0.3},
    "train": {"epochs": 60, "batch_size": 16, "patience": 0, "device": "cpu"},
}


@contextmanager
def started(place: Path, **environment: str) -> Iterator[str]:
    """A cluster of two CPUs; its address."""
    port = free_port()
    command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--port", str(port)]
    command += ["--num-cpus", "2", "--include-dashboard=false", "--disable-usage-stats", "--temp-dir", str(place)]
    chosen = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")} | environment
    log = (place / "head.txt").open("wb")
    head = subprocess.Popen(command, env=chosen, stdout=log, stderr=log, start_new_session=True)
    try:
        until(lambda: b"Ray runtime started" in (place / "head.txt").read_bytes() or head.poll() is not None, PATIENCE)
        assert head.poll() is None, (place / "head.txt").read_text()
        yield f"127.0.0.1:{port}"
    finally:
        for process in (*psutil.Process(head.pid).children(recursive=True), head):
            process.kill()
        head.wait()


@pytest.fixture(scope="module")
def token() -> str:
    return secrets.token_hex(16)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, token: str) -> Iterator[str]:
    place = tmp_path_factory.mktemp("r")  # a short path: the sockets' names are part of it
    with started(place, RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=token) as address:
        yield address


@pytest.fixture
def command(tmp_path, token: str):
    """Runs a command in a home of its own, with the token; (exit status, stdout, stderr). wait=False: its process."""
    home = tmp_path / "home"
    environment = os.environ | {"LSTM_PLAYGROUND_HOME": str(home), "RAY_AUTH_TOKEN": token}

    def run(*arguments: str | Path, wait: bool = True, **more: str):
        line = [sys.executable, "-m", "lstm_core", *map(str, arguments)]
        process = subprocess.Popen(
            line, cwd=ROOT, env=environment | more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        if not wait:
            return process
        out, error = process.communicate(timeout=PATIENCE)
        return process.returncode, out, error

    yield run
    for process in psutil.process_iter(["cmdline"]):
        line = process.info["cmdline"] or ()
        if any(name in line for name in ("lstm_core.runs.cluster.worker", "lstm_core.runs.worker")):
            with_home = process.environ().get("LSTM_PLAYGROUND_HOME") == str(home)
            process.kill() if with_home else None


@pytest.fixture
def experiment(tmp_path) -> Path:
    path = tmp_path / "e.json"
    path.write_text(json.dumps(EXPERIMENT))
    return path


def actors() -> list[psutil.Process]:
    return [one for one in psutil.process_iter(["cmdline"]) if "ray::RemoteRun" in " ".join(one.info["cmdline"] or ())]


def assert_same(one: Path, two: Path) -> None:
    mine, its = weights(RunFolder(one)), weights(RunFolder(two))
    assert set(mine) == set(its) and all(np.array_equal(mine[name], its[name]) for name in mine)
    a, b = (read_records(path / "records.bin") for path in (one, two))
    assert a["train_loss"].tobytes() == b["train_loss"].tobytes()


def test_a_run_on_the_cluster_is_the_one_of_this_machine_though_its_process_is_killed(
    cluster, command, experiment, tmp_path
):
    status, said, error = command("train", experiment, "--out", tmp_path / "here", "--json")
    assert status == 0, error
    there = tmp_path / "there"
    training = command("train", experiment, "--ray", cluster, "--out", there, "--json", wait=False)
    until(lambda: (there / "state.safetensors").exists(), PATIENCE)
    killed = actors()
    for process in killed:
        process.kill()
    out, error = training.communicate(timeout=PATIENCE)
    assert training.returncode == 0, error
    assert json.loads(out)["status"] == "finished"
    assert json.loads(out)["step"] == json.loads(said)["step"]
    one, two = (json.loads((path / "score.json").read_text()) for path in (tmp_path / "here", there))
    assert one == two
    assert_same(tmp_path / "here", there)
    assert killed


def test_it_can_be_paused_and_goes_on_there_or_here(cluster, command, experiment, tmp_path):
    out = tmp_path / "run"
    many = ("--set", "train.epochs=100000")
    training = command("train", experiment, *many, "--ray", cluster, "--out", out, wait=False)
    until(lambda: RunFolder(out).status().get("step", 0) > 0, PATIENCE)
    assert actors()
    assert command("pause", out)[0] == 0
    training.communicate(timeout=PATIENCE)
    step = RunFolder(out).status()["step"]
    assert RunFolder(out).status()["status"] == "paused" and len(read_records(out / "records.bin")) == step
    until(lambda: not actors(), PATIENCE)
    assert command("resume", out, "--ray", cluster, "--detach")[0] == 0
    until(lambda: RunFolder(out).status().get("step", 0) > step, PATIENCE)
    assert actors()
    status, _, error = command("stop", out)
    assert status == 0, error
    assert RunFolder(out).status()["status"] == "stopped" and (out / "score.json").exists()


def test_a_sweep_on_the_cluster_finds_what_it_finds_here(cluster, command, tmp_path):
    pytest.importorskip("optuna", reason="Optuna is not installed: python -m pip install -r requirements-extras.txt")
    study = tmp_path / "study.json"
    fields = {"search": {"train.lr": {"low": 1e-4, "high": 0.1, "log": True}}, "trials": 6, "finalists": 2, "seeds": 2}
    parts = EXPERIMENT | {"train": EXPERIMENT["train"] | {"epochs": 8}}
    study.write_text(json.dumps({"experiment": parts, "seed": 3} | fields))
    found = []
    for where in ([], ["--ray", cluster]):
        status, out, error = command("sweep", study, "--out", tmp_path / f"sweep{len(where)}", "--json", *where)
        assert status == 0, error
        found.append(json.loads(out))
    here, there = ([(one["trial"], one["state"], one["loss"]) for one in each["tried"]] for each in found)
    assert here == there and len(here) == 6
    assert found[0]["winner"]["trial"] == found[1]["winner"]["trial"]
    assert found[0]["winner"]["score"] == found[1]["winner"]["score"]


def test_a_wrong_token_and_a_cluster_without_one_are_refused_in_a_sentence(
    cluster, command, experiment, tmp_path, tmp_path_factory
):
    began = time.monotonic()
    status, out, error = command("train", experiment, "--ray", cluster, RAY_AUTH_TOKEN="0" * 32)
    assert (status, out) == (2, "") and error.count("lets nobody in with this token") == 1, error
    with started(tmp_path_factory.mktemp("r"), RAY_AUTH_MODE="disabled") as address:
        status, out, error = command("train", experiment, "--ray", address)
        assert (status, out) == (2, "") and "asks for no token" in error, error
    assert time.monotonic() - began < PATIENCE
