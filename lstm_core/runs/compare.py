"""Runs side by side: which settings differ, what may be compared, their losses, and the windows they share."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.experiment import PARTS, SPLITS, DataSpec
from lstm_core.runs.records import read_records
from lstm_core.settings import settings
from lstm_core.training.history import MetricCurve, downsample_min_max

if TYPE_CHECKING:
    from lstm_core.runs.run import Run
    from lstm_core.runs.shelf import RunSummary

MAX_RUNS = 6
POINTS = 1000  # of a curve
SMOOTHED = 150  # points of a training loss: each batch's would hide all others
PAUSE_SECONDS = 2.0  # between two records: longer is a pause, if it is also far longer than a step
SPLIT_FIELDS = ("train_share", "valid_share", "missing")  # of a DataSpec: what is in the test split, beside the target


@dataclasses.dataclass(frozen=True)
class Difference:
    """One setting that is not the same in all runs; texts: of each run, in their order."""

    name: str  # "train.lr"; "data" for another table
    label: str
    texts: tuple[str, ...]


def differing_settings(runs: Sequence[RunSummary]) -> list[Difference]:
    """The settings that differ, in the order of the experiment; runs with damaged settings have "?"."""
    found = []
    titles = tuple(run.data_title for run in runs)
    if len({run.table_sha256 for run in runs}) > 1:
        known = tuple(f"{title} ({run.table_sha256[:8]})" for title, run in zip(titles, runs, strict=True))
        found.append(Difference("data", "table", titles if len(set(titles)) == len(runs) else known))
    for part, kind in PARTS.items():
        specs = [run.experiment and getattr(run.experiment, part) for run in runs]
        for name, setting in settings(kind).items():
            values = [None if spec is None else getattr(spec, name) for spec in specs]
            if len({repr(value) for spec, value in zip(specs, values, strict=True) if spec is not None}) > 1:
                pairs = zip(specs, values, strict=True)
                texts = tuple("?" if spec is None else value_text(value, setting.choices) for spec, value in pairs)
                found.append(Difference(f"{part}.{name}", setting.label, texts))
    return found


def value_text(value: Any, choices: dict[str, str]) -> str:
    """A setting's value as it is read."""
    if value is None or value == ():
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return (
        choices.get(value, value)
        if isinstance(value, str)
        else f"{value:,}"
        if isinstance(value, int)
        else f"{value:g}"
    )


# ---- what may be compared


def same_rows(a: RunSummary, b: RunSummary) -> bool:
    """Whether a row of one run's table, and what is predicted of it, is the same in the other's."""
    if not (a.experiment and b.experiment and a.table_sha256 and a.table_sha256 == b.table_sha256):
        return False
    one, other = a.experiment.data, b.experiment.data
    same = ("targets", "time", "group")
    return all(getattr(one, name) == getattr(other, name) for name in same) and _first_ahead(one) == _first_ahead(other)


def _first_ahead(data: DataSpec) -> bool:
    return data.horizon > 0  # else the target is of the window's last row


def why_not_comparable(runs: Sequence[RunSummary]) -> str:
    """Why the test scores of these runs do not say which is better, in one sentence; "" if they do."""
    specs = [run.experiment.data for run in runs if run.experiment]
    if len(specs) < len(runs):
        return "The settings of a run are damaged: its score cannot be compared."
    reasons = []
    if len({run.table_sha256 for run in runs}) > 1 or not runs[0].table_sha256:
        reasons.append("data")
    if len({(spec.targets, spec.horizon) for spec in specs}) > 1:
        reasons.append("targets")
    split = {tuple(getattr(spec, name) for name in SPLIT_FIELDS) for spec in specs}
    order = {(spec.time, spec.group, spec.seed if spec.group else 0) for spec in specs}
    if len(split) > 1 or len(order) > 1:
        reasons.append("splits")
    if not reasons:
        return ""
    what = " and ".join(filter(None, (", ".join(reasons[:-1]), reasons[-1])))
    return f"These runs have different {what}: their test errors are of different tasks and cannot be compared."


def best_baseline(score: dict[str, Any]) -> tuple[str, float] | None:
    """(name, value) of the best simple answer in a score.json, by the measure of measure_of; None: there is none."""
    test, baselines = score.get("test"), score.get("baselines")
    if not isinstance(test, dict) or not isinstance(baselines, dict):
        return None
    measure = measure_of(score)
    known = {
        name: float(values[measure])
        for name, values in baselines.items()
        if isinstance(values, dict) and _is_number(values.get(measure))
    }
    if not known:
        return None
    name = (max if measure == "accuracy" else min)(known, key=known.get)
    return name, known[name]


def measure_of(score: dict[str, Any]) -> str:
    """What a score.json is told by: rmse, or accuracy where classes are predicted."""
    test = score.get("test")
    return "accuracy" if isinstance(test, dict) and "accuracy" in test else "rmse"


def test_score(score: dict[str, Any]) -> float | None:
    """The model's own value of measure_of, on all test windows."""
    test = score.get("test")
    value = test.get(measure_of(score)) if isinstance(test, dict) else None
    return float(value) if _is_number(value) else None


def test_windows(score: dict[str, Any]) -> int | None:
    """How many windows a score.json's test score is over."""
    test = score.get("test")
    value = test.get("windows") if isinstance(test, dict) else None
    return int(value) if _is_number(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))


# ---- losses


def loss_curves(
    records: Path, over: str, base: dict[str, tuple] | None = None, steps_per_epoch: int = 1
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """name → (x, y) of train_loss, smoothed, and valid_loss; over: "steps", or "seconds" of training without pauses.

    base: the curves by epoch (MetricCurve.lists) of the saved model that the run began from, whose times nobody knows.
    """
    found = read_records(records)
    x = found["step"].astype(float) if over == "steps" else training_seconds(found["time"])
    curves = {}
    for name in ("train_loss", "valid_loss"):
        known = ~np.isnan(found[name])
        curve = MetricCurve()
        if base and over == "steps" and name in base:
            before = MetricCurve(*base[name]).buckets()
            curve.extend(before.x * steps_per_epoch, before.mean)
        curve.extend(x[known], found[name][known].astype(float))
        if name == "train_loss":
            buckets = curve.buckets(SMOOTHED)
            curves[name] = buckets.x, buckets.mean
        else:
            curves[name] = downsample_min_max(*curve.points(POINTS), POINTS)
    return curves


def training_seconds(times: np.ndarray) -> np.ndarray:
    """(n,) seconds of training up to each of these Unix times; a pause counts as one ordinary step."""
    if len(times) < 2:
        return np.zeros(len(times))
    gaps = np.maximum(np.diff(times), 0.0)
    usual = float(np.median(gaps))
    return np.concatenate([[usual], usual + np.cumsum(np.where(gaps > max(PAUSE_SECONDS, 20 * usual), usual, gaps))])


# ---- windows that all of them know


@dataclasses.dataclass(frozen=True, eq=False)
class SharedWindows:
    """Windows of several runs that predict the same rows, in order of time."""

    split: str
    rows: np.ndarray  # (windows,) the first row that each predicts
    starts: tuple[np.ndarray, ...]  # of each run, (windows,): where its window begins


def shared_windows(runs: Sequence[Run]) -> SharedWindows | None:
    """The windows of the last split that all these runs of the same rows may show; None: they share none."""
    for split in reversed([one for one in SPLITS if all(one in run.shown_splits for run in runs)]):
        firsts = []
        for run in runs:
            firsts.append(run.windows.target_rows(run.windows.starts[split])[:, 0])
        rows = np.unique(firsts[0])
        for other in firsts[1:]:
            rows = np.intersect1d(rows, other)
        if len(rows):
            places = (np.searchsorted(first, rows) for first in map(np.sort, firsts))
            starts = tuple(
                run.windows.starts[split][np.argsort(first, kind="stable")[place]]
                for run, first, place in zip(runs, firsts, places, strict=True)
            )
            return SharedWindows(split, rows, starts)
    return None
