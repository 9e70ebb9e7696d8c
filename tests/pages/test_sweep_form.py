"""The form of a sweep: what is typed is a study, and what is none is one sentence; studies as files."""

from __future__ import annotations

import json

import pytest

from lstm_core.data.load import load_table
from lstm_core.runs.sweeps import history
from lstm_core.runs.sweeps.study import Range, Study
from tests.factories import NILE, nile_study
from tests.pages.conftest import Visitor, series_csv

STUDY = nile_study(name="mine", trials=3, finalists=1, seeds=2)
pytestmark = pytest.mark.usefixtures("no_sweeps")


def saved(downloads) -> Study:
    return Study.from_json(downloads["study.json"]().decode())


def test_the_form_proposes_a_study_of_the_experiment_on_the_table(visit, downloads):
    tab = visit("sweep")
    assert "A sweep tries many settings" in tab.words() and "Sunspots · LSTM 16" in tab.words()
    assert "trainings" in tab.words() and tab.pressable("sweep_begin")
    study = saved(downloads)
    assert study.experiment == tab.workspace.experiment
    assert list(study.search) == ["train.lr", "model.hidden_size", "train.batch_size", "model.num_layers"]
    assert study.search["model.hidden_size"] == Range(4, 64, log=True)
    tab.go("model").set("hidden_size", 8).go("sweep")
    assert saved(downloads).search["model.hidden_size"] == Range(2, 32, log=True)


def test_what_is_typed_is_in_the_study_and_outlives_a_visit_to_another_page(visit, downloads):
    tab = visit("sweep").set("sweep_search", ["train.lr", "model.cell", "model.chrono_t_max"])
    tab.set("search_low_train_lr", 0.002).set("search_high_train_lr", 0.5).set("search_log_train_lr", False)
    tab.set("search_values_model_chrono_t_max", "none, 10, 20")
    tab.set("sweep_trials", 7).set("sweep_epochs", 3).set("sweep_name", "<b>my</b> :red[sweep]").set(
        "sweep_prune", False
    )
    assert tab.pressable("sweep_begin")
    tab.go("data").go("sweep")
    study = saved(downloads)
    assert study.search["train.lr"] == Range(0.002, 0.5) and study.search["model.chrono_t_max"] == (None, 10, 20)
    assert study.search["model.cell"] == ("lstm", "gru", "rnn")
    assert (study.trials, study.epochs, study.name, study.prune) == (7, 3, "<b>my</b> :red[sweep]", False)
    tab.set("search_kind_train_lr", "list")
    assert saved(downloads).search["train.lr"] == (0.0003, 0.003, 0.03)
    tab.set("sweep_epochs", None)
    assert saved(downloads).epochs is None


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("search_low_train_lr", 5.0, "choose a larger high"),
        ("search_values_train_batch_size", "16", "two values or more"),
        ("search_values_train_batch_size", "16, [", "separate them by commas"),
        ("search_values_train_batch_size", "16, many", "a whole number from 1"),
        ("sweep_search", [], "search is empty"),
    ],
)
def test_what_is_no_study_is_one_sentence_and_cannot_be_begun(visit, key, value, sentence):
    tab = visit("sweep").set(key, value)
    (error,) = tab.errors()
    assert sentence in error and not tab.pressable("sweep_begin")
    assert not [one for one in tab.at.get("download_button") if one.key == "save_study"]


def test_without_optuna_the_page_says_what_to_install(visit, monkeypatch):
    monkeypatch.setattr(history, "find_spec", lambda name: None)
    tab = visit("sweep")
    assert "python -m pip install -r requirements-extras.txt" in tab.words() and not tab.pressable("sweep_begin")
    assert tab.widget("save_study") and not tab.errors()


def load(tab: Visitor, data: bytes) -> Visitor:
    tab.widget("study_file").upload("study.json", data, "application/json")
    return tab.run()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff\xfe", "not text in UTF-8"),
        (b"{", "not valid JSON"),
        (b"[]", "must be a JSON object"),
        (b'{"search": {"train.seed": [1, 2]}}', "train.seed cannot be searched"),
        (b'{"search": {"![x](http://a.b/c)": [1, 2]}}', "there is no such setting"),
        (b'{"search": {"train.lr": [NaN, 1]}}', "lr is nan"),
        (b'{"search": {"train.lr": {"low": 1e400, "high": 1}}}', "low"),
        (b'{"search": {"train.lr": [0.1, 0.2]}, "experiment": {"data": {"name": "nothing"}}}', "nothing"),
        (
            b'{"search": {"train.lr": [0.1, 0.2]}, "experiment": {"data": {"source": "csv", "name": "a.csv"}}}',
            "'a.csv'",
        ),
        (b'{"search": {"train.lr": [0.1, 0.2]}, "experiment": {"format": 2, "changes": [1]}}', "live changes"),
        (b'{"search": ' + b"[" * 100_000, "not valid JSON"),
    ],
)
def test_a_bad_study_file_is_one_sentence_and_changes_nothing(visit, downloads, data, sentence):
    tab = visit("sweep")
    before = saved(downloads)
    load(tab, data)
    (error,) = tab.errors()
    assert sentence in error and "\n" not in error and saved(downloads) == before


def test_a_study_file_fills_the_form_in_and_puts_its_experiment_on_the_table(visit, downloads):
    tab = load(visit("sweep"), STUDY.to_json().encode())
    assert not tab.errors() and "The study is loaded" in tab.words()
    assert tab.workspace.experiment == STUDY.experiment and saved(downloads) == STUDY
    assert tab.workspace.table.sha256 == load_table(NILE).sha256
    bare = {"experiment": {"data": {"name": "nile"}}, "search": {"data.calendar": [[], ["month"]]}}
    load(tab, json.dumps(bare).encode())
    assert tab.workspace.experiment.data.targets and saved(downloads).search["data.calendar"] == ((), ("month",))


def test_a_study_of_a_file_needs_that_file_and_knows_how_it_was_read(visit, downloads):
    tab = visit("data").upload(series_csv(delimiter=";", decimal=",")).go("sweep")
    file = downloads["study.json"]()
    described = json.loads(file)
    assert described["experiment"]["table_sha256"] == tab.workspace.table.sha256
    assert any(code.value.endswith("--data FILE") for code in tab.at.code)
    other = load(visit("sweep"), file)
    assert "put that file" in other.errors()[0]
    assert not load(tab, file).errors()
