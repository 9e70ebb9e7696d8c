"""The Trainer against a training loop as PyTorch's own tutorials write it: the same weights, bit for bit."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from lstm_core.experiment import ModelSpec
from lstm_core.model.recurrent import build_model
from tests.factories import labelled, trainer_of, wave

EPOCHS = 4
# Name → (model, training); max_grad_norm 1e-3 clips at every step, 0.3 at some, 0 at none.
CONFIGURATIONS = {
    "Adam": ({"hidden_size": 8}, {"optimizer": "Adam"}),
    "odd sizes": ({"hidden_size": 13}, {"optimizer": "Adam", "max_grad_norm": 1e-3}),
    "clipped": ({"hidden_size": 16}, {"optimizer": "Adam", "max_grad_norm": 1e-3}),
    "clipped sometimes": ({"hidden_size": 16}, {"optimizer": "SGD", "lr": 0.05, "max_grad_norm": 0.3}),
    "not clipped": ({"hidden_size": 16}, {"optimizer": "SGD", "max_grad_norm": 0.0}),
    "AdamW": ({"hidden_size": 20}, {"optimizer": "AdamW", "weight_decay": 0.1, "max_grad_norm": 1e-3}),
    "RMSprop": ({"hidden_size": 7}, {"optimizer": "RMSprop", "max_grad_norm": 1e-3}),
    "weight decay": ({"hidden_size": 12}, {"optimizer": "SGD", "momentum": 0.5, "weight_decay": 0.01}),
    "deep": ({"hidden_size": 8, "num_layers": 2}, {"optimizer": "Adam", "max_grad_norm": 1e-3}),
    "bidirectional": ({"hidden_size": 9, "bidirectional": True}, {"optimizer": "Adam", "max_grad_norm": 1e-3}),
    "projected": ({"hidden_size": 12, "proj_size": 3}, {"optimizer": "AdamW", "max_grad_norm": 1e-3}),
    "without bias": ({"hidden_size": 10, "bias": False}, {"optimizer": "RMSprop", "max_grad_norm": 0.3}),
    "gru": ({"cell": "gru", "hidden_size": 11}, {"optimizer": "Adam", "max_grad_norm": 1e-3}),
    "absolute error": ({"hidden_size": 6}, {"optimizer": "Adam", "loss": "mae", "max_grad_norm": 1e-3}),
}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_plain_loop_ends_with_the_same_weights(name):
    model, train = CONFIGURATIONS[name]
    trainer = trainer_of(wave(), model=model, batch_size=16, epochs=EPOCHS, patience=0, **train)
    records = list(trainer)
    windows, spec = trainer.windows, trainer.experiment.model
    starts = windows.starts["train"]
    x = (windows.x[starts[:, None] + np.arange(windows.spec.seq_len)] - windows.x_center) * (1 / windows.x_scale)
    y = (windows.y[windows.target_rows(starts)] - windows.y_center) * (1 / windows.y_scale)
    x, y = torch.from_numpy(x).float(), torch.from_numpy(y).float()
    loss_of = F.l1_loss if trainer.loss_name == "mae" else F.mse_loss
    losses, plain = plain_loop(spec, trainer.spec, x, y.flatten(1), loss_of, records)
    assert [record["train_loss"] for record in records] == losses
    for (key, mine), theirs in zip(trainer.model.named_parameters(), plain, strict=True):
        assert torch.equal(mine, theirs), key


def test_a_plain_loop_over_classes_ends_with_the_same_weights():
    trainer = trainer_of(labelled(), model={"hidden_size": 9}, batch_size=16, epochs=EPOCHS, patience=0)
    records = list(trainer)
    windows, starts = trainer.windows, trainer.windows.starts["train"]
    x, y = torch.from_numpy(windows.inputs(starts)), torch.from_numpy(windows.targets(starts))
    losses, plain = plain_loop(trainer.experiment.model, trainer.spec, x, y, F.cross_entropy, records)
    assert [record["train_loss"] for record in records] == losses
    assert all(map(torch.equal, trainer.model.parameters(), plain))


def plain_loop(spec: ModelSpec, train, x, y, loss_of, records) -> tuple[list[float], list[torch.Tensor]]:
    """nn.LSTM or nn.GRU and nn.Linear, a standard optimiser, clip_grad_norm_; the losses and the weights at the end."""
    outputs = y.shape[1] if y.dtype == torch.float32 else int(y.max()) + 1
    start = build_model(spec, x.shape[2], outputs)
    module = getattr(nn, spec.module_name)
    options = {"proj_size": spec.proj_size} if spec.proj_size else {}
    lstm = module(x.shape[2], spec.hidden_size, spec.num_layers, spec.bias, True, 0.0, spec.bidirectional, **options)
    head = nn.Linear(spec.h_size * spec.num_directions, outputs)
    lstm.load_state_dict(start.recurrent.state_dict())
    head.load_state_dict(start.head.state_dict())
    parameters = [*lstm.parameters(), *head.parameters()]
    kind = getattr(torch.optim, train.optimizer)
    settings = {"lr": train.lr, "weight_decay": train.weight_decay}
    if train.optimizer != "RMSprop":
        settings["fused"] = True
    if train.optimizer == "SGD":
        settings["momentum"] = train.momentum
    optimizer = kind(parameters, **settings)
    generator = torch.Generator().manual_seed(train.seed)
    losses, clipped = [], 0
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(x), generator=generator).split(train.batch_size):
            h_n = lstm(x[batch])[1]
            h_n = h_n[0] if spec.cell == "lstm" else h_n
            last = torch.cat([h_n[-2], h_n[-1]], 1) if spec.bidirectional else h_n[-1]
            loss = loss_of(head(last), y[batch])
            optimizer.zero_grad()
            loss.backward()
            if train.max_grad_norm:
                clipped += bool(nn.utils.clip_grad_norm_(parameters, train.max_grad_norm) > train.max_grad_norm)
            optimizer.step()
            losses.append(loss.item())
    if train.max_grad_norm == 1e-3:
        assert clipped == len(losses) == len(records)
    return losses, parameters
