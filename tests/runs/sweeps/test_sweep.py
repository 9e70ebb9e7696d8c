"""A whole sweep with real workers: killed, begun again, paused; trials are no one's but the sweep's."""

from __future__ import annotations

import json
import threading
import time

import pytest

from lstm_core.data.load import load_table
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import run_ids, run_path
from lstm_core.runs.shelf import Shelf
from lstm_core.runs.sweeps import dispatcher
from lstm_core.runs.sweeps.dispatcher import Sweep
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.study import Range, Study
from lstm_core.training.checkpoint import load_checkpoint
from tests.conftest import end_all_runs
from tests.factories import ENDLESS, until

pytest.importorskip("optuna", reason="an extra: requirements-extras.txt")
pytestmark = pytest.mark.extra

DATA = DataSpec(name="nile", seq_len=5, targets=("volume",), features=("volume",))
BASE = Experiment(DATA, ModelSpec(hidden_size=4), TrainSpec(epochs=3, batch_size=16, patience=0, device="cpu"))
SEARCH = {"train.lr": Range(1e-3, 0.1, log=True), "model.proj_size": (0, 2, 4), "model.hidden_size": Range(3, 9)}
STUDY = Study(BASE, SEARCH, "small", trials=5, parallel=2, finalists=2, seeds=3)


@pytest.fixture(autouse=True)
def _no_run_left():
    yield
    end_all_runs()


def made(tmp_path, study: Study = STUDY, name: str = "a", secret: str = "") -> SweepFolder:
    folder = SweepFolder(tmp_path / name)
    folder.create(study, load_table(study.experiment.data), secret or str(tmp_path / name))
    return folder


def facts(progress: dict) -> tuple:
    """What must be the same however a study was interrupted."""
    tried = [{k: v for k, v in one.items() if k not in ("run", "seconds")} for one in progress["tried"]]
    finalists = [{k: v for k, v in one.items() if k != "runs"} for one in progress["finalists"]]
    winner = {k: v for k, v in progress["winner"].items() if k != "run"}
    return tried, finalists, winner, progress["importance"], progress["best"]


@pytest.mark.slow
def test_a_sweep_finds_a_winner_and_the_same_one_when_it_is_interrupted_again_and_again(tmp_path, monkeypatch):
    said: list[str] = []
    whole = Sweep(made(tmp_path, name="whole"), workers=2, say=said.append).run()
    assert whole["status"] == "finished"
    states = [one["state"] for one in whole["tried"]]
    assert len(states) == 5 and set(states) == {"complete", "failed"}  # proj_size 4 needs a larger hidden_size
    assert any("proj_size is 4" in one for one in said if "failed" in one)
    assert [len(one["losses"]) for one in whole["finalists"]] == [3, 3]
    medians = {one["trial"]: sorted(one["losses"])[1] for one in whole["finalists"]}
    assert whole["winner"]["trial"] == min(medians, key=medians.get)

    monkeypatch.setattr(dispatcher, "SHOW_SECONDS", 0.05)  # so that it is interrupted however fast the trials end
    folder, seen = made(tmp_path, name="broken"), []

    def interrupt(progress: dict) -> None:
        now = json.dumps([progress["tried"], progress["finalists"]])
        if now not in seen and progress["status"] == "running":
            seen.append(now)
            raise KeyboardInterrupt

    for _ in range(60):
        try:
            broken = Sweep(folder, workers=1, show=interrupt).run()
            break
        except KeyboardInterrupt:
            assert not any(RunFolder(run_path(id), id).is_locked for id in run_ids())
            assert not pool.wanted_runs()
    assert len(seen) >= 5
    assert facts(broken) == facts(whole)
    assert Sweep(folder).run() == broken  # at once


def test_trials_are_hidden_and_never_scored_and_the_winner_is_an_ordinary_run(tmp_path):
    folder = made(tmp_path)
    end = Sweep(folder, workers=2).run()
    for one in end["tried"] + [{"run": id} for finalist in end["finalists"] for id in finalist["runs"]]:
        run = RunFolder(run_path(one["run"]), one["run"])
        if run.exists:
            assert not run.file("score.json").exists()
            assert run.about()["sweep"] == folder.id and run.about()["hidden"]
    shown = [run for run in Shelf().runs() if run.about.get("sweep") == folder.id]
    assert [run.id for run in shown] == [end["winner"]["run"]]
    assert shown[0].score["test"]["rmse"] == end["winner"]["score"]["test"]["rmse"] > 0
    text = folder.file("experiment.json").read_text()
    assert Experiment.from_json(text) == STUDY.winner(end["tried"][end["winner"]["trial"]]["params"])
    winner = RunFolder(run_path(shown[0].id), shown[0].id)
    trial = run_path(end["tried"][end["winner"]["trial"]]["run"])
    weights = [load_checkpoint((path / "model.safetensors").read_bytes()).weights for path in (winner.path, trial)]
    assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])


def test_a_winner_whose_worker_died_before_it_was_scored_is_scored(tmp_path):
    folder = made(tmp_path)
    end = Sweep(folder, workers=2).run()
    score = run_path(end["winner"]["run"]) / "score.json"
    score.unlink()
    folder.write_progress({})
    assert facts(Sweep(folder, workers=2).run()) == facts(end)
    assert json.loads(score.read_text()) == end["winner"]["score"]


def test_bad_trials_are_pruned_and_their_runs_stay_valid(tmp_path):
    train = TrainSpec(epochs=12, batch_size=16, patience=0, device="cpu")
    search = {"train.lr": (0.02, 0.015, 0.01, 0.012, 0.018, 1e-7, 2e-7, 3e-7)}
    study = Study(
        Experiment(DATA, BASE.model, train), search, trials=8, parallel=1, finalists=1, seeds=1, warmup_epochs=2
    )
    end = Sweep(made(tmp_path, study)).run()
    pruned = [one for one in end["tried"] if one["state"] == "pruned"]
    assert pruned and all(one["epochs"] >= 3 for one in pruned)
    assert all(f"pruned after epoch {one['epochs']}" in one["message"] for one in pruned)
    for one in pruned:
        run = RunFolder(run_path(one["run"]), one["run"])
        assert run.status()["status"] in ("stopped", "finished")
        load_checkpoint(run.file("model.safetensors").read_bytes()).model()


def test_no_trial_that_can_be_trained_is_no_winner_and_no_hang(tmp_path):
    study = Study(BASE, {"model.proj_size": (10, 11, 12)}, trials=3, parallel=2)
    end = Sweep(made(tmp_path, study)).run()
    assert end["status"] == "failed" and [one["state"] for one in end["tried"]] == ["failed"] * 3
    train = TrainSpec(optimizer="SGD", max_grad_norm=0.0, patience=0, device="cpu", epochs=50)
    study = Study(Experiment(DATA, BASE.model, train), {"train.lr": (1e5, 1e6)}, trials=2)  # only a worker finds out
    end = Sweep(made(tmp_path, study, "b")).run()
    assert end["status"] == "failed" and len(end["tried"]) == 2
    assert all("NaN" in one["message"] for one in end["tried"])


def test_without_validation_windows_each_trial_says_so(tmp_path):
    data = DataSpec(name="nile", seq_len=5, targets=("volume",), features=("volume",), valid_share=0.0)
    study = Study(Experiment(data, BASE.model, BASE.train), {"train.lr": (0.1, 0.2)}, trials=2)
    end = Sweep(made(tmp_path, study)).run()
    assert {one["message"] for one in end["tried"]} == {
        "It has no validation windows: raise data.valid_share, or lower data.seq_len."
    }


def test_what_somebody_else_pauses_or_stops_waits_or_counts_as_it_is(tmp_path):
    study = Study(BASE, {"train.lr": (0.01, 0.02)}, trials=1, epochs=ENDLESS, finalists=1, seeds=1)
    folder, said, result = made(tmp_path, study), [], []
    run = RunFolder(run_path(folder.run_id(0, 0)), folder.run_id(0, 0))
    thread = threading.Thread(target=lambda: result.append(Sweep(folder, say=said.append).run()))
    thread.start()
    until(lambda: run.status().get("step", 0) > 20)
    run.ask("pause")
    until(lambda: said)
    assert "resume" in said[0] and run.id in said[0]
    time.sleep(0.2)
    assert run.status()["status"] == "paused" and thread.is_alive()
    with pytest.raises(PlaygroundError, match="at work in another process"):
        Sweep(folder).run()
    run.ask("train", steps=None)
    run.ask("change", fields={"epochs": 1000})
    pool.want(run)
    run.ask("stop")
    winner = folder.run_id(0, 0, "winner")
    until(lambda: RunFolder(run_path(winner), winner).status().get("step", 0) > 20)
    RunFolder(run_path(winner), winner).ask("stop")
    thread.join(20)
    assert result[0]["status"] == "finished" and result[0]["tried"][0]["state"] == "complete"


def test_a_winner_whose_refit_fails_is_a_sentence(tmp_path, monkeypatch):
    study = Study(BASE, {"train.lr": (0.01, 0.02)}, trials=1, finalists=1, seeds=1)
    monkeypatch.setattr(Study, "winner", lambda study, params: study.with_params({"model.proj_size": 9}))
    end = Sweep(made(tmp_path, study)).run()
    assert end["status"] == "failed" and "winner" not in end
    assert end["message"].startswith("The winner could not be trained again: proj_size is 9")
