"""A study refuses what its settings refuse before anything is trained, and puts values into the experiment."""

from __future__ import annotations

import json

import pytest

from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.runs.sweeps.study import Range, Study

LR = {"train.lr": {"low": 0.001, "high": 0.1, "log": True}}


def read(search: dict, **more) -> Study:
    return Study.from_json(json.dumps({"search": search, **more}))


def test_it_reads_what_it_wrote():
    study = read(
        LR | {"model.hidden_size": {"low": 4, "high": 64, "step": 4}, "data.calendar": [[], ["month"]]},
        experiment={"format": 2, "train": {"epochs": 3.0}},
        trials=7,
        seed=3,
    )
    assert study.search["train.lr"] == Range(0.001, 0.1, True)
    assert study.search["data.calendar"] == ((), ("month",))
    assert Study.from_json(study.to_json()) == study


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ({}, "search is empty"),
        ({"train.rate": [1, 2]}, "'train.rate'"),
        ({"lr": [1, 2]}, "'lr'"),
        ({"train.lr": [0.1]}, "train.lr needs two values"),
        ({"train.lr": [0.1, 0.1]}, "train.lr needs two values"),
        ({"train.lr": 0.1}, "train.lr needs"),
        ({"train.lr": {"low": 1}}, "train.lr needs"),
        ({"train.lr": {"low": 0, "high": 1}}, "train.lr is 0: choose a number from 1e-09"),
        ({"train.lr": {"low": 0.1, "high": 0.01}}, "choose a larger high"),
        ({"train.lr": {"low": 0.1, "high": "x"}}, "train.lr: high is 'x'"),
        ({"train.lr": {"low": 0.1, "high": 1, "stp": 1}}, "'stp'"),
        ({"train.lr": {"low": 0.1, "high": 1, "log": True, "step": 0.1}}, "step must be left out"),
        ({"train.weight_decay": {"low": 0, "high": 1, "log": True}}, "low must be above 0"),
        ({"model.hidden_size": {"low": 4.5, "high": 8}}, "model.hidden_size is a whole number"),
        ({"model.hidden_size": [4, 0]}, "model.hidden_size is 0: choose a whole number from 1"),
        ({"model.cell": ["lstm", "tcn"]}, "model.cell is 'tcn': choose one of lstm, gru, rnn"),
        ({"model.cell": {"low": 1, "high": 2}}, "model.cell is no number"),
        ({"model.bias": {"low": 0, "high": 1}}, "model.bias is no number"),
        ({"data.features": [["a"], "b"]}, "data.features is 'b'"),
        ({"train.loss": ["mse", "mae"]}, "train.loss cannot be searched"),
        ({"train.seed": [1, 2]}, "a seed is luck"),
        ({"data.scaling": ["none", "standard"]}, "could not be compared"),
    ],
)
def test_it_says_which_setting_is_wrong(search, said):
    with pytest.raises(PlaygroundError, match=r"\.$") as error:
        read(search)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "not valid JSON"),
        ("[]", "must be a JSON object"),
        ("{}", "no search"),
        (json.dumps({"search": LR, "trails": 3}), "'trails'"),
        (json.dumps({"search": LR, "trials": 0}), "trials is 0: choose a whole number from 1"),
        (json.dumps({"search": LR, "experiment": {"format": 2, "train": {"lr": "x"}}}), "train.lr is 'x'"),
        (json.dumps({"search": {"train.epochs": [3, 4]}, "epochs": 5}), "exclude each other"),
    ],
)
def test_it_says_what_is_wrong_with_the_file(text, said):
    with pytest.raises(PlaygroundError, match=r"[.}]$") as error:
        Study.from_json(text)
    assert said in str(error.value)


def test_the_values_of_a_trial_are_in_its_experiment_and_the_rest_is_the_studys():
    base = Experiment(DataSpec(seq_len=9), ModelSpec(seed=5, bias=False), TrainSpec(refit=True, seed=2**31 - 1))
    study = Study(base, {"train.lr": Range(0.1, 1.0)}, epochs=4)
    trial = study.with_params({"train.lr": 0.5, "model.cell": "gru"}, seed=2)
    assert (trial.data, trial.model) == (base.data, ModelSpec(seed=7, bias=False, cell="gru"))
    assert trial.train == TrainSpec(lr=0.5, epochs=4, seed=1)
    assert study.winner({"train.lr": 0.5}).train == TrainSpec(lr=0.5, epochs=4, seed=2**31 - 1, refit=True)


def test_values_that_do_not_go_together_are_a_sentence():
    study = read({"model.proj_size": [0, 40], **LR})
    with pytest.raises(PlaygroundError, match="proj_size is 40"):
        study.with_params({"model.proj_size": 40, "train.lr": 0.1})
