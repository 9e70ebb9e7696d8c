"""Files saved by earlier versions still open, and mean what they meant."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import lstm_core
from lstm_core.data.generators import generate
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.forecasting.predict import predict
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint

WEIGHTS_ALONE = {"cliff.safetensors"}  # of one step, which a lesson draws
ALL = sorted(Path(lstm_core.__file__).parent.rglob("*.safetensors"))
SHIPPED = [path for path in ALL if path.name not in WEIGHTS_ALONE]
BY_HAND = Path(__file__).parents[1] / "fixtures/format1.safetensors"  # saved by the first version, mid-epoch
RENAMED = {"hold": "frozen", "chrono": "chrono_t_max", "clip": "max_grad_norm", "state": "initial_state"}
RENAMED_VALUES = {"fill": "forward_fill", "every": "per_step", "carried": "stateful"}


def experiment_in(data: bytes) -> dict:
    """The experiment's JSON as it stands in a model file."""
    size = int.from_bytes(data[:8], "little")
    return json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["playground"])["experiment"]


FORMAT_1 = [path for path in [*SHIPPED, BY_HAND] if "format" not in experiment_in(path.read_bytes())]


@pytest.mark.parametrize("path", FORMAT_1, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_model_file_of_format_1_opens_with_every_setting_under_its_new_name(path):
    data = path.read_bytes()
    written = experiment_in(data)
    loaded = json.loads(load_checkpoint(data).experiment.to_json())
    for part, fields in written.items():
        for name, value in fields.items():
            new_value = RENAMED_VALUES.get(value, value) if isinstance(value, str) else value
            assert loaded[part][RENAMED.get(name, name)] == new_value, f"{part}.{name}"


def test_there_are_shipped_files_to_open():
    assert len(SHIPPED) >= 26 and len(FORMAT_1) >= 20


def test_a_file_with_every_old_name_opens_predicts_and_trains_on_as_it_did():
    saved = json.loads(BY_HAND.with_suffix(".json").read_text(encoding="utf-8"))
    checkpoint = load_checkpoint(BY_HAND.read_bytes())
    assert checkpoint.experiment == Experiment(
        DataSpec(
            source="generator",
            name="sine",
            length=120,
            noise=0.1,
            seed=3,
            targets=("y",),
            features=("y",),
            seq_len=6,
            missing="forward_fill",
        ),
        ModelSpec(hidden_size=4, head="per_step", chrono_t_max=9, frozen=("bias_hh",), seed=1),
        TrainSpec(
            lr=0.01,
            batch_size=3,
            epochs=6,
            max_grad_norm=0.5,
            initial_state="stateful",
            seed=2,
            device="cpu",
            patience=0,
        ),
    )
    windows = make_windows(generate(checkpoint.experiment.data), checkpoint.experiment.data)
    windows = windows.with_scaler(checkpoint.scaler)
    predictions = predict(checkpoint.model(), windows, np.array(saved["starts"]))
    assert predictions.ravel() == pytest.approx(saved["predictions"], rel=1e-5)
    trainer = resume_trainer(checkpoint, windows)
    assert [next(trainer)["train_loss"] for _ in range(3)] == pytest.approx(saved["next_losses"], rel=1e-4)


def test_an_old_file_saved_again_is_of_format_2():
    checkpoint = load_checkpoint(BY_HAND.read_bytes())
    windows = make_windows(generate(checkpoint.experiment.data), checkpoint.experiment.data)
    data = save_checkpoint(resume_trainer(checkpoint, windows), checkpoint.curves)
    assert experiment_in(data)["format"] == 2
    assert load_checkpoint(data).experiment == checkpoint.experiment
