"""Advice on a configuration: settings that have no effect, do harm, or act differently than one may expect."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from lstm_core.experiment import DataSpec, ModelSpec


@dataclass(frozen=True)
class Advice:
    """Text about one setting. level "info": good to know; "warning": no effect or poor choice; "error": harmful."""

    level: str
    text: str


info, warning, error = (partial(Advice, level) for level in ("info", "warning", "error"))


def advise(data: DataSpec, spec: ModelSpec, task: str) -> list[Advice]:
    """All advice that applies to this configuration.

    task: "regression" or "classification", as in Windows.task. With a horizon above 0 the model forecasts.
    """
    rules = (_on_cell, _on_dropout, _on_directions, _on_sizes, _on_length, _on_bias, _on_skip)
    items = [item for rule in rules for item in rule(data, spec, task)]
    order = "(batch, seq_len, …)" if spec.batch_first else "(seq_len, batch, …)"
    states = "h_0, c_0, h_n and c_n" if spec.cell == "lstm" else "h_0 and h_n"
    layout = (
        f"batch_first={spec.batch_first}: input and output are {order}; {states} keep their shapes, with batch second. "
        "The playground transposes its batches to match, so results do not change."
    )
    return [*items, info(layout)]


def _on_cell(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if spec.cell == "gru":
        yield info(
            "A GRU has no cell state: h is also its memory. The update gate z sets how much of h is kept, the reset "
            "gate r how much of h the candidate n reads. It has three quarters of an LSTM's weights."
        )
    elif spec.cell == "rnn":
        yield info(
            "A plain RNN has no gates: all of h is overwritten at every step, and nothing protects what it has stored. "
            "Over long windows its gradients tend to vanish or explode. It has a quarter of an LSTM's weights."
        )
    if spec.cell != "lstm":
        yield info(
            f"On the CPU PyTorch runs nn.{spec.module_name} step by step, without the fused kernel of nn.LSTM: it may "
            "train more slowly, although it computes less."
        )


def _on_dropout(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if not spec.dropout:
        return
    if spec.num_layers == 1:
        yield warning(
            "dropout has no effect with num_layers 1: it is applied between layers only (PyTorch warns about this). "
            "Add a layer, or set dropout to 0."
        )
    elif spec.dropout == 1:
        yield error(
            "dropout 1 zeroes the whole output of every layer below the top during training: those layers never learn. "
            "Set it to 0.5 or less."
        )
    elif spec.dropout > 0.5:
        yield warning(
            f"dropout {spec.dropout:g} zeroes {100 * spec.dropout:.3g}\u202f% of each layer's output during training: "
            "expect slow, noisy learning. 0.1 to 0.5 is usual."
        )


def _on_directions(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if not spec.bidirectional:
        return
    forecasting = data.horizon > 0
    if spec.head == "per_step" and forecasting and data.seq_len > 1:
        yield error(
            "bidirectional with a prediction at every step leaks the future: at step t the reverse direction has "
            "already read the rows after t, including those to be predicted. Predict at the last step only, or use one "
            "direction."
        )
    elif spec.head == "per_step":
        yield info(
            "bidirectional with a prediction at every step: each prediction also depends on the rows after it. That is "
            "valid only if the whole sequence is available before a prediction is needed."
        )
    elif forecasting:
        yield info(
            "bidirectional does not leak here: both directions read only rows of the window, all in the past. It "
            "doubles the cost and seldom improves a forecast."
        )
    elif task == "classification":
        yield info("bidirectional suits sequence classification: the sequence is read from both ends.")
    if spec.head == "last" and data.seq_len > 1:
        yield info(
            "The head reads h_n, not output[:, -1]: there the reverse half has processed a single step, in h_n all "
            "of them."
        )


def _on_sizes(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if spec.hidden_size == 1:
        yield warning(
            "hidden_size 1 is a memory of a single number: good for studying the gates, too small for most series."
        )
    if spec.proj_size:
        yield info(
            f"proj_size {spec.proj_size}: h has size {spec.proj_size} and c keeps size {spec.hidden_size}; weight_hr "
            "projects the hidden state to the smaller size. On the CPU PyTorch has no fused kernel for projections, so "
            "training is slower and takes more memory."
        )


def _on_length(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if data.seq_len == 1:
        unused = {
            "lstm": "h_0 and c_0 are zero, so the forget gate and weight_hh have no effect",
            "gru": "h_0 is zero, so weight_hh has no effect",
            "rnn": "h_0 is zero, so weight_hh has no effect",
        }[spec.cell]
        yield warning(f"seq_len 1 leaves nothing to remember: {unused}. Use longer windows.")
    elif data.seq_len > 500:
        share = 0.99**data.seq_len
        share = f"only {share:.5f}" if share >= 1e-5 else "less than 0.00001"
        kept = {
            "lstm": f"a forget gate of 0.99 keeps {share} of the first step until the last",
            "gru": f"an update gate of 0.99 keeps {share} of the first step until the last",
            "rnn": "a plain RNN seldom keeps anything of the first step until the last",
        }[spec.cell]
        yield warning(
            f"seq_len {data.seq_len}: steps are computed one after another, so training is slow, and {kept}. Shorter "
            "windows train faster."
        )


def _on_bias(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if not spec.bias:
        level = {
            "lstm": "the gates have no learned offset, and forget_bias cannot be set",
            "gru": "the gates have no learned offset",
            "rnn": "the units have no learned offset",
        }[spec.cell]
        yield info(f"bias=False: {level}.")
    if spec.chrono_t_max is not None:
        yield info(
            f"chrono_t_max {spec.chrono_t_max}: the forget and input gates of each unit start with their own time "
            f"constant, up to {spec.chrono_t_max} steps. Windows of seq_len {data.seq_len} need no more than "
            f"{data.seq_len}."
        )
    if spec.forget_bias is None:
        return
    activation = 1 / (1 + math.exp(-spec.forget_bias))
    yield Advice(
        "warning" if spec.forget_bias < 0 else "info",
        f"forget_bias {spec.forget_bias:g}: with zero input and state the forget gates start at f = {activation:.2f}. "
        "nn.LSTM adds two bias vectors, so the value is set in bias_ih, and the forget gate's rows of bias_hh are 0: "
        "set in both, it would count twice.",
    )


def _on_skip(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if not spec.linear_skip:
        return
    yield info(
        "linear_skip: what is linear in the window never passes through the cells, so their gates show no more than "
        "how the rest is predicted. Without it they carry everything."
    )
    if not spec.zero_head:
        yield warning(
            "linear_skip without zero_head: the head's first weights are random, and what they add to the regression "
            "is noise that must be unlearned. Switch zero_head on."
        )
