"""The configuration of a run: Experiment = DataSpec + ModelSpec + TrainSpec, frozen, validated, saved as JSON.

All defaults, choices, limits, labels and help texts are declared in this folder, once. No data, files or torch.
"""

from __future__ import annotations

import dataclasses
import json

from pydantic import Field

from lstm_core.experiment.choices import (
    AGGREGATES,
    CALENDAR,
    CELL_GATES,
    CELLS,
    CLASSIFICATION_LOSSES,
    DUPLICATES,
    FROZEN_PARTS,
    GATES,
    GRIDS,
    HEADS,
    INITIAL_STATES,
    LIVE_FIELDS,
    LOSSES,
    MAX_SEED,
    MAX_SNAPSHOTS,
    MISSING,
    OPEN_GATES,
    OPTIMIZERS,
    PERIODS,
    REGRESSION_LOSSES,
    SATURATING_BIAS,
    SCALINGS,
    SEASONAL_STARTS,
    SOURCES,
    SPLITS,
    STARTS,
    STATES,
    SUPPORTING_ERRORS,
)
from lstm_core.experiment.data_spec import DataSpec
from lstm_core.experiment.model_spec import ModelSpec
from lstm_core.experiment.train_spec import TrainSpec
from lstm_core.settings import FORMAT, PlaygroundError, parts_from_json, validated

__all__ = [
    "AGGREGATES",
    "CALENDAR",
    "CELLS",
    "CELL_GATES",
    "CLASSIFICATION_LOSSES",
    "DUPLICATES",
    "FROZEN_PARTS",
    "GATES",
    "GRIDS",
    "HEADS",
    "INITIAL_STATES",
    "LIVE_FIELDS",
    "LOSSES",
    "MAX_SEED",
    "MAX_SNAPSHOTS",
    "MISSING",
    "OPEN_GATES",
    "OPTIMIZERS",
    "PERIODS",
    "REGRESSION_LOSSES",
    "SATURATING_BIAS",
    "SCALINGS",
    "SEASONAL_STARTS",
    "SOURCES",
    "SPLITS",
    "STARTS",
    "STATES",
    "SUPPORTING_ERRORS",
    "DataSpec",
    "Experiment",
    "ModelSpec",
    "PlaygroundError",
    "TrainSpec",
    "resolve_loss",
]


@validated
class Experiment:
    """A complete configuration: data, model and training."""

    data: DataSpec = Field(default_factory=DataSpec)
    model: ModelSpec = Field(default_factory=ModelSpec)
    train: TrainSpec = Field(default_factory=TrainSpec)

    def to_json(self) -> str:
        return json.dumps({"format": FORMAT} | dataclasses.asdict(self), indent=1)

    @staticmethod
    def from_json(text: str) -> Experiment:
        """Read what to_json wrote, or format 1; what is omitted has its default, what a run's file adds is left out.

        Raises PlaygroundError: not JSON, another format, an unknown field, a wrong type, a value out of range.
        """
        return Experiment(**parts_from_json(text, PARTS, OF_A_RUN))


PARTS = {"data": DataSpec, "model": ModelSpec, "train": TrainSpec}
OF_A_RUN = ("changes", "table_sha256", "versions", "read_options")  # beside them


def resolve_loss(loss: str, task: str) -> str:
    """The loss that "auto" means, or the chosen one.

    Raises:
        PlaygroundError: a regression loss for classes, or cross-entropy for numbers.
    """
    if loss == "auto":
        return "cross_entropy" if task == "classification" else "mse"
    if (loss == "cross_entropy") != (task == "classification"):
        right = "cross_entropy" if task == "classification" else "mse, mae or huber"
        what = "classes" if task == "classification" else "numbers"
        raise PlaygroundError(f"Loss {loss} does not fit a target of {what}: choose {right}.")
    return loss
