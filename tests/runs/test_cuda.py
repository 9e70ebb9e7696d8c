"""On a real card: cuDNN's steps are what the trace says, and runs there train, die, resume and run out of memory."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id
from lstm_core.trace import trace_lstm
from lstm_core.training.checkpoint import load_checkpoint
from tests.factories import TABLE, trainer_of
from tests.runs.conftest import WINDOWS
from tests.runs.sessions import TRAIN, killed_at, train, weights

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA card on this machine")
CARD, EPOCHS = "cuda:0", 40  # of four steps


def new_folder(**train_fields) -> RunFolder:
    made = RunFolder(home() / "runs" / new_id())
    made.create(trainer_of(WINDOWS, epochs=EPOCHS, device=CARD, **train_fields).experiment, TABLE, {})
    return made


@pytest.mark.filterwarnings("error")  # cuDNN's of weights that lie apart
@pytest.mark.parametrize(("is_rounded", "tolerance"), [(False, 1e-5), (True, 1e-3)])
@pytest.mark.parametrize("proj_size", [0, 5])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_every_step_of_cudnn_is_in_the_trace(
    proj_size: int, bidirectional: bool, is_rounded: bool, tolerance: float, monkeypatch
):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", is_rounded)
    torch.manual_seed(0)
    lstm = nn.LSTM(3, 24, 2, batch_first=True, bidirectional=bidirectional, proj_size=proj_size).to(CARD)
    x = torch.randn(7, 40, 3, device=CARD)
    trace = trace_lstm(lstm, x)
    assert trace.max_difference < tolerance
    with torch.no_grad():
        output, (h_n, c_n) = lstm(x)
        for mine, native in ((trace.output, output), (trace.h_n, h_n), (trace.c_n, c_n)):
            assert torch.allclose(mine, native, rtol=0, atol=1e-5)
        for step in (1, 17, 39):  # the forward direction's c_t, from a run that ends there
            _, (_, c_t) = lstm(x[:, :step])
            forward = c_t.unflatten(0, (2, -1))[0, 0]
            assert torch.allclose(trace.c[0, 0, :, step - 1], forward, rtol=0, atol=tolerance)


def test_a_card_trains_in_full_float32_as_the_processor_does():
    card, processor = (trainer_of(WINDOWS, epochs=3, device=device) for device in (CARD, "cpu"))
    for on_card, on_processor in zip(card, processor, strict=True):
        assert on_card["train_loss"] == pytest.approx(on_processor["train_loss"], rel=1e-4)
    assert not torch.backends.cudnn.allow_tf32


def test_a_run_killed_on_the_card_goes_on_to_the_same_weights(monkeypatch):
    straight, broken = new_folder(), new_folder()
    train(straight, TRAIN)
    killed_at(broken, 57, monkeypatch, TRAIN)
    train(broken)
    for name, values in weights(straight).items():
        assert np.allclose(values, weights(broken)[name], rtol=0, atol=1e-4), name


def test_a_full_card_pauses_the_run_at_its_last_checkpoint_with_one_sentence():
    folder = new_folder()
    train(folder, ("train", {"steps": 20}))
    torch.cuda.empty_cache()
    taken = torch.empty(int(0.999 * torch.cuda.mem_get_info()[0]), dtype=torch.uint8, device=CARD)
    torch.cuda.set_per_process_memory_fraction(torch.cuda.memory_reserved() / torch.cuda.mem_get_info()[1])
    try:
        train(folder, TRAIN)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        del taken
        torch.cuda.empty_cache()
    status = folder.status()
    assert (status["status"], status["step"]) == ("paused", 20)
    assert status["message"].startswith("The device ran out of memory: paused at step 20.")
    assert load_checkpoint(folder.file("state.safetensors").read_bytes()).progress["step"] == 20
    train(folder, TRAIN)
    assert folder.status()["status"] == "finished"
