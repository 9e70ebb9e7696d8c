"""sweep: a study's file becomes a winner's experiment, which train takes; it goes on where it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest

from lstm_core.cli.schema import study_schema
from lstm_core.experiment import Experiment
from lstm_core.runs import pool
from lstm_core.runs.home import home, run_ids, run_path
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.study import Study
from tests.cli.conftest import OWN_SPEC, SMALL
from tests.factories import ENDLESS, until

EXTRA = "an extra: requirements-extras.txt"
TRAIN = {"epochs": 2, "batch_size": 16, "patience": 0, "device": "cpu"}
MODEL = {"hidden_size": 4}
STUDY = {
    "experiment": SMALL | {"model": MODEL, "train": TRAIN},
    "search": {"train.lr": {"low": 0.001, "high": 0.1, "log": True}, "model.cell": ["lstm", "gru"]},
    "trials": 5,
    "finalists": 2,
    "seeds": 2,
}


@pytest.fixture
def study(tmp_path) -> Callable[..., str]:
    """Writes STUDY with other fields to a file; its name."""

    def write(**fields) -> str:
        path = tmp_path / "study.json"
        path.write_text(json.dumps(STUDY | fields))
        return str(path)

    return write


@pytest.mark.extra
def test_the_winner_is_an_experiment_that_train_takes(call, study, tmp_path):
    pytest.importorskip("optuna", reason=EXTRA)
    file, out = study(), tmp_path / "sweeps" / "one"
    end = call("sweep", file, "--out", out, "--json")
    assert (end["status"], end["folder"], end["name"]) == ("finished", str(out), "study")
    assert {one["state"] for one in end["tried"]} == {"complete"} and len(end["tried"]) == 5
    assert end["importance"].keys() == STUDY["search"].keys()
    trained = call("train", out / "experiment.json", "--json")
    assert trained["score"] == end["winner"]["score"]
    assert call("sweep", file, "--out", out, "--json") == call("sweep", out, "--json") == end
    assert [one.path.resolve() for one in SweepFolder.all()] == [out]
    said = call("sweep", out)
    assert said.startswith("5 trials: 5 complete, 0 pruned, 0 failed.\ntrial")
    assert "winner\n" in said and "Importance: " in said and "Test score of the winner: RMSE" in said
    ids = [one["id"] for one in call("runs", "--json")["runs"]]
    assert end["winner"]["run"] in ids and end["tried"][0]["run"] not in ids
    assert end["tried"][0]["run"] in [one["id"] for one in call("runs", "--trials", "--json")["runs"]]


@pytest.mark.extra
def test_without_a_folder_the_same_study_on_the_same_data_is_the_same_sweep(call, study, own_file):
    pytest.importorskip("optuna", reason=EXTRA)
    file = study(experiment={"format": 2, "data": OWN_SPEC, "model": MODEL, "train": TRAIN}, trials=2, seeds=1)
    first = call("sweep", file, "--data", own_file, "--json")
    assert Path(first["folder"]).parent == home() / "sweeps"
    runs = run_ids()
    assert call("sweep", file, "--data", own_file, "--json") == first
    assert run_ids() == runs
    winner = run_path(first["winner"]["run"])
    assert (winner / "data.csv").read_bytes() == Path(own_file).read_bytes()
    assert not (run_path(first["tried"][0]["run"]) / "data.csv").exists()  # the sweep's own folder has it


@pytest.mark.extra
def test_where_no_trial_is_complete_the_exit_status_says_so(call, study):
    pytest.importorskip("optuna", reason=EXTRA)
    end = call("sweep", study(search={"model.proj_size": [8, 9]}, trials=2), "--json", status=1)
    assert "there is no winner" in end["message"]
    assert end["status"] == "failed" and all("proj_size" in one["message"] for one in end["tried"])


@pytest.mark.extra
def test_an_end_by_a_signal_pauses_the_trials(call, study, tmp_path):
    pytest.importorskip("optuna", reason=EXTRA)
    file = study(experiment=SMALL | {"model": MODEL, "train": TRAIN | {"epochs": ENDLESS}})
    threading.Thread(target=_end_once_it_trains, daemon=True).start()
    call("sweep", file, "--out", tmp_path / "out", status=130)
    assert not pool.wanted_runs()
    folder = SweepFolder(tmp_path / "out")
    assert folder.progress()["status"] == "interrupted" and not folder.is_locked
    assert [one["state"] for one in folder.progress()["tried"]] == ["running"] * 2


def _end_once_it_trains() -> None:
    until(lambda: len([run for run in pool.wanted_runs() if run.status().get("status") == "running"]) == 2)
    os.kill(os.getpid(), signal.SIGTERM)


def test_without_optuna_the_sentence_names_the_command(refuse, study, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "python -m pip install -r requirements-extras.txt" in refuse("sweep", study())


@pytest.mark.extra
def test_bad_input_is_one_sentence_before_anything_is_trained(refuse, study, tmp_path):
    pytest.importorskip("optuna", reason=EXTRA)
    runs, other = run_ids(), tmp_path / "other"
    other.mkdir()
    (other / "file").touch()
    assert "train.lr is 0" in refuse("sweep", study(search={"train.lr": [0, 1]}))
    assert "no such setting" in refuse("sweep", study(search={"lr": [0, 1]}))
    assert "'trails'" in refuse("sweep", study(trails=3))
    assert "holds no sweep" in refuse("sweep", tmp_path)
    assert "is not empty" in refuse("sweep", study(), "--out", other)
    assert "give it with --data" in refuse("sweep", study(experiment={"format": 2, "data": OWN_SPEC}))
    assert "--workers is 0" in refuse("sweep", study(), "--workers", "0")
    changes = [{"step": 1, "field": "lr", "value": 0.1}]
    assert "live changes" in refuse("sweep", study(experiment=SMALL | {"changes": changes}))
    assert run_ids() == runs


@pytest.mark.extra
def test_a_folder_of_another_study_is_left_alone(call, refuse, study, tmp_path):
    pytest.importorskip("optuna", reason=EXTRA)
    call("sweep", study(trials=1, finalists=1, seeds=1), "--out", tmp_path / "out")
    assert "another study" in refuse("sweep", study(trials=2), "--out", tmp_path / "out")


@pytest.mark.extra
def test_a_folder_that_a_kill_left_half_made_is_made_again(call, study, tmp_path):
    pytest.importorskip("optuna", reason=EXTRA)
    arguments = ("sweep", study(trials=1, finalists=1, seeds=1), "--out", tmp_path / "out", "--json")
    end = call(*arguments)
    for path in [*(tmp_path / "out").iterdir()]:
        if path.name != "base":
            path.unlink()
    again = call(*arguments)
    assert again["winner"]["score"] == end["winner"]["score"] and again["winner"]["run"] != end["winner"]["run"]
    assert again["id"] == end["id"]


def test_the_schema_takes_what_a_study_writes_and_refuses_others():
    validator = jsonschema.Draft202012Validator(study_schema())
    validator.validate(STUDY)
    validator.validate(json.loads(Study.from_json(json.dumps(STUDY)).to_json()))
    for wrong in ({"trials": 0}, {"trails": 1}, {"search": {"train.lr": 3}}, {"experiment": {"modell": {}}}):
        assert not validator.is_valid(STUDY | wrong)


def test_the_command_prints_the_schema_without_torch():
    code = "import sys, lstm_core.cli as c; c.main(['schema', '--study', '--json']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    line, torch, _ = done.stdout.split("\n")
    assert json.loads(line) == study_schema() and torch == "False"


def test_the_readme_shows_a_study():
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    shown = text.partition("<!-- study -->\n```json\n")[2].partition("```")[0]
    assert isinstance(Study.from_json(shown).experiment, Experiment)
