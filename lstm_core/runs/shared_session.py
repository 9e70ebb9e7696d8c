"""A run that several processes train together: the first one has its folder and leads, the others follow its orders.

The first process is a Session as any worker's, so that pages and commands watch, pause, stop and change the run as
ever. Before each step, and for each live change, it sends an order; the others know of the run only what it sends, so
that they need no folder, and on other machines no shared disk.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from lstm_core.data.table import Table
from lstm_core.data.table_file import table_from_bytes, table_to_bytes
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs import pool, saved_state
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.session import Session
from lstm_core.training.checkpoint import copy_state, load_checkpoint, resume_trainer
from lstm_core.training.linear_skip import SkipChoice
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.processes import Processes
from lstm_core.training.shared_trainer import SharedTrainer
from lstm_core.training.trainer import Trainer

STEP = b""  # the order of which there are many


class LeadingTrainer(SharedTrainer):
    """The first process's: each of its steps and changes is one of all processes."""

    def __init__(
        self,
        processes: Processes,
        table: Table,
        windows: Windows,
        experiment: Experiment,
        skip_choice: SkipChoice | None = None,
    ) -> None:
        super().__init__(processes, windows, experiment, skip_choice)
        self._table = table
        self._is_followed = False

    def __next__(self) -> dict:
        if not self._is_followed:
            self._send_state()
        self.processes.tell(STEP)
        self.processes.is_in_step = True  # until it is done: whatever else ends it leaves the others in theirs
        try:
            record = super().__next__()
        except (NonFiniteLossError, StopIteration):  # in all processes
            self.processes.is_in_step = False
            raise
        self.processes.is_in_step = False
        return record

    def change(self, **fields: float | int) -> None:
        super().change(**fields)
        if self._is_followed:
            self.processes.tell(_order("change", fields=fields))

    def _send_state(self) -> None:
        state = copy_state(self, {}, 0, self._table.sha256)
        self.processes.tell(_order("begin", device=self.device.type))
        self.processes.tell(table_to_bytes(self._table))
        self.processes.tell(state.to_bytes())
        self._is_followed = True


def follow(processes: Processes) -> None:
    """What all but the first process do, until it ends the training.

    Raises:
        PlaygroundError: this machine cannot take part.
        ProcessLostError: the first process, or another one, is gone.
    """
    trainer: Trainer | None = None
    while True:
        order = processes.tell()
        if order == STEP:
            with suppress(NonFiniteLossError):  # the first process says so
                next(trainer, None)
            continue
        said = json.loads(order)
        if said["do"] == "end":
            return
        if said["do"] == "change":
            trainer.change(**said["fields"])
        else:
            trainer = _receive_trainer(processes, said["device"])


def _receive_trainer(processes: Processes, device: str) -> Trainer:
    table = table_from_bytes(processes.tell())
    checkpoint = load_checkpoint(processes.tell())
    windows = make_windows(table, checkpoint.experiment.data)
    trainer = resume_trainer(checkpoint, windows, partial(SharedTrainer, processes))
    if trainer.device.type != device:
        raise PlaygroundError(
            f"Process {processes.rank} would train on {trainer.device.type}, but the first one on {device}: "
            "set train.device to what all machines have."
        )
    return trainer


def lead(folder: RunFolder, processes: Processes, should_yield: Callable[[], bool]) -> str:
    """What the first process does: train the run, whose lock it holds, score it, and let the others go; its status.

    Raises:
        ProcessLostError: another process is gone; the run stands as it was saved last, interrupted.
    """

    def load(folder: RunFolder, table: Table) -> tuple[Trainer, dict]:
        return saved_state.load_trainer(folder, table, partial(LeadingTrainer, processes, table))

    session = Session(folder, should_yield)
    session.load_trainer = load
    end = session.run()
    end_all(processes)
    if end != "waiting":
        if session.has_obeyed_all:
            pool.unwant(folder)
        if not session.has_obeyed_all:  # a command came in the last moment: a worker obeys it
            pool.want(folder)
        elif end in ("finished", "stopped"):
            session.score()
    return end


def end_all(processes: Processes) -> None:
    """Let the other processes go, wherever they wait for an order; those amid a step see this process end."""
    if not processes.is_in_step:
        processes.tell(_order("end"))


def _order(do: str, **fields: object) -> bytes:
    return json.dumps({"do": do, **fields}).encode()
