"""Sweeps on disk without a training: as a dispatcher would have left them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lstm_core.data.load import load_table
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.runs.home import home, new_id
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.study import Range, Study

NILE = DataSpec(name="nile", seq_len=5, targets=("volume",), features=("volume",))


@pytest.fixture
def make() -> Iterator[Callable[..., SweepFolder]]:
    """Makes a sweep in home(); fields: of the study; progress: what progress.json says."""

    def made(owner: str = "", progress: dict[str, Any] | None = None, **fields: Any) -> SweepFolder:
        train = TrainSpec(epochs=2, batch_size=16, patience=0, device="cpu")
        search = {"train.lr": Range(1e-3, 0.1, log=True), "model.cell": ("lstm", "gru")}
        study = Study(**{"experiment": Experiment(NILE, ModelSpec(hidden_size=3), train), "search": search} | fields)
        folder = SweepFolder(home() / "sweeps" / new_id())
        folder.create(study, load_table(NILE), folder.id, owner)
        folders.append(folder)
        if progress is not None:
            folder.write_progress(progress)
        return folder

    folders: list[SweepFolder] = []
    yield made
    for folder in folders:
        shutil.rmtree(folder.path, ignore_errors=True)  # other tests count them
