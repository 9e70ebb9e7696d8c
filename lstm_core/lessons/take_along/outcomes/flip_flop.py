"""Of the lesson on the flip-flop: where the state rests, found as lstm_core/analysis/fixed_points does it."""

from __future__ import annotations

import torch

from lstm_core.analysis.fixed_points.search import FAR, MAX_Q, NOISE, SAME, minimise
from lstm_core.lessons.take_along.outcomes.common import outputs_of

SEARCH_STARTS = 512  # states
SILENT_WINDOWS, SILENT_STEPS = 64, 300


def silent_step(lstm):  # of states (n, 2 hidden_size), h and c side by side, where the input is zero; in float64
    weight = lstm.weight_hh_l0.detach().double()
    bias = (lstm.bias_ih_l0.detach().double() + lstm.bias_hh_l0.detach().double()).unflatten(0, (4, -1))

    def gates(h):  # i, f, g, o and 1 - f
        i, f, g, o = ((h @ weight.T).unflatten(-1, (4, -1)) + bias).unbind(-2)
        return i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid(), (-f).sigmoid()

    def step(states):
        h, c = states.chunk(2, dim=-1)
        i, f, g, o, _ = gates(h)
        c = f * c + i * g
        return torch.cat([o * c.tanh(), c], dim=-1)

    def resting(h):  # with the c that stays if h does
        i, _, g, _, not_f = gates(h)
        return torch.cat([h, i * g / not_f], dim=-1)

    return step, resting


def resting_states(lstm, states):  # all that a search from so many states finds, and the eigenvalues there
    step, resting = silent_step(lstm)
    size, generator = lstm.hidden_size, torch.Generator().manual_seed(0)
    drawn = states[torch.randint(len(states), (SEARCH_STARTS,), generator=generator)]
    drawn = drawn + NOISE * torch.randn(drawn.shape, generator=generator, dtype=torch.float64)

    def residual(h):  # zero where h stays
        return step(resting(h))[..., :size] - h

    jacobian = torch.func.vmap(torch.func.jacrev(residual))
    found = resting(minimise(residual, jacobian, drawn[:, :size].clamp(-1, 1)))
    limit = FAR * max(1.0, states[:, size:].abs().max().item())
    found = found[(found[:, size:].abs() <= limit).all(dim=1)]
    speed = 0.5 * (step(found) - found).square().sum(dim=1)
    found, speed = found[speed < MAX_Q], speed[speed < MAX_Q]
    found, points = found[speed.argsort()], []
    while len(found):
        points.append(found[0])
        found = found[(found - found[0]).abs().amax(dim=1) >= SAME]
    points = torch.stack(points) if points else torch.empty(0, 2 * size, dtype=torch.float64)
    return points, torch.linalg.eigvals(torch.func.vmap(torch.func.jacrev(step))(points)) if len(points) else points


@torch.no_grad()
def states_along(lstm, inputs):  # (windows · steps, 2 hidden_size): h and c after every step
    state, states = None, []
    for x in inputs.split(1, dim=1):
        _, state = lstm(x, state)
        states.append(torch.cat([state[0][-1], state[1][-1]], dim=1))
    return torch.stack(states, dim=1).flatten(0, 1).double()


@torch.no_grad()
def flip_flop_outcome(trained):
    run = trained["lstm"]
    inputs, bits = run.batch_of(run.starts["test"])
    bits = bits.flatten(2)  # (windows, steps, bits)
    points, eigenvalues = resting_states(run.model.lstm, states_along(run.model.lstm, inputs))
    is_stable = (eigenvalues.abs() < 1).all(dim=1)
    answers = run.model.head(points[is_stable][:, : run.model.lstm.hidden_size].float()).sign().int().tolist()
    silence = torch.zeros(SILENT_WINDOWS, SILENT_STEPS, inputs.shape[2])
    inputs, last = inputs[:SILENT_WINDOWS], bits[:SILENT_WINDOWS, -1]
    later = run.model(torch.cat([inputs, silence[: len(inputs)]], dim=1))[:, -1]
    figures = {
        "stable": len(answers),
        "combinations": len(set(map(tuple, answers))),
        "saddles": len(points) - len(answers),
    }
    figures |= {"wrong": (outputs_of(run, "test").sign() != bits).sum().item()}
    figures |= {"held": (later.sign() == last).double().mean().item()}
    return {name: float(value) for name, value in figures.items()}
