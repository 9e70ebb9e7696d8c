"""What tests of runs set up: runs that end with their test, and a trainer that keeps what it had after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lstm_core.runs.queue import RunQueue
from lstm_core.runs.run import Run
from lstm_core.training.trainer import Trainer
from tests.factories import ENDLESS, TABLE, flat_weights, trainer_of, training_threads, until, wave

WINDOWS = wave()


@pytest.fixture
def make() -> Iterator[Callable[..., Run]]:
    """Makes runs, and ends them all after the test."""
    made: list[Run] = []

    def run_of(slots: RunQueue | None = None, trainer: Trainer | None = None, epochs: int = ENDLESS, **train) -> Run:
        run = Run(trainer or trainer_of(WINDOWS, epochs=epochs, **train), TABLE, slots or RunQueue(1))
        made.append(run)
        return run

    yield run_of
    for run in made:
        run.stop()
    until(lambda: not training_threads())


class Watched(Trainer):
    """A trainer that keeps what it had after every step."""

    def __init__(self, **train) -> None:
        plain = trainer_of(WINDOWS, **train)
        super().__init__(plain.windows, plain.experiment)
        self.records: list[dict] = []
        self.held = {bytes(flat_weights(self).numpy())}

    def __next__(self) -> dict:
        record = super().__next__()
        self.records.append(record)
        self.held.add(bytes(flat_weights(self).numpy()))
        return record
