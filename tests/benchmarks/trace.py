"""What a trace costs beside the native kernel and beside the ways people use today.

    python -m tests.benchmarks.trace [seconds per shape]

All ways run in turn, round after round, so that a busy machine slows them alike; a time is the
lower quartile of its rounds, which other processes disturb less than the median. Every way but
native records i, f, g, o, c and h of every step.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from lstm_core.trace.gate_trace import trace_lstm

SHAPES = (  # batch, seq_len, input_size, hidden_size, num_layers
    (1, 50, 4, 16, 1),
    (1, 500, 8, 64, 2),
    (32, 100, 8, 64, 2),
    (32, 200, 16, 128, 2),
    (8, 1000, 16, 128, 1),
    (64, 28, 28, 128, 1),
    (2, 300, 3, 256, 1),
)


def cell(x: Tensor, h: Tensor, c: Tensor, w: list[Tensor]) -> tuple[Tensor, ...]:
    """One step as tutorials write it: i, f, g, o, c, h, each (batch, hidden_size)."""
    i, f, g, o = (F.linear(x, w[0], w[2]) + F.linear(h, w[1], w[3])).chunk(4, 1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * c + i * g
    return i, f, g, o, c, o * c.tanh()


def step_loop(lstm: nn.LSTM, x: Tensor) -> list[Tensor]:
    recorded = []
    for weights in lstm.all_weights:
        h = c = x.new_zeros(x.shape[1], lstm.hidden_size)
        steps = []
        for x_t in x:
            steps.append(cell(x_t, h, c, weights))
            c, h = steps[-1][4:]
        recorded.append([torch.stack(values) for values in zip(*steps, strict=True)])
        x = recorded[-1][5]
    return recorded


@torch.jit.script
def scripted_layer(x: Tensor, w_ih: Tensor, w_hh: Tensor, b_ih: Tensor, b_hh: Tensor) -> Tensor:
    h = torch.zeros([x.shape[1], w_hh.shape[1]], dtype=x.dtype, device=x.device)
    c = h
    steps: list[Tensor] = []
    for t in range(x.shape[0]):
        i, f, g, o = (F.linear(x[t], w_ih, b_ih) + F.linear(h, w_hh, b_hh)).chunk(4, 1)
        i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
        c = f * c + i * g
        h = o * c.tanh()
        steps.append(torch.stack([i, f, g, o, c, h]))
    return torch.stack(steps, 1)


def torchscript(lstm: nn.LSTM, x: Tensor) -> list[Tensor]:
    recorded = []
    for weights in lstm.all_weights:
        recorded.append(scripted_layer(x, *weights))
        x = recorded[-1][5]
    return recorded


def hooked_cells(lstm: nn.LSTM) -> Callable[[Tensor], list[Tensor]]:
    """nn.LSTMCell with a forward hook that works out the gates from the cell's inputs, as Captum
    users do."""
    cells, steps = [], []
    for weights in lstm.all_weights:
        cells.append(nn.LSTMCell(weights[0].shape[1], lstm.hidden_size).to(weights[0].device))
        for own, given in zip(cells[-1].parameters(), weights, strict=True):
            own.data = given.data

    def record(module: nn.LSTMCell, inputs: tuple, output: tuple[Tensor, Tensor]) -> None:
        x, (h, _) = inputs
        i, f, g, o = (
            F.linear(x, module.weight_ih, module.bias_ih) + F.linear(h, module.weight_hh, module.bias_hh)
        ).chunk(4, 1)
        steps.append((i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid(), output[1], output[0]))

    for module in cells:
        module.register_forward_hook(record)

    def run(x: Tensor) -> list[Tensor]:
        recorded = []
        for module in cells:
            h = c = x.new_zeros(x.shape[1], lstm.hidden_size)
            for x_t in x:
                h, c = module(x_t, (h, c))
            recorded.append([torch.stack(values) for values in zip(*steps, strict=True)])
            steps.clear()
            x = recorded[-1][5]
        return recorded

    return run


def ways_to_record(lstm: nn.LSTM, x: Tensor) -> dict[str, Callable[[], object]]:
    hooked = hooked_cells(lstm)
    return {
        "native": lambda: lstm(x),
        "trace": lambda: trace_lstm(lstm, x),
        "step loop": lambda: step_loop(lstm, x),
        "TorchScript": lambda: torchscript(lstm, x),
        "hooks": lambda: hooked(x),
    }


def measure(ways: dict[str, Callable[[], object]], device: str, seconds: float) -> dict[str, list[float]]:
    """Milliseconds of every way in every round; at least five rounds."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for way in [*ways.values()] * 2:
        way()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(times["native"]) < 5:
        for name, way in ways.items():
            if device == "cuda":
                torch.cuda.synchronize()
            start = time.perf_counter()
            way()
            if device == "cuda":
                torch.cuda.synchronize()
            times[name].append(1000 * (time.perf_counter() - start))
    return times


def lower_quartile(values: list[float]) -> float:
    return statistics.quantiles(values, n=4)[0]


@torch.no_grad()
def table(device: str, seconds: float) -> None:
    print(f"\n{device}, torch {torch.__version__}, {torch.get_num_threads()} threads; ms (ratio)")
    ratios: dict[str, list[float]] = {}
    for batch, seq_len, input_size, hidden_size, num_layers in SHAPES:
        lstm = nn.LSTM(input_size, hidden_size, num_layers, device=device).eval()
        x = torch.randn(seq_len, batch, input_size, device=device)
        times = measure(ways_to_record(lstm, x), device, seconds)
        line = f"{(batch, seq_len, input_size, hidden_size, num_layers)!s:24}"
        for name, values in times.items():
            ratio = lower_quartile(values) / lower_quartile(times["native"])
            ratios.setdefault(name, []).append(ratio)
            line += f" | {name} {lower_quartile(values):8.3f} ({ratio:5.2f}x)"
        print(line, flush=True)
    for name, values in ratios.items():
        mean = statistics.geometric_mean(values)
        print(f"{name:12} geometric mean {mean:5.2f}x, max {max(values):5.2f}x")


def main() -> None:
    warnings.filterwarnings("ignore", category=UserWarning)
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 4.0
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        table(device, seconds)


if __name__ == "__main__":
    main()
