"""TrialRun: the run folder of one setting and one seed; workers train it, this asks for that and says how it ended."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from lstm_core.data.number_format import format_significant
from lstm_core.data.table import Table
from lstm_core.experiment import Experiment
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import run_path
from lstm_core.runs.sweeps.outcome import COMPLETE, FAILED, PRUNED, Curve, Outcome, loss_of, pruned_at

SESSION_ATTEMPTS = 3  # at one step, after which a session gives up: kills alone may have been the reason
MAX_ATTEMPTS = 12  # after which the trial does
NO_EPOCH = "It was stopped before its first epoch ended."
NO_LOSS = "It has no validation windows: raise data.valid_share, or lower data.seq_len."


class TrialRun:
    """One run of a sweep. Whoever makes it again, after a kill, finds it as it is."""

    def __init__(
        self,
        id: str,
        experiment: Experiment,
        table: Table,
        about: dict[str, Any],
        references: Sequence[Sequence[float]] = (),
        warmup: int = 0,
        address: str = "",
    ) -> None:
        """references: curves that it is pruned by (outcome.pruned_at); none: it trains to its end; address: of the
        cluster that it trains on."""
        self.folder = RunFolder(run_path(id), id)
        self._made_from = (experiment, table, about)
        self._references, self._warmup = references, warmup
        self._train = experiment.train
        self._curve = Curve(self.folder.file("records.bin"))
        self._address = address
        self._is_stopped = False
        self.is_paused = False  # by somebody else: it waits for them
        self.losses: list[float] = []  # validation losses by epoch, so far

    def begin(self) -> None:
        """Let a worker train it, or go on with it, unless it has ended.

        Raises:
            OSError: the disk is full.
        """
        experiment, table, about = self._made_from
        if not self.folder.exists:
            self.folder.create(experiment, table, {"created": time.time()} | about)
        status = pool.current_status(self.folder, self.folder.status())
        if status in ("ready", "paused", "interrupted"):
            self.folder.ask("train", steps=None)
        if status not in ("stopped", "finished", "failed"):
            pool.want(self.folder, self._address)

    def look(self) -> Outcome | None:
        """How it has ended; None: it has not. Stops it as soon as it is to be pruned."""
        said = self.folder.status()
        status = pool.current_status(self.folder, said)
        if said.get("steps_per_epoch"):
            self.losses = self._curve.read(said["steps_per_epoch"])
        epoch = pruned_at(self.losses, self._references, self._warmup, self._train.epochs)
        self.is_paused = status in ("paused", "ready") and not self.folder.is_locked
        if status in pool.ACTIVE:
            if epoch is not None and not self._is_stopped:
                self.folder.ask("stop")
                self._is_stopped = True
            return None
        if self.folder.is_locked:  # its model is being written
            return None
        if self._is_interrupted(status, said):
            self.begin()
            return None
        message, seconds = said.get("message", ""), said.get("seconds", 0.0)
        if epoch is not None:
            curve = tuple(self.losses[:epoch])
            text = f"pruned after epoch {epoch}, at {format_significant(min(curve), 3)}"
            return Outcome(PRUNED, min(curve), curve, text, seconds)
        if status == "failed" or (self.is_paused and message):  # the latter where memory ran out
            return Outcome(FAILED, message=message, seconds=seconds)
        return None if self.is_paused else self._ended(said)

    def _is_interrupted(self, status: str, said: dict) -> bool:
        """Whether nobody is to go on with it, for no reason of its own."""
        attempts = said.get("attempts", (0, 0))[1]
        if status == "failed" and SESSION_ATTEMPTS < attempts < MAX_ATTEMPTS:
            self.folder.ask("train", steps=None)
            pool.want(self.folder, self._address)
            return True
        return status == "interrupted"

    def _ended(self, said: dict) -> Outcome:
        seconds = said.get("seconds", 0.0)
        if not self.losses:
            return Outcome(FAILED, message=NO_EPOCH, seconds=seconds)
        if any(math.isnan(loss) for loss in self.losses):
            return Outcome(FAILED, message=NO_LOSS, seconds=seconds)
        loss = loss_of(self.losses, self._train.patience, said.get("best_loss"))
        return Outcome(COMPLETE, loss, tuple(self.losses), seconds=seconds)

    def pause(self) -> None:
        """Pause it, as soon as whoever trains it looks; a queued one is taken out of the queue."""
        if not self.folder.exists or pool.current_status(self.folder, self.folder.status()) not in pool.ACTIVE:
            return
        self.folder.ask("pause")
        if not self.folder.is_locked:
            pool.unwant(self.folder)

    @property
    def is_at_work(self) -> bool:
        return self.folder.is_locked
