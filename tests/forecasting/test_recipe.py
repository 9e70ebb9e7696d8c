"""What a new table opens with: chosen from its training rows, written as values, and a user's own choice stays."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from lstm_core.experiment import DataSpec, Experiment
from lstm_core.forecasting.recipe import AutomaticSettings, recommended
from tests.factories import table_of

RNG = np.random.default_rng(1)
MONTHLY = (
    (100 + np.arange(240.0)) * (1 + 0.3 * np.sin(np.arange(240) * np.pi / 6)) * np.exp(0.02 * RNG.normal(size=240))
)
WALK = 50 + RNG.normal(size=400).cumsum()


def data_of(name: str = "y", **fields) -> DataSpec:
    return DataSpec(**({"source": "csv", "name": "mine.csv", "targets": (name,), "features": (name,)} | fields))


def test_a_season_that_grows_is_taken_for_one():
    settings = recommended(table_of(y=MONTHLY), data_of())
    assert settings["data"]["season"] == 12 and settings["data"]["log"] is True
    assert settings["data"]["start"] in ("season_change", "smooth")
    assert settings["model"]["zero_head"] is True and settings["train"]["patience"] == 15


def test_a_walk_has_no_season():
    settings = recommended(table_of(y=WALK), data_of())
    assert settings["data"]["season"] == 0 and settings["data"]["start"] in ("last", "smooth")


def test_later_rows_decide_nothing():
    later = MONTHLY.copy()
    later[170:] = RNG.normal(500, 100, size=70).clip(1)
    assert recommended(table_of(y=later), data_of()) == recommended(table_of(y=MONTHLY), data_of())


@pytest.mark.parametrize(
    "data",
    [data_of(horizon=0, features=("other",)), data_of(source="generator", name="sine"), data_of("label")],
    ids=["same row", "synthetic", "classes"],
)
def test_what_is_no_forecast_is_left_alone(data):
    table = table_of(y=MONTHLY, other=MONTHLY, label=np.tile(["a", "b"], 120))
    assert recommended(table, data) == {}


def test_what_a_user_has_chosen_stays_and_the_rest_follows_the_data():
    automatic = AutomaticSettings(Experiment())
    experiment = Experiment(data_of())
    automatic.note(experiment.data)
    experiment = automatic.applied(experiment, table_of(y=MONTHLY))
    assert experiment.data.start != "none" and experiment.train.shrink
    own = dataclasses.replace(experiment, model=dataclasses.replace(experiment.model, hidden_size=7))
    own = dataclasses.replace(own, data=dataclasses.replace(own.data, start="mean"))
    again = automatic.applied(own, table_of(y=WALK))
    assert (again.model.hidden_size, again.data.start) == (7, "mean")
    assert (
        again.data.season == 0
        and again.train.batch_size == recommended(table_of(y=WALK), data_of())["train"]["batch_size"]
    )


def test_a_target_of_classes_takes_the_start_back():
    automatic = AutomaticSettings(Experiment())
    table = table_of(y=MONTHLY, label=np.tile(["a", "b"], 120))
    experiment = Experiment(data_of())
    automatic.note(experiment.data)
    experiment = automatic.applied(experiment, table)
    experiment = dataclasses.replace(
        experiment, data=dataclasses.replace(experiment.data, targets=("label",), horizon=0)
    )
    after = automatic.applied(experiment, table)
    assert (after.data.start, after.data.season, after.data.log) == ("none", 0, False)
    assert after.train == dataclasses.replace(Experiment().train) and not after.model.zero_head
