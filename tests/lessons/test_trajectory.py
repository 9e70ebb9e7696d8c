"""Training from zeros, from drawn states and from carried ones; and the functions that show a state's life."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from torch import nn

from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError, TrainSpec
from lstm_core.lessons.catalog.tutorials.state_carryover.trajectory import (
    STATE_MODES,
    backward_twice,
    call_shapes,
    default_state_is_zero,
    error_by_step,
    state_trajectory,
)
from lstm_core.lessons.runs import load_windows
from lstm_core.model.recurrent import build_model
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer, save_checkpoint, signed
from lstm_core.training.stateful import random_initial_state
from lstm_core.training.trainer import Trainer
from tests.factories import flat_weights, refused, trainer_of, wave

ROWS, SEQ_LEN = 4, 5
CELLS = ({}, {"num_layers": 2, "dropout": 0.3}, {"cell": "gru"}, {"cell": "rnn", "head": "per_step"})


def carried(model: dict | None = None, rows: int = 130, **train) -> Trainer:
    return trainer_of(wave(rows, seq_len=SEQ_LEN), model, initial_state="stateful", batch_size=ROWS, **train)


def echo(state: str, model: dict | None = None, **train) -> Trainer:
    data = DataSpec("generator", "echo", length=900, seq_len=5, n_features=2, noise=0.0, horizon=0, scaling="none")
    _, windows = load_windows(data)
    spec = ModelSpec(**({"hidden_size": 8, "num_layers": 2, "head": "per_step"} | (model or {})))
    train = TrainSpec(**({"batch_size": 8, "epochs": 3, "lr": 0.02, "device": "cpu", "initial_state": state} | train))
    return Trainer(windows, Experiment(windows.spec, spec, train))


# ---- carried


def test_pieces_of_a_stream_are_the_uncut_sequence():
    """nn.LSTM over the whole stream says what the trainer's carried batches say, piece for piece."""
    trainer = carried({"head": "per_step", "num_layers": 2})
    order, model = trainer._training_order(), trainer.model
    pieces = []
    for index in range(order.steps):
        x, _ = order.batch(index)
        with torch.no_grad():
            predictions, state = model.forward_with_state(x, order.initial_state(index))
        order.record_state(state)
        pieces.append((x, predictions))
    assert len(pieces) > 3
    whole, cut = (torch.cat(parts, dim=1) for parts in zip(*pieces, strict=True))
    starts = trainer.starts["train"][0] + torch.arange(whole.shape[1])
    assert torch.equal(whole[0], torch.from_numpy(trainer.windows.scaled_x)[starts])
    with torch.no_grad():
        output, (h_n, c_n) = model.lstm(whole)  # no h_0: zeros, once
        torch.testing.assert_close(cut, model.head(output), rtol=0, atol=1e-6)
    for kept, want in zip(state, (h_n, c_n), strict=True):
        torch.testing.assert_close(kept, want, rtol=0, atol=1e-6)


def bare_carried(trainer: Trainer) -> nn.Module:
    """Truncated backpropagation through time as a student writes it, by rows of the table."""
    windows, spec = trainer.windows, trainer.spec
    model = build_model(trainer.experiment.model, windows.input_size, windows.output_size)
    optimizer = torch.optim.Adam(model.parameters(), lr=spec.lr)
    first = windows.starts["train"][::SEQ_LEN]
    steps = len(first) // ROWS
    first = first[: steps * ROWS].reshape(ROWS, steps)
    for _ in range(spec.epochs):
        state = None
        for k in range(steps):
            x = torch.from_numpy(windows.inputs(first[:, k]))
            expected = torch.from_numpy(
                (windows.targets(first[:, k])[..., 0] - windows.y_center) / windows.y_scale
            ).float()
            output, state = model.lstm(x, state)
            state = tuple(tensor.detach() for tensor in state)
            loss = (model.head(output[:, -1]) - expected).square().mean()
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), spec.max_grad_norm)
            optimizer.step()
    return model


def test_it_trains_as_a_bare_loop_with_detach_does():
    trainer = carried()
    want = bare_carried(trainer)
    list(trainer)
    for a, b in zip(trainer.model.parameters(), want.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=2e-6)


@pytest.mark.parametrize("model", CELLS)
def test_training_goes_on_bit_for_bit_from_any_step(model):
    straight = carried(model)
    want = list(straight)
    assert straight.steps_per_epoch == 4
    for stop in range(len(want) + 1):
        trainer = carried(model)
        for _ in range(stop):
            next(trainer)
        result = load_checkpoint(save_checkpoint(trainer, {}))
        assert ("carried/h" in result.state) == (stop % 4 > 0)
        again = resume_trainer(result, trainer.windows)
        assert list(again) == want[stop:]
        assert torch.equal(flat_weights(again), flat_weights(straight))


def test_a_carried_state_that_does_not_fit_is_refused():
    trainer = carried()
    next(trainer)
    good = save_checkpoint(trainer, {})
    assert "carried/h should be F32 of shape (1, 3, 6)" in refused(saying(good, batch_size=3))
    assert "order is missing" in refused(saying(good, initial_state="zero"))


def saying(data: bytes, **train) -> bytes:
    """The file with other settings of training in its header."""
    size = int.from_bytes(data[:8], "little")
    top = json.loads(data[8 : 8 + size])
    about = json.loads(top["__metadata__"]["playground"])
    about["experiment"]["train"].update(train)
    about["digest"] = "0" * 64
    top["__metadata__"]["playground"] = json.dumps(about)
    head = json.dumps(top, separators=(",", ":")).encode()
    return signed(len(head).to_bytes(8, "little") + head + data[8 + size :])


def test_its_windows_are_a_fifth_and_the_epoch_as_much_shorter():
    zero, other = echo("zero"), echo("stateful")
    assert (len(zero.starts["train"]), zero.steps_per_epoch, other.steps_per_epoch) == (626, 79, 15)


def test_evaluating_disturbs_no_stream():
    plain, judged = carried(), carried()
    for _ in plain:
        next(judged)
        judged.evaluate("valid"), judged.evaluate("test")
    assert torch.equal(flat_weights(plain), flat_weights(judged))


def test_evaluate_goes_along_the_validation_part_as_training_does():
    trainer = echo("stateful")
    list(trainer)
    first = torch.from_numpy(trainer.windows.starts["valid"][::5])
    rows = len(first) // trainer.steps_per_epoch
    steps = len(first) // rows
    errors, state = [], None
    for starts in first[: steps * rows].view(rows, steps).T:
        with torch.no_grad():
            predictions, state = trainer.model.forward_with_state(trainer.batches.inputs(starts), state)
        errors.append((predictions - trainer.batches.targets(starts)).square().numpy())
    assert trainer.evaluate("valid") == pytest.approx(np.nanmean(errors), rel=1e-5)


def test_it_learns_what_a_window_alone_cannot_tell():
    trainer = echo("stateful", epochs=20)
    *_, last = trainer
    assert last["valid_loss"] < 0.2  # 0.6 is the best from zeros
    errors = error_by_step(trainer.model.eval(), trainer.windows, trainer.spec)
    assert errors.shape == (5,) and errors[:3].max() < 0.4  # 1 is always saying 0
    zero = TrainSpec(batch_size=8, initial_state="zero")
    forgets = error_by_step(trainer.model, trainer.windows, zero)
    assert forgets[:3].min() > 0.5 and forgets[3:].max() < 0.5


def test_what_cannot_be_carried_is_refused_before_training():
    with pytest.raises(PlaygroundError, match="the model is bidirectional"):
        carried({"bidirectional": True})
    with pytest.raises(PlaygroundError, match="fewer than batch_size 4"):
        carried(rows=26)


# ---- random


@pytest.mark.parametrize("model", CELLS[:3])
def test_drawn_states_come_from_the_seed_and_resume_bit_for_bit(model):
    def fresh(**train) -> Trainer:
        return trainer_of(wave(), model, initial_state="random", **train)

    straight, again, other = fresh(), fresh(), fresh(seed=5)
    want = list(straight)
    torch.rand(3)
    assert list(again) == want
    list(other)
    assert torch.equal(flat_weights(again), flat_weights(straight))
    assert not torch.equal(flat_weights(other), flat_weights(straight))
    half = fresh()
    for _ in range(6):
        next(half)
    resumed = resume_trainer(load_checkpoint(save_checkpoint(half, {})), half.windows)
    assert list(resumed) == want[6:]
    assert torch.equal(flat_weights(resumed), flat_weights(straight))


def test_every_batch_has_a_draw_of_its_own():
    trainer = trainer_of(wave(), initial_state="random")
    seen = []
    go_on = trainer.model.forward_with_state
    trainer.model.forward_with_state = lambda x, state: seen.append(state[0].clone()) or go_on(x, state)
    for _ in range(trainer.steps_per_epoch):
        next(trainer)
    first, *seen = seen
    assert torch.equal(first, seen[-1])  # validation has the same draw before the first epoch and after it
    assert len({tensor.numpy().tobytes() for tensor in seen}) == len(seen) == 5  # four batches and the validation's
    assert all(tensor.shape[0] == 1 and tensor.shape[2] == 6 for tensor in seen)


def test_a_validation_loss_with_drawn_states_is_one_number():
    trainer = trainer_of(wave(), initial_state="random")
    assert trainer.evaluate("valid") == trainer.evaluate("valid")
    assert trainer.evaluate("valid") != trainer_of(wave()).evaluate("valid")


def test_a_file_from_before_there_was_a_choice_begins_at_zeros():
    about = json.loads(Experiment().to_json())
    del about["train"]["initial_state"]
    assert Experiment.from_json(json.dumps(about)).train.initial_state == "zero"
    with pytest.raises(PlaygroundError, match="initial_state is 'kept': choose one of zero, random, stateful"):
        TrainSpec(initial_state="kept")


# ---- the state's life


@pytest.fixture(scope="module")
def model() -> nn.Module:
    return build_model(ModelSpec(hidden_size=20, num_layers=2, head="per_step"), 10, 1).eval()


@pytest.fixture(scope="module")
def x() -> torch.Tensor:
    return torch.randn(3, 5, 10, generator=torch.Generator().manual_seed(0))


def test_each_way_begins_a_window_as_it_says(model, x):
    lives = {way: state_trajectory(model, x, way, seed=4) for way in STATE_MODES}
    for values in lives.values():
        assert values.h.shape == values.c.shape == (3, 6, 20)
        assert values.predictions.shape == (3, 5) and values.input_gradient_norm.shape == (15,)
    assert not lives["zero"].h[:, 0].any() and not lives["zero"].c[:, 0].any()
    for k in range(3):
        h, c = random_initial_state(model.spec, 1, (4, k), torch.device("cpu"))
        np.testing.assert_array_equal(lives["random"].h[k, 0], h[-1, 0])
        np.testing.assert_array_equal(lives["random"].c[k, 0], c[-1, 0])
    for way in ("carried", "not detached"):
        np.testing.assert_allclose(lives[way].h[1:, 0], lives[way].h[:-1, -1], atol=1e-6)  # native beside replayed
        np.testing.assert_allclose(lives[way].c[1:, 0], lives[way].c[:-1, -1], atol=1e-6)


def test_carried_windows_are_the_uncut_sequence(model, x):
    result = state_trajectory(model, x, "carried")
    with torch.no_grad():
        trace = trace_lstm(model.lstm, x.view(1, 15, 10))
        predictions = model(x.view(1, 15, 10))
    np.testing.assert_allclose(result.h[:, 1:].reshape(15, 20), trace.h[-1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(result.c[:, 1:].reshape(15, 20), trace.c[-1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(result.predictions.ravel(), predictions.ravel(), atol=1e-6)


def test_detaching_keeps_the_numbers_and_cuts_the_gradient(model, x):
    cut, whole = (state_trajectory(model, x, way) for way in ("carried", "not detached"))
    np.testing.assert_array_equal(cut.h, whole.h)
    np.testing.assert_array_equal(cut.predictions, whole.predictions)
    assert not cut.input_gradient_norm[:10].any()
    assert (whole.input_gradient_norm[:11] > 0).all()
    assert cut.input_gradient_norm[10] == whole.input_gradient_norm[10] > 0
    for values in (cut, whole):
        assert not values.input_gradient_norm[11:].any()  # an answer owes nothing to what comes later


def test_the_second_backward_without_detach_is_pytorchs_own_error(model, x):
    before = flat(model)
    assert backward_twice(model, x[:2], detach=True) == backward_twice(model, x[:2], True, retain_graph=True) == ""
    error = backward_twice(model, x[:2], detach=False)
    assert error.startswith("Trying to backward through the graph a second time")
    error = backward_twice(model, x[:2], detach=False, retain_graph=True)
    assert error.startswith("one of the variables needed for gradient computation has been modified by an inplace")
    assert torch.equal(flat(model), before)


def flat(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_batch_first_turns_the_input_and_never_the_state(model):
    first, second = (call_shapes(model.lstm, 16, 5, batch_first) for batch_first in (True, False))
    assert (first["input"], second["input"]) == ((16, 5, 10), (5, 16, 10))
    assert (first["output"], second["output"]) == ((16, 5, 20), (5, 16, 20))
    for name in ("h_0", "c_0", "h_n", "c_n"):
        assert first[name] == second[name] == (2, 16, 20)
    assert model.lstm.batch_first


def test_a_state_left_out_is_zeros_to_the_last_bit(model, x):
    assert default_state_is_zero(model.lstm, x)
