"""The contest on the series of real_series.py: the recommended LSTM beside each baseline, one step and H steps ahead.

    python -m pip install -r tests/requirements-series.txt -r requirements-extras.txt
    python -m tests.benchmarks.contest --seeds 3 --log /tmp/contest.jsonl

Each series is one line of the log: started again, it goes on after the last one that is there; --print tells of what
is there already. H is the season that is found (48 at most), else 12, and no more than leaves a test window.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import torch

from lstm_core.data.table import ColumnRoles, Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec
from lstm_core.forecasting.baselines import BASELINES
from lstm_core.forecasting.contest import QUICK, available, baseline_errors, model_errors, train_seed
from lstm_core.forecasting.future import measure_bands
from lstm_core.forecasting.recipe import default_horizon, recommended_experiment
from tests.benchmarks.real_series import generated, load

LEVEL = 0.8
AHEAD = ("one step", "H steps")


def windows_and_experiment(name: str, y: np.ndarray, horizon: int | None, linear_skip: bool):
    """horizon: None for H."""
    table = Table.from_columns(name, {"y": y}, ColumnRoles())
    data = DataSpec(source="csv", name=name, targets=("y",), features=("y",), horizon=1)
    if horizon is None:
        data = DataSpec(source="csv", name=name, targets=("y",), features=("y",), horizon=default_horizon(table, data))
    experiment = recommended_experiment(table, data)
    model = dataclasses.replace(experiment.model, linear_skip=linear_skip)
    return make_windows(table, experiment.data), dataclasses.replace(experiment, model=model)


def start_errors(windows: Windows) -> float:
    """RMSE of the start alone, which is the untrained model."""
    rows = windows.last_rows(windows.starts["test"])
    shape = (len(rows), windows.output_steps, windows.y.shape[1])
    return pooled(
        windows.target.inverse(np.zeros(shape), rows)[..., 0] - windows.targets(windows.starts["test"])[..., 0]
    )


def pooled(errors) -> float:
    return float(np.sqrt(np.square(errors).mean()))


def measure(name: str, y: np.ndarray, seeds: range, names: tuple[str, ...], linear_skip: bool = False) -> dict:
    """What one line of the log holds."""
    line = {"series": name, "rows": len(y)}
    for ahead, horizon in zip(AHEAD, (1, None), strict=True):
        windows, experiment = windows_and_experiment(name, y, horizon, linear_skip)
        spec, fits, seconds, held = windows.spec, [], [], []
        for seed in seeds:
            began = time.process_time()
            trainer = train_seed(windows, experiment, seed)
            seconds.append(time.process_time() - began)
            fits.append(pooled(model_errors(trainer.model, windows)))
            share, count = measure_bands(trainer.scored_models()["valid"], windows).coverage[LEVEL]
            held.append((share, count))
        others = baseline_errors(windows, names)
        line[ahead] = {
            "horizon": spec.horizon,
            "start": spec.start,
            "season": spec.season,
            "windows": len(windows.starts["test"]),
            "rmse": {"start": start_errors(windows)}
            | {other: None if steps is None else pooled(steps) for other, steps in others.items()},
            "lstm": fits,
            "cpu_seconds": seconds,
            "held": held,
        }
    return line


def report(lines: list[dict]) -> None:
    for ahead in AHEAD:
        rows = [line[ahead] | {"series": line["series"]} for line in lines]
        print(f"\n{ahead}: the LSTM's test RMSE (mean over seeds) over that of")
        columns = ["start", *BASELINES]
        print(f"{'series':20}{'start':>14}{'season':>8}{'H':>5}" + "".join(f"{name:>15}" for name in columns))
        table = np.array([[_ratio(row, name) for name in columns] for row in rows])
        for row, ratios in zip(rows, table, strict=True):
            head = f"{row['series']:20}{row['start']:>14}{row['season']:8}{row['horizon']:5}"
            print(head + "".join(f"{ratio:15.3f}" for ratio in ratios))
        for title, of in (("geometric mean", _geometric), ("median", _median)):
            print(f"{title:47}" + "".join(f"{of(column):15.3f}" for column in table.T))
        for name, limit in (("persistence", 1.0), ("seasonal_naive", 1.0), ("ridge", 1.1), ("arima", 1.0)):
            ratios = table[:, columns.index(name)]
            known = ratios[np.isfinite(ratios)]
            print(f"below {limit} of {name}: {(known < limit).sum()} of {len(known)}")
        held = np.array([pair for row in rows for pair in row["held"]])
        held = held[held[:, 1] > 0]
        share, count = np.average(held[:, 0], weights=held[:, 1]), held[:, 1].sum()
        print(f"{LEVEL:.0%} band held: {share:.1%} of the values of {count:,.0f} windows")
        seconds = np.array([max(row["cpu_seconds"]) for row in rows])
        print(f"CPU seconds of a fit: median {np.median(seconds):.2f}, most {seconds.max():.1f}")


def _ratio(row: dict, name: str) -> float:
    other = row["rmse"].get(name)
    return np.nan if not other else float(np.mean(row["lstm"])) / other


def _geometric(ratios: np.ndarray) -> float:
    return float(np.exp(np.log(ratios[np.isfinite(ratios)]).mean())) if np.isfinite(ratios).any() else np.nan


def _median(ratios: np.ndarray) -> float:
    return float(np.nanmedian(ratios)) if np.isfinite(ratios).any() else np.nan


def _lines(log: Path) -> list[dict]:
    return [json.loads(text) for text in log.read_text().splitlines()] if log.exists() else []


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--series", nargs="*", help="these only")
    parser.add_argument("--log", type=Path, default=Path("/tmp/contest.jsonl"))
    parser.add_argument("--quick", action="store_true", help="without ETS and ARIMA")
    parser.add_argument("--skip", action="store_true", help="with a linear skip (model.linear_skip)")
    parser.add_argument("--print", action="store_true", help="measure nothing more")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    names = QUICK if chosen.quick else available()
    done = {line["series"] for line in _lines(chosen.log)}
    every = {name: y for name, (y, _) in (load() | generated(0)).items()}
    for name in [] if chosen.print else chosen.series or every:
        if name not in done:
            with chosen.log.open("a") as log:
                log.write(json.dumps(measure(name, every[name], range(chosen.seeds), names, chosen.skip)) + "\n")
            print(name, flush=True)
    lines = [line for line in _lines(chosen.log) if not chosen.series or line["series"] in chosen.series]
    report(lines)
