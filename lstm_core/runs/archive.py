"""Everything of a run in one ZIP file, to be used without this app: data, experiment, model, script, scores, forecast.

What needs a package that is not installed, or what this experiment does not allow, is left out, and README.txt says so.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping

import numpy as np

from lstm_core.architecture.notebook import NOTEBOOK_FILE, training_notebook
from lstm_core.architecture.script_parts import DATA_FILE
from lstm_core.architecture.training_script import SCRIPT_FILE, script_data, training_script
from lstm_core.data.table_csv import values_csv
from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.forecast_table import forecast_columns, forecast_csv
from lstm_core.forecasting.future import Forecast
from lstm_core.forecasting.score_table import score_table
from lstm_core.model.onnx import METADATA, onnx_model
from lstm_core.runs.run import Run

ARCHIVE_FILE = "lstm_playground.zip"
MODEL_FILE, ONNX_FILE, EXPERIMENT_FILE = "model.safetensors", "model.onnx", "experiment.json"
RESULTS = "results/"
CURVE_POINTS = 2000  # of each curve
_MEANING = {
    "table.csv": "The table as it was read: all columns, in the file's order.",
    EXPERIMENT_FILE: f"All settings. Trains it again: python -m lstm_core train {EXPERIMENT_FILE}",
    MODEL_FILE: "The trained model with settings, scaling and curves, for LSTM Playground: load it on Train. Its "
    "weights have PyTorch's own names: safetensors.torch.load_file reads them.",
    DATA_FILE: "The columns in use, each row with its split: what the script reads.",
    SCRIPT_FILE: f"Trains the same model with torch, pandas and numpy alone: python {SCRIPT_FILE}",
    NOTEBOOK_FILE: "The same as a notebook for Jupyter.",
    ONNX_FILE: "The trained model for onnxruntime: raw rows in, the forecast in the target's units out. Its metadata "
    f"({METADATA!r}) says which columns, and how many rows.",
    f"{RESULTS}scores.json": "Scores of the model and of the baselines on the test and validation windows.",
    f"{RESULTS}curves.csv": "Loss and gradient norm in the course of the training, by epoch.",
    f"{RESULTS}loss.svg": "A picture of the losses.",
    f"{RESULTS}forecast.csv": "The rows to come, with the bands that hold 80 % and 95 % of the values.",
    f"{RESULTS}forecast.svg": "A picture of the forecast, of the first series and target.",
}


def take_along(run: Run, forecast: Forecast | None = None, pictures: Mapping[str, str] | None = None) -> bytes:
    """The ZIP file of a run that does not train at the moment.

    forecast: of the rows to come, None where there is none; pictures: "loss.svg" and "forecast.svg" → their SVG.
    """
    files: dict[str, bytes] = {"table.csv": values_csv(run.table), EXPERIMENT_FILE: run.experiment_file().encode()}
    files[MODEL_FILE] = run.checkpoint()
    why_not: dict[str, str] = {}

    def add(name: str, make: Callable[[], bytes]) -> None:
        try:
            files[name] = make()
        except PlaygroundError as error:
            why_not[name] = str(error)

    add(SCRIPT_FILE, lambda: training_script(run.experiment, run.windows).encode())
    if SCRIPT_FILE in files:
        files[DATA_FILE] = script_data(run.windows)
        files[NOTEBOOK_FILE] = training_notebook(run.experiment, run.windows).encode()
    add(ONNX_FILE, lambda: onnx_model(run.current_model(), run.windows))
    scores = score_table(run.scored_models(), run.windows)
    files[f"{RESULTS}scores.json"] = json.dumps(scores, indent=1).encode()
    files[f"{RESULTS}curves.csv"] = _curves_csv(run)
    if forecast is not None:
        group = run.windows.spec.group if len(run.windows.groups) > 2 else None
        files[f"{RESULTS}forecast.csv"] = forecast_csv(forecast_columns(forecast, group))
    files |= {f"{RESULTS}{name}": svg.encode() for name, svg in (pictures or {}).items()}
    files = {"README.txt": _readme(run, files, why_not).encode()} | {n: files[n] for n in _MEANING if n in files}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def _curves_csv(run: Run) -> bytes:
    """curve, epoch, value: the curves have points at different epochs."""
    lines = ["curve,epoch,value"]
    for name, curve in run.curves.items():
        points = np.stack(curve.points(CURVE_POINTS), axis=1).tolist()
        lines += [f"{name},{epoch:.6g},{value:.8g}" for epoch, value in points]
    return ("\n".join(lines) + "\n").encode()


def _readme(run: Run, files: Mapping[str, bytes], why_not: Mapping[str, str]) -> str:
    parts = ["A trained model, taken along from LSTM Playground\n"]
    parts += [f"{name}\n    {_MEANING[name]}" for name in _MEANING if name in files]
    parts += [f"{name} is not here\n    {why}" for name, why in why_not.items()]
    if SCRIPT_FILE in files:
        parts.append(_about_script(run))
    return "\n\n".join(parts) + "\n"


def _about_script(run: Run) -> str:
    if run.changes or not run.is_repeatable:
        return (
            "While this model was trained its settings or weights were changed, or it began from a saved model: the "
            "script trains a new model with the settings as they are now, and so ends with another score."
        )
    if not run.finished:
        return "This training has not come to its end: the script's does, and so ends with another score."
    return (
        "On the CPU, with one thread and the same versions of torch, numpy and pandas, the script ends with the very "
        "weights of this model and prints its test score. It writes its forecast.csv beside itself."
    )
