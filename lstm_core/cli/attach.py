"""Attach to a run until it ends: keeps a worker at hand and shows the progress on stderr."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable

import numpy as np

from lstm_core.cli.output import note
from lstm_core.data.number_format import format_duration, format_significant
from lstm_core.runs import launcher, pool
from lstm_core.runs.cluster import starter
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home
from lstm_core.runs.progress import Progress
from lstm_core.runs.records import read_records

POLL_SECONDS = 0.05
CARE_SECONDS = 1.0  # between two looks whether a worker is there
DRAW_SECONDS, LINE_SECONDS = 0.2, 5.0  # between two pictures of the bar, and between two lines where no terminal is
BAR = 16  # characters: the time left, too, fits into 80 columns
NO_WORKER_SECONDS = 30.0  # a worker starts in 4 to 10


def attach(folder: RunFolder) -> str:
    """Wait until nobody trains the run and nobody is to; its status then.

    Raises:
        KeyboardInterrupt: Ctrl-C; the run goes on.
    """
    display, care_at = Display(folder), 0.0
    try:
        while True:
            now = time.monotonic()
            if now >= care_at:
                care_at = now + CARE_SECONDS
                look_after(folder)
            said = folder.status()
            status = pool.current_status(folder, said)
            if status not in pool.ACTIVE:
                break
            display.show(status, said)
            time.sleep(POLL_SECONDS)
        settle(folder, display)
    finally:
        display.end()
    return status


def show_until(folder: RunFolder, is_over: Callable[[float], bool]) -> None:
    """Show the progress of a run that this process trains, in another thread; is_over: waits so many seconds, too."""
    display = Display(folder)
    try:
        while not is_over(DRAW_SECONDS):
            said = folder.status()
            if said.get("status") == "running":
                display.show("running", said)
    finally:
        display.end()


def settle(folder: RunFolder, display: Display | None = None) -> None:
    """Wait until the run that has ended is scored and its model file is there."""
    while folder.is_locked and pool.current_status(folder, folder.status()) not in pool.ACTIVE:
        if display is not None:
            display.show_text("scoring")
        time.sleep(POLL_SECONDS)


def look_after(folder: RunFolder) -> None:
    """Let there be a worker for the run, and let all know that somebody waits for it."""
    pool.be_present()
    folder.watch()
    if address := pool.address_of(folder):
        starter.ensure_worker(address)
    launcher.ensure_workers()


class Display:
    """A bar that is drawn anew on a terminal; elsewhere a plain line now and then."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._is_terminal = sys.stderr.isatty()
        self._show_at = 0.0 if self._is_terminal else time.monotonic() + LINE_SECONDS
        self._is_drawn = False
        self._began = time.monotonic()
        self._step = folder.status().get("step", 0)
        self._progress = Progress()
        self._losses = {"train_loss": float("nan"), "valid_loss": float("nan")}

    def show(self, status: str, said: dict) -> None:
        if time.monotonic() < self._show_at:
            return
        if status == "running" and "steps_per_epoch" in said:
            self._read(said["steps_per_epoch"])
            self.show_text(self._bar(said) if self._is_terminal else self._line(said))
        else:
            self.show_text(self._waiting())

    def show_text(self, text: str) -> None:
        now = time.monotonic()
        if self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write(f"\r{text[:width]:<{width}}")
            sys.stderr.flush()
            self._is_drawn, self._show_at = True, now + DRAW_SECONDS
        elif now >= self._show_at:
            note(text[:1].upper() + text[1:])
            self._show_at = now + LINE_SECONDS

    def end(self) -> None:
        """Leave an empty line where the bar was."""
        if self._is_drawn:
            sys.stderr.write("\r" + " " * (shutil.get_terminal_size().columns - 1) + "\r")
            sys.stderr.flush()

    def _waiting(self) -> str:
        if address := pool.wanted_at(self._folder):
            return f"waiting for a place on {address}"
        if pool.count_workers():
            place = pool.queue_position(self._folder)
            return f"queued, position {place}" if place > 1 else "waiting for a worker"
        if time.monotonic() - self._began < NO_WORKER_SECONDS:
            return "starting a worker, which takes some seconds"
        return f"no worker starts: {home() / 'log.txt'} says why"

    def _read(self, steps_per_epoch: int) -> None:
        records = read_records(self._folder.file("records.bin"), self._step)
        if not len(records):
            return
        self._step = int(records["step"][-1])
        self._progress.extend(records, steps_per_epoch)
        self._losses["train_loss"] = float(records["train_loss"].mean())
        valid = records["valid_loss"][~np.isnan(records["valid_loss"])]
        if len(valid):
            self._losses["valid_loss"] = float(valid[-1])

    def _facts(self, said: dict) -> tuple[int, str, str, str]:
        """Steps in all, and text: of the losses, of the pace, of the time left."""
        total, rate = said["epochs"] * said["steps_per_epoch"], self._progress.steps_per_second
        names = {"train_loss": "loss", "valid_loss": "valid"}
        losses = [f"{names[k]} {format_significant(v, 3)}" for k, v in self._losses.items() if v == v]
        pace = f"{rate:,.0f} steps/s" if rate else ""
        left = f"{format_duration(max(0, total - self._step) / rate)} left" if rate else ""
        return total, ", ".join(losses), pace, left

    def _bar(self, said: dict) -> str:
        total, losses, pace, left = self._facts(said)
        share = min(1.0, self._step / total)
        bar = ("=" * round(share * BAR)).ljust(BAR)
        parts = [f"[{bar}] {share:4.0%}  epoch {self._step // said['steps_per_epoch']}/{said['epochs']}"]
        return "  ".join([*parts, *filter(None, (losses, left, pace))])

    def _line(self, said: dict) -> str:
        total, *facts = self._facts(said)
        epoch = self._step // said["steps_per_epoch"]
        return ", ".join([f"epoch {epoch} of {said['epochs']}, step {self._step:,} of {total:,}", *filter(None, facts)])
