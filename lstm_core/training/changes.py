"""Change: a live change of a training spec, with the step after which it was made; a list of them as JSON."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from lstm_core.experiment import LIVE_FIELDS, PlaygroundError, TrainSpec


@dataclass(frozen=True)
class Change:
    """train.field became `value` when `step` optimiser steps were done. An experiment's file lists a run's changes:
    training with them again gives the same weights."""

    step: int
    field: str
    value: float | int


def changes_from_json(text: str) -> list[Change]:
    """The "changes" of an experiment's JSON; none if it has none.

    Raises:
        PlaygroundError: they are no list of {step, field, value}, or a value is out of range.
    """
    return [_checked(one) for one in _listed(json.loads(text).get("changes", []))]


def changes_to_json(changes: list[Change]) -> list[dict]:
    """For an experiment's JSON."""
    return [dataclasses.asdict(change) for change in changes]


def _listed(changes: object) -> list:
    if not isinstance(changes, list):
        raise PlaygroundError("changes must be a list of objects with step, field and value.")
    return changes


def _checked(one: object) -> Change:
    if not isinstance(one, dict) or set(one) != {"step", "field", "value"} or type(one["step"]) is not int:
        raise PlaygroundError("changes must be a list of objects with step, field and value.")
    if one["field"] not in LIVE_FIELDS:
        raise PlaygroundError(f"changes has the field {str(one['field'])[:40]!r}: only {', '.join(LIVE_FIELDS)} can.")
    spec = TrainSpec(**{one["field"]: one["value"]})
    return Change(max(0, one["step"]), one["field"], getattr(spec, one["field"]))
