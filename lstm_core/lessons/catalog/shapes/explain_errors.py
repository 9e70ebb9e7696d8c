"""What PyTorch's errors and warnings about nn.LSTM mean, in plain words, for the call that raised them.

To add one: a pattern of the error's own text and a function of the call, in MEANINGS. Nothing here runs anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lstm_core.architecture.shapes import Shape
from lstm_core.lessons.catalog.shapes.call import Setup

Meaning = Callable[[Setup, re.Match], str]


def meaning_of_error(setup: Setup, text: str) -> str:
    """One or two sentences: what is wrong with this call, and what to do; "" for an error that is not known here."""
    found = ((re.search(pattern, text), meaning) for pattern, meaning in MEANINGS)
    known = next((meaning(setup, match) for match, meaning in found if match), "")
    return (
        known
        or (_packed_meaning(setup) if setup.lengths else "")
        or (_NO_PAIR if setup.states == "h_0 alone" else "")
    )


_NO_PAIR = (
    "nn.LSTM has two states and wants both, as a pair: pass (h_0, c_0). A tensor alone, as nn.GRU takes it, is taken "
    "apart along its first axis: its first part for h_0, its second for c_0."
)


def meaning_of_warning(text: str) -> str:
    """The same of a warning."""
    return next((meaning for pattern, meaning in WARNINGS if re.search(pattern, text)), "")


def _shape(shape: Shape) -> str:
    return f"({', '.join(map(str, shape))}{',' if len(shape) == 1 else ''})"


def _axes(setup: Setup) -> str:
    order = "(batch, seq_len, input_size)" if setup.batch_first else "(seq_len, batch, input_size)"
    return f"{order} or, for one sequence, (seq_len, input_size)"


def _wrong_axes(setup: Setup, match: re.Match) -> str:
    said = f"nn.LSTM reads {_axes(setup)}, and this input has {len(setup.x)} axes."
    if len(setup.x) == 1:
        return f"{said} A plain row of numbers needs one more: x.unsqueeze(-1) makes it one feature a step."
    if len(setup.x) == 0:
        return f"{said} A single number is no sequence: give at least one step and one feature."
    return f"{said} Join the axes that are features of one step, for example x.flatten(2)."


def _wrong_features(setup: Setup, match: re.Match | None = None) -> str:
    have, want = setup.x[-1], setup.input_size
    said = f"The last axis of the input is its features: it has {have}, and the module was made for {want}."
    if want in setup.x[:-1]:
        return f"{said} Here {want} stands on axis {setup.x.index(want)}: move it to the end with x.movedim, or fix input_size."
    if want == 1:
        return f"{said} If the axes are steps and sequences of single numbers, add an axis: x.unsqueeze(-1)."
    return f"{said} Make the module with input_size={have}, or give it {want} features a step."


def _wrong_state(setup: Setup, match: re.Match) -> str:
    """Expected hidden[0] size (2, 3, 20), got [3, 2, 20]: hidden[0] is h_0, hidden[1] is c_0."""
    name = ("h_0", "c_0")[int(match[1])]
    wanted, got = (tuple(int(n) for n in re.findall(r"\d+", match[k])) for k in (2, 3))
    width = "proj_size" if setup.proj_size and name == "h_0" else "hidden_size"
    if len(setup.x) == 2:  # the error speaks of an axis that PyTorch added
        wanted, got = (wanted[0], *wanted[2:]), (got[0], *got[2:])
        said = f"For one unbatched sequence {name} must be (num_layers · num_directions, {width}) = {_shape(wanted)}; yours is {_shape(got)}."
    else:
        said = f"{name} must be (num_layers · num_directions, batch, {width}) = {_shape(wanted)}; yours is {_shape(got)}."
    if setup.states == "h_0 alone":
        return f"{said} It is a tensor where a pair belongs, so it was taken apart along its first axis: pass (h_0, c_0)."
    return f"{said} {_way_out(setup, wanted, got, width)}".strip()


def _way_out(setup: Setup, wanted: Shape, got: Shape, width: str) -> str:
    if len(got) == 3 and (got[1], got[0], got[2]) == wanted and got != wanted:
        return "batch_first turns only input and output, never the states: use .transpose(0, 1)."
    if len(got) == 3 and (got[0], got[2]) == (wanted[0], wanted[2]):
        steps, batch, _ = setup.read
        if got[1] == steps:
            return (
                f"Its batch is {got[1]}, but nn.LSTM reads this input as {steps} steps of {batch} sequences: is "
                f"batch_first={not setup.batch_first} what you mean?"
            )
        return f"The input holds {wanted[1]} sequences, the state {got[1]}: the last batch of an epoch is often smaller."
    if got[0] != wanted[0] and got[1:] == wanted[1:]:
        return f"Every layer has a state of its own in each direction: {setup.num_layers} · {setup.num_directions} = {wanted[0]}."
    if width == "proj_size" and got[-1] == setup.hidden_size:
        return "A projection makes h smaller than c: only c_0 keeps hidden_size."
    return ""


def _state_axes(setup: Setup, match: re.Match) -> str:
    axes = (
        "(num_layers · num_directions, batch, size)"
        if len(setup.x) == 3
        else "(num_layers · num_directions, size)"
    )
    if setup.states == "h_0 alone":
        return _NO_PAIR
    return f"This input has {len(setup.x)} axes, so h_0 and c_0 must each be {axes}: add or drop the batch axis with unsqueeze(1) or squeeze(1)."


def _no_steps(setup: Setup, match: re.Match) -> str:
    order = (
        "batch_first=True: axis 1 is time" if setup.batch_first and len(setup.x) == 3 else "axis 0 is time"
    )
    return f"There is no step to read ({order}, and its size is 0): drop empty sequences before the call."


def _wrong_dtype(setup: Setup, match: re.Match | None = None) -> str:
    if setup.x_dtype == "int64":
        return (
            "The input holds whole numbers. If they are measurements, use x.float(); if they are names of words or "
            "letters, they need nn.Embedding or one-hot vectors first."
        )
    return (
        f"The module's numbers are {setup.dtype}, the input's {setup.x_dtype}. NumPy makes float64 and PyTorch float32: "
        "convert the input with x.float()."
    )


def _packed_meaning(setup: Setup) -> str:
    """Of a call with a packed input: PyTorch checks little there, and what it then says is no help."""
    axes = "(batch, seq_len, input_size)" if setup.batch_first else "(seq_len, batch, input_size)"
    steps, batch, features = setup.read
    if len(setup.x) != 3:
        return f"Only a padded batch of sequences can be packed, {axes}: this input has {len(setup.x)} axes, not 3."
    if len(setup.lengths) != batch:
        said = f"One length for each sequence: this input {axes} holds {batch}, and {len(setup.lengths)} lengths were given."
        return (
            f"{said} Is batch_first={not setup.batch_first} what you mean?"
            if steps == len(setup.lengths)
            else said
        )
    if 0 in setup.x:
        return "There is nothing to pack: one of the input's axes has size 0."
    if max(setup.lengths) > steps:
        return f"The longest of the lengths, {max(setup.lengths)}, is more than the {steps} steps that the padded input has."
    if features != setup.input_size:
        return _wrong_features(setup)
    if setup.x_dtype != setup.dtype:
        return _wrong_dtype(setup)
    return unfit_states(setup)


def unfit_states(setup: Setup) -> str:
    """What is wrong with the initial state beside an input that can be read; "" if nothing is."""
    _, batch, _ = setup.read
    if setup.states == "none":
        return ""
    if setup.states == "h_0 alone":
        return _NO_PAIR
    sequences = () if batch is None else (batch,)
    h = (setup.num_layers * setup.num_directions, *sequences, setup.width)
    c = (*h[:-1], setup.hidden_size)
    if (setup.h_0, setup.c_0) == (h, c):
        return ""
    return (
        f"h_0 must be {_shape(h)} and c_0 {_shape(c)}; yours are {_shape(setup.h_0)} and {_shape(setup.c_0)}."
    )


def _plain(words: str) -> Meaning:
    return lambda setup, match: words


MEANINGS: tuple[tuple[str, Meaning], ...] = (
    (r"input_size must be greater than zero", _plain("input_size counts the features of one step: at least 1.")),
    (r"hidden_size must be greater than zero", _plain("hidden_size counts the units of a layer: at least 1.")),
    (r"num_layers must be greater than zero", _plain("num_layers counts LSTMs on top of each other: at least 1.")),
    (r"dropout should be a number in range", _plain("dropout is the share of h to be blanked between layers: from 0 to 1.")),
    (r"proj_size has to be smaller", _plain("A projection makes h smaller: proj_size must be below hidden_size, or 0 for none.")),
    (r"proj_size should be a positive", _plain("proj_size is a number of values: 0 switches the projection off.")),
    (r"Only Tensors of floating point", _plain("Weights are learned by small steps, which whole numbers cannot take: choose float32.")),
    (r"Expected input to be 2D or 3D", _wrong_axes),
    (r"input\.size\(-1\) must be equal", _wrong_features),
    (r"Expected hidden\[(\d)\] size (\([^)]*\)), got (\[[^\]]*\])", _wrong_state),
    (r"hx and cx should also be", _state_axes),
    (r"Expected sequence length to be larger", _no_steps),
    (r"input dtype .* does not match weight dtype", _wrong_dtype),
    (r"must be sorted in decreasing order", _plain(
        "Packing wants the longest sequence first. Pass enforce_sorted=False: PyTorch then sorts them itself and puts "
        "output and h_n back in your order.")),
    (r"Length of all samples has to be greater", _plain("Every sequence needs at least one step: drop the empty ones.")),
)  # fmt: skip

WARNINGS: tuple[tuple[str, str], ...] = (
    (r"dropout option adds dropout after all but last",
     "Dropout acts between layers. With one layer there is no between, so it does nothing: use num_layers=2 or more, or "
     "put nn.Dropout after the LSTM."),
    (r"projections is not supported with oneDNN",
     "Nothing is wrong: with proj_size PyTorch leaves its fast kernel on the CPU for a slower one."),
)  # fmt: skip
