"""The address: it holds the whole experiment on every page, and opens it on any server."""

from __future__ import annotations

import hashlib

import pytest

from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.runs.link import experiment_from_link, experiment_to_link
from tests.pages.conftest import Visitor, series_csv

SINE = Experiment(
    DataSpec("generator", "sine", length=200, targets=("y",), features=("y",), seq_len=9),
    ModelSpec(hidden_size=5),
    TrainSpec(lr=0.02, epochs=3),
)


def experiment_of(tab: Visitor) -> Experiment:
    return experiment_from_link(tab.parameters["x"])


def elsewhere(visit, tab: Visitor, page: str = "start", **changes: str) -> Visitor:
    """A visitor who opens the tab's address on a server that has not its run."""
    address = {name: tab.parameters[name] for name in ("x", "sha") if name in tab.parameters}
    return visit(page, **{"run": "of-another-server", **address} | changes)


def test_the_address_follows_the_experiment_on_every_page(visit):
    tab = visit()
    for page, key, value in (("data", "seq_len", 7), ("model", "hidden_size", 11), ("train", "lr", 0.002)):
        tab.go(page).set(key, value)
        assert experiment_of(tab) == tab.workspace.experiment
        assert value in (getattr(part, key, None) for part in vars(experiment_of(tab)).values())
    for page in ("gates", "stage", "start"):
        assert experiment_of(tab.go(page)) == tab.workspace.experiment


def test_x_alone_makes_a_new_untrained_run(visit):
    tab = visit("model", x=experiment_to_link(SINE))
    assert tab.workspace.experiment == tab.training.experiment == SINE
    assert tab.training.step == 0
    assert tab.training.status != "running"
    assert tab.workspace.table.name == "sine"
    assert tab.widget("hidden_size").value == 5
    assert "link's settings" in tab.words()
    assert not tab.errors()


def test_the_run_of_this_server_comes_first(visit):
    tab = visit("model")
    other = visit("model", run=tab.id, x=experiment_to_link(SINE))
    assert other.id == tab.id
    assert experiment_of(other) == tab.workspace.experiment != SINE


def test_an_address_opens_on_another_server(visit):
    tab = visit("data").set("sample", "nile")
    tab.set("seq_len", 6).go("model").set("hidden_size", 9).set("cell", "gru")
    there = elsewhere(visit, tab, "model")
    assert there.id != tab.id
    assert there.workspace.experiment == tab.workspace.experiment
    assert there.widget("cell").value == "gru"
    assert elsewhere(visit, there).workspace.experiment == tab.workspace.experiment


def test_a_csv_is_asked_for_and_then_cut_and_modelled_as_in_the_link(visit):
    data = series_csv()
    tab = visit("data").upload(data, "load.csv").set("target", ["price"]).set("seq_len", 7)
    tab.go("model").set("hidden_size", 11)
    sha = hashlib.sha256(data).hexdigest()
    assert tab.parameters["sha"] == sha
    there = elsewhere(visit, tab)
    assert f"please drop the file load.csv (sha256 {sha[:12]}…)" in there.words()
    assert experiment_of(there) == tab.workspace.experiment  # it can be sent on
    assert "please drop" in visit("model", run=there.id).words()  # after F5, on any page
    there.go("data").upload(data, "renamed.csv")
    assert there.workspace.experiment.model == tab.workspace.experiment.model
    mine, its = there.workspace.experiment.data, tab.workspace.experiment.data
    assert (mine.name, mine.targets, mine.seq_len) == ("renamed.csv", its.targets, its.seq_len)
    assert there.training.experiment == there.workspace.experiment
    assert "applied to renamed.csv" in there.words()
    assert "not the very file" not in there.words()
    assert not there.errors()


def test_another_file_with_the_columns_will_do_and_one_without_waits_on(visit):
    tab = visit("data").upload(series_csv(), "load.csv").set("seq_len", 7)
    there = elsewhere(visit, tab, "data").upload(b"a,b\n" + b"".join(b"%d,%d\n" % (k, k % 7) for k in range(90)))
    assert "does not fit the link" in there.errors()[0]
    assert there.workspace.table.name == "mine.csv"
    assert "please drop" in there.go("model").words() or "please drop" in there.run().words()
    there.go("data").upload(series_csv(rows=140), "later.csv")
    assert there.widget("seq_len").value == 7
    assert "not the very file of the link" in there.words()


def test_other_data_gives_the_link_up(visit):
    tab = visit("data").upload(series_csv(), "load.csv")
    there = elsewhere(visit, tab, "data").set("sample", "nile")
    assert "please drop" not in there.words()
    assert experiment_of(there).data.name == "nile"
    assert "sha" not in there.parameters


@pytest.mark.parametrize("x", ["damaged", "A" * 9000, "<b>", experiment_to_link(SINE)[:-9]])
def test_a_damaged_link_is_one_sentence_beside_the_example(visit, x):
    tab = visit("model", x=x)
    assert len(tab.errors()) == 1
    assert "This link is damaged" in tab.errors()[0]
    assert tab.training.status == "finished"
    assert experiment_of(tab) == tab.workspace.experiment


@pytest.mark.parametrize(
    "data",
    [
        DataSpec("sample", "no such"),
        DataSpec("generator", "sine", length=1_000_000, n_features=1000, targets=("no such",), features=("y",)),
        DataSpec("generator", "sine", length=20, targets=("y",), features=("y",), seq_len=50_000),
    ],
    ids=["unknown", "columns", "too long"],
)
def test_an_experiment_that_cannot_be_is_one_sentence_beside_the_example(visit, data):
    tab = visit("model", x=experiment_to_link(Experiment(data)))
    assert len(tab.errors()) == 1
    assert tab.training.status == "finished"


def test_a_device_of_another_machine_becomes_auto(visit):
    tab = visit("train", x=experiment_to_link(Experiment(SINE.data, SINE.model, TrainSpec(device="cuda:7"))))
    assert tab.training.experiment.train.device == "auto"


def test_a_lesson_s_address_opens_the_lesson(visit):
    tab = visit("lessons", lesson="first_lstm", x=experiment_to_link(SINE))
    assert not tab.errors()
    assert tab.workspace.experiment != SINE
    assert experiment_of(tab) == tab.workspace.experiment
