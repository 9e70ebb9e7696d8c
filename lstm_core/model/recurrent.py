"""SequenceModel: nn.LSTM, nn.GRU or nn.RNN with nn.Linear on top.

It has no hooks: the gates are computed afterwards from the trained weights (lstm_core.trace).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lstm_core.experiment import ModelSpec
from lstm_core.model.init import freeze, init_chrono, init_forget_bias

RNNState = Tensor | tuple[Tensor, Tensor]  # of nn.GRU and nn.RNN: h; of nn.LSTM: (h, c)


class SequenceModel(nn.Module):
    """nn.LSTM, nn.GRU or nn.RNN, then nn.Linear on its output at the last step or at every step.

    The recurrent module and its parameters are named after the cell: self.lstm, self.gru or self.rnn. With head
    "last" the head reads the top layer's h_n: in a bidirectional model the reverse half of output[:, -1] has
    processed a single step, that of h_n all of them. With ModelSpec.linear_skip a fixed self.skip, nn.Linear from the
    whole window, adds its answer; training/linear_skip.py fits it.
    """

    def __init__(self, spec: ModelSpec, input_size: int, output_size: int, seq_len: int = 0) -> None:
        """seq_len: steps of a window, which a linear skip alone needs to know."""
        super().__init__()
        self.spec, self.sizes = spec, (input_size, output_size, seq_len)
        arguments = {
            "num_layers": spec.num_layers,
            "bias": spec.bias,
            "batch_first": spec.batch_first,
            # applied between layers: for a single layer PyTorch would only warn, and the page explains it
            "dropout": spec.dropout if spec.num_layers > 1 else 0.0,
            "bidirectional": spec.bidirectional,
        }
        if spec.proj_size:  # nn.GRU and nn.RNN take no such argument
            arguments["proj_size"] = spec.proj_size
        self.add_module(spec.cell, getattr(nn, spec.module_name)(input_size, spec.hidden_size, **arguments))
        self.head = nn.Linear(spec.num_directions * spec.h_size, output_size)
        if spec.linear_skip:
            assert seq_len, "a linear skip reads windows of a known length"
            self.skip = nn.Linear(seq_len * input_size, output_size)

    @property
    def recurrent(self) -> nn.LSTM | nn.GRU | nn.RNN:
        """The recurrent module, whichever its cell."""
        return getattr(self, self.spec.cell)

    def forward(self, x: Tensor, state: RNNState | None = None) -> Tensor:
        """x: (batch, seq_len, input_size), whatever batch_first is: the axes are transposed here.

        state: h_0 and, for nn.LSTM, c_0, each (num_layers · num_directions, batch, its size); None: zeros.
        Returns (batch, output_size) for head "last", (batch, seq_len, output_size) for head "per_step".
        """
        return self.forward_with_state(x, state)[0]

    def forward_with_state(self, x: Tensor, state: RNNState | None = None) -> tuple[Tensor, RNNState]:
        """The output of forward, and the state after the last step, with which the next window can continue."""
        output, state = self.recurrent(self.to_module_layout(x), state)
        if self.spec.head == "last":
            h_n = state[0] if self.spec.cell == "lstm" else state  # nn.LSTM's state is (h_n, c_n)
            top = h_n[-self.spec.num_directions :]  # (num_directions, batch, h_size)
            outputs = self.head(top.transpose(0, 1).flatten(1))
            return (outputs + self.skip_outputs(x) if self.spec.linear_skip else outputs), state
        return self.head(output if self.spec.batch_first else output.transpose(0, 1)), state

    def skip_outputs(self, x: Tensor) -> Tensor:
        """What the linear skip alone answers to x (batch, steps, input_size): (batch, output_size).

        It reads the last seq_len steps; of a shorter window the steps before the first count as zeros.
        """
        flat = x.flatten(1)[:, -self.skip.in_features :]
        return F.linear(flat, self.skip.weight[:, self.skip.in_features - flat.shape[1] :], self.skip.bias)

    @property
    def uses_skip(self) -> bool:
        """Whether there is a linear skip that has not been left out."""
        return self.spec.linear_skip and any(bool(parameter.any()) for parameter in self.skip.parameters())

    def to_module_layout(self, x: Tensor) -> Tensor:
        """(batch, seq_len, input_size) in the axis order that self.recurrent takes."""
        return x if self.spec.batch_first else x.transpose(0, 1)


def build_model(spec: ModelSpec, input_size: int, output_size: int, seq_len: int = 0) -> SequenceModel:
    """A new model on the CPU, its weights drawn from spec.seed alone, independent of other threads.

    PyTorch's default initialisation with a generator of its own: the weights equal those that the constructors draw
    after torch.manual_seed(spec.seed). A linear skip is zero.
    """
    with torch.device("meta"):
        model = SequenceModel(spec, input_size, output_size, seq_len)
    model.to_empty(device="cpu")
    generator, bound = torch.Generator().manual_seed(spec.seed), 1 / math.sqrt(spec.hidden_size)
    for parameter in model.recurrent.parameters():
        nn.init.uniform_(parameter, -bound, bound, generator=generator)
    nn.init.kaiming_uniform_(model.head.weight, a=math.sqrt(5), generator=generator)
    bound = 1 / math.sqrt(model.head.in_features)
    nn.init.uniform_(model.head.bias, -bound, bound, generator=generator)
    if spec.zero_head:  # after the draws, so that the recurrent weights are the same with and without
        nn.init.zeros_(model.head.weight)
        nn.init.zeros_(model.head.bias)
    if spec.linear_skip:
        nn.init.zeros_(model.skip.weight)
        nn.init.zeros_(model.skip.bias)
    if spec.forget_bias is not None:
        init_forget_bias(model.lstm, spec.forget_bias)
    if spec.chrono_t_max is not None:
        init_chrono(model.lstm, spec.chrono_t_max, generator)
    freeze(model)
    return model


def model_from_weights(spec: ModelSpec, sizes: tuple[int, int, int], weights: dict[str, Tensor]) -> SequenceModel:
    """A model in eval mode with these tensors themselves as parameters, by SequenceModel's names; nothing is drawn.

    sizes: (input_size, output_size, seq_len), as SequenceModel.sizes and Windows.model_sizes have them.
    """
    with torch.device("meta"):
        model = SequenceModel(spec, *sizes)
    model.load_state_dict(weights, assign=True)
    return model.eval()
