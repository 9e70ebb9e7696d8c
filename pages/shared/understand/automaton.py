"""The instrument "Automaton": the graph of what the model has learned of its symbols, and a word walking through it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase

import numpy as np
import streamlit as st
import torch
from streamlit.delta_generator import DeltaGenerator

from lstm_core.analysis.automaton import (
    DFA,
    Differences,
    NetworkAcceptor,
    NextSymbolAutomaton,
    StateSketch,
    SymbolTask,
    compare,
    extract_dfa,
    extract_next_symbol_automaton,
    sketch_automaton,
    symbol_task,
)
from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.experiment import PlaygroundError
from lstm_core.figures.automaton import automaton_figure
from lstm_core.figures.gates import step_gates_figure
from lstm_core.figures.symbols import symbol_sign
from lstm_core.figures.theme import plain_label
from lstm_core.trace.gate_trace import GateTrace, trace_lstm
from pages.shared.gates.selection import Selection, window_input, window_trace
from pages.shared.session.messages import escape_markdown
from pages.shared.understand.computed import Report, draw_computed

SKETCHED = 400  # windows, evenly spread
MAX_WORD = 60  # symbols of a window that walk
SAME = 1e-4  # of two inputs
MAX_TOLD = 4  # differences told one by one


@dataclass(frozen=True, eq=False)
class Found:
    """A result with what is needed to draw it."""

    machine: DFA | NextSymbolAutomaton | StateSketch
    symbols: tuple[str, ...]
    differences: Differences | None = None
    accepted: str = ""  # the class whose words a DFA accepts


def show(selection: Selection) -> None:
    run, windows = selection.run, selection.run.windows
    try:
        task = run.cached("symbol task", (), lambda: symbol_task(windows))
    except PlaygroundError:  # its inputs are numbers
        _show_sketch(selection)
        return
    if task.predicts_next:
        depth = st.slider(
            "moves looked ahead",
            3,
            10,
            6,
            key="automaton_depth",
            help="Two states are one if they allow the same symbols for so many moves. What must be remembered longer "
            "than this without a sign is not told apart.",
        )
        draw_computed(
            selection,
            "automaton",
            (depth,),
            lambda report: _next(selection, task, depth, report),
            _draw(selection, task),
        )
    elif windows.classes:
        chosen = st.selectbox(
            "accepted class",
            range(len(windows.classes)),
            format_func=lambda k: plain_label(windows.classes[k]),
            key="automaton_class",
            help="A word is accepted if the model gives this class after its last symbol.",
        )
        draw_computed(
            selection,
            "automaton",
            (chosen,),
            lambda report: _acceptor(selection, task, chosen, report),
            _draw(selection, task),
            offer="Extract the automaton",
            help="Asks the model about some thousand words; a second or a few",
        )
    else:
        _show_sketch(selection)


def _next(selection: Selection, task: SymbolTask, depth: int, report: Report) -> Found:
    report(0.1, "Walking through the model's states")
    network = task.network(selection.snapshot.model)
    machine = extract_next_symbol_automaton(network, task.first, task.last, task.end, depth)
    differences = None if task.truth is None else compare(machine, task.truth)
    return Found(machine, task.symbols, differences)


def _acceptor(selection: Selection, task: SymbolTask, chosen: int, report: Report) -> Found:
    report(0.1, "Asking the model about words")
    acceptor = NetworkAcceptor(task.network(selection.snapshot.model), chosen)
    machine = extract_dfa(acceptor, len(task.symbols))
    return Found(machine, task.symbols, accepted=selection.run.windows.classes[chosen])


def _show_sketch(selection: Selection) -> None:
    st.caption("Its inputs are numbers: states and inputs are put into clusters, and the graph is a sketch.")
    left, right = st.columns(2)
    n_states = left.slider("states", 2, 16, 6, key="sketch_states", help="Clusters of what the model's units hold")
    n_inputs = right.slider("kinds of input", 2, 12, 3, key="sketch_inputs", help="Clusters of the inputs, scaled")
    run = selection.run

    def compute(report: Report) -> Found:
        report(0.1, "Putting states into clusters")
        split = next(split for split in ("train", "valid", "test") if len(run.windows.starts[split]))
        starts = run.windows.starts[split]
        starts = starts[np.unique(np.linspace(0, len(starts) - 1, SKETCHED).astype(int))]
        x = torch.from_numpy(run.windows.inputs(starts))
        machine = sketch_automaton(selection.snapshot.model, x, n_states, n_inputs)
        return Found(machine, tuple(ascii_lowercase[: len(machine.inputs)]))

    draw_computed(selection, "automaton", ("sketch", n_states, n_inputs), compute, _draw(selection, None))


def _draw(selection: Selection, task: SymbolTask | None) -> Callable[[Found], None]:
    def draw(found: Found) -> None:
        st.markdown(sentence(found))
        signs = [symbol_sign(name) for name in found.symbols]
        word, where = _window_word(selection, task, found.machine)
        left, right = st.columns([0.35, 0.65], vertical_alignment="bottom")
        typed = None if task is None else _typed_word(found.symbols, left)
        word = word if typed is None else typed
        states = longest_walk(found.machine, word)
        step = 0
        if len(states) > 1:
            step = right.slider(
                "symbols read",
                0,
                len(states) - 1,
                key="automaton_step",
                help="A token walks through the graph as the word is read, and the gates below go with it; the arrow "
                "keys move it.",
            )
        whose = "This window" if typed is None else "Your word"
        st.markdown(_word_text([signs[symbol] for symbol in word], step, len(states) - 1, whose))
        taken = (states[step - 1], word[step - 1]) if step else None
        figure = automaton_figure(found.machine, signs, found.differences, states[step], taken)
        st.plotly_chart(figure, key="automaton_figure", config={"displayModeBar": False})
        st.caption(caption(found))
        if step:
            trace, at = _trace_of(selection, task, word, where, typed is not None)
            st.markdown(f"**What its gates do as it reads {escape_markdown(signs[word[step - 1]])}**")
            st.plotly_chart(step_gates_figure(trace, at[step - 1]), key="automaton_gates")

    return draw


def _typed_word(symbols: Sequence[str], place: DeltaGenerator) -> list[int] | None:
    """The symbols of the field; None where it is empty, or has something else."""
    text = place.text_input(
        "a word of your own",
        key="automaton_word",
        max_chars=4 * MAX_WORD,
        placeholder=" ".join(symbols[:3]) + " …",
        help="Symbols, with spaces between them if they are longer than a character: the token walks along it in place "
        "of the window. Empty: the window",
    ).strip()
    if not text:
        return None
    parts = text.split() if " " in text or max(map(len, symbols)) > 1 else list(text)
    unknown = next((part for part in parts if part not in symbols), None)
    if unknown is not None:
        known = ", ".join(symbols[:12]) + (", …" if len(symbols) > 12 else "")
        st.error(escape_markdown(f"{unknown!r} is none of its symbols: use {known}."))
        return None
    return [symbols.index(part) for part in parts[:MAX_WORD]]


def _trace_of(
    selection: Selection, task: SymbolTask | None, word: Sequence[int], where: Sequence[int], is_typed: bool
) -> tuple[GateTrace, Sequence[int]]:
    """The trace in which the word is read, and at which of its steps each symbol is."""
    if not is_typed:
        return window_trace(selection), where
    x = torch.from_numpy(np.concatenate([task.lead, task.inputs[word]]))[None]
    model = selection.snapshot.model
    trace = selection.run.cached(
        "automaton trace", (selection.snapshot, tuple(word)), lambda: trace_lstm(model.lstm, model.to_module_layout(x))
    )
    return trace, range(len(task.lead), x.shape[1])


def longest_walk(machine: DFA | NextSymbolAutomaton | StateSketch, word: Sequence[int]) -> list[int]:
    """The states of a word's walk from the start, or from where it goes further: a window may begin anywhere in a
    stream."""
    begins = [machine.start, *range(machine.n_states)]
    return max((machine.walk(word, begin) for begin in begins), key=len)  # the first of the longest


def _window_word(
    selection: Selection, task: SymbolTask | None, machine: DFA | NextSymbolAutomaton | StateSketch
) -> tuple[list[int], list[int]]:
    """The window's symbols, without the padding in front, and the step of each."""
    x = window_input(selection)[0].numpy()
    if isinstance(machine, StateSketch):
        symbols = machine.symbols(x)[:MAX_WORD].tolist()
        return symbols, list(range(len(symbols)))
    distance = np.abs(x[:, None] - task.inputs).max(axis=2)  # (steps, symbols)
    is_symbol = distance.min(axis=1) < SAME
    return distance.argmin(axis=1)[is_symbol][:MAX_WORD].tolist(), np.flatnonzero(is_symbol)[:MAX_WORD].tolist()


def _word_text(names: Sequence[str], step: int, walked: int, whose: str) -> str:
    """A word's symbols, the last one read in bold, and where the walk ends before they do."""
    shown = [escape_markdown(name) for name in names]
    if step:
        shown[step - 1] = f"**{shown[step - 1]}**"
    if walked < len(shown):
        shown.insert(walked, "◂ no arrow from here:")
    return f"{whose}: " + " ".join(shown)


def sentence(found: Found) -> str:
    """What was found, in plain words."""
    machine = found.machine
    states = f"**{machine.n_states}** state{'s' if machine.n_states != 1 else ''}"
    share = f"**{format_percent(machine.fidelity, 1)}**"
    if isinstance(machine, StateSketch):
        return (
            f"A sketch of {states}: on windows that it was not made from it is where the model is at {share} of steps."
        )
    if isinstance(machine, DFA):
        text = f"The words that the model calls **{escape_markdown(found.accepted)}** are those of {states}."
        if machine.flips_empty_word:
            text += " For the empty word, about which no training asks, its own answer takes a state more: left out."
        return f"{text} Both agree after {share} of the symbols of fresh words."
    text = f"What it expects next is a graph of {states} and **{len(machine.arrows)}** arrows"
    if found.differences is not None:
        same = found.differences.is_isomorphic
        text += ", **the very grammar** that the data was drawn from" if same else ", **not the grammar** of the data"
    text += f". Graph and model agree after {share} of the symbols of fresh words."
    if found.differences is not None and not found.differences.is_isomorphic:
        text += " " + " ".join(difference_texts(found.differences, found.symbols))
    return text


def difference_texts(differences: Differences, symbols: Sequence[str]) -> list[str]:
    """A sentence for each kind of difference."""
    texts = []
    if differences.merged:
        states = _listed([str(state) for state in differences.merged])
        several = "each stand for several" if len(differences.merged) > 1 else "stands for several"
        texts.append(f"**{len(differences.merged)}** of its states {several} of the grammar, confused: {states}.")
    for title, arrows in (("It allows against the grammar", differences.extra), ("It lacks", differences.missing)):
        if arrows:
            told = [f"{escape_markdown(symbols[symbol])} in state {state}" for state, symbol in arrows]
            texts.append(f"{title}: {_listed(told)}.")
    if differences.split:
        texts.append(f"One state of the grammar has several here: {_listed(list(map(str, differences.split)))}.")
    return texts


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - MAX_TOLD} more" if len(names) > MAX_TOLD else ""
    return ", ".join(names[:MAX_TOLD]) + more


def caption(found: Found) -> str:
    """What is convention in this picture."""
    machine = found.machine
    if isinstance(machine, StateSketch):
        middles = zip(found.symbols, machine.inputs[:, 0].tolist(), strict=True)
        inputs = ", ".join(f"{name} ≈ {format_significant(value)}" for name, value in middles)
        first = "the first feature of the inputs" if machine.inputs.shape[1] > 1 else "the input"
        return (
            f"In the middle of each kind, {first} is, scaled: {inputs}. State 0 is where the model is most often. h "
            "and tanh c are clustered by k-means, and arrows go the likeliest way. A low share says that clusters do "
            "not describe this model."
        )
    if isinstance(machine, DFA):
        return (
            "Accepting states have a second circle. Learned by asking the model about words (L*); agreement on all "
            "words that were tried is no proof."
        )
    return (
        f"An arrow is a symbol that the model gives more than {format_percent(machine.threshold, 0)}, in the widest "
        "gap of its probabilities; states that allow the same for all moves looked ahead are one. Agreement on all "
        "words that were tried is no proof."
    )
