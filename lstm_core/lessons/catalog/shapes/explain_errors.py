"""What PyTorch's errors and warnings about nn.LSTM mean, in plain words, for the call that raised them.

To add one: a pattern of the error's own text and a function of the call, in EXPLANATIONS. Nothing here runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lstm_core.architecture.shapes import Shape
from lstm_core.lessons.catalog.shapes.call import LSTMCall

Meaning = Callable[[LSTMCall, re.Match], str]


def explain_error(call: LSTMCall, text: str) -> str:
    """One or two sentences: what is wrong with this call, and what to do; "" for an error that is not known here."""
    matches = ((re.search(pattern, text), meaning) for pattern, meaning in EXPLANATIONS)
    explanation = next((meaning(call, match) for match, meaning in matches if match), "")
    return (
        explanation
        or (_packed_meaning(call) if call.lengths else "")
        or (_NO_PAIR if call.states == "h_0 alone" else "")
    )


_NO_PAIR = (
    "nn.LSTM has two states and wants both, as a pair: pass (h_0, c_0). A tensor alone, as nn.GRU takes it, is taken "
    "apart along its first axis: its first part for h_0, its second for c_0."
)


def explain_warning(text: str) -> str:
    """The same of a warning."""
    return next((meaning for pattern, meaning in WARNINGS if re.search(pattern, text)), "")


def _shape(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _axes(call: LSTMCall) -> str:
    order = "(batch, seq_len, input_size)" if call.batch_first else "(seq_len, batch, input_size)"
    return f"{order} or, for one sequence, (seq_len, input_size)"


def _wrong_axes(call: LSTMCall, match: re.Match) -> str:
    text = f"nn.LSTM reads {_axes(call)}, and this input has {_count_axes(call)}."
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
    text = f"{subject} must be {axes} = {_shape(expected)}; yours is {_shape(actual)}."
    if call.states == "h_0 alone":
        return (
            f"{text} It is a tensor where a pair belongs, so it was taken apart along its first axis: pass (h_0, c_0)."
        )
    return f"{text} {_way_out(call, expected, actual, width)}".strip()


def _way_out(call: LSTMCall, expected: Shape, actual: Shape, width: str) -> str:
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
            "The input holds whole numbers. If they are measurements, use x.float(); if they are names of words or "
            "letters, they need nn.Embedding or one-hot vectors first."
        )
    return (
        f"The module's numbers are {call.dtype}, the input's {call.x_dtype}. NumPy makes float64 and PyTorch float32: "
        "convert the input with x.float()."
    )


def _packed_meaning(call: LSTMCall) -> str:
    """Of a call with a packed input: PyTorch checks little there, and what it then says is no help."""
    axes = "(batch, seq_len, input_size)" if call.batch_first else "(seq_len, batch, input_size)"
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
    return f"h_0 must be {_shape(h)} and c_0 {_shape(c)}; yours are {_shape(call.h_0)} and {_shape(call.c_0)}."


def _plain(text: str) -> Meaning:
    return lambda call, match: text


EXPLANATIONS: tuple[tuple[str, Meaning], ...] = (
    (r"input_size must be greater than zero", _plain("input_size counts the features of one step: at least 1.")),
    (r"hidden_size must be greater than zero", _plain("hidden_size counts the units of a layer: at least 1.")),
    (r"num_layers must be greater than zero", _plain("num_layers counts LSTMs on top of each other: at least 1.")),
    (
        r"dropout should be a number in range",
        _plain("dropout is the share of h to be blanked between layers: from 0 to 1."),
    ),
    (
        r"proj_size has to be smaller",
        _plain("A projection makes h smaller: proj_size must be below hidden_size, or 0 for none."),
    ),
    (r"proj_size should be a positive", _plain("proj_size is a number of values: 0 switches the projection off.")),
    (
        r"Only Tensors of floating point",
        _plain("Weights are learned by small steps, which whole numbers cannot take: choose float32."),
    ),
    (r"Expected input to be 2D or 3D", _wrong_axes),
    (r"input\.size\(-1\) must be equal", _wrong_features),
    (r"Expected hidden\[(\d)\] size (\([^)]*\)), got (\[[^\]]*\])", _wrong_state),
    (r"hx and cx should also be", _state_axes),
    (r"Expected sequence length to be larger", _no_steps),
    (r"input dtype .* does not match weight dtype", _wrong_dtype),
    (
        r"must be sorted in decreasing order",
        _plain(
            "Packing wants the longest sequence first. Pass enforce_sorted=False: PyTorch then sorts them itself and "
            "puts output and h_n back in your order."
        ),
    ),
    (
        r"Length of all samples has to be greater",
        _plain("Every sequence needs at least one step: drop the empty ones."),
    ),
)

WARNINGS: tuple[tuple[str, str], ...] = (
    (
        r"dropout option adds dropout after all but last",
        "Dropout acts between layers. With one layer there is no between, so it does nothing: use num_layers=2 or "
        "more, or put nn.Dropout after the LSTM.",
    ),
    (
        r"projections is not supported with oneDNN",
        "Nothing is wrong: with proj_size PyTorch leaves its fast kernel on the CPU for a slower one.",
    ),
)
