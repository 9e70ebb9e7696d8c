"""What a model file's JSON may hold: each value is checked, and a wrong one is refused by name."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise

import numpy as np

from lstm_core.data.start import Start
from lstm_core.data.windows import Scaler
from lstm_core.experiment import Experiment, PlaygroundError

MAX_STEPS = 10**12  # 10^6 epochs of 10^6 batches
MAX_POINTS, MAX_CURVES = 20_000, 100  # points of a curve: ten times what a run saves
SCALES = (1e-30, 1e30)  # beyond them float32 overflows on the way to a weight


def whole_number(record: dict, name: str, minimum: int, maximum: int) -> int:
    """record[name]; raises PlaygroundError unless it is a whole number within these limits."""
    value = record.get(name)
    if type(value) is not int or not minimum <= value <= maximum:
        raise PlaygroundError(f"{name} is {_brief(value)}, not a whole number from {minimum:,} to {maximum:,}.")
    return value


def _brief(value: object) -> str:
    text = "missing" if value is None else "true" if value is True else "false" if value is False else repr(value)
    return text if len(text) <= 30 else f"{text[:30]}…"


def _is_number(value: object) -> bool:
    return type(value) in (int, float)


def checked_scaler(scaler: object, experiment: Experiment, input_size: int, output_size: int, targets: int) -> Scaler:
    """The scaler of a model file; raises PlaygroundError unless it fits the experiment and these sizes."""
    lengths = {"x_center": input_size, "x_scale": input_size, "y_center": targets, "y_scale": targets}
    values = {name: _scaler_values(scaler, name, length) for name, length in lengths.items()}
    data = experiment.data
    if data.start == "none":
        return Scaler(**values)
    starts = scaler.get("starts")
    if not isinstance(starts, list) or len(starts) != targets:
        raise PlaygroundError(f"its scaler is damaged: starts is not a list of {targets}.")
    numbers = [field.name for field in dataclasses.fields(Start) if field.name not in ("kind", "season")]
    for start in starts:
        if not isinstance(start, dict) or set(start) != {"kind", "season", *numbers}:
            raise PlaygroundError(f"its scaler is damaged: a start must have kind, season, {', '.join(numbers)}.")
        if (start["kind"], start["season"]) != (data.start, data.season):
            raise PlaygroundError("its scaler does not fit: its start is not the experiment's.")
        for name in numbers:
            if not _is_number(start[name]) or not abs(start[name]) <= SCALES[1]:
                raise PlaygroundError(f"its scaler is damaged: {name} of a start is {_brief(start[name])}.")
    scale = _scaler_values(scaler, "error_scale", output_size).reshape(-1, targets)
    return Scaler(**values, starts=tuple(Start(**start) for start in starts), error_scale=scale)


def scaler_json(scaler: Scaler) -> dict:
    """What checked_scaler reads."""
    values = {name: getattr(scaler, name).tolist() for name in ("x_center", "x_scale", "y_center", "y_scale")}
    if scaler.error_scale is None:
        return values
    starts = [dataclasses.asdict(start) for start in scaler.starts]
    return values | {"starts": starts, "error_scale": scaler.error_scale.ravel().tolist()}


def _scaler_values(scaler: object, name: str, length: int) -> np.ndarray:
    """(length,) float64: scaler[name]; raises PlaygroundError unless float32 can hold what comes of them."""
    values = scaler.get(name) if isinstance(scaler, dict) else None
    if not isinstance(values, list) or not all(map(_is_number, values)):
        raise PlaygroundError(f"its scaler is damaged: {name} is not a list of numbers.")
    if len(values) != length:
        raise PlaygroundError(f"its scaler does not fit: {name} has {len(values):,} numbers, not {length:,}.")
    minimum, maximum = SCALES if name.endswith("scale") else (-SCALES[1], SCALES[1])
    for value in values:
        if not minimum <= value <= maximum:  # NaN neither
            raise PlaygroundError(
                f"its scaler is damaged: {name} has {_brief(value)}, not a number from {minimum:g} to {maximum:g}."
            )
    return np.array(values, np.float64)


def checked_curves(curves: object) -> dict[str, tuple[list[float], ...]]:
    """Name → MetricCurve.lists; raises PlaygroundError unless these are lines of a bounded number of points."""
    if not isinstance(curves, dict) or len(curves) > MAX_CURVES:
        raise PlaygroundError(f"curves is not a list of {MAX_CURVES} curves at most.")
    for name, line in curves.items():
        where = f"its curve {name[:30]!r}"
        if not (isinstance(line, list) and len(line) in (2, 5) and all(isinstance(values, list) for values in line)):
            raise PlaygroundError(f"{where} is not two or five lists of numbers.")
        x, counts = line[0], line[4] if len(line) == 5 else []
        if len(set(map(len, line))) != 1 or len(x) > MAX_POINTS:
            lengths = ", ".join(f"{len(values):,}" for values in line)
            raise PlaygroundError(f"{where} has {lengths} numbers, not as many, {MAX_POINTS:,} at most.")
        if not all(_is_number(value) for values in line for value in values):
            raise PlaygroundError(f"{where} has points that are no numbers.")
        if not all(0 <= a <= b for a, b in pairwise((*x, MAX_STEPS))):  # y may be NaN: a loss that blew up
            raise PlaygroundError(f"{where} is not in order: its steps must grow from 0 to {MAX_STEPS:,} at most.")
        if not all(1 <= count <= MAX_STEPS and count == int(count) for count in counts):
            raise PlaygroundError(f"{where} has buckets of no whole number of values.")
    return {name: tuple(line) for name, line in curves.items()}


def checked_progress(progress: object) -> dict:
    """The trainer's progress; raises PlaygroundError at what no training run can have counted."""
    names = {"step", "best_epoch", "best_loss", "stopped_early", "epoch_loss"}
    if not isinstance(progress, dict) or set(progress) - {"epoch_scored", "refitted", "shrunk"} != names:
        raise PlaygroundError(f"its record of progress is damaged: progress must have {', '.join(sorted(names))}.")
    step = whole_number(progress, "step", 0, MAX_STEPS)
    whole_number(progress, "best_epoch", 0, step)
    if "epoch_scored" in progress:  # which older files lack
        whole_number(progress, "epoch_scored", 0, MAX_STEPS)
    progress = {"refitted": False, "shrunk": 1.0} | progress  # which older files lack
    if not _is_number(progress["shrunk"]) or not 0 <= progress["shrunk"] <= 1:
        raise PlaygroundError(f"shrunk is {_brief(progress['shrunk'])}, not a number from 0 to 1.")
    for name in ("stopped_early", "refitted"):
        if type(progress[name]) is not bool:
            raise PlaygroundError(f"{name} is {_brief(progress[name])}, not true or false.")
    best = progress["best_loss"]
    for name, value in (("best_loss", 0.0 if best is None else best), ("epoch_loss", progress["epoch_loss"])):
        if not _is_number(value) or not 0 <= value < math.inf:
            raise PlaygroundError(f"{name} is {_brief(value)}, not a number from 0 on.")
    return progress | {"best_loss": math.inf if best is None else best}


def with_scored(progress: dict, steps_per_epoch: int, scored_per_batch: int) -> dict:
    """The progress with how much the epoch under way has scored: older files have the sum of the batches' means."""
    if "epoch_scored" in progress:
        return progress
    batches = progress["step"] % steps_per_epoch
    scored = {"epoch_loss": progress["epoch_loss"] * scored_per_batch, "epoch_scored": batches * scored_per_batch}
    return progress | scored
