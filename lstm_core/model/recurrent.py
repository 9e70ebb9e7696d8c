"""The model that the playground trains: a plain nn.LSTM, nn.GRU or nn.RNN with a plain nn.Linear on top.

Nothing here is instrumented: tracing replays the trained weights (trace.py).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lstm_core.experiment import ModelSpec
from lstm_core.model.init import freeze, init_chrono, init_forget_bias

RNNState = Tensor | tuple[Tensor, Tensor]  # of nn.GRU and nn.RNN: h; of nn.LSTM: (h, c)


class SequenceModel(nn.Module):
    """nn.LSTM, then nn.Linear on what it says: at the end, or at every step. Or nn.GRU or nn.RNN in its place.

    The recurrent module bears its cell's name, and so do its parameters: self.lstm, self.gru or self.rnn. For
    head "last" the head reads the top layer's h_n: for a bidirectional model the reverse half of output[:, -1]
    has seen one step only, h_n's has seen them all.
    """

    def __init__(self, spec: ModelSpec, input_size: int, output_size: int) -> None:
        super().__init__()
        self.spec = spec
        arguments = {
            "num_layers": spec.num_layers,
            "bias": spec.bias,
            "batch_first": spec.batch_first,
            # between layers, so it has nothing to act on in a single layer: PyTorch warns, the page explains
            "dropout": spec.dropout if spec.num_layers > 1 else 0.0,
            "bidirectional": spec.bidirectional,
        }
        if spec.proj_size:  # nn.GRU and nn.RNN take no such argument
            arguments["proj_size"] = spec.proj_size
        self.add_module(spec.cell, getattr(nn, spec.module_name)(input_size, spec.hidden_size, **arguments))
        self.head = nn.Linear(spec.num_directions * spec.h_size, output_size)

    @property
    def recurrent(self) -> nn.LSTM | nn.GRU | nn.RNN:
        """Whichever recurrent module it is."""
        return getattr(self, self.spec.cell)

    def forward(self, x: Tensor, state: RNNState | None = None) -> Tensor:
        """x: (batch, seq_len, input_size), whatever batch_first says: the order is turned here.

        state: h_0 and, for nn.LSTM, c_0, each (num_layers · num_directions, batch, its size); None: zeros.
        Returns (batch, output_size) for head "last", (batch, seq_len, output_size) for head "per_step".
        """
        return self.forward_with_state(x, state)[0]

    def forward_with_state(self, x: Tensor, state: RNNState | None = None) -> tuple[Tensor, RNNState]:
        """The same, and the state after the last step, from which the next window can go on."""
        output, state = self.recurrent(self.to_module_layout(x), state)
        if self.spec.head == "last":
            h_n = state[0] if self.spec.cell == "lstm" else state  # nn.LSTM's state is (h_n, c_n)
            top = h_n[-self.spec.num_directions :]  # (num_directions, batch, h_size)
            return self.head(top.transpose(0, 1).flatten(1)), state
        return self.head(output if self.spec.batch_first else output.transpose(0, 1)), state

    def to_module_layout(self, x: Tensor) -> Tensor:
        """(batch, seq_len, input_size) in the order that self.recurrent takes."""
        return x if self.spec.batch_first else x.transpose(0, 1)


def build_model(spec: ModelSpec, input_size: int, output_size: int) -> SequenceModel:
    """A fresh model on the CPU, its weights drawn from spec.seed alone, whatever other threads draw meanwhile.

    PyTorch's own initialisation, of the recurrent module and of nn.Linear, from a generator of our own: the weights are those
    that torch.manual_seed(spec.seed) before the constructors gives.
    """
    with torch.device("meta"):
        model = SequenceModel(spec, input_size, output_size)
    model.to_empty(device="cpu")
    generator, bound = torch.Generator().manual_seed(spec.seed), 1 / math.sqrt(spec.hidden_size)
    for parameter in model.recurrent.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    nn.init.kaiming_uniform_(model.head.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(model.head.in_features)
    nn.init.uniform_(model.head.bias, -bound, bound, generator=generator)
    if spec.forget_bias is not None:
        init_forget_bias(model.lstm, spec.forget_bias)
    if spec.chrono_t_max is not None:
        init_chrono(model.lstm, spec.chrono_t_max, generator)
    freeze(model)
    return model


def model_from_weights(spec: ModelSpec, input_size: int, output_size: int, weights: dict[str, Tensor]) -> SequenceModel:
    """A model in eval mode that holds these very tensors, by SequenceModel's names; nothing is drawn."""
    with torch.device("meta"):
        model = SequenceModel(spec, input_size, output_size)
    model.load_state_dict(weights, assign=True)
    return model.eval()
