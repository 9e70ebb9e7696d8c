"""Settings that forecast well on many series, chosen from a table's training rows alone: what a new table opens with.

The choice is written into the experiment as values: what a user then changes is left as it is. Measured on the series
of tests/benchmarks/real_series.py.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from lstm_core.data.season import find_season, wants_log
from lstm_core.data.split import group_bounds, reorder, row_order, split_of_rows
from lstm_core.data.start import STARTS, fit_start
from lstm_core.data.table import Table
from lstm_core.data.transforms import forward_fill
from lstm_core.experiment import DataSpec, ModelSpec, PlaygroundError, TrainSpec

MAX_STEPS = 1_200  # optimiser steps of a training that nothing ends early
PATIENCE = 15  # validations, of which one comes after 5 steps or more
MIN_ROWS = 20  # of a sequence that a season is looked for in

Settings = dict[str, dict[str, Any]]  # part of the experiment → its fields


def recommended(table: Table, data: DataSpec) -> Settings:
    """Fields of the three specs for forecasting this table's targets; {} where there is nothing to forecast.

    data: with targets, features, time, group, horizon and the shares chosen.
    """
    forecastable = data.horizon > 0 and data.targets and data.source != "generator"
    try:
        columns = [table.column(name) for name in data.targets]
    except PlaygroundError:
        return {}
    if not forecastable or any(column.kind != "number" for column in columns):
        return {}
    order = row_order(table, data)
    groups = group_bounds(table, data, order)
    y = np.stack([reorder(np.asarray(column.values, np.float64), order) for column in columns], axis=1)
    is_train = split_of_rows(groups, data, None) == 0
    season, log, start = _start(y, groups, is_train, data)
    seq_len = _seq_len(groups, data)
    windows = int(np.maximum(np.add.reduceat(is_train, groups[:-1]) - seq_len - data.horizon + 1, 0).sum())
    batch_size = 16 if windows < 150 else 32 if windows < 1_000 else 64
    steps = max(1, math.ceil(windows / batch_size))
    return {
        "data": {"start": start, "season": season, "log": log, "seq_len": seq_len, "scaling": "standard"},
        "model": {"hidden_size": 16 if windows < 400 else 32, "num_layers": 1, "zero_head": True},
        "train": {
            "optimizer": "Adam",
            "lr": 0.005,
            "batch_size": batch_size,
            "epochs": math.ceil(MAX_STEPS / steps),
            "max_grad_norm": 1.0,
            "patience": PATIENCE * math.ceil(5 / steps),
            "refit": True,
        },
    }


def _seq_len(groups: np.ndarray, data: DataSpec) -> int:
    rows = int(np.diff(groups).min())
    return max(1, min(int(np.clip(rows // 10, 4, 24)), rows // 4)) if len(groups) == 2 else data.seq_len


def _start(y: np.ndarray, groups: np.ndarray, is_train: np.ndarray, data: DataSpec) -> tuple[int, bool, str]:
    """(season, log, start): of the first target; all of them are to have a logarithm."""
    longest = int(np.diff(groups).argmax())
    sequence = slice(groups[longest], groups[longest + 1])
    train = y[sequence][is_train[sequence]]
    season = find_season(train[:, 0]) if len(train) >= MIN_ROWS else 0
    log = bool(np.nanmin(y, initial=np.inf) > 0) and wants_log(train[:, 0], season)
    z = forward_fill(np.log(y) if log else y, groups)
    offsets = np.arange(1, data.horizon + 1)
    start, _ = fit_start(z[:, 0], groups, is_train, offsets, season, STARTS)
    return season, log, start.kind


def applied(experiment_parts: Settings, settings: Settings) -> dict[str, Any]:
    """The specs with these settings: a part's name → its spec."""
    kinds = {"data": DataSpec, "model": ModelSpec, "train": TrainSpec}
    return {part: dataclasses.replace(experiment_parts[part], **settings.get(part, {})) for part in kinds}
