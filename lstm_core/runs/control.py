"""RunControl: what can be asked of a run's training: start, pause, stop, change. It becomes a folder when it begins."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import torch

from lstm_core.experiment import PlaygroundError
from lstm_core.model.recurrent import SequenceModel
from lstm_core.runs import launcher, pool
from lstm_core.runs.cache import ResultCache
from lstm_core.runs.facts import RunFacts
from lstm_core.runs.folder import RunFolder, replace_file
from lstm_core.runs.home import home
from lstm_core.runs.mirror import Mirror
from lstm_core.runs.saved_state import restore_best, write_idle, write_score
from lstm_core.training.trainer import Trainer

OBEY_SECONDS = 2.0  # a step of a huge model may take longer; the command is obeyed all the same
WATCH_SECONDS = 5.0  # between two signs of a viewer
_WATCHING = "This run is somebody else's: you can watch it. Train starts one of your own with the same settings."


class RunControl(RunFacts):
    """Commands, each of which returns at once. Its subclass has id, about, cache and watch_only."""

    id: str
    about: dict[str, Any]
    cache: ResultCache
    watch_only: bool

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._control = threading.Lock()  # for start, pause and stop
        self._watch_at = 0.0
        self._scorer: threading.Thread | None = None  # of a run that was changed when nobody trained it

    def scored_models(self) -> dict[str, SequenceModel]:
        """Split → a copy of the model to score on it, on the CPU, in eval mode."""
        raise NotImplementedError

    def checkpoint(self) -> bytes:
        """The model file of the run as it is now."""
        raise NotImplementedError

    @property
    def folder(self) -> RunFolder | None:
        """Where it is on disk; None: it has not been trained by anybody yet."""
        return self._mirror.folder

    def set_status(self, status: str, message: str = "") -> None:
        """Of a run without a folder."""
        self._mirror.set_status(status, message)

    def start(self, steps: int | None = None) -> None:
        """Train on: to the end, or for a number of steps. A run that is training already is left alone.

        Raises:
            PlaygroundError: there is no room on the disk.
        """
        self._refuse_watchers()
        with self._control:
            self._mirror.look(now=True)
            if self.is_active or self._mirror.current.finished:
                return
            self._make_folder()
            self.heartbeat()
            self.folder.ask("train", steps=steps)
            pool.want(self.folder)
            launcher.ensure_workers()
            self._mirror.look(now=True)

    def run_epoch(self) -> None:
        """Train to the end of the epoch under way, or of the next one."""
        step = self._mirror.current.step
        self.start(self.steps_per_epoch - step % self.steps_per_epoch)

    def pause(self) -> None:
        """Pause after the step under way."""
        self._end("pause", "paused")

    def stop(self) -> None:
        """End the training; with patience the weights of the best epoch come back. Its slot is free for others."""
        if self.folder is None:
            if self.status in ("paused", "ready"):
                self.set_status("stopped")
            return
        self._end("stop", "stopped")

    def request_stop(self) -> None:
        """Stop it, without waiting for it to be done: nobody can see it any more."""
        if self.folder is not None and self.is_active:
            self.folder.ask("stop")

    def change(self, **fields: float | int) -> None:
        """Change live fields of the training spec (experiment.LIVE_FIELDS) between two steps.

        Raises:
            PlaygroundError: a value out of range.
        """
        self._refuse_watchers()
        dataclasses.replace(self.train_spec, **fields)
        trainer = self._mirror.trainer
        if self.folder is None:
            trainer.change(**fields)
            if (status := _status_after_change(self.status, trainer)) != self.status:
                self.set_status(status)
        elif self.is_active:
            self._mirror.asked = self.folder.ask("change", fields=fields)
            trainer.change(**fields)  # what the page shows; the weights are the worker's
        else:
            self._write_here(lambda trainer: self._record_change(trainer, fields), _status_after_change)

    def heartbeat(self) -> None:
        """Someone watches the run: it does not wait behind those that nobody watches."""
        now = time.monotonic()
        if self.folder is not None and now >= self._watch_at:
            self._watch_at = now + WATCH_SECONDS
            self.folder.watch()

    @property
    def queue_position(self) -> int:
        """Its position among the runs that wait for a slot, from 1; 0 if it does not wait."""
        return pool.queue_position(self.folder) if self.status == "waiting" else 0

    def _refuse_watchers(self) -> None:
        if self.watch_only:
            raise PlaygroundError(_WATCHING)

    # ---- its folder

    def _make_folder(self) -> None:
        if self.folder is not None:
            if not self.folder.exists:
                raise PlaygroundError("This run was deleted: restore it on Runs, or train a new one.")
            return
        trainer, folder = self._mirror.trainer, RunFolder(home() / "runs" / self.id)
        try:
            if trainer.step or trainer.replaced:
                folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(folder.file("start.safetensors"), self.checkpoint())
            folder.create(trainer.experiment, self.table, {"created": time.time()} | self.about)
        except OSError as error:
            raise PlaygroundError(f"The run cannot be saved ({error.strerror}): make room on the disk.") from None
        self._mirror.follow(folder, trainer.step)

    def _end(self, command: str, status: str) -> None:
        self._refuse_watchers()
        with self._control:
            self._mirror.look(now=True)
            can_end = self.is_active or (command == "stop" and self.status in ("paused", "ready"))
            if self.folder is None or not can_end:
                return
            with self.folder.locked(0.02) as is_mine:
                if is_mine:  # nobody trains it: it waits for a slot, or is paused
                    pool.unwant(self.folder)
                    self._write_idle(restore_best if command == "stop" else lambda trainer: None, lambda _: status)
                    return
            self._wait_for(self.folder.ask(command), ended=True)

    def _wait_for(self, offset: int, ended: bool = False) -> None:
        """Until the worker has obeyed control.jsonl up to there, or for as long as a page can wait."""
        give_up = time.monotonic() + OBEY_SECONDS
        while time.monotonic() < give_up:
            said = self.folder.status()
            if said.get("control", 0) >= offset and not (ended and said.get("status") == "running"):
                break
            if said.get("status") != "running" and not ended:
                break  # it waits for a slot: nothing is newer than what is there
            time.sleep(0.003)
        self._mirror.look(now=True)

    def _alter(self, action: Callable[[Trainer], None]) -> None:
        """Set weights: here, or between two turns of the worker."""
        self._refuse_watchers()
        if self.folder is None:
            with self._mirror.lock:
                action(self._mirror.trainer)
        else:
            was_active = self.is_active
            self.pause()
            self._write_here(lambda trainer: self._record_weights(trainer, action))
            if was_active:
                self.start()
        self.cache.clear()

    def _write_here(
        self, action: Callable[[Trainer], Any], status: Callable[[str, Trainer], str] = lambda old, _: old
    ) -> None:
        """Change a run that nobody trains; status: of its old one and its trainer, once changed."""
        with self._control, self.folder.locked(OBEY_SECONDS) as is_mine:
            if not is_mine:
                raise PlaygroundError("This run is at work: pause it first.")
            old = self.folder.status().get("status", "ready")
            self._write_idle(action, lambda trainer: status(old, trainer))

    def _write_idle(self, action: Callable[[Trainer], Any], status: Callable[[Trainer], str]) -> None:
        self._mirror.look(now=True)
        with self._mirror.lock:
            trainer = self._mirror.current
            trainer.snapshots = self.snapshots.up_to(trainer.step)
            replaced = trainer.replaced
            action(trainer)
            if trainer.replaced != replaced:
                self.folder.file("score.json").unlink(missing_ok=True)  # it is of other weights
            now = status(trainer)
            write_idle(self.folder, trainer, self.table, now)
        self._mirror.look(now=True)
        if now in ("finished", "stopped") and trainer.step and not self.folder.file("score.json").exists():
            self._scorer = threading.Thread(target=self._write_score, name="scoring", daemon=True)
            self._scorer.start()

    def _write_score(self) -> None:
        """As a worker does when a run ends; given up as soon as somebody asks for more, or alters it again."""
        torch.set_num_threads(1)  # of this thread: beside a training and a browser more would lose time
        folder, size, me = self.folder, self.folder.control_size, threading.current_thread()

        def should_end() -> bool:
            return folder.control_size != size or self._scorer is not me

        write_score(folder, self.scored_models(), self.windows, self.step, should_end)

    def wait_for_score(self) -> None:
        """Until score.json is there, or given up, of a run that was ended here."""
        if self._scorer is not None:
            self._scorer.join()

    def _record_change(self, trainer: Trainer, fields: dict) -> None:
        event = {"step": trainer.step, "do": "change", "fields": fields, "control": self.folder.control_size}
        self.folder.record_event(event)
        trainer.change(**fields)

    def _record_weights(self, trainer: Trainer, action: Callable[[Trainer], Any]) -> None:
        self.folder.record_event({"step": trainer.step, "do": "weights"})
        action(trainer)


def _status_after_change(old: str, trainer: Trainer) -> str:
    """More epochs wake a run that was done, fewer end it."""
    if old not in ("finished", "paused", "stopped"):
        return old
    return "finished" if trainer.finished else "paused"
