"""train and resume under torchrun: an ordinary run, whatever becomes of its processes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch

from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.records import read_records
from lstm_core.training.checkpoint import load_checkpoint
from tests.cli.conftest import SMALL
from tests.factories import ENDLESS, until
from tests.training.shared import free_port

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0  # seconds for what takes about ten
MODEL = {"hidden_size": 16}
CALM = {"epochs": 30, "batch_size": 16, "lr": 0.002, "patience": 0, "device": "cpu"}  # rounding stays rounding


class Launched:
    """A command that torchrun has started in several processes."""

    def __init__(self, world: int, *arguments: str | Path) -> None:
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(world), "--master-addr"]
        command += ["127.0.0.1", "--master-port", str(free_port()), "-m", "lstm_core", *map(str, arguments)]
        self.torchrun = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def ends(self) -> tuple[str, str]:
        """(stdout, stderr) of all, once none of them is left."""
        try:
            said = self.torchrun.communicate(timeout=PATIENCE)
        finally:
            self.torchrun.kill()
        until(lambda: not self.processes(), PATIENCE)
        return said

    def processes(self) -> dict[int, psutil.Process]:
        """Those that train, by rank."""
        found = {}
        for one in psutil.process_iter(["cmdline"]):
            try:
                of = one.environ() if "lstm_core" in (one.info["cmdline"] or ()) else {}
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
            if of.get("TORCHELASTIC_RUN_ID") and one.ppid() == self.torchrun.pid:
                found[int(of["RANK"])] = one
        return found


@pytest.fixture
def launch() -> Iterator[Callable[..., Launched]]:
    """Starts a command in several processes, of which none is left after the test."""
    launched: list[Launched] = []

    def start(*arguments: object) -> Launched:
        launched.append(Launched(*arguments))
        return launched[-1]

    yield start
    for one in launched:
        for process in (*one.processes().values(), one.torchrun):
            process.kill()


@pytest.fixture
def one_launched(monkeypatch) -> None:
    """This process is the only one that torchrun has started."""
    chosen = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port()}
    for name, value in chosen.items():
        monkeypatch.setenv(name, str(value))


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    return load_checkpoint((folder / "model.safetensors").read_bytes()).weights


def assert_alike(folder: Path, other: Path, tolerance: float = 1e-4) -> None:
    mine, theirs = weights_of(folder), weights_of(other)
    assert mine.keys() == theirs.keys()
    for name, values in mine.items():
        assert np.allclose(values, theirs[name], rtol=0, atol=tolerance), name


def reaches(folder: Path, step: int) -> RunFolder:
    """The run, once it has so many steps."""
    until(lambda: len(read_records(folder / "records.bin")) >= step, PATIENCE)
    return RunFolder(folder)


def test_one_process_of_torchrun_trains_here_to_the_weights_of_a_worker(call, write, tmp_path, request):
    file = write()
    call("train", file, "--out", tmp_path / "worker")
    request.getfixturevalue("one_launched")
    end = call("train", file, "--out", tmp_path / "here", "--json")
    assert (end["status"], end["folder"]) == ("finished", str(tmp_path / "here"))
    assert end["score"]["test"]["rmse"] > 0
    assert_alike(tmp_path / "here", tmp_path / "worker", tolerance=0)
    assert not torch.distributed.is_initialized()
    assert call("resume", end["id"], "--json") == end


def test_what_cannot_be_trained_together_is_refused(refuse, write, tmp_path, one_launched):
    assert "leave --detach out" in refuse("train", write(), "--detach")
    assert "no setting 'train.rate'" in refuse("train", write(), "--set", "train.rate=1")
    assert "No run has the folder" in refuse("resume", tmp_path / "nowhere")


def test_a_run_that_waits_for_a_worker_is_refused(refuse, write, call, one_launched, tmp_path):
    folder = Path(call("train", write(), "--out", tmp_path / "run", "--json")["folder"])
    with RunFolder(folder).locked(1) as is_mine:
        assert is_mine and "This run trains or waits to" in refuse("resume", folder)


@pytest.mark.slow
def test_only_what_torchrun_starts_loads_the_way_to_other_processes():
    code = "import sys, lstm_core.cli, lstm_core.runs.worker, lstm_core.runs.session, lstm_core.runs.run; "
    code += "print(*(name for name in sys.modules if 'shared' in name or 'processes' in name))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not [name for name in done.stdout.split() if name.startswith("lstm_core")]
    users = [path.name for path in (ROOT / "lstm_core").rglob("*.py") if "torch.distributed" in path.read_text("utf-8")]
    assert users == ["processes.py"]


@pytest.mark.slow
def test_two_processes_leave_the_folder_and_the_score_of_one(launch, call, write, tmp_path):
    file = write(model=MODEL, train=CALM)
    out, _ = launch(2, "train", file, "--out", tmp_path / "two", "--json").ends()
    assert out.count("\n") == 1
    two, one = json.loads(out), call("train", file, "--out", tmp_path / "one", "--json")
    assert_alike(tmp_path / "two", tmp_path / "one")
    assert [two[name] for name in ("status", "step", "best_epoch")] == [
        one[name] for name in ("status", "step", "best_epoch")
    ]
    assert two["score"]["baselines"] == one["score"]["baselines"]
    assert two["score"]["test"]["rmse"] == pytest.approx(one["score"]["test"]["rmse"], rel=1e-4)
    assert {path.name for path in (tmp_path / "two").iterdir()} | {"watched"} == {
        path.name for path in (tmp_path / "one").iterdir()
    }
    records = [read_records(tmp_path / name / "records.bin") for name in ("two", "one")]
    for name in ("step", "lr", "train_loss", "valid_loss", "grad_norm"):
        assert np.allclose(records[0][name], records[1][name], rtol=0, atol=1e-4, equal_nan=True), name


@pytest.mark.slow
def test_another_number_of_processes_goes_on_after_a_pause(launch, call, write, tmp_path):
    endless = CALM | {"epochs": ENDLESS}
    out, steps = tmp_path / "run", []
    launched = launch(2, "train", write(model=MODEL, train=endless), "--out", out)
    for world in (1, 2, 0):
        reaches(out, (steps[-1] if steps else 0) + 20)
        paused = call("pause", out, "--json")
        assert paused["status"] == "paused"
        launched.ends()
        steps.append(paused["step"])
        if world:
            launched = launch(world, "resume", out)
    folder = RunFolder(out)
    epochs = -(-steps[-1] // folder.status()["steps_per_epoch"]) + 1
    folder.ask("change", fields={"epochs": epochs})
    assert call("resume", out, "--json")["status"] == "finished"  # by a worker
    call("train", write("same.json", model=MODEL, train=CALM | {"epochs": epochs}), "--out", tmp_path / "one")
    assert_alike(out, tmp_path / "one")


@pytest.mark.slow
def test_all_processes_obey_what_a_page_asks_for(launch, call, write, tmp_path):
    out = tmp_path / "run"
    launched = launch(2, "train", write(model=MODEL, train=CALM | {"epochs": ENDLESS}), "--out", out)
    folder = reaches(out, 20)
    assert pool.current_status(folder, folder.status()) == "running"
    for fields in ({"lr": 0.001}, {"max_grad_norm": 0.05, "lr": 0.0005}):
        folder.ask("change", fields=fields)
        reaches(out, len(read_records(out / "records.bin")) + 20)
    assert call("stop", out, "--json")["status"] == "stopped"
    said, _ = launched.ends()
    assert said.startswith("Stopped: epoch")
    assert json.loads((out / "score.json").read_text())["step"] == folder.status()["step"]
    changes = [(one.field, one.value) for one in folder.changes()]
    assert changes == [("lr", 0.001), ("max_grad_norm", 0.05), ("lr", 0.0005)]
    step = folder.status()["step"]
    again = json.loads(folder.export())
    again["train"]["epochs"] = step // folder.status()["steps_per_epoch"]
    file = tmp_path / "again.json"
    file.write_text(json.dumps(again))
    call("train", file, "--out", tmp_path / "again")
    both = [read_records(at / "records.bin") for at in (out, tmp_path / "again")]
    common = min(map(len, both))
    for name in ("lr", "train_loss", "grad_norm"):
        assert np.allclose(both[0][name][:common], both[1][name][:common], rtol=0, atol=1e-4), name


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_a_killed_process_ends_all_and_the_run_goes_on_later(rank: int, launch, call, write, tmp_path):
    out = tmp_path / "run"
    launched = launch(2, "train", write(model=MODEL, train=CALM | {"epochs": ENDLESS}), "--out", out)
    folder = reaches(out, 30)
    until((out / "state.safetensors").exists, PATIENCE)
    launched.processes()[rank].send_signal(signal.SIGKILL)
    launched.ends()
    assert launched.torchrun.returncode != 0
    assert not folder.is_locked
    assert pool.current_status(folder, folder.status()) == "interrupted"
    epochs = len(read_records(out / "records.bin")) // folder.status()["steps_per_epoch"] + 2
    folder.ask("change", fields={"epochs": epochs})
    launch(2, "resume", out).ends()
    assert folder.status()["status"] == "finished"
    call("train", write("same.json", model=MODEL, train=CALM | {"epochs": epochs}), "--out", tmp_path / "one")
    assert_alike(out, tmp_path / "one")


@pytest.mark.slow
def test_the_signal_of_a_cluster_ends_all_at_one_step_and_loses_none(launch, write, tmp_path):
    out = tmp_path / "run"
    launched = launch(2, "train", write(model=MODEL, train=CALM | {"epochs": ENDLESS}), "--out", out)
    folder = reaches(out, 30)
    launched.torchrun.send_signal(signal.SIGTERM)
    _, said = launched.ends()
    step = folder.status()["step"]
    assert f"Interrupted: saved at step {step:,}." in said
    assert pool.current_status(folder, folder.status()) == "interrupted"
    assert len(read_records(out / "records.bin")) == step
    assert load_checkpoint((out / "state.safetensors").read_bytes()).progress["step"] == step


@pytest.mark.slow
def test_a_batch_for_one_is_refused_in_one_sentence_and_nobody_is_left_waiting(launch, write, tmp_path):
    out = tmp_path / "run"
    said, error = launch(2, "train", write(train=SMALL["train"] | {"batch_size": 1}), "--out", out).ends()
    assert said == ""
    assert error.count("2 processes cannot share a batch of 1: raise train.batch_size to 2 or more") == 1
    assert not any(out.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("world", [1, 2])
def test_graphics_cards_train_together_over_nccl(world: int, launch, call, write, tmp_path):
    if torch.cuda.device_count() < world:
        pytest.skip(f"it needs {world} CUDA cards, and this machine has {torch.cuda.device_count()}")
    launch(world, "train", write(model=MODEL, train=CALM | {"device": "cuda"}), "--out", tmp_path / "cards").ends()
    call("train", write(model=MODEL, train=CALM), "--out", tmp_path / "cpu")
    assert_alike(tmp_path / "cards", tmp_path / "cpu")
