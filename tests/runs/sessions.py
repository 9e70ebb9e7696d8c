"""A run's folder trained in this thread, and killed where a test says."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.runs.folder import RunFolder
from lstm_core.runs.session import Session
from lstm_core.training.checkpoint import load_checkpoint
from lstm_core.training.trainer import Trainer

TRAIN = ("train", {"steps": None})


class KilledError(BaseException):
    """Ends a session where it is, as a kill does: nothing after it is written."""


def train(folder: RunFolder, *commands: tuple[str, dict]) -> str:
    for do, fields in commands:
        folder.ask(do, **fields)
    return Session(folder).run()


def killed_at(folder: RunFolder, step: int, monkeypatch, *commands: tuple[str, dict]) -> None:
    """Train until this step, save every step, and die in the middle of the next."""
    plain = Trainer.__next__

    def dies(trainer: Trainer) -> dict:
        if trainer.step == step:
            raise KilledError
        return plain(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "__next__", dies)
        patch.setattr(Session, "_close", lambda self: self._saving and self._saving.join())
        with pytest.raises(KilledError):
            train(folder, *commands)


def weights(folder: RunFolder) -> dict[str, np.ndarray]:
    checkpoint = load_checkpoint(folder.file("state.safetensors").read_bytes())
    return checkpoint.weights | checkpoint.state
