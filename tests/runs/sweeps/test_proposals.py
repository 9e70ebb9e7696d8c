"""What the form proposes is a study; what it costs; what is told of it."""

from __future__ import annotations

import dataclasses
import json

import pytest

from lstm_core.data.load import load_table
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.runs.sweeps.cost import cost_of
from lstm_core.runs.sweeps.proposals import (
    FIRST,
    is_numeric,
    proposed,
    proposed_range,
    proposed_values,
    searchable,
    values_from_text,
    values_to_text,
)
from lstm_core.runs.sweeps.study import REFUSED, Range, Study
from lstm_core.runs.sweeps.verdict import verdict

RICH = DataSpec("csv", "a.csv", targets=("y",), features=("y", "a"), time="day", group="id", holidays="DE")
OTHERS = (
    Experiment(),
    Experiment(dataclasses.replace(RICH, calendar=("hour",), known_future=("a",)), ModelSpec(cell="gru")),
    Experiment(RICH, ModelSpec(hidden_size=1), TrainSpec(optimizer="SGD", lr=1e6, batch_size=1, epochs=1)),
    Experiment(
        DataSpec(seq_len=1), ModelSpec(hidden_size=16_384, num_layers=64), TrainSpec(lr=1e-9, max_grad_norm=0.0)
    ),
)


@pytest.mark.parametrize("experiment", OTHERS)
def test_whatever_is_proposed_makes_a_study_and_holds_ones_own_kind_of_value(experiment):
    names = searchable(experiment)
    assert names[: len(FIRST)] == list(FIRST) and not REFUSED.keys() & set(names)
    for name in names:
        for values in (proposed(name, experiment), proposed_values(name, experiment)):
            given = dataclasses.asdict(values) if isinstance(values, Range) else list(values)
            Study.from_json(json.dumps({"search": {name: given}}))
        if is_numeric(name):
            Study.from_json(json.dumps({"search": {name: dataclasses.asdict(proposed_range(name, experiment))}}))
        values = proposed_values(name, experiment)
        listed = [list(value) if isinstance(value, tuple) else value for value in values]
        assert values_from_text(name, values_to_text(values)) == listed


def test_a_proposal_lies_around_the_experiments_own_value():
    experiment = Experiment(train=TrainSpec(lr=0.004), model=ModelSpec(hidden_size=16))
    assert proposed("train.lr", experiment) == Range(3e-4, 0.05, log=True)
    assert proposed("model.hidden_size", experiment) == Range(4, 64, log=True)
    assert proposed_values("model.hidden_size", experiment) == (4, 16, 64)


def test_settings_that_mean_nothing_here_are_not_offered():
    gru = searchable(Experiment(model=ModelSpec(cell="gru")))
    assert "model.forget_bias" not in gru and "train.momentum" not in gru and "data.features" not in gru
    assert {"train.momentum", "data.features", "data.holidays", "data.series_id_input"} <= {*searchable(OTHERS[2])}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("16, 32,64", [16, 32, 64]),
        ("none, 10", [None, 10]),
        ("lstm, gru", ["lstm", "gru"]),
        ('[], ["month", "weekday"]', [[], ["month", "weekday"]]),
        ("true, false", [True, False]),
        ("", []),
    ],
)
def test_values_are_typed_as_json_or_as_words(text, values):
    assert values_from_text("x", text) == values


@pytest.mark.parametrize("text", ["[1, 2", '"a', "[" * 100_000])
def test_a_bracket_that_is_left_open_is_a_sentence(text):
    with pytest.raises(PlaygroundError, match="separate them by commas"):
        values_from_text("lr", text)


def test_the_cost_counts_every_training_and_the_largest_model():
    data = DataSpec(name="nile", seq_len=5, targets=("volume",), features=("volume",))
    windows = make_windows(load_table(data), data)
    experiment = Experiment(data, ModelSpec(hidden_size=4), TrainSpec(epochs=3, batch_size=16))
    study = Study(experiment, {"train.lr": Range(0.001, 0.1)}, trials=10, finalists=5, seeds=3)
    cost = cost_of(study, windows)
    assert cost.trainings == 10 + 5 * 2 + 1
    assert cost.steps == 21 * 3 * -(-len(windows.starts["train"]) // 16)
    search = {"model.hidden_size": Range(2, 64), "train.batch_size": (8, 32), "train.epochs": Range(1, 6)}
    wide = cost_of(dataclasses.replace(study, search=search), windows)
    assert wide.bytes > cost.bytes and wide.steps == 21 * 6 * -(-len(windows.starts["train"]) // 8)
    assert cost_of(dataclasses.replace(study, trials=2, epochs=1), windows).trainings == 2 + 2 * 2 + 1


def trial(number: int, loss: float | None, state: str = "complete") -> dict:
    return {"trial": number, "state": state, "loss": loss, "params": {"train.lr": 0.01 * (number + 1)}}


def test_a_sentence_at_each_stage():
    progress = {"tried": [], "finalists": [], "best": None, "seeds": 3}
    assert verdict(progress, 24) == "No trial of 24 has ended yet."
    progress["tried"] = [trial(0, 0.5, "running")]
    assert "1 is under way" in verdict(progress, 24)
    progress["tried"] = [trial(0, 0.5, "pruned"), trial(1, 0.25), trial(2, None, "failed"), trial(3, None, "running")]
    assert verdict(progress | {"best": 1}, 24) == (
        "3 of 24 trials have ended, 1 pruned and 1 failed. The best so far is trial 1, with a validation loss of "
        "0.2500: lr 0.0200."
    )
    assert verdict(progress, 24).endswith("None is complete yet.")
    finalists = [
        {"trial": 1, "losses": [0.25, 0.5, 0.75], "median": 0.5, "params": {"train.lr": 0.02}},
        {"trial": 3, "losses": [0.3, 0.3, 0.4], "median": 0.3, "params": {"train.lr": 0.04}},
    ]
    ended = progress | {"finalists": finalists, "best": 1, "tried": [*progress["tried"][:3], trial(3, 0.3)]}
    assert verdict(ended, 4) == (
        "All 4 trials have ended. The winner is trained once more, and scored on the test windows."
    )
    seeds = [finalists[0], finalists[1] | {"losses": [0.3]}]
    assert verdict(ended | {"finalists": seeds}, 4).endswith(
        "The best 2 are trained from 3 seeds, since one seed is luck: 4 of 6 trainings are done."
    )
    assert "The best one is trained from 3 seeds" in verdict(ended | {"finalists": seeds[1:]}, 4)
    assert verdict(ended | {"winner": {"trial": 3}}, 4) == (
        "Trial 3 of 4 wins: lr 0.0400. Its median validation loss over 3 seeds is 0.3000, that of the second best "
        "0.5000. From one seed alone, trial 1 would have won."
    )
    one = ended | {"finalists": finalists[1:], "winner": {"trial": 3}, "seeds": 1}
    assert verdict(one, 4) == "Trial 3 of 4 wins: lr 0.0400. Its validation loss is 0.3000."
