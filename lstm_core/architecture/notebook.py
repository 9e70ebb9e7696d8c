"""The training script as a Jupyter notebook: its parts as cells, each below a heading.

The format is nbformat 4.5, plain JSON of few keys: no package is needed to write it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from lstm_core.architecture.training_script import about, script_sections
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment

NOTEBOOK_FILE = "train_lstm.ipynb"
_KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def training_notebook(experiment: Experiment, windows: Windows) -> str:
    """A notebook that does what training_script does; it reads data.csv beside it.

    Raises:
        PlaygroundError: as training_script does.
    """
    cells = [("markdown", f"# Training\n\n{about(experiment)}")]
    for title, code in script_sections(experiment, windows):
        cells += [("markdown", f"## {title}"), ("code", code)]
    return notebook_text(cells)


def notebook_text(cells: Sequence[tuple[str, str]]) -> str:
    """The file of a notebook; cells: ("markdown" or "code", text)."""
    notebook = {
        "cells": [_cell(f"cell-{k}", kind, text) for k, (kind, text) in enumerate(cells)],
        "metadata": {"kernelspec": _KERNEL, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _cell(name: str, kind: str, text: str) -> dict:
    outputs = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": name, "metadata": {}, "source": text.splitlines(keepends=True)} | outputs
