"""A model file: training goes on from it bit for bit, and whatever was done to it, loading is safe."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.data.windows import make_windows
from lstm_core.experiment import OPTIMIZERS, PlaygroundError
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint
from tests.conftest import examples
from tests.factories import CURVES, DROPS, flat_weights, labelled, open_up, saved, series, spec_of, trainer_of, wave

STEPS = 12  # of three epochs of four


@examples(40)
@given(
    st.sampled_from(OPTIMIZERS),
    st.integers(0, STEPS),
    st.sampled_from([{}, DROPS, {"head": "per_step", "bias": False}]),
    st.sampled_from([0.0, 0.9]),
    st.booleans(),
)
def test_training_goes_on_bit_for_bit_from_any_step(optimizer, stop, model, momentum, twice):
    settings = {"optimizer": optimizer, "momentum": momentum}
    straight = trainer_of(wave(), model, **settings)
    want = list(straight)
    checkpoint = load_checkpoint(saved(stop, None, model, **settings))
    again = resume_trainer(checkpoint, wave())
    if twice:  # saved again before anything was trained
        again = resume_trainer(load_checkpoint(save_checkpoint(again, checkpoint.curves)), wave())
    assert again.step == stop
    assert list(again) == want[stop:]
    assert torch.equal(flat_weights(again), flat_weights(straight))
    ours, theirs = again.early_stopping.weights_by_name, straight.early_stopping.weights_by_name
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_file_saved_again_is_the_same_file():
    data = saved(6)
    checkpoint = load_checkpoint(data)
    again = save_checkpoint(resume_trainer(checkpoint, wave()), checkpoint.curves)
    assert open_up(again) == open_up(data)


def test_a_run_that_stopped_early_stays_stopped():
    trainer = trainer_of(wave(), lr=1.0, max_grad_norm=0.0, epochs=50, patience=2)
    list(trainer)
    assert trainer.early_stopping.stopped_early
    again = resume_trainer(load_checkpoint(save_checkpoint(trainer, {})), wave())
    assert again.finished
    assert again.early_stopping.best_epoch == trainer.early_stopping.best_epoch
    assert again.evaluate("valid") == trainer.early_stopping.best_loss


def test_the_file_tells_all_that_was_trained():
    trainer = trainer_of(labelled())
    list(trainer)
    checkpoint = load_checkpoint(save_checkpoint(trainer, CURVES))
    assert checkpoint.experiment == trainer.experiment
    assert (checkpoint.input_size, checkpoint.output_size, checkpoint.classes) == (1, 2, ("down", "up"))
    assert checkpoint.curves == CURVES
    np.testing.assert_array_equal(checkpoint.scaler.x_center, trainer.windows.x_center)
    x = torch.from_numpy(trainer.windows.inputs(trainer.windows.starts["test"]))
    with torch.no_grad():
        assert torch.equal(checkpoint.model()(x), trainer.model.eval()(x))


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("model", [{}, {"num_layers": 2, "bidirectional": True, "proj_size": 2}])
def test_torchs_own_lstm_takes_the_weights_by_their_names(model):
    data = saved(2, None, model)
    tensors = safetensors.torch.load(data)
    own = {k: v for k, v in tensors.items() if not k.startswith(("head.", "state/"))}
    lstm = nn.LSTM(1, 6, batch_first=True, **model)
    lstm.load_state_dict(own)
    x = torch.randn(2, 5, 1, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(lstm(x)[0], load_checkpoint(data).model().lstm(x)[0])


def test_a_resumed_model_keeps_the_scale_that_it_was_trained_at():
    checkpoint = load_checkpoint(saved())
    other = wave(rows=70)
    assert not np.array_equal(other.x_center, checkpoint.scaler.x_center)
    again = resume_trainer(checkpoint, other)
    np.testing.assert_array_equal(again.windows.x_center, checkpoint.scaler.x_center)
    np.testing.assert_array_equal(again.windows.y_scale, checkpoint.scaler.y_scale)


def test_data_that_does_not_fit_is_refused():
    checkpoint = load_checkpoint(saved())
    for windows in (make_windows(series(90), spec_of()), wave(horizon=3), labelled()):
        with pytest.raises(PlaygroundError, match=r"reads 1 features and gives 1 outputs, but 'test.csv' gives"):
            resume_trainer(checkpoint, windows)
    named = load_checkpoint(saved(2, labelled()))
    with pytest.raises(PlaygroundError, match="or other classes"):
        resume_trainer(named, replace(labelled(), classes=("up", "down")))


# ---- damage


@pytest.mark.parametrize("model", [{"cell": "gru"}, {"cell": "rnn", "head": "per_step"}, DROPS | {"cell": "gru"}])
def test_a_gru_or_rnn_goes_on_bit_for_bit_under_its_own_names(model):
    straight = trainer_of(wave(), model)
    want = list(straight)
    data = saved(7, None, model)
    again = resume_trainer(load_checkpoint(data), wave())
    assert list(again) == want[7:]
    assert torch.equal(flat_weights(again), flat_weights(straight))
    kind = {"gru": nn.GRU, "rnn": nn.RNN}[model["cell"]]
    spec, tensors = again.experiment.model, safetensors.torch.load(data)
    recurrent = kind(
        again.windows.input_size,
        spec.hidden_size,
        num_layers=spec.num_layers,
        batch_first=True,
        bidirectional=spec.bidirectional,
    )
    recurrent.load_state_dict({name: tensors[name] for name in recurrent.state_dict()})
    checkpoint, x = load_checkpoint(data).model(), torch.randn(2, 5, again.windows.input_size)
    assert torch.equal(recurrent(x)[0], checkpoint.recurrent(x)[0])
