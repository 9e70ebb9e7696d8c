"""Sweeps on disk without a training: as a dispatcher would have left them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lstm_core.data.load import load_table
from lstm_core.runs.home import home, new_id
from lstm_core.runs.sweeps.files import SweepFolder
from tests.factories import NILE, nile_study


@pytest.fixture
def make() -> Iterator[Callable[..., SweepFolder]]:
    """Makes a sweep in home(); fields: of the study; progress: what progress.json says."""

    def made(owner: str = "", progress: dict[str, Any] | None = None, **fields: Any) -> SweepFolder:
        study = nile_study(**fields)
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
