"""What a sweep's progress.json has, and the sentences about it."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from lstm_core.data.number_format import format_significant
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.history import Trial
from lstm_core.runs.sweeps.outcome import COMPLETE, FAILED, Outcome
from lstm_core.runs.sweeps.study import Study


@dataclass
class Finalist:
    """One of the best trials, and its validation loss from each seed, infinite where the training failed."""

    trial: Trial
    losses: dict[int, float]  # by seed, counted from the trial's own, 0

    @property
    def median(self) -> float:
        return median(self.losses.values())

    def text(self) -> str:
        shown = ", ".join(format_significant(self.losses[seed], 3) for seed in sorted(self.losses))
        middle = format_significant(self.median, 3)
        return f"Trial {self.trial.number} from {len(self.losses)} seeds: {shown}; median {middle}."


def seed_loss(outcome: Outcome) -> float:
    return outcome.loss if outcome.state == COMPLETE else math.inf


def described(
    folder: SweepFolder,
    study: Study,
    trials: Sequence[Trial],
    under_way: Mapping[str, Sequence[float]],
    finalists: Sequence[Finalist],
) -> dict[str, Any]:
    """All but "status" ("running", "interrupted", "finished", "failed"; only the lock tells whether somebody is at
    work), "message" (why it failed), and, at the end, "winner" and "importance".

    under_way: run id → validation losses so far. Of the trials: state is "running", "complete", "pruned" or "failed";
    run: the id of its run; loss: the validation loss that counts, or the last one of a run under way; best: of all.
    """
    rows = [_trial(folder, trial, under_way) for trial in trials]
    best = best_of(trials)
    return {
        "id": folder.id,
        "name": study.name,
        "time": time.time(),
        "trials": study.trials,
        "best": None if best is None else best.number,
        "tried": rows,
        "finalists": [_finalist(folder, one) for one in finalists],
        "seeds": study.seeds,
    }


def _trial(folder: SweepFolder, trial: Trial, under_way: Mapping[str, Sequence[float]]) -> dict[str, Any]:
    id, end = folder.run_id(trial.number, 0), trial.outcome
    curve = under_way.get(id, ()) if end is None else end.curve
    losses = [loss for loss in curve if math.isfinite(loss)]
    return {
        "trial": trial.number,
        "run": id,
        "params": trial.params,
        "state": "running" if end is None else end.state,
        "loss": (losses[-1] if losses else None) if end is None else end.loss,
        "epochs": len(curve),
        "message": "" if end is None else end.message,
        "seconds": None if end is None else end.seconds,
    }


def _finalist(folder: SweepFolder, one: Finalist) -> dict[str, Any]:
    seeds = sorted(one.losses)
    finite = {seed: loss if math.isfinite(loss) else None for seed, loss in one.losses.items()}
    return {
        "trial": one.trial.number,
        "params": one.trial.params,
        "runs": [folder.run_id(one.trial.number, seed) for seed in seeds],
        "losses": [finite[seed] for seed in seeds],
        "median": one.median if math.isfinite(one.median) else None,
    }


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete trial with the lowest loss, the earliest of several."""
    return min((one for one in trials if one.is_complete), key=lambda one: (one.outcome.loss, one.number), default=None)


def params_text(params: Mapping[str, Any]) -> str:
    """lr 0.0042, hidden_size 16, cell gru: without the part, as nothing here shares a name but the seeds."""
    return ", ".join(f"{name.partition('.')[2]} {value_text(value)}" for name, value in params.items())


def value_text(value: Any) -> str:
    if isinstance(value, float):
        return format_significant(value, 3)
    return value if isinstance(value, str) else json.dumps(value)


def trial_text(trials: Sequence[Trial], number: int) -> str:
    """A sentence about a trial that has ended."""
    trial = trials[number]
    end, settings = trial.outcome, params_text(trial.params)
    if end.state == COMPLETE:
        best = best_of(trials)
        is_best = ", the best so far" if best is not None and best.number == number else ""
        return f"Trial {number} ({settings}): validation loss {format_significant(end.loss, 3)}{is_best}."
    if end.state == FAILED:
        return f"Trial {number} ({settings}) failed: {end.message}"
    return f"Trial {number} ({settings}): {end.message}."
