"""What tests of runs set up: runs that end with their test, and a trainer that keeps what it had after each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lstm_core.runs import saved_state
from lstm_core.runs.run import Run
from lstm_core.training.trainer import Trainer
from tests.conftest import end_all_runs
from tests.factories import ENDLESS, TABLE, flat_weights, trainer_of, wave

WINDOWS = wave()


@pytest.fixture
def make() -> Iterator[Callable[..., Run]]:
    """Makes runs, and ends them all after the test."""

    def run_of(trainer: Trainer | None = None, epochs: int = ENDLESS, **train) -> Run:
        return Run(trainer or trainer_of(WINDOWS, epochs=epochs, **train), TABLE)

    yield run_of
    end_all_runs()


class Watched(Trainer):
    """A trainer that keeps what it had after every step; `latest` is the one that was made last."""

    latest: Watched
    error: BaseException | None = None  # raised once two steps are done

    def __init__(self, windows, experiment) -> None:
        super().__init__(windows, experiment)
        self.records: list[dict] = []
        self.held = {bytes(flat_weights(self).numpy())}
        Watched.latest = self

    def __next__(self) -> dict:
        if self.error is not None and self.step == 2:
            raise self.error
        record = super().__next__()
        self.records.append(record)
        self.held.add(bytes(flat_weights(self).numpy()))
        return record


@pytest.fixture
def watched(monkeypatch) -> type[Watched]:
    """The workers' trainers are Watched ones."""
    monkeypatch.setattr(saved_state, "Trainer", Watched)
    monkeypatch.setattr(Watched, "error", None)
    return Watched
