"""What is saved of a run: state.safetensors, with which it goes on, and model.safetensors, the file that Save gives."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

from lstm_core.data.number_format import format_significant
from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import LIVE_FIELDS
from lstm_core.forecasting.score_table import score_table
from lstm_core.model.recurrent import SequenceModel
from lstm_core.runs.folder import RunFolder, replace_file
from lstm_core.runs.progress import Progress
from lstm_core.runs.records import read_records
from lstm_core.runs.snapshot_log import SnapshotWriter
from lstm_core.training.checkpoint import SAVED_SNAPSHOTS, copy_state, load_checkpoint, resume_trainer
from lstm_core.training.trainer import Trainer

SHRUNK = "Its output head was scaled by {}: so much of its correction the validation windows support."
SAVED_POINTS = 2000  # of each curve in model.safetensors

log = logging.getLogger(__name__)


def write_model(folder: RunFolder, trainer: Trainer, table: Table) -> None:
    """model.safetensors: the file that Save gives. Raises OSError: the disk is full."""
    progress = Progress(base_curves(folder))
    progress.extend(read_records(folder.file("records.bin"), 0, trainer.step), trainer.steps_per_epoch)
    state = copy_state(trainer, progress.downsampled(SAVED_POINTS), SAVED_SNAPSHOTS, table.sha256)
    replace_file(folder.file("model.safetensors"), state.to_bytes())


def write_score(
    folder: RunFolder, models: dict[str, SequenceModel], windows: Windows, step: int, should_end: Callable[[], bool]
) -> None:
    """score.json, of all windows of the test and validation splits; nothing once should_end() or the disk is full.

    Nor of a trial of a sweep: the test windows are for the winner alone.
    """
    if folder.about().get("unscored") is True:
        return

    def go_on(share: float) -> None:
        if should_end():
            raise _InterruptedError

    try:
        scores = score_table(models, windows, go_on)
        go_on(1.0)
        replace_file(folder.file("score.json"), json.dumps(scores | {"step": step}).encode())
    except (_InterruptedError, OSError):
        return
    except Exception:
        log.exception("scoring %s failed", folder.id)


def restore_best(trainer: Trainer) -> bool:
    """As a training ends early: with patience the best epoch's weights come back. Whether they had to."""
    wanted = bool(trainer.spec.patience and trainer.step) and not trainer.early_stopping.is_restored
    if wanted:
        trainer.use_best_weights()
    return wanted


def write_idle(folder: RunFolder, trainer: Trainer, table: Table, status: str) -> None:
    """Write a run that nobody trains, whose weights, settings or status were changed; the caller holds its lock.

    Raises:
        OSError: the disk is full.
    """
    snapshots = SnapshotWriter(folder.file("snapshots.bin"), trainer.snapshots)
    snapshots.close()
    control = folder.control_size
    notes = {"control": control, "snapshots": snapshots.place, "replaced": trainer.replaced, "end": status}
    replace_file(folder.file("state.safetensors"), copy_state(trainer, {}, 0, table.sha256, notes).to_bytes())
    described = {"status": status, "control": control, "message": "", "time": time.time()}
    folder.write_status(folder.status() | described | described_training(trainer))
    write_model(folder, trainer, table)


def described_training(trainer: Trainer) -> dict[str, Any]:
    """What status.json has of a trainer."""
    best = trainer.early_stopping
    return {
        "step": trainer.step,
        "epochs": trainer.spec.epochs,
        "steps_per_epoch": trainer.steps_per_epoch,
        "parameters": sum(p.numel() for p in trainer.model.parameters()),
        "best_epoch": best.best_epoch,
        "best_loss": best.best_loss if best.best_loss < float("inf") else None,
        "stopped_early": best.stopped_early,
        "refit": trainer.refit_progress,
        "live": {name: getattr(trainer.spec, name) for name in LIVE_FIELDS},
    }


def end_message(trainer: Trainer) -> str:
    """Whose weights a training has ended with, where they are not those of its last step; else ""."""
    best = trainer.early_stopping
    is_refit = trainer.refitted and best.best_epoch > 0
    if not trainer.spec.patience or (best.best_epoch == trainer.epoch and not is_refit and best.shrunk == 1):
        return ""
    begin = "Stopped early: e" if best.stopped_early else "E"
    epoch = f"poch {best.best_epoch}" + (", the untrained model," if not best.best_epoch else "")
    refit = "a new model was then trained for as many on the training and validation rows together"
    then = f"; {refit}." if is_refit else ", and its weights are in place."
    shrunk = "" if best.shrunk == 1 or not best.best_epoch else f" {SHRUNK.format(format_significant(best.shrunk, 2))}"
    return f"{begin}{epoch} had the best validation loss{then}{shrunk}"


def load_trainer(
    folder: RunFolder, table: Table, make: Callable[..., Trainer] | None = None
) -> tuple[Trainer, dict[str, Any]]:
    """The trainer of a run as it was saved last, or as it began, and the notes that were saved with it.

    make: a new one, called as Trainer, where it is to be of another class.

    Raises:
        PlaygroundError: the folder is damaged, or the model does not fit in memory.
    """
    windows: Windows = make_windows(table, folder.experiment().data)
    for name in ("state.safetensors", "start.safetensors"):
        file = folder.file(name)
        if file.exists():
            checkpoint = load_checkpoint(file.read_bytes())
            trainer = resume_trainer(checkpoint, windows, make)
            trainer.replaced = checkpoint.notes.get("replaced", 0)
            return trainer, checkpoint.notes
    return (make or Trainer)(windows, folder.experiment()), {}


def base_curves(folder: RunFolder) -> dict[str, tuple]:
    """The curves of the saved model that the run began from; {} if it began with a new one."""
    file = folder.file("start.safetensors")
    return load_checkpoint(file.read_bytes()).curves if file.exists() else {}


class _InterruptedError(Exception):
    pass
