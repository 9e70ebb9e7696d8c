"""Proposals depend on the seed, the number and what that number may know; they are on disk before they are trained."""

from __future__ import annotations

import random

import pytest

from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs.sweeps.history import History, Trial
from lstm_core.runs.sweeps.outcome import COMPLETE, FAILED, PRUNED, Outcome
from lstm_core.runs.sweeps.study import Range, Study

pytestmark = pytest.mark.extra
SEARCH = {
    "train.lr": Range(1e-4, 0.1, log=True),
    "model.hidden_size": Range(4, 31, step=4),
    "train.momentum": Range(0.0, 0.95, step=0.3),
    "model.cell": ("lstm", "gru"),
    "data.calendar": ((), ("month", "weekday")),
}
STUDY = Study(Experiment(), SEARCH, trials=12, seed=1, parallel=3)


def outcome_of(trial: Trial) -> Outcome:
    """As a training would: a third is pruned, some fail."""
    loss = abs(trial.params.get("train.lr", 0) - 0.01) + trial.params["model.hidden_size"] / 100
    kind = trial.number % 6
    if kind == 2:
        return Outcome(FAILED, message="The loss became NaN.")
    if kind == 4:
        return Outcome(PRUNED, loss, (1.0, loss), "pruned after epoch 2", 1.0)
    return Outcome(COMPLETE, loss, (2 * loss, loss), "", 2.0)


def played(file, rng: random.Random, study: Study = STUDY) -> History:
    """A whole study, with trials that end in a random order, by a process that is killed now and then."""
    history, under_way = History(file, study), []
    while len(history.trials) < study.trials or under_way:
        if rng.random() < 0.2:
            history = History(file, study)
            under_way = [trial for trial in history.trials if trial.outcome is None]
        if history.may_propose and rng.random() < 0.6:
            under_way.append(history.propose())
        elif under_way:
            trial = under_way.pop(rng.randrange(len(under_way)))
            history.tell(trial.number, outcome_of(trial))
    return history


@pytest.fixture(autouse=True)
def _optuna() -> None:
    pytest.importorskip("optuna", reason="an extra: requirements-extras.txt")


def test_the_same_trials_whatever_ends_first_and_however_often_it_is_killed(tmp_path):
    played(tmp_path / "a.db", random.Random(0))
    first, second = (History(tmp_path / "a.db", STUDY), played(tmp_path / "b.db", random.Random(1)))
    assert first.trials == second.trials
    assert [trial.number for trial in first.trials] == list(range(12))
    assert all(trial.outcome == outcome_of(trial) for trial in first.trials)
    assert first.importance() == second.importance()
    assert sum(first.importance().values()) == pytest.approx(1)
    assert first.importance().keys() == SEARCH.keys()


def test_another_seed_proposes_others(tmp_path):
    other = Study(Experiment(), SEARCH, seed=2)
    assert History(tmp_path / "a.db", other).propose() != History(tmp_path / "b.db", STUDY).propose()


def test_no_trial_is_proposed_before_those_it_may_know_have_ended(tmp_path):
    history = History(tmp_path / "a.db", STUDY)
    for _ in range(3):
        assert history.may_propose
        history.propose()
    assert not history.may_propose
    history.tell(1, Outcome(FAILED, message="x"))
    assert not history.may_propose
    history.tell(0, Outcome(FAILED, message="x"))
    assert history.may_propose and [trial.number for trial in history.known_to(3)] == [0]


def test_every_value_lies_in_its_range_and_is_of_its_settings_type(tmp_path):
    for trial in played(tmp_path / "a.db", random.Random(0)).trials:
        assert type(trial.params["model.hidden_size"]) is int
        assert trial.params["model.hidden_size"] in range(4, 32, 4)
        assert trial.params["model.cell"] in ("lstm", "gru")
        assert trial.params["data.calendar"] in ((), ("month", "weekday"))
        assert 1e-4 <= trial.params["train.lr"] <= 0.1
        assert round(trial.params["train.momentum"], 9) in (0, 0.3, 0.6, 0.9)
        STUDY.with_params(trial.params)


def test_no_setting_is_proposed_twice_while_there_are_others(tmp_path):
    few = Study(Experiment(), {"model.hidden_size": (1, 2, 4, 8)}, trials=6, parallel=2)
    tried = [trial.params["model.hidden_size"] for trial in played(tmp_path / "a.db", random.Random(0), few).trials]
    assert {*tried[:4]} == {1, 2, 4, 8} and len(tried) == 6


def test_it_learns_from_failures(tmp_path):
    study = Study(Experiment(), {"model.cell": ("lstm", "rnn"), "train.lr": Range(0.1, 1.0)}, trials=20, parallel=1)
    history = History(tmp_path / "a.db", study)
    while history.may_propose:
        trial = history.propose()
        failed = trial.params["model.cell"] == "rnn"
        history.tell(trial.number, Outcome(FAILED) if failed else Outcome(COMPLETE, trial.params["train.lr"], (1.0,)))
    last = [trial.params["model.cell"] for trial in history.trials[10:]]
    assert last.count("rnn") <= 2


def test_a_damaged_file_is_a_sentence(tmp_path):
    (tmp_path / "a.db").write_bytes(b"SQLite no more" * 100)
    with pytest.raises(PlaygroundError, match="is damaged"):
        History(tmp_path / "a.db", STUDY)
