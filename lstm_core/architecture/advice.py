"""Where a setting has no effect, hurts, or does something else than it seems, in plain sentences. No torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from lstm_core.experiment import DataSpec, ModelSpec


@dataclass(frozen=True)
class Advice:
    """One plain sentence about a setting. level "info": good to know; "warning": wasted; "error": harmful."""

    level: str
    text: str


def advise(data: DataSpec, spec: ModelSpec, task: str) -> list[Advice]:
    """Where a setting has no effect, hurts, or does something else than it seems.

    task: "regression" or "classification", as in Windows.task. With horizon above 0 it forecasts.
    """
    rules = (_on_cell, _on_dropout, _on_directions, _on_sizes, _on_length, _on_bias)
    advices = [text for rule in rules for text in rule(data, spec, task)]
    order = "(batch, seq_len, …)" if spec.batch_first else "(seq_len, batch, …)"
    states = "h_0, c_0, h_n and c_n" if spec.cell == "lstm" else "h_0 and h_n"
    layout = (
        f"batch_first={spec.batch_first}: input and output are {order}; {states} keep their "
        "shapes, batch always second. The playground turns the order itself, so no result changes."
    )
    return [*advices, Advice("info", layout)]


def _on_cell(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if spec.cell == "gru":
        yield Advice(
            "info",
            "A GRU has no cell state: h is its memory too. Its update gate z says how much of h stays, its reset "
            "gate r how much of h the candidate n may read. 3 weight matrices instead of an LSTM's 4.",
        )
    elif spec.cell == "rnn":
        yield Advice(
            "info",
            "A plain RNN has no gates: all of h is written anew at every step and nothing guards what it has read. Over "
            "long windows its gradient tends to vanish or to explode. A quarter of an LSTM's weights.",
        )
    if spec.cell != "lstm":
        yield Advice(
            "info",
            f"On the CPU PyTorch runs nn.{spec.module_name} step by step, without the fast kernel that nn.LSTM has: it "
            "may train slower although it computes less.",
        )


def _on_dropout(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if not spec.dropout:
        return
    if spec.num_layers == 1:
        yield Advice(
            "warning",
            "dropout has no effect with num_layers 1: it acts between layers only (PyTorch warns about it). Add "
            "a layer, or set it to 0.",
        )
    elif spec.dropout == 1:
        yield Advice(
            "error",
            "dropout 1 sets everything that one layer passes to the next to zero while training: the layers "
            "below the top never learn. Set it to 0.5 or less.",
        )
    elif spec.dropout > 0.5:
        yield Advice(
            "warning",
            f"dropout {spec.dropout:g} blanks {spec.dropout:.0%} of what each layer passes up while training: "
            "expect slow, noisy learning. 0.1 to 0.5 is usual.",
        )


def _on_directions(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if not spec.bidirectional:
        return
    forecasting = data.horizon > 0
    if spec.head == "per_step" and forecasting and data.seq_len > 1:
        yield Advice(
            "error",
            "bidirectional with head 'every' leaks the future: at step t the reverse direction has already read "
            "the rows after t, among them the very rows to be forecast. Use head 'last', or one direction.",
        )
    elif spec.head == "per_step":
        yield Advice(
            "info",
            "bidirectional with head 'every': each step's output has read the rows after it too, which is right "
            "only if the whole sequence is known before the answer is needed.",
        )
    elif forecasting:
        yield Advice(
            "info",
            "bidirectional is no leak here: both directions read only the rows of the window, all of them past. "
            "It costs twice the time and seldom helps a forecast.",
        )
    elif task == "classification":
        yield Advice("info", "bidirectional suits a class of the whole sequence: it is read from both ends.")
    if spec.head == "last" and data.seq_len > 1:
        yield Advice(
            "info",
            "The head reads h_n, not output[:, -1]: there the reverse half has seen one step only, in h_n it has "
            "seen them all.",
        )


def _on_sizes(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if spec.hidden_size == 1:
        yield Advice(
            "warning",
            "hidden_size 1 is a memory of a single number: good for watching the gates, too small for most series.",
        )
    if spec.proj_size:
        yield Advice(
            "info",
            f"proj_size {spec.proj_size}: h has {spec.proj_size} numbers and c keeps {spec.hidden_size}; "
            "weight_hr makes the one from the other. On the CPU PyTorch has no fast kernel for it, so training is "
            "slower and takes more memory.",
        )


def _on_length(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if data.seq_len == 1:
        idle = {
            "lstm": "h_0 and c_0 are zero, so the forget gate and weight_hh do nothing",
            "gru": "h_0 is zero, so weight_hh does nothing",
            "rnn": "h_0 is zero, so weight_hh does nothing",
        }[spec.cell]
        yield Advice("warning", f"seq_len 1 leaves nothing to remember: {idle}. Show the model more rows.")
    elif data.seq_len > 500:
        left = f"{0.99**data.seq_len:.1g} until the last"
        keeps = {
            "lstm": f"of the first step a forget gate of 0.99 keeps {left}",
            "gru": f"of the first step an update gate of 0.99 keeps {left}",
            "rnn": "of the first step a plain RNN seldom keeps anything until the last",
        }[spec.cell]
        yield Advice(
            "warning",
            f"seq_len {data.seq_len}: the steps run one after another, so training is slow, and {keeps}. Shorter "
            "windows learn sooner.",
        )


def _on_bias(data: DataSpec, spec: ModelSpec, task: str) -> Iterator[Advice]:
    if not spec.bias:
        level = {
            "lstm": "every gate's sum starts at 0, so the gates have no level of their own and forget_bias cannot be set",
            "gru": "every gate's sum starts at 0, so the gates have no level of their own",
            "rnn": "each unit's sum starts at 0, so the units have no level of their own",
        }[spec.cell]
        yield Advice("info", f"bias=False: {level}.")
    if spec.chrono_t_max is not None:
        yield Advice(
            "info",
            f"chrono_t_max {spec.chrono_t_max}: each unit's forget and input gates start with a time constant of their own, up to "
            f"{spec.chrono_t_max} steps. Windows of seq_len {data.seq_len} can ask for no more than {data.seq_len}.",
        )
    if spec.forget_bias is None:
        return
    opening = 1 / (1 + math.exp(-spec.forget_bias))
    yield Advice(
        "warning" if spec.forget_bias < 0 else "info",
        f"forget_bias {spec.forget_bias:g}: with nothing else to go by, the forget gates start at "
        f"{opening:.2f} of 1. nn.LSTM adds two biases, so it is set in bias_ih and bias_hh's part is 0; set in "
        "both it would count twice.",
    )
