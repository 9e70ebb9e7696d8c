"""The model that the playground trains: a plain nn.LSTM, nn.GRU or nn.RNN with a plain nn.Linear on top.

Nothing here is instrumented: tracing replays the trained weights (trace.py).
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from lstm_core.experiment import SATURATING_BIAS, ModelSpec, PlaygroundError

# Dropout between layers draws from torch's one global generator. Whoever trains with it holds this lock and puts the
# state back, so that concurrent runs stay reproducible from their own seeds.
_global_generator = threading.Lock()

State = Tensor | tuple[Tensor, Tensor]  # of nn.GRU and nn.RNN: h; of nn.LSTM: (h, c)


@contextmanager
def random_state(state: Tensor) -> Iterator[list[Tensor]]:
    """Run a block with torch's global CPU generator at `state`; the yielded list's item is the state after.

    A GPU's dropout draws from the GPU's own generator: there only runs without dropout repeat exactly.
    """
    after = [state]
    with _global_generator:
        outside = torch.get_rng_state()
        torch.set_rng_state(state)
        try:
            yield after
        finally:
            after[0] = torch.get_rng_state()
            torch.set_rng_state(outside)


def seeded_state(seed: int) -> Tensor:
    """The state of a fresh CPU generator with this seed."""
    return torch.Generator().manual_seed(seed).get_state()


class SequenceLSTM(nn.Module):
    """nn.LSTM, then nn.Linear on what it says: at the end, or at every step. Or nn.GRU or nn.RNN in its place.

    The recurrent module bears its cell's name, and so do its parameters: self.lstm, self.gru or self.rnn. For
    head "last" the head reads the top layer's h_n: for a bidirectional model the reverse half of output[:, -1]
    has seen one step only, h_n's has seen them all.
    """

    def __init__(self, spec: ModelSpec, input_size: int, output_size: int) -> None:
        super().__init__()
        self.spec = spec
        arguments = {
            "num_layers": spec.num_layers, "bias": spec.bias, "batch_first": spec.batch_first,
            # between layers, so it has nothing to act on in a single layer: PyTorch warns, the page explains
            "dropout": spec.dropout if spec.num_layers > 1 else 0.0,
            "bidirectional": spec.bidirectional,
        }  # fmt: skip
        if spec.proj_size:  # nn.GRU and nn.RNN take no such argument
            arguments["proj_size"] = spec.proj_size
        self.add_module(spec.cell, getattr(nn, spec.module_name)(input_size, spec.hidden_size, **arguments))
        self.head = nn.Linear(spec.num_directions * spec.h_size, output_size)

    @property
    def recurrent(self) -> nn.LSTM | nn.GRU | nn.RNN:
        """Whichever recurrent module it is."""
        return getattr(self, self.spec.cell)

    def forward(self, x: Tensor, state: State | None = None) -> Tensor:
        """x: (batch, seq_len, input_size), whatever batch_first says: the order is turned here.

        state: h_0 and, for nn.LSTM, c_0, each (num_layers · num_directions, batch, its size); None: zeros.
        Returns (batch, output_size) for head "last", (batch, seq_len, output_size) for head "per_step".
        """
        return self.go_on(x, state)[0]

    def go_on(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """The same, and the state after the last step, from which the next window can go on."""
        output, state = self.recurrent(self.lstm_input(x), state)
        if self.spec.head == "last":
            h_n = state[0] if self.spec.cell == "lstm" else state  # nn.LSTM's state is (h_n, c_n)
            top = h_n[-self.spec.num_directions :]  # (num_directions, batch, h_size)
            return self.head(top.transpose(0, 1).flatten(1)), state
        return self.head(output if self.spec.batch_first else output.transpose(0, 1)), state

    def lstm_input(self, x: Tensor) -> Tensor:
        """(batch, seq_len, input_size) in the order that self.recurrent takes."""
        return x if self.spec.batch_first else x.transpose(0, 1)


def build_model(spec: ModelSpec, input_size: int, output_size: int) -> SequenceLSTM:
    """A fresh model on the CPU, its weights drawn from spec.seed alone, whatever other threads draw meanwhile.

    PyTorch's own initialisation, of the recurrent module and of nn.Linear, from a generator of our own: the weights are those
    that torch.manual_seed(spec.seed) before the constructors gives.
    """
    with torch.device("meta"):
        model = SequenceLSTM(spec, input_size, output_size)
    model.to_empty(device="cpu")
    generator, bound = torch.Generator().manual_seed(spec.seed), 1 / math.sqrt(spec.hidden_size)
    for parameter in model.recurrent.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    nn.init.kaiming_uniform_(model.head.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(model.head.in_features)
    nn.init.uniform_(model.head.bias, -bound, bound, generator=generator)
    if spec.forget_bias is not None:
        set_forget_bias(model.lstm, spec.forget_bias)
    if spec.chrono_t_max is not None:
        set_chrono(model.lstm, spec.chrono_t_max, generator)
    hold(model)
    return model


def model_with(
    spec: ModelSpec, input_size: int, output_size: int, weights: dict[str, Tensor]
) -> SequenceLSTM:
    """A model in eval mode that holds these very tensors, by SequenceLSTM's names; nothing is drawn."""
    with torch.device("meta"):
        model = SequenceLSTM(spec, input_size, output_size)
    model.load_state_dict(weights, assign=True)
    return model.eval()


@torch.no_grad()
def set_forget_bias(lstm: nn.LSTM, value: float) -> None:
    """Let the forget gates of every layer and direction start with this bias (Gers et al. 2000).

    nn.LSTM adds two bias vectors: the value goes into bias_ih and bias_hh's share becomes 0.
    """
    hidden = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias"):
            parameter[hidden : 2 * hidden] = value if name.startswith("bias_ih") else 0.0


@torch.no_grad()
def set_chrono(lstm: nn.LSTM, t_max: int, generator: torch.Generator | None = None) -> None:
    """Let the units of every layer and direction start with memories of all lengths up to t_max steps.

    b_f = ln U(1, t_max − 1) and b_i = −b_f, of which a unit that forgets at the rate 1 − f = 1/T has T = 1 + e^b_f:
    Tallec & Ollivier (2018, "Can recurrent neural networks warp time?", arXiv 1804.11188, equation 16). As in
    set_forget_bias, the values go into bias_ih.
    """
    hidden = lstm.hidden_size
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_ih"):
            forget = torch.empty(hidden).uniform_(1, t_max - 1, generator=generator).log_()
            parameter[: 2 * hidden] = torch.cat([-forget, forget])
        elif name.startswith("bias_hh"):
            parameter[: 2 * hidden] = 0.0


@torch.no_grad()
def hold(model: SequenceLSTM) -> dict[str, Tensor]:
    """Give the parts of ModelSpec.frozen the values that they keep.

    Returns, by the parameters' names, bool masks in their shapes of what must never train; none where all does.

    Raises:
        PlaygroundError: the head is held, which then says h itself, but there are not as many outputs as h has
            numbers.
    """
    found = {}
    for name, parameter in model.named_parameters():
        value, held = _held(model.spec, name, parameter)
        if held.any():
            parameter.copy_(torch.where(held, value, parameter))
            found[name] = held
    return found


def _held(spec: ModelSpec, name: str, parameter: Tensor) -> tuple[Tensor, Tensor]:
    """(values, bool mask of those that are held), both in the parameter's shape."""
    value, held = torch.zeros_like(parameter), torch.zeros_like(parameter, dtype=torch.bool)
    kind = name.rpartition(".")[2]
    if name.startswith("head."):
        held[:] = "head" in spec.frozen
        if "head" in spec.frozen and kind == "weight":
            if parameter.shape[0] != parameter.shape[1]:
                raise PlaygroundError(
                    f"frozen keeps the head from changing h, but h has {parameter.shape[1]} numbers and the target "
                    f"{parameter.shape[0]}: choose a hidden_size or proj_size that fits, or let the head train."
                )
            value.fill_diagonal_(1.0)
        return value, held
    if "bias_hh" in spec.frozen and kind.startswith("bias_hh"):
        held[:] = True
    if "forget_gate" in spec.frozen and not kind.startswith("weight_hr"):
        rows = slice(spec.hidden_size, 2 * spec.hidden_size)
        held[rows] = True
        if kind.startswith("bias_ih"):
            value[rows] = SATURATING_BIAS
    return value, held


def devices() -> dict[str, str]:
    """What can be chosen as a device here: name → plain words, "auto" first."""
    found = {"cpu": "CPU"}
    for index in range(torch.cuda.device_count()):
        found[f"cuda:{index}"] = f"GPU {index}: {torch.cuda.get_device_name(index)}"
    if torch.backends.mps.is_available():
        found["mps"] = "Apple GPU"
    best = "cuda:0" if "cuda:0" in found else "mps" if "mps" in found else "cpu"
    return {"auto": f"auto ({found[best]})", **found}


def pick_device(name: str) -> torch.device:
    """The device behind a TrainSpec's name.

    Raises:
        PlaygroundError: this machine has no such device.
    """
    here = list(devices())
    if name == "auto":
        return torch.device("cuda:0" if "cuda:0" in here else "mps" if "mps" in here else "cpu")
    name = "cuda:0" if name == "cuda" else name
    if name not in here:
        raise PlaygroundError(f"This machine has no device {name}: choose one of {', '.join(here)}.")
    return torch.device(name)
