"""Counting: as many b as a, beyond the numbers of the training, beside a GRU (Gers & Schmidhuber 2001)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.generators.symbols import COUNT_SYMBOLS, count_string, max_count
from lstm_core.data.number_format import format_percent
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures.theme import CELL_COLORS, CELL_DASHES, GATE_COLORS, GATE_NAMES, GREY, figure_layout
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.figures import new_figure, two_rows
from lstm_core.lessons.lesson import (
    Exercise,
    Lesson,
    LessonFigure,
    Outcome,
    SeedDots,
    StageMoment,
    generated_data,
    run_name,
)
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.analysis.unit_search import UnitMatch
    from lstm_core.runs.run import Run

MAX_TESTED = 150  # n up to which strings are tested
SEARCH_WINDOWS = 64  # sequences in which the counting unit is looked for
S, A, B = range(len(COUNT_SYMBOLS))


def _experiment(cell: str) -> Experiment:
    data = generated_data("counting", seq_len=90, length=500, train_share=0.8, valid_share=0.1)
    train = TrainSpec(lr=0.01, batch_size=32, epochs=70, patience=0)
    return Experiment(data, ModelSpec(cell=cell, hidden_size=8, head="per_step"), train)


def _one_hot(symbols: np.ndarray):
    """(sequences, steps) indices → the model's input as a tensor."""
    import torch

    return torch.from_numpy(np.eye(len(COUNT_SYMBOLS), dtype=np.float32)[symbols])


def _probabilities(run: Run) -> np.ndarray:
    """(MAX_TESTED, steps, 3): of the next symbol in S aⁿ bⁿ, n = 1, 2, 3 …, each string filled up with further b."""
    import torch

    def predict() -> np.ndarray:
        strings = np.full((MAX_TESTED, 2 * MAX_TESTED + 1), B)
        for n in range(1, MAX_TESTED + 1):
            strings[n - 1, : n + 1] = count_string(n)[: n + 1]
        with torch.no_grad():
            return run.current_model()(_one_hot(strings)).softmax(dim=-1).numpy()

    return run.cached("counting", run.weights_key, predict)


def _right(run: Run) -> np.ndarray:
    """(MAX_TESTED,) bool: whether the likeliest next symbol of S aⁿ bⁿ is right at every b: b, and S after the last."""
    likeliest = _probabilities(run).argmax(axis=-1)
    return np.array([(likeliest[n - 1, n + 1 : 2 * n] == B).all() and likeliest[n - 1, 2 * n] == S for n in _counts()])


def _counts() -> np.ndarray:
    return np.arange(1, MAX_TESTED + 1)


def _right_up_to(run: Run) -> int:
    """The largest n up to which every string is right."""
    right = _right(run)
    return MAX_TESTED if right.all() else int(np.argmin(right))


def _reach(run: Run) -> str:
    """The same in words."""
    up_to = _right_up_to(run)
    return f"gets every string right up to n = {up_to}" if up_to else "is wrong at n = 1 already"


def _trained(run: Run) -> int:
    return max_count(run.windows.spec.seq_len)


def _open_count(symbols: np.ndarray) -> np.ndarray:
    """(…, steps): how many a of the current string have no b yet."""
    change = (symbols == A).astype(int) - (symbols == B)
    total = change.cumsum(axis=-1)
    return total - np.maximum.accumulate(np.where(symbols == S, total, -10_000), axis=-1)


def _counting_unit(run: Run) -> UnitMatch:
    """The c that follows best how many b are still to come."""
    from lstm_core.analysis.unit_search import rank_by_correlation

    def rank() -> UnitMatch:
        windows = run.windows
        starts = windows.starts["train"][:SEARCH_WINDOWS]
        left = _open_count(windows.inputs(starts).argmax(axis=-1))
        return rank_by_correlation(run.current_model(), windows, starts, left, ("c",))[0]

    return run.cached("counting unit", run.weights_key, rank)


def _ramp_figure(runs: dict[str, Run]) -> go.Figure:
    from lstm_core.trace.gate_trace import trace_lstm

    run = runs["lstm"]
    match, trained = _counting_unit(run), _trained(run)
    counts = (max(1, trained // 3), trained, trained + trained // 4)
    symbols = np.concatenate([count_string(n) for n in counts])
    model = run.current_model()
    trace = trace_lstm(model.lstm, model.to_module_layout(_one_hot(symbols[None])))
    x = np.arange(1, len(symbols) + 1)
    names = ", ".join(f"n = {n}" for n in counts)
    figure = two_rows("step", 460, row_heights=[0.65, 0.35])
    line = {"color": GATE_COLORS["c"], "width": 3.5}
    text = [COUNT_SYMBOLS[symbol] for symbol in symbols]
    name = f"c of unit {match.unit} on strings with {names}"
    hover = "step %{x}, %{text}: %{y:.3g}"
    figure.add_scatter(x=x, y=match.values_in(trace)[0], name=name, line=line, text=text, row=1, col=1)
    figure.data[-1].hovertemplate = hover
    for gate in ("i", "f"):
        y = trace.gate(gate)[0, 0, 0, :, match.unit].numpy()
        line = {"color": GATE_COLORS[gate], "width": 2.5}
        figure.add_scatter(x=x, y=y, name=f"its {GATE_NAMES[gate]}", line=line, row=2, col=1)
    for step in np.flatnonzero(symbols == S) + 1:
        figure.add_vline(step, line={"color": GREY, "width": 1.5, "dash": "dot"})
    return figure


def _ends_figure(runs: dict[str, Run]) -> go.Figure:
    figure = new_figure()
    for label, run in runs.items():
        right, x = _right(run), _counts()
        name = f"{run_name(label)} {_reach(run)}"
        ends = np.array([_probabilities(run)[n - 1, 2 * n, S] for n in x])
        line = {"color": CELL_COLORS[label], "width": 3, "dash": CELL_DASHES[label]}
        figure.add_scatter(x=x, y=ends, name=name, line=line)
        marker = {"color": CELL_COLORS[label], "size": 6}
        text = {"name": f"{run_name(label)}: the string is right", "showlegend": False, "hoverinfo": "skip"}
        figure.add_scatter(x=x[right], y=ends[right], mode="markers", marker=marker, **text)
    trained = _trained(runs["lstm"])
    figure.add_vline(trained, line={"color": GREY, "dash": "dot", "width": 2})
    figure.add_annotation(x=trained, y=0.5, text="largest n in training", showarrow=False, xanchor="left", xshift=4)
    figure.update_xaxes(title="n")
    figure.update_yaxes(title="P(S) after the last b", range=[-0.03, 1.03])
    return figure_layout(figure, 340)


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if the LSTM is right on every n of the training and beyond."""
    up_to = {label: _right_up_to(run) for label, run in runs.items()}
    trained = _trained(runs["lstm"])
    inside = {label: float(_right(run)[:trained].mean()) for label, run in runs.items()}
    summary = (
        f"Trained on n from 1 to {trained}, the LSTM {_reach(runs['lstm'])}; the GRU {_reach(runs['gru'])}. Of the "
        f"trained n the LSTM gets {format_percent(inside['lstm'])} right, the GRU "
        f"{format_percent(inside['gru'])}; always predicting b would get none right."
    )
    metrics = {f"{label} up to": float(n) for label, n in up_to.items()}
    metrics |= {f"{label} of the trained": share for label, share in inside.items()}
    return Outcome(up_to["lstm"] > trained, summary, metrics)


def _stage_moment(run: Run) -> StageMoment:
    """The counting unit, as it reads the first b."""
    symbols = run.windows.inputs(run.windows.starts["test"][:1])[0].argmax(axis=-1)
    return StageMoment("test", 0, _counting_unit(run).unit, int(np.argmax(symbols == B)))


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    from lstm_core.analysis.unit_search import trace_windows

    run = runs["lstm"]
    trace = trace_windows(run.current_model(), run.windows, run.windows.starts["test"][:1])
    return [_counting_unit(run).values_in(trace)[0]]


def _measure_up_to(runs: dict[str, Run]) -> Measured:
    up_to, trained = _right_up_to(runs["lstm"]), _trained(runs["lstm"])
    return Measured(
        f"An LSTM reads aⁿ bⁿ: n times a, then n times b. It was trained on n from 1 to {trained}, and has to predict "
        "when the last b has come. Up to which n is it right without an exception?",
        up_to - trained if up_to < MAX_TESTED else np.inf,
        f"The LSTM {_reach(runs['lstm'])}; a GRU of equal size {_reach(runs['gru'])}.",
    )


LESSON = Lesson(
    title="Counting: as many b as a",
    summary="A cell state that climbs at every a and descends at every b. How far does it count?",
    chapter="Papers",
    evening=3,
    after=("temporal_order",),
    train_seconds=15.0,
    question=Question(
        _measure_up_to,
        (
            Choice(
                "up to the largest n that it was trained on, or less",
                between(-np.inf, 0),
                "So it would be with a list of the strings that it has seen. A sum does not end at the last of them.",
            ),
            Choice(
                "further, but not without end",
                between(1, 1e6),
                "What it adds at an a and takes off at a b is not quite equal, and the difference grows with n.",
            ),
            Choice(
                f"up to n = {MAX_TESTED} and more",
                between(np.inf),
                "A counter of whole numbers would. Nothing makes the two amounts equal to the last digit.",
            ),
        ),
    ),
    experiments={"lstm": _experiment("lstm"), "gru": _experiment("gru")},
    figures=(
        LessonFigure(
            "**c counts: up and down**",
            "The unit whose c follows best how many b are to come; the last string is longer than any in training. "
            "Dotted: S.",
            _ramp_figure,
        ),
        LessonFigure(
            "**Right on which n?**",
            "The probability of S, the end, after the last b. Dots: the whole string is right.",
            _ends_figure,
        ),
    ),
    text="""
Strings of the form $a^n b^n$, such as *aabb* and *aaabbb*, one after the other with an S before each. The model
predicts the next symbol. After an a, both a and b may follow, and nothing tells which. But from the first b on
**everything is certain**: another b until there are as many as a, then S.

No automaton with a fixed number of states can do that for all n: it would run out of states. It takes a **counter**.
The cell state can be one. With f near 1, each step adds i · g to c: something positive at an a, something negative at a
b. At S the forget gate closes, and the next count starts anew.

Training shows no n above 30. A string counts as right if the likeliest next symbol is right at every b. Beyond 30, c
goes on as before, and the end is still found, until i · g at a and at b differ too much for so many steps, or tanh(c)
saturates.

A **GRU** has no such line to go along: its h is a weighted mean of the old h and the candidate, so it stays between −1
and 1, and each further a has to fit into less room.

The goal: the LSTM gets every string right to beyond n = 30. The GRU is of equal size and trained alike.
""",
    formula=r"""\begin{aligned}
\text{LSTM:}\quad & c_t = f_t\,c_{t-1} + i_t\,g_t, \quad f_t \approx 1 \\
\text{GRU:}\quad & h_t = z_t\,h_{t-1} + (1 - z_t)\,n_t \in (-1, 1)
\end{aligned}""",
    symbols="$c_t$ is the cell state, $i_t$ and $f_t$ the input and the forget gate, $g_t$ the candidate; $z_t$ is the "
    "GRU's update gate, $n_t$ its candidate.",
    exercises=(
        Exercise("Two units instead of eight: is one counter enough?", {"model": {"hidden_size": 2}}),
        Exercise("Train on n up to 10: how far beyond does it count now?", {"data": {"seq_len": 30}}),
        Exercise("On Gates, set f of the counting unit to 0.95 under *What if?*: what becomes of the ramp?"),
    ),
    outcome=_outcome,
    seed_dots=SeedDots("right up to n", {"LSTM": "lstm up to", "GRU": "gru up to"}, {"trained up to 30": 30.0}),
    success_rate="The goal asks nothing of the GRU: of these 30 seeds it gets all n from 1 to 30 right on 7, is "
    "wrong at n = 1 already on 20, and goes further than the LSTM on one. The LSTM goes no further than it was trained "
    "on one.",
    card=paper_cards.COUNTING,
    stage_moment=_stage_moment,
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Felix A. Gers & Jürgen Schmidhuber (2001), LSTM recurrent networks learn simple context-free and "
        "context-sensitive languages, IEEE Transactions on Neural Networks 12(6), 1333–1340",
        "Gail Weiss, Yoav Goldberg & Eran Yahav (2018), On the practical computational power of finite precision RNNs "
        "for language recognition, ACL, arXiv 1805.04908: why an LSTM can count and a GRU cannot",
    ),
)
