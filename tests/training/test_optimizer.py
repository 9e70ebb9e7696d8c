"""One flat vector behind a model's parameters, and the optimiser's state by name."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from torch import nn

from lstm_core.architecture.shapes import optimizer_shapes
from lstm_core.experiment import OPTIMIZERS, ModelSpec, TrainSpec
from lstm_core.model.recurrent import build_model
from lstm_core.training.optimizer import (
    flatten_parameters,
    load_optimizer_state,
    make_optimizer,
    optimizer_state_by_name,
    unflatten,
)
from tests.conftest import examples
from tests.factories import model_specs

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")


def stepped(spec: TrainSpec, flat: bool, steps: int = 3):
    """(model, optimizer) after some steps, on one flat parameter or on the model's own."""
    model = build_model(ModelSpec(hidden_size=4, num_layers=2), 3, 2)
    optimizer = make_optimizer(spec, flatten_parameters(model) if flat else list(model.parameters()))
    for _ in range(steps):
        step(model, optimizer)
    return model, optimizer


def step(model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    x = torch.randn(5, 6, 3, generator=torch.Generator().manual_seed(2))
    for p in model.parameters():
        if p.grad is not None:
            p.grad.zero_()
    model(x).square().mean().backward()
    optimizer.step()


@examples(40)
@given(model_specs())
def test_the_models_parameters_are_pieces_of_few_vectors(spec):
    model = build_model(spec, 3, 2)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    x = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(0))
    vectors = flatten_parameters(model)
    assert sum(flat.numel() for flat in vectors) == sum(p.numel() for p in before.values())
    if spec.cell == "lstm" and spec.hidden_size % 4 == 0 and not spec.proj_size:
        assert len(vectors) <= 2  # all of the LSTM fills whole vectors of the CPU
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name])
    model.train(spec.num_layers == 1).forward(x).sum().backward()
    gradients = torch.cat([flat.grad.flatten() for flat in vectors])
    assert torch.equal(gradients, torch.cat([p.grad.flatten() for p in model.parameters()]))
    with torch.no_grad():
        for flat in vectors:
            flat.add_(1.0)
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name] + 1)


def test_pieces_are_views():
    parameters = [nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(4))]
    flat = torch.arange(10.0)
    parts = unflatten(flat, parameters)
    assert [tuple(piece.shape) for piece in parts] == [(2, 3), (4,)]
    parts[1][0] = -1
    assert flat[6] == -1


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_the_optimiser_is_pytorchs_own_with_these_settings(optimizer):
    spec = TrainSpec(optimizer=optimizer, lr=0.25, weight_decay=0.125, momentum=0.5)
    made = make_optimizer(spec, [nn.Parameter(torch.zeros(2))])
    assert type(made) is getattr(torch.optim, optimizer)
    assert (made.defaults["lr"], made.defaults["weight_decay"]) == (0.25, 0.125)
    assert made.defaults.get("momentum", 0) == {"SGD": 0.5}.get(optimizer, 0)


KINDS = [TrainSpec(optimizer=name) for name in OPTIMIZERS] + [TrainSpec(optimizer="SGD", momentum=0.0)]


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: f"{spec.optimizer}-{spec.momentum}")
@pytest.mark.parametrize("flat", [True, False])
def test_state_has_the_names_and_shapes_that_are_promised(spec, flat):
    model, optimizer = stepped(spec, flat)
    state = optimizer_state_by_name(optimizer, model)
    assert {name: list(value.shape) for name, value in state.items()} == optimizer_shapes(
        spec, {name: list(p.shape) for name, p in model.named_parameters()}
    )
    assert all(value.dtype == torch.float32 for value in state.values())
    assert optimizer_state_by_name(*reversed(stepped(spec, flat, steps=0))) == {}


@pytest.mark.parametrize("spec", KINDS, ids=lambda spec: f"{spec.optimizer}-{spec.momentum}")
@pytest.mark.parametrize("source", [True, False])
@pytest.mark.parametrize("target", [True, False])
def test_state_goes_on_in_either_layout(spec, source, target):
    model, optimizer = stepped(spec, source)
    twin, twin_optimizer = stepped(spec, target, steps=0)
    twin.load_state_dict(model.state_dict())
    load_optimizer_state(twin_optimizer, twin, optimizer_state_by_name(optimizer, model))
    for _ in range(3):
        step(model, optimizer), step(twin, twin_optimizer)
    for a, b in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0 if source == target else 1e-7)


def test_named_state_is_a_copy():
    model, optimizer = stepped(TrainSpec(), flat=True)
    state = optimizer_state_by_name(optimizer, model)
    before = {name: value.clone() for name, value in state.items()}
    step(model, optimizer)
    assert all(torch.equal(state[name], before[name]) for name in state)
