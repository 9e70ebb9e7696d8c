"""Settings that forecast well on many series, chosen from a table's training rows alone: what a new table opens with.

The choice is written into the experiment as values: what a user then changes is left as it is. Measured on the series
of tests/benchmarks/real_series.py.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from lstm_core.data.prepare import prepare
from lstm_core.data.season import find_season, wants_log
from lstm_core.data.split import group_bounds, reorder, row_order, split_of_rows
from lstm_core.data.start import STARTS, fit_start
from lstm_core.data.table import Table
from lstm_core.data.transforms import forward_fill
from lstm_core.experiment import PARTS, DataSpec, Experiment, PlaygroundError, TrainSpec

MAX_STEPS = 1_200  # optimiser steps of a training that nothing ends early
HIDDEN_SIZE = 16  # 32 are no better on longer series, and take twice the time
PATIENCE = 15  # validations, of which one comes after 5 steps or more
MAX_ROWS = 20_000  # training rows that the choice is made on
DEFAULT_HORIZON = 12  # rows, of a series without a season
MAX_DEFAULT_HORIZON = 48
MIN_ROWS = 20  # of a sequence that a season is looked for in


# Of the data: what the choice rests on.
DECIDING = {"targets", "time", "group", "horizon", "train_share", "valid_share", "missing", "series", "series_sum"}
DECIDING |= {"grid", "resample", "aggregate", "duplicates"}

Settings = dict[str, dict[str, Any]]  # part of the experiment → its fields


def recommended(table: Table, data: DataSpec) -> Settings:
    """Fields of the three specs for forecasting this table's targets; {} where there is nothing to forecast.

    data: with targets, features, time, group, horizon and the shares chosen.
    """
    forecastable = data.horizon > 0 and data.targets and data.source != "generator"
    try:
        table = prepare(table, data)
        columns = [table.column(name) for name in data.targets]
    except PlaygroundError:  # the windows will say why
        return {}
    if not forecastable or any(column.kind != "number" for column in columns):
        return {}
    order = row_order(table, data)
    groups = group_bounds(table, data, order)
    y = np.stack([reorder(np.asarray(column.values, np.float64), order) for column in columns], axis=1)
    is_train = split_of_rows(groups, data, None) == 0
    is_positive = bool((y[~np.isnan(y)] > 0).all())  # of all rows: what has no logarithm can have none tomorrow
    season, log, start = _start(*_last_training_rows(y, groups, is_train), data, is_positive)
    seq_len = _seq_len(groups, data)
    windows = int(np.maximum(np.add.reduceat(is_train, groups[:-1]) - seq_len - data.horizon + 1, 0).sum())
    batch_size = 16 if windows < 150 else 32 if windows < 1_000 else 64
    steps = max(1, math.ceil(windows / batch_size))
    return {
        "data": {
            "start": start,
            "season": season,
            "log": log,
            "seq_len": seq_len,
            "scaling": "standard",
            "scale_per_series": len(groups) > 2,
        },
        "model": {"hidden_size": HIDDEN_SIZE, "num_layers": 1, "zero_head": True},
        "train": {
            "optimizer": "Adam",
            "lr": 0.005,
            "batch_size": batch_size,
            "epochs": math.ceil(MAX_STEPS / steps),
            "max_grad_norm": 1.0,
            "patience": PATIENCE * math.ceil(5 / steps),
            "shrink": True,
            "refit": False,
        },
    }


def recommended_experiment(table: Table, data: DataSpec) -> Experiment:
    """The experiment with these data and all that is recommended for them.

    Raises:
        PlaygroundError: there is nothing to forecast, or the table cannot be prepared so.
    """
    prepare(table, data)  # whose own sentence is the better one
    settings = recommended(table, data)
    if not settings:
        raise PlaygroundError(
            f"There is no number to forecast in {table.name!r}: choose a number column as the target, and a horizon "
            "of 1 row or more."
        )
    experiment = Experiment(data)
    parts = {part: dataclasses.replace(getattr(experiment, part), **fields) for part, fields in settings.items()}
    return dataclasses.replace(experiment, **parts)


def default_horizon(table: Table, data: DataSpec) -> int:
    """How far ahead a table is forecast unless one says: a season, 48 rows at most, or 12 rows without one.

    No more than leaves a window in the validation and test rows of the longest series.

    Raises:
        PlaygroundError: as recommended_experiment does.
    """
    data = dataclasses.replace(data, horizon=1)
    season = recommended_experiment(table, data).data.season
    prepared = prepare(table, data)
    groups = group_bounds(prepared, data, row_order(prepared, data))
    longest = int(np.diff(groups).argmax())
    split = split_of_rows(groups, data, None)[groups[longest] : groups[longest + 1]]
    room = min(int((split == k).sum()) for k in (1, 2))
    return max(1, min(season or DEFAULT_HORIZON, MAX_DEFAULT_HORIZON, room))


def _seq_len(groups: np.ndarray, data: DataSpec) -> int:
    rows = int(np.diff(groups).min())
    return max(1, min(int(np.clip(rows // 10, 4, 24)), rows // 4)) if len(groups) == 2 else data.seq_len


def _last_training_rows(
    y: np.ndarray, groups: np.ndarray, is_train: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows from the first of the last MAX_ROWS training rows on, up to the last one; so many tell enough."""
    train = np.flatnonzero(is_train)
    first, end = train[-min(len(train), MAX_ROWS)], train[-1] + 1
    return y[first:end], np.unique(np.clip(groups, first, end)) - first, is_train[first:end]


def _start(
    y: np.ndarray, groups: np.ndarray, is_train: np.ndarray, data: DataSpec, is_positive: bool
) -> tuple[int, bool, str]:
    """(season, log, start): of the first target; all of them are to have a logarithm."""
    longest = int(np.diff(groups).argmax())
    sequence = slice(groups[longest], groups[longest + 1])
    train = y[sequence][is_train[sequence]]
    season = find_season(train[:, 0]) if len(train) >= MIN_ROWS else 0
    log = is_positive and wants_log(train[:, 0], season)
    z = forward_fill(np.log(y) if log else y, groups)
    offsets = np.arange(1, data.horizon + 1)
    start, _ = fit_start(z[:, 0], groups, is_train, offsets, season, STARTS)
    return season, log, start.kind


class AutomaticSettings:
    """Which settings of an experiment were chosen for a table: those that a user has changed since stay as they are."""

    def __init__(self, experiment: Experiment) -> None:
        """experiment: as it was before anybody changed it."""
        self._first = {part: dataclasses.asdict(getattr(experiment, part)) for part in PARTS}
        self._first["train"]["patience"] = TrainSpec().patience  # a lesson may run to its end, new data need not
        self._chosen = {part: dataclasses.asdict(getattr(experiment, part)) for part in PARTS}

    def note(self, data: DataSpec) -> None:
        """New data: none of its settings is a user's yet."""
        self._chosen["data"] = dataclasses.asdict(data)

    def applied(self, experiment: Experiment, table: Table) -> Experiment:
        """The experiment with what is recommended for its data now, wherever no user has chosen otherwise."""
        settings = recommended(table, experiment.data) or self._without_start()
        parts = {}
        for part, fields in settings.items():
            spec, chosen = getattr(experiment, part), self._chosen[part]
            is_free = fields.get("start") == "none"  # a start without a forecast is refused: nobody's choice
            fields = {name: value for name, value in fields.items() if is_free or getattr(spec, name) == chosen[name]}
            chosen |= fields
            parts[part] = dataclasses.replace(spec, **fields)
        return dataclasses.replace(experiment, **parts)

    def _without_start(self) -> Settings:
        """For classes, labelled sequences and synthetic data: what the experiment had at first."""
        first = {
            part: {name: value for name, value in self._first[part].items() if value != self._chosen[part][name]}
            for part in ("model", "train")
        }
        return {"data": {"start": "none", "season": 0, "log": False, "scale_per_series": False}} | first
