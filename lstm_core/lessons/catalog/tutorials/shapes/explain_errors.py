"""What PyTorch's errors and warnings about nn.LSTM mean, in plain words, for the call that raised them.

To add one: a pattern of the error's own text and a function of the call, in EXPLANATIONS. Nothing here runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lstm_core.architecture.shapes import Shape
from lstm_core.lessons.catalog.tutorials.shapes.call import LSTMCall

Explanation = Callable[[LSTMCall, re.Match], str]


def explain_error(call: LSTMCall, text: str) -> str:
    """One or two sentences: what is wrong with this call, and what to do; "" for an error that is not known here."""
    for pattern, explanation in EXPLANATIONS.items():
        if match := re.search(pattern, text):
            return explanation if isinstance(explanation, str) else explanation(call, match)
    packed = _explain_packed(call) if call.lengths else ""
    return packed or (_NO_PAIR if call.states == "h_0 alone" else "")


_NO_PAIR = (
    "nn.LSTM has two states and expects both as a pair: pass (h_0, c_0). A single tensor, as nn.GRU takes it, is split "
    "along its first axis: its first slice becomes h_0, its second c_0."
)


def explain_warning(text: str) -> str:
    """The same of a warning."""
    return next((explanation for pattern, explanation in WARNINGS.items() if re.search(pattern, text)), "")


def _axes(call: LSTMCall) -> str:
    return "(batch, seq_len, input_size)" if call.batch_first else "(seq_len, batch, input_size)"


def _wrong_axes(call: LSTMCall, match: re.Match) -> str:
    order = f"{_axes(call)} or, for one sequence, (seq_len, input_size)"
    text = f"nn.LSTM reads {order}, and this input has {_count_axes(call)}."
    if len(call.x) == 1:
        return f"{text} A plain row of numbers needs one more: x.unsqueeze(-1) makes it one feature a step."
    if len(call.x) == 0:
        return f"{text} A single number is no sequence: give at least one step and one feature."
    return f"{text} Join the axes that are features of one step, for example x.flatten(2)."


def _wrong_features(call: LSTMCall, match: re.Match | None = None) -> str:
    actual, expected = call.x[-1], call.input_size
    text = f"The last axis of the input is its features: it has {actual}, and the module was made for {expected}."
    if expected in call.x[:-1]:
        axis = call.x.index(expected)
        return f"{text} Here {expected} is the size of axis {axis}: move it last with x.movedim, or fix input_size."
    if expected == 1:
        return f"{text} If the axes are steps and sequences of single numbers, add an axis: x.unsqueeze(-1)."
    return f"{text} Make the module with input_size={actual}, or give it {expected} features a step."


def _wrong_state(call: LSTMCall, match: re.Match) -> str:
    """Expected hidden[0] size (2, 3, 20), got [3, 2, 20]: hidden[0] is h_0, hidden[1] is c_0."""
    name = ("h_0", "c_0")[int(match[1])]
    expected, actual = (tuple(int(n) for n in re.findall(r"\d+", match[k])) for k in (2, 3))
    width = "proj_size" if call.proj_size and name == "h_0" else "hidden_size"
    if len(call.x) == 2:  # the error speaks of an axis that PyTorch added
        expected, actual = (expected[0], *expected[2:]), (actual[0], *actual[2:])
        axes, subject = f"(num_layers · num_directions, {width})", f"For one unbatched sequence {name}"
    else:
        axes, subject = f"(num_layers · num_directions, batch, {width})", name
    text = f"{subject} must be {axes} = {expected}; yours is {actual}."
    if call.states == "h_0 alone":
        return f"{text} It is a tensor instead of a pair, so it was split along its first axis: pass (h_0, c_0)."
    return f"{text} {_advice(call, expected, actual, width)}".strip()


def _advice(call: LSTMCall, expected: Shape, actual: Shape, width: str) -> str:
    if len(actual) == 3 and (actual[1], actual[0], actual[2]) == expected and actual != expected:
        return "batch_first turns only input and output, never the states: use .transpose(0, 1)."
    if len(actual) == 3 and (actual[0], actual[2]) == (expected[0], expected[2]):
        steps, batch, _ = call.input_axes
        if actual[1] == steps:
            return (
                f"Its batch is {actual[1]}, but nn.LSTM reads this input as {steps} steps of {batch} sequences: is "
                f"batch_first={not call.batch_first} what you mean?"
            )
        counts = f"The input has {expected[1]} sequences, the state {actual[1]}"
        return f"{counts}: the last batch of an epoch is often smaller."
    if actual[0] != expected[0] and actual[1:] == expected[1:]:
        product = f"{call.num_layers} · {call.num_directions} = {expected[0]}"
        return f"Every layer has a state of its own in each direction: {product}."
    if width == "proj_size" and actual[-1] == call.hidden_size:
        return "A projection makes h smaller than c: only c_0 keeps hidden_size."
    return ""


def _state_axes(call: LSTMCall, match: re.Match) -> str:
    axes = "(num_layers · num_directions, batch, size)" if len(call.x) == 3 else "(num_layers · num_directions, size)"
    if call.states == "h_0 alone":
        return _NO_PAIR
    return (
        f"This input has {_count_axes(call)}, so h_0 and c_0 must each be {axes}: add or drop the batch axis with "
        "unsqueeze(1) or squeeze(1)."
    )


def _count_axes(call: LSTMCall) -> str:
    return f"{len(call.x)} {'axis' if len(call.x) == 1 else 'axes'}"


def _no_steps(call: LSTMCall, match: re.Match) -> str:
    order = "batch_first=True: axis 1 is time" if call.batch_first and len(call.x) == 3 else "axis 0 is time"
    return f"There is no step to read ({order}, and its size is 0): drop empty sequences before the call."


def _wrong_dtype(call: LSTMCall, match: re.Match | None = None) -> str:
    if call.x_dtype == "int64":
        return (
            "The input holds whole numbers. If they are measurements, use x.float(); if they are indices of words or "
            "letters, they need nn.Embedding or one-hot vectors first."
        )
    return (
        f"The module's numbers are {call.dtype}, the input's {call.x_dtype}. NumPy makes float64 and PyTorch float32: "
        "convert the input with x.float()."
    )


def _explain_packed(call: LSTMCall) -> str:
    """Of a call with a packed input: PyTorch checks little there, and its message is no help."""
    axes = _axes(call)
    steps, batch, features = call.input_axes
    if len(call.x) != 3:
        return f"Only a padded batch of sequences can be packed, {axes}: this input has {_count_axes(call)}, not 3."
    if len(call.lengths) != batch:
        given = f"{len(call.lengths)} lengths were given"
        text = f"One length for each sequence: this input {axes} has {batch}, and {given}."
        return f"{text} Is batch_first={not call.batch_first} what you mean?" if steps == len(call.lengths) else text
    if 0 in call.x:
        return "There is nothing to pack: one of the input's axes has size 0."
    if max(call.lengths) > steps:
        return f"The longest length, {max(call.lengths)}, is more than the {steps} steps of the padded input."
    if features != call.input_size:
        return _wrong_features(call)
    if call.x_dtype != call.dtype:
        return _wrong_dtype(call)
    return explain_state_shapes(call)


def explain_state_shapes(call: LSTMCall) -> str:
    """What is wrong with the initial state beside an input that can be read; "" if nothing is."""
    _, batch, _ = call.input_axes
    if call.states == "none":
        return ""
    if call.states == "h_0 alone":
        return _NO_PAIR
    sequences = () if batch is None else (batch,)
    h = (call.num_layers * call.num_directions, *sequences, call.h_size)
    c = (*h[:-1], call.hidden_size)
    if (call.h_0, call.c_0) == (h, c):
        return ""
    return f"h_0 must be {h} and c_0 {c}; yours are {call.h_0} and {call.c_0}."


EXPLANATIONS: dict[str, str | Explanation] = {  # pattern of the error's text → what it means
    r"input_size must be greater than zero": "input_size counts the features of one step: at least 1.",
    r"hidden_size must be greater than zero": "hidden_size counts the units of a layer: at least 1.",
    r"num_layers must be greater than zero": "num_layers counts LSTMs on top of each other: at least 1.",
    r"dropout should be a number in range": "dropout is the share of h that is zeroed between layers: from 0 to 1.",
    r"proj_size has to be smaller": "A projection makes h smaller: proj_size must be below hidden_size, or 0 for none.",
    r"proj_size should be a positive": "proj_size is a number of values: 0 means no projection.",
    r"Only Tensors of floating point": (
        "Weights are learned by small steps, which whole numbers cannot take: choose float32."
    ),
    r"Expected input to be 2D or 3D": _wrong_axes,
    r"input\.size\(-1\) must be equal": _wrong_features,
    r"Expected hidden\[(\d)\] size (\([^)]*\)), got (\[[^\]]*\])": _wrong_state,
    r"hx and cx should also be": _state_axes,
    r"Expected sequence length to be larger": _no_steps,
    r"input dtype .* does not match weight dtype": _wrong_dtype,
    r"must be sorted in decreasing order": (
        "Packing expects the longest sequence first. Pass enforce_sorted=False: PyTorch then sorts them itself and "
        "puts output and h_n back in your order."
    ),
    r"Length of all samples has to be greater": "Every sequence needs at least one step: drop the empty ones.",
}

WARNINGS: dict[str, str] = {
    r"dropout option adds dropout after all but last": (
        "Dropout acts between layers, so with one layer it has no effect: use num_layers=2 or more, or put nn.Dropout "
        "after the LSTM."
    ),
    r"projections is not supported with oneDNN": (
        "Nothing is wrong: with proj_size PyTorch leaves its fast kernel on the CPU for a slower one."
    ),
}
