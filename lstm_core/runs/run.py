"""Run: a handle on one training for pages and programs: start, pause, stop, change, snapshots.

A run is in memory until it is to train; then it becomes a folder, which a worker's process trains and this one reads.
Knows no page and draws nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from torch import Tensor

from lstm_core.data.table import Table
from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS, Experiment
from lstm_core.model.recurrent import SequenceModel, model_from_weights
from lstm_core.runs.cache import ResultCache
from lstm_core.runs.control import RunControl
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import new_id
from lstm_core.runs.mirror import Mirror
from lstm_core.runs.saved_state import base_curves, load_trainer
from lstm_core.runs.scoring import ScoringJob
from lstm_core.training.checkpoint import SAVED_SNAPSHOTS, Checkpoint, check_table, resume_trainer, save_checkpoint
from lstm_core.training.loss import NonFiniteLossError
from lstm_core.training.snapshots import ModelSnapshot, Snapshot
from lstm_core.training.trainer import Trainer

SAVED_POINTS = 2000  # of each curve in a checkpoint


class Run(RunControl):
    """One training. Every method returns at once and may be called from any thread."""

    def __init__(
        self,
        trainer: Trainer,
        table: Table,
        curves: dict[str, tuple] | None = None,
        folder: RunFolder | None = None,
        **about: Any,
    ) -> None:
        """about: what about.json is to say of the run, such as its name, once it has a folder."""
        self.id = folder.id if folder else new_id()
        self.table = table
        self.about = about
        self.watch_only = False  # somebody else's: nothing of it can be changed here
        self.cache = ResultCache()
        # What was scored last, and its job; replaced together, as several tabs may ask.
        self._scoring: tuple[tuple | None, ScoringJob | None] = (None, None)
        super().__init__(Mirror(trainer, curves, folder))

    @classmethod
    def new(cls, windows: Windows, experiment: Experiment, table: Table, **about: Any) -> Run:
        """A new, untrained model of the experiment on these windows, which are the table's.

        Raises:
            PlaygroundError: the loss does not fit the task, the device is not available, or stateful batches do not
                fit the model.
        """
        return cls(Trainer(windows, experiment), table, **about)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, windows: Windows, table: Table, **about: Any) -> Run:
        """The run of a checkpoint, which resumes bit for bit.

        Raises:
            PlaygroundError: the windows do not fit the model, they are of other data, or the file is damaged.
        """
        check_table(checkpoint, table)
        return cls(resume_trainer(checkpoint, windows), table, checkpoint.curves, **about)

    @classmethod
    def open(cls, folder: RunFolder, watch_only: bool = False) -> Run:
        """A run that is on disk.

        Raises:
            PlaygroundError: the folder is damaged, or its model does not fit in memory.
        """
        table = folder.table()
        trainer, _ = load_trainer(folder, table)
        run = cls(trainer, table, base_curves(folder), folder, **folder.about())
        run.watch_only = watch_only
        return run

    # ---- its model

    def kept_and_now(self) -> list[Snapshot]:
        """The snapshots of earlier steps, and one of the weights as they are now."""
        with self._mirror.lock:
            now, kept = self._mirror.current.snapshot(), self.snapshots
        return [*(kept.nearest(step) for step in kept.steps if step < now.step), now]

    def evaluate(self, split: str) -> float | None:
        """Mean loss over a split's windows in scaled units (Trainer.evaluate)."""
        with self._mirror.lock:
            return self._mirror.current.evaluate(split)

    @property
    def is_unscored(self) -> bool:
        """Whether it is a trial of a sweep: the test windows are for the sweep's winner alone."""
        return self.about.get("unscored") is True

    @property
    def shown_splits(self) -> tuple[str, ...]:
        """The splits with windows that anything may be predicted for, the last of which tells how good it is."""
        splits = tuple(split for split in SPLITS if len(self.windows.starts[split]))
        return splits[:-1] if self.is_unscored and splits[-1] == "test" else splits

    def score(self, split: str, wait: float = 0.3) -> ScoringJob:
        """The model as it is now and its baselines on all windows of a split, one of shown_splits, beside the caller.

        Returns once it is done, or after `wait` seconds; ask again for the rest. One job is under way at a time.
        """
        assert split in self.shown_splits, f"{split} of this run is not to be looked at"
        key, (scored, job) = (split, self.weights_key), self._scoring
        if key != scored:
            if job is not None:
                job.cancel()
            job = ScoringJob(self.scored_models()[split], self.windows, split)
            self._scoring = (key, job)
        job.wait(wait)
        return job

    @property
    def is_scoring(self) -> bool:
        job = self._scoring[1]
        return job is not None and not job.done

    def set_weights(self, weights: dict[str, Tensor]) -> None:
        """Set some of the weights, by the model's own names; clears the cache. A run that trains goes on with them."""
        self._alter(lambda trainer: trainer.set_weights(weights))

    def use_best_weights(self) -> None:
        """Set the weights to those of the best epoch; clears the cache."""
        self._alter(Trainer.use_best_weights)

    def checkpoint(self, snapshot_bytes: int = SAVED_SNAPSHOTS, points: int = SAVED_POINTS) -> bytes:
        """The model file of the run as it is now; points: of each curve in it, at most."""
        if self.is_active:
            self._wait_for(self.folder.ask("save"))
        curves = self._mirror.progress.downsampled(points)
        with self._mirror.lock:
            trainer = self._mirror.current
            trainer.snapshots = self.snapshots.up_to(trainer.step)
            return save_checkpoint(trainer, curves, snapshot_bytes, self.table.sha256 if self.table else "")

    def snapshot_at(self, step: int | None = None) -> ModelSnapshot:
        """The model after this step, or after the nearest step with a snapshot; None: as it is now."""
        with self._mirror.lock:
            snapshot = self._mirror.current.snapshot() if step is None else self.snapshots.nearest(step)
        weights, grads = self.weights_by_name(snapshot.weights), snapshot.gradients
        model = model_from_weights(self.experiment.model, self.windows.model_sizes, weights)
        return ModelSnapshot(snapshot.step, model, None if grads is None else self.weights_by_name(grads))

    def current_model(self) -> SequenceModel:
        """A copy of the model as it is now, on the CPU, in eval mode."""
        return self.snapshot_at().model

    def scored_models(self) -> dict[str, SequenceModel]:
        """Split → a copy of the model to score on it: of a refit's validation split the model before the refit."""
        with self._mirror.lock:
            return self._mirror.current.scored_models()

    def cached(self, kind: str, key: tuple, make: Callable[[], Any], **pauses: float | None) -> Any:
        """make(), or its cached result for this kind and key; pauses: every and rest, of ResultCache.cached."""
        return self.cache.cached(kind, key, make, **pauses)

    def experiment_file(self) -> str:
        """The experiment as JSON, with the live changes made so far: `python -m lstm_core train` takes it."""
        if self.folder is None or not self.folder.exists:  # not trained yet, or deleted meanwhile
            return self.experiment.to_json()
        return self.folder.export()

    @property
    def is_repeatable(self) -> bool:
        """Whether training experiment_file() gives this run's weights."""
        return self._mirror.is_repeatable

    # ---- its training

    def train_here(self, steps: int | None = None) -> int:
        """Train in the calling thread, for a number of steps or to the end; returns the number of steps done.

        Only before the run has a folder. A loss that is not finite ends it: status "failed" and a message.
        """
        assert self.folder is None, "a run with a folder is trained by a worker"
        trainer, done = self._mirror.trainer, 0
        try:
            for record in itertools.islice(trainer, steps):
                if "step" in record:  # else of the refit
                    self._mirror.progress.append(record, trainer.steps_per_epoch)
                done += 1
            self.set_status("finished" if trainer.finished else "paused")
        except NonFiniteLossError as error:
            self.set_status("failed", str(error))
        return done
