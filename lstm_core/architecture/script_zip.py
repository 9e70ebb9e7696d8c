"""The training script, the same as a notebook, and the data.csv that both read, in one ZIP file."""

from __future__ import annotations

import io
import zipfile

from lstm_core.architecture.notebook import NOTEBOOK_FILE, training_notebook
from lstm_core.architecture.script_parts import DATA_FILE
from lstm_core.architecture.training_script import SCRIPT_FILE, script_data, training_script
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment


def script_zip(experiment: Experiment, windows: Windows) -> bytes:
    """Raises PlaygroundError as training_script does."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(SCRIPT_FILE, training_script(experiment, windows))
        archive.writestr(NOTEBOOK_FILE, training_notebook(experiment, windows))
        archive.writestr(DATA_FILE, script_data(windows))
    return buffer.getvalue()
