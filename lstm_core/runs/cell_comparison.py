"""Cell comparison: LSTM, GRU and RNN of one size, trained alike, so that their memories can be compared.

Each of the other cells is a Run of its own in the server's run queue. What is computed from them and how it is drawn
is decided elsewhere.
"""

from __future__ import annotations

import dataclasses

from lstm_core.architecture.memory import check_memory
from lstm_core.experiment import CELLS, Experiment
from lstm_core.model.devices import free_memory
from lstm_core.runs.run import Run

MAX_STEPS = 5_000  # optimiser steps of each other cell: a few minutes at most for a model of ordinary size


def other_cell_experiments(experiment: Experiment) -> list[Experiment]:
    """The experiment with each of the other cells; what only nn.LSTM has is left out."""
    model = experiment.model
    other_cells = (cell for cell in CELLS if cell != model.cell)
    return [
        dataclasses.replace(
            experiment, model=dataclasses.replace(model, cell=cell, proj_size=0, forget_bias=None, chrono_t_max=None)
        )
        for cell in other_cells
    ]


def validation_loss_at(run: Run, step: int) -> float | None:
    """The run's validation loss at this step, or at the last one before it that was validated; None without one."""
    epochs, losses = run.curves["valid_loss"].points()
    validated = losses[epochs <= step / run.steps_per_epoch + 1e-9]
    return float(validated[-1]) if len(validated) else None


class CellComparison:
    """New models of the other cells, trained on a run's windows for as many steps as the run has done.

    The same hidden_size, layers and directions, the same TrainSpec and seeds; at most MAX_STEPS. They start training
    at once, each as a Run of its own, and stop when the last reference to the comparison is dropped.

    Raises:
        PlaygroundError: a model would not fit in memory.
    """

    def __init__(self, run: Run) -> None:
        windows = run.windows
        self.steps = min(run.step, MAX_STEPS)
        experiments = other_cell_experiments(run.experiment)
        for experiment in experiments:
            check_memory(experiment, windows, free_memory())
        about = {"hidden": True, "owner": run.about.get("owner", "")}
        self.runs = [Run.new(windows, experiment, run.table, **about) for experiment in experiments]
        for other_run in self.runs:
            other_run.start(self.steps)

    def __del__(self) -> None:
        for other_run in getattr(self, "runs", ()):
            other_run.request_stop()  # nobody can see it any more; no lock may be waited for here

    @property
    def is_active(self) -> bool:
        return any(other_run.is_active for other_run in self.runs)

    def heartbeat(self) -> None:
        """A heartbeat for each run."""
        for other_run in self.runs:
            other_run.heartbeat()

    def stop(self) -> None:
        """Stop all runs."""
        for other_run in self.runs:
            other_run.stop()
