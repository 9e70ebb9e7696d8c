"""A run's rivals: the other cells, of the same size, trained in the same way, so that memories can be compared.

Each rival is a Run of its own in the server's slots. What is computed from them and how it is drawn is
decided elsewhere.
"""

from __future__ import annotations

import dataclasses

from lstm_core.architecture.memory import check_fits
from lstm_core.experiment import CELLS, Experiment
from lstm_core.model.devices import free_memory
from lstm_core.runs.queue import Slots
from lstm_core.runs.run import Run

MOST_STEPS = 5_000  # optimiser steps that a rival gets: some minutes at most for a model of ordinary size


def rival_experiments(experiment: Experiment) -> list[Experiment]:
    """The experiment with each of the other cells; what only nn.LSTM has is left out."""
    model = experiment.model
    others = (cell for cell in CELLS if cell != model.cell)
    return [
        dataclasses.replace(
            experiment,
            model=dataclasses.replace(model, cell=cell, proj_size=0, forget_bias=None, chrono_t_max=None),
        )
        for cell in others
    ]


def validation_loss(run: Run, step: int) -> float | None:
    """The run's validation loss at this step, or at the last one before it that was validated; None without one."""
    epochs, losses = run.curves["valid_loss"].points()
    known = losses[epochs <= step / run.steps_per_epoch + 1e-9]
    return float(known[-1]) if len(known) else None


class Rivals:
    """Fresh models of the other cells, trained on a run's windows as many steps as the run has done.

    The same hidden_size, layers and directions, the same TrainSpec and seeds; at most MOST_STEPS. They train from
    the start on, each as a Run in `slots`. Whoever drops the last reference to them stops them.

    Raises:
        PlaygroundError: a rival would not fit in memory.
    """

    def __init__(self, run: Run, slots: Slots) -> None:
        windows = run.windows
        self.steps = min(run.step, MOST_STEPS)
        experiments = rival_experiments(run.experiment)
        batch = min(run.train_spec.batch_size, len(windows.starts["train"]))
        for experiment in experiments:
            check_fits(experiment.model, windows.input_size, windows.output_size, batch, windows.spec.seq_len,
                       free_memory())  # fmt: skip
        self.runs = [Run.new(windows, experiment, run.table, slots) for experiment in experiments]
        for rival in self.runs:
            rival.play(self.steps)

    def __del__(self) -> None:
        for rival in getattr(self, "runs", ()):
            rival.wanted = False  # nobody can see it any more; no lock may be waited for here

    @property
    def live(self) -> bool:
        return any(rival.live for rival in self.runs)

    def touch(self) -> None:
        """Somebody is looking: the heartbeat of each."""
        for rival in self.runs:
            rival.touch()

    def stop(self) -> None:
        """End what still trains."""
        for rival in self.runs:
            rival.stop()
