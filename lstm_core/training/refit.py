"""Refit: what is trained again, once the best epoch is known, on the training and validation rows together."""

from __future__ import annotations

import dataclasses

import numpy as np

from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment


def refit_steps(best_steps: int, windows: Windows) -> int:
    """So many optimiser steps on both splits pass over each window as often as best_steps on the training split."""
    train, valid = len(windows.starts["train"]), len(windows.starts["valid"])
    return round(best_steps * (train + valid) / train)


def refit_plan(windows: Windows, experiment: Experiment, steps: int) -> tuple[Windows, Experiment]:
    """Windows whose training split has both, scaled as before, and an experiment that trains `steps` steps on them and
    keeps the last weights."""
    both = np.sort(np.concatenate([windows.starts["train"], windows.starts["valid"]]))
    starts = windows.starts | {"train": both, "valid": both[:0]}
    train = dataclasses.replace(experiment.train, patience=0, refit=False, shrink=False, epochs=max(1, steps))
    return dataclasses.replace(windows, starts=starts), dataclasses.replace(experiment, train=train)
