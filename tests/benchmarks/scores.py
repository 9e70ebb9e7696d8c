"""The windows scored and the scores of 12 data sets of 200 to 20,000 rows, beside the same worked out in numpy.

    python -m tests.benchmarks.scores

Every line must end with "equal": the same windows, and scores that agree to six digits.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import NamedTuple

import numpy as np
import torch

from lstm_core.data.load import load_table
from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.forecasting.scores import Score, evaluate
from lstm_core.training.trainer import Trainer

STEPS = 30  # of training: enough for a model that is no longer random


class Job(NamedTuple):
    name: str
    length: int | None = None  # of synthetic data
    seq_len: int | None = 24  # None: the generator's own, and its horizon
    horizon: int = 1


JOBS = (
    Job("sine", 200, 12),
    Job("sum_of_sines", 500, 24, 3),
    Job("sunspots"),
    Job("random_walk", 1000),
    Job("sawtooth", 2000, 50, 12),
    Job("mackey_glass", 3600),
    Job("damped_oscillation", 5000, 24, 2),
    Job("square", 8000),
    Job("random_regression", None, None),
    Job("which_wave", None, None),
    Job("random_walk", 20000, 24, 1),
    Job("mackey_glass", 20000, 48, 24),
)


def data_of(job: Job) -> tuple[Table, DataSpec]:
    source = "sample" if job.name == "sunspots" else "generator"
    size = {} if job.length is None else {"length": job.length}
    table = load_table(DataSpec(source=source, name=job.name, **size))
    cut = {} if job.seq_len is None else {"seq_len": job.seq_len, "horizon": job.horizon}
    fields = dataclasses.asdict(table.roles) | cut | size
    return table, DataSpec(source=source, name=job.name, **fields)


def by_hand(trainer: Trainer, windows: Windows) -> tuple[int, list[float], list[float]]:
    """(windows, the model's scores, the baseline's), from the table's rows alone."""
    spec, y, split = windows.spec, windows.y.astype(np.float64), windows.split_of_row
    scored = y >= 0 if windows.classes else ~np.isnan(y).any(1)
    group = np.repeat(np.arange(len(windows.groups) - 1), np.diff(windows.groups))
    ahead = [spec.horizon] if windows.classes or not spec.horizon else range(1, spec.horizon + 1)
    starts, rows = [], []
    for start in range(len(y) - spec.seq_len - spec.horizon + 1):
        targets = [start + spec.seq_len - 1 + k for k in ahead]
        if group[start] == group[targets[-1]] and (split[targets] == 2).all() and scored[targets].all():
            starts.append(start)
            rows.append(targets)
    x = (windows.x[np.array(starts)[:, None] + np.arange(spec.seq_len)] - windows.x_center) / windows.x_scale
    with torch.no_grad():
        out = trainer.model.eval()(torch.from_numpy(x.astype(np.float32))).numpy()
    if windows.classes:
        truth, train = y[np.array(rows)[:, 0]], windows.targets(windows.starts["train"])
        guess, common = out.argmax(1), np.bincount(train).argmax()
        recall = [(guess[truth == c] == c).mean() for c in np.unique(truth)]
        return len(starts), [(guess == truth).mean(), np.mean(recall)], [(truth == common).mean()]
    truth = y[np.array(rows)]
    error = out.reshape(truth.shape) * windows.y_scale + windows.y_center - truth
    naive = y[np.array(rows)[:, :1] - 1] - truth if spec.horizon else y[(split == 0) & scored].mean(0) - truth
    inside = scored[1:] & scored[:-1] & (split[1:] == 0) & (split[:-1] == 0) & (group[1:] == group[:-1])
    mase = [(np.abs(error).mean((0, 1)) / np.abs(np.diff(y, axis=0))[inside].mean(0)).mean()] if inside.any() else []
    return len(starts), [np.sqrt((error**2).mean()), np.abs(error).mean(), *mase], [np.sqrt((naive**2).mean())]


def values(score: Score) -> list[float]:
    return [value for value in dataclasses.astuple(score) if value is not None]


def main() -> int:
    print("| data | rows | task | test windows | score | by hand | baseline | by hand | |\n|" + "---|" * 9)
    failures = 0
    for job in JOBS:
        table, spec = data_of(job)
        windows = make_windows(table, spec)
        trainer = Trainer(windows, Experiment(spec, ModelSpec(hidden_size=8), TrainSpec(epochs=1000, patience=0)))
        for _, _ in zip(range(STEPS), trainer, strict=False):
            pass
        result, (count, mine, baseline) = evaluate(trainer.model, windows, "test"), by_hand(trainer, windows)
        naive = values(next(iter(result.baselines.values())))[:1]
        equal = result.windows == count and np.allclose(values(result.model) + naive, mine + baseline, rtol=1e-6)
        failures += not equal
        shown = [f"{numbers[0]:.6g}" for numbers in (values(result.model), mine, naive, baseline)]
        task = f"{windows.task}, horizon {spec.horizon}"
        print(f"| {job.name} | {table.rows:,} | {task} | {result.windows:,} | {' | '.join(shown)} | ", end="")
        print("equal |" if equal else f"NOT EQUAL ({count:,} windows) |")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
