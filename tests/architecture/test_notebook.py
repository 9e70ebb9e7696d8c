"""The notebook: the script's code in cells, which run in their order without Jupyter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from lstm_core.architecture.notebook import training_notebook
from lstm_core.architecture.training_script import script_data, training_script
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from tests.factories import wave_table

SPEC = {"targets": ("a",), "features": ("a",), "seq_len": 6, "horizon": 2, "start": "last"}
RUN = """
import json
names = {}
for cell in json.load(open("train_lstm.ipynb", encoding="utf-8"))["cells"]:
    if cell["cell_type"] == "code":
        exec("".join(cell["source"]), names)
"""


@pytest.fixture(scope="module")
def made():
    experiment = Experiment(DataSpec(**SPEC), ModelSpec(hidden_size=5), TrainSpec(epochs=3, refit=True))
    return experiment, make_windows(wave_table(), experiment.data)


def test_its_code_is_the_scripts_and_its_cells_are_what_the_format_wants(made):
    notebook = json.loads(training_notebook(*made))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    for cell in cells:
        code = {"execution_count", "outputs"} if cell["cell_type"] == "code" else set()
        assert cell.keys() == {"cell_type", "id", "metadata", "source"} | code
    kinds = [cell["cell_type"] for cell in cells]
    assert kinds == ["markdown", *["markdown", "code"] * (len(kinds) // 2)]
    code = "\n\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    script = training_script(*made)
    assert script.endswith(f'"""\n\n{code}\n')
    assert script.count('"""') == 2  # the text before it alone


@pytest.mark.slow
def test_its_cells_print_what_the_script_prints(made, tmp_path):
    (tmp_path / "data.csv").write_bytes(script_data(made[1]))
    (tmp_path / "train_lstm.py").write_text(training_script(*made), encoding="utf-8")
    (tmp_path / "train_lstm.ipynb").write_text(training_notebook(*made), encoding="utf-8")
    printed = []
    for command in (["train_lstm.py"], ["-c", RUN]):
        done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-2000:]
        printed.append(done.stdout)
    assert printed[0] == printed[1]
    assert "test RMSE" in printed[0]
