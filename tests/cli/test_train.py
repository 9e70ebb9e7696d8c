"""train: the file of an experiment becomes a run whose weights are those of a plain loop over a Trainer."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_core.cli import attach, main, train
from lstm_core.data.generators import generate
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.read import read_table
from lstm_core.data.load import load_table
from lstm_core.data.upload import Upload
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, PlaygroundError
from lstm_core.runs import home, pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.run import Run
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.training.trainer import Trainer
from tests.cli.conftest import FOREVER, OWN, OWN_SPEC, SMALL, experiment_of
from tests.factories import until


def weights_of(folder: str | Path) -> dict[str, np.ndarray]:
    return load_checkpoint((Path(folder) / "model.safetensors").read_bytes()).weights


def assert_equal(weights: dict[str, np.ndarray], others: dict[str, np.ndarray]) -> None:
    assert weights.keys() == others.keys()
    for name, values in weights.items():
        assert np.array_equal(values, others[name]), name


def test_it_trains_to_the_weights_of_a_plain_loop(call, write, tmp_path):
    file, out = write(), tmp_path / "runs" / "first"
    end = call("train", file, "--out", out, "--json")
    experiment = experiment_of(file)
    trainer = Trainer(make_windows(load_table(experiment.data), experiment.data), experiment)
    list(trainer)
    assert_equal(weights_of(out), {k: v.numpy() for k, v in trainer.model.state_dict().items()})
    assert list(end) == ["id", "folder", "status", "message", "step", "epoch", "best_epoch", "seconds", "score"]
    assert (end["folder"], end["status"], end["step"]) == (str(out), "finished", trainer.step)
    assert (end["epoch"], end["best_epoch"]) == (trainer.epoch, trainer.early_stopping.best_epoch)
    assert end["score"]["test"]["rmse"] > 0 and set(end["score"]["baselines"]) == {"persistence", "mean"}
    assert home.run_path(end["id"]).resolve() == out == Path(call("resume", end["id"], "--json")["folder"])
    assert oct(out.stat().st_mode & 0o777) == "0o700"


def test_in_words_it_names_the_score_the_best_baseline_and_the_model(call, write):
    said = call("train", write())
    assert said.startswith("Finished: epoch 3, step")
    assert "Test score: RMSE" in said and "best baseline: RMSE" in said
    folder = home.folder_of(said.rsplit(maxsplit=1)[1])
    assert f"Model: {folder / 'model.safetensors'}" in said
    assert folder.parent == home.home() / "runs"


def test_changes_made_while_it_trained_are_made_again(call, tmp_path):
    experiment = Experiment.from_json(json.dumps(SMALL | {"train": SMALL["train"] | {"patience": 0, "epochs": 4}}))
    table = load_table(experiment.data)
    run = Run.new(make_windows(table, experiment.data), experiment, table)
    for steps, changes in ((3, {"lr": 0.05}), (2, {"max_grad_norm": 0.1, "lr": 0.02}), (4, {"epochs": 6}), (None, {})):
        run.start(steps)
        until(lambda: not run.is_active)
        if changes:
            run.change(**changes)
    file = tmp_path / "exported.json"
    file.write_text(call("export", run.id))
    assert json.loads(file.read_text())["changes"][0] == {"step": 3, "field": "lr", "value": 0.05}
    assert call("export", run.id, "--json") == json.loads(file.read_text())
    end = call("train", file, "--out", tmp_path / "again", "--json")
    assert (end["step"], end["epoch"]) == (run.step, 6)
    assert_equal(weights_of(tmp_path / "again"), weights_of(run.folder.path))
    assert json.loads(call("export", end["id"])) == json.loads(file.read_text())
    without = json.loads(file.read_text())
    del without["changes"]
    file.write_text(json.dumps(without))
    call("train", file, "--out", tmp_path / "other", "--json")
    assert weights_of(tmp_path / "other")["head.bias"] != weights_of(run.folder.path)["head.bias"]


def test_settings_of_the_command_line_take_the_place_of_the_files(call, write):
    arguments = ("--set", "train.lr=0.25", "--set", "train.epochs=1", "--set", "model.head=per_step")
    end = call("train", write(), *arguments, "--set", "data.time=year", "--set", 'data.targets=["volume"]', "--json")
    made = RunFolder(Path(end["folder"])).experiment()
    assert (made.train.lr, made.train.epochs, made.model.head, made.data.time) == (0.25, 1, "per_step", "year")
    assert (made.train.batch_size, end["epoch"]) == (16, 1)


def test_a_setting_is_json_or_text():
    made = train.with_settings(
        Experiment(), ["data.name=1", "data.time=null", "data.features=a b", "model.frozen=bias_hh", "train.lr=1e-2"]
    )
    assert (made.data.name, made.data.time, made.data.features) == ("1", None, ("a b",))
    assert (made.model.frozen, made.train.lr) == (("bias_hh",), 0.01)


def test_an_experiment_that_names_no_columns_takes_the_datas_own(call, tmp_path):
    (tmp_path / "short.json").write_text('{"data": {"name": "nile"}, "train": {"epochs": 1}}')
    end = call("train", tmp_path / "short.json", "--json")
    data = RunFolder(Path(end["folder"])).experiment().data
    assert (data.targets, data.features, data.time) == (("volume",), ("volume",), "year")


def test_a_file_of_ones_own_is_kept_and_known_by_its_values(call, refuse, write, own_file, tmp_path):
    sha = read_table(OWN.encode(), "own.csv").sha256
    end = call("train", write(data=OWN_SPEC, table_sha256=sha), "--data", own_file, "--json")
    assert (Path(end["folder"]) / "data.csv").read_text() == OWN
    Path(own_file).write_text(OWN.replace("0.1424", "0.1425"))
    said = refuse("train", write(data=OWN_SPEC, table_sha256=sha), "--data", own_file)
    assert "'own.csv' has the SHA-256" in said and sha[:12] in said


def test_how_a_file_was_read_is_exported_with_it(call, write, tmp_path):
    text = "y;b\n" + "".join(f"{k % 7},5;{k}\n" for k in range(80))
    (tmp_path / "own.csv").write_text(text)
    options = CsvOptions(delimiter=";", decimal=",", kinds=(("b", "number"),))
    table = dataclasses.replace(read_table(text.encode(), "own.csv", options), upload=Upload(text.encode(), options))
    experiment = experiment_of(write(data=OWN_SPEC))
    run = Run.new(make_windows(table, experiment.data), experiment, table)
    run.start()
    until(lambda: not run.is_active)
    exported = json.loads(call("export", run.id))
    assert exported["read_options"] == {"delimiter": ";", "decimal": ",", "kinds": [["b", "number"]]}
    (tmp_path / "exported.json").write_text(json.dumps(exported))
    end = call("train", tmp_path / "exported.json", "--data", tmp_path / "own.csv", "--json")
    assert_equal(weights_of(end["folder"]), weights_of(run.folder.path))
    assert json.loads(call("export", end["id"])) == exported


def test_synthetic_data_that_another_version_made_is_refused_unless_it_is_changed(call, refuse, write):
    spec = {"source": "generator", "name": "sine", "length": 80, "targets": [], "features": []}
    sha = generate(DataSpec(**spec)).sha256
    assert call("train", write(data=spec, table_sha256=sha), "--json")["status"] == "finished"
    other = write(data=spec, table_sha256="0" * 64)
    assert "as an earlier version made it" in refuse("train", other)
    assert call("train", other, "--set", "data.seed=5", "--json")["status"] == "finished"


def test_without_links_a_file_tells_where_a_run_lies(call, write, tmp_path, monkeypatch):
    def refuse_link(*_, **__) -> None:
        raise OSError("A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", refuse_link)
    end = call("train", write(), "--out", tmp_path / "out", "--json")
    assert (home.home() / "runs" / end["id"]).read_text() == str(tmp_path / "out")
    assert (end["status"], end["folder"]) == ("finished", str(tmp_path / "out"))
    assert home.folder_of(end["id"]) == tmp_path / "out" and home.id_at(tmp_path / "out") == end["id"]


def test_a_training_that_fails_ends_with_its_sentence_and_status_1(call, write, capsys):
    wild = SMALL["train"] | {"optimizer": "SGD", "lr": 1e6, "max_grad_norm": 0.0}
    assert main(["train", write(train=wild)]) == 1
    said = capsys.readouterr()
    assert "the last finite weights are kept" in said.err
    assert said.out.startswith("Failed: ")


def test_ctrl_c_detaches_and_names_what_to_do(call, write, tmp_path, monkeypatch, capsys):
    def interrupt(folder: RunFolder) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lstm_core.cli.control.attach", interrupt)
    assert main(["train", write(**FOREVER), "--out", str(tmp_path / "run")]) == 130
    said = capsys.readouterr()
    (folder,) = pool.wanted_runs()
    assert said.out == ""
    assert f"resume {folder.id}" in said.err and f"stop {folder.id}" in said.err
    assert call("stop", tmp_path / "run", "--json")["id"] == folder.id


def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(call, write, capsys, monkeypatch):
    monkeypatch.setattr(attach, "LINE_SECONDS", 0.0)
    main(["train", write(), "--set", "train.epochs=40", "--set", "train.patience=0"])
    assert "of 40, step" in capsys.readouterr().err
    monkeypatch.setattr(attach, "DRAW_SECONDS", 0.0)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((70, 24)))
    main(["train", write(), "--set", "train.epochs=40", "--set", "train.patience=0"])
    pictures = capsys.readouterr().err.split("\r")
    assert any("%  epoch" in one and one.startswith("[") for one in pictures)
    assert all(len(one) < 70 for one in pictures if not one.endswith("\n"))
    assert pictures[-2].strip() == pictures[-1] == ""


@pytest.mark.parametrize(
    ("text", "arguments", "problem"),
    [
        ("{", [], "not valid JSON"),
        ("[]", [], "must be a JSON object"),
        ('{"modell": {}}', [], "unknown fields: 'modell'"),
        ('{"train": {"lr": -1}}', [], "train.lr is -1"),
        ('{"train": {"loss": "cross_entropy"}}', [], "does not fit a target of numbers"),
        ('{"train": {"device": "cuda:99"}}', [], "has no device cuda:99"),
        ('{"train": {"initial_state": "stateful", "batch_size": 1000}}', [], "batch_size"),
        ('{"model": {"frozen": ["head"]}}', [], "identity"),
        ('{"model": {"hidden_size": 16384, "num_layers": 64}}', [], "would need about"),
        ('{"data": {"seq_len": 9000}}', [], "lower seq_len"),
        ('{"data": {"name": "nothing"}}', [], "nothing"),
        ('{"data": {"source": "csv"}}', [], "give it with --data"),
        ("{}", ["--data", "small.json"], "leave --data out"),
        ('{"data": {"source": "csv"}}', ["--data", "none.csv"], "'none.csv' cannot be read"),
        ('{"data": {"source": "csv"}, "read_options": {"sep": ";"}}', ["--data", "x"], "read_options must be"),
        ('{"data": {"source": "csv"}, "read_options": {"header": 1}}', ["--data", "x"], "read_options.header is '1'"),
        ('{"data": {"source": "csv"}, "read_options": {"kinds": [1]}}', ["--data", "x"], "kinds must be"),
        ('{"changes": {}}', [], "changes must be a list"),
        ('{"changes": [{"step": 1, "field": "seed", "value": 1}]}', [], "field 'seed'"),
        ('{"changes": [{"step": 1, "field": "lr", "value": 0}]}', [], "lr is 0"),
        ('{"table_sha256": 5}', [], "as an earlier version made it"),
        ("{}", ["--set", "lr=1"], "part.field=value"),
        ("{}", ["--set", "train.lr"], "part.field=value"),
        ("{}", ["--set", "train.learning_rate=1"], "no setting 'train.learning_rate'"),
        ("{}", ["--set", "trian.lr=1"], "no setting 'trian.lr'"),
        ("{}", ["--set", "train.lr=fast"], "train.lr is 'fast'"),
        ("{}", ["--set", "model.hidden_size=2.5"], "model.hidden_size is 2.5"),
        ("{}", ["--set", "train.lr=NaN"], "train.lr is nan"),
        ("{}", ["--out", "full"], "is not empty"),
        ("{}", ["--out", "small.json"], "cannot be the run's folder"),
        ("{}", ["--out", "small.json/x"], "cannot be the run's folder"),
    ],
)
def test_bad_input_is_refused_before_there_is_a_run(refuse, tmp_path, monkeypatch, text, arguments, problem):
    monkeypatch.chdir(tmp_path)
    Path("small.json").write_text(text)
    Path("full").mkdir()
    Path("full", "file").touch()
    before = home.run_ids()
    assert problem in refuse("train", "small.json", *arguments)
    assert home.run_ids() == before and not pool.wanted_runs()


def test_files_that_are_no_experiments_are_refused(refuse, tmp_path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    assert "not text in UTF-8" in refuse("train", tmp_path / "binary")
    assert "cannot be read" in refuse("train", tmp_path / "none.json")
    (tmp_path / "ok.json").write_text("{}")
    assert "among the runs" in refuse("train", tmp_path / "ok.json", "--out", home.home() / "runs" / "mine")


def test_read_options_come_back_as_they_went():
    options = CsvOptions(encoding="cp1252", delimiter="", header=False, skip_rows=0, kinds=(("a", "time"),))
    assert CsvOptions.from_json(json.loads(json.dumps(options.to_json()))) == options
    assert CsvOptions().to_json() == {} and CsvOptions.from_json({}) == CsvOptions()
    with pytest.raises(PlaygroundError, match="skip"):
        CsvOptions.from_json({"skip_rows": -1})
