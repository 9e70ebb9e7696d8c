"""Continual embedded Reber grammar: a stream without end, with forget gates and without (Gers et al. 2000)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.generators.reber import STATE, SYMBOLS
from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import BRICK, GATE_COLORS, GATE_NAMES, GREY, VIOLET, figure_layout
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.figures import level, new_figure, two_rows
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, StageMoment, generated_data
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

COLORS = {"lstm": VIOLET, "no_forget": BRICK}
NAMES = {"lstm": "with forget gates", "no_forget": "without, as in 1997"}
DASHES = {"lstm": "solid", "no_forget": "dash"}
MIN_ACCURACY = 0.98  # of T or P, with forget gates
MIN_FACTOR = 2  # how much longer the longest stretch without an error is with forget gates
BOUNDARY_STATES = {10: "T or P is repeated", 0: "E ends the string", 1: "B begins the next"}  # of the grammar
SHOWN_STEPS = 48  # symbols of the stream in which a unit is drawn: about four strings


def _experiment(**model) -> Experiment:
    data = generated_data("continual_reber", length=20, seq_len=4000, train_share=0.8, valid_share=0.1)
    spec = ModelSpec(hidden_size=7, head="per_step", **model)
    return Experiment(data, spec, TrainSpec(lr=0.02, batch_size=1, epochs=50, patience=0))


def _recall_plot(runs: dict[str, Run]) -> LinePlot:
    from lstm_core.lessons.catalog.papers.reber.scores import recall_history

    lines = [
        Line(NAMES[label], *recall_history(run), COLORS[label], DASHES[label], width=3) for label, run in runs.items()
    ]
    return LinePlot([*lines, level("guessing", 0.5, runs, "dot")], "epoch", "T or P right", y_range=(-0.03, 1.03))


def _position_figure(runs: dict[str, Run]) -> go.Figure:
    from lstm_core.lessons.catalog.papers.reber.scores import mean_by_position, predict_streams

    figure = new_figure()
    for label, run in runs.items():
        x, y = mean_by_position(predict_streams(run).recalled, 200)
        line = {"color": COLORS[label], "width": 3, "dash": DASHES[label]}
        figure.add_scatter(x=x, y=y, name=NAMES[label], line=line)
    line = {"color": GREY, "dash": "dot", "width": 2}
    figure.add_hline(0.5, line=line)
    text = {"annotation_text": "length of the training streams", "annotation_position": "bottom left"}
    figure.add_vline(run.windows.spec.seq_len, line=line, **text)
    figure.update_xaxes(title="symbols read since the stream began")
    figure.update_yaxes(title="T or P right", range=[-0.03, 1.03])
    return figure_layout(figure, 340)


def _growth_figure(runs: dict[str, Run]) -> go.Figure:
    from lstm_core.training.history import downsample_min_max

    figure = new_figure()
    for label, run in runs.items():
        c = np.abs(_trace(run).gate("c")[0, 0, 0].numpy())  # (steps, units)
        line = {"color": COLORS[label], "width": 2.5 if label == "lstm" else 3}
        x, y = downsample_min_max(np.arange(1.0, len(c) + 1), c.max(axis=1).astype(np.float64), 1000)
        figure.add_scatter(x=x, y=y, name=f"{NAMES[label]}: largest |c|", line=line)
    figure.update_xaxes(title="symbols read since the stream began")
    figure.update_yaxes(title="|c|", type="log", dtick=1)
    return figure_layout(figure, 340)


def _trace(run: Run):
    """The GateTrace of the first new stream."""
    import torch

    from lstm_core.lessons.catalog.papers.reber.scores import unseen_streams
    from lstm_core.trace.gate_trace import trace_lstm

    x = torch.from_numpy(unseen_streams(run)[:1])
    return run.cached("reber trace", run.weights_key, lambda: trace_lstm(run.current_model().lstm, x))


def _unit_figure(runs: dict[str, Run]) -> go.Figure:
    from lstm_core.data.generators.reber import decode_one_hot, states_after
    from lstm_core.lessons.catalog.papers.reber.scores import memory_unit, unseen_streams

    run = runs["lstm"]
    trace, match = _trace(run), memory_unit(run, "valid")
    symbols = decode_one_hot(unseen_streams(run)[:1])
    states = STATE[states_after(symbols)][0]
    f = trace.gate("f")[0, 0, 0, :, match.unit].numpy()
    resets = min(BOUNDARY_STATES, key=lambda state: f[states == state].mean())
    x_title = f"input symbol; dotted: {BOUNDARY_STATES[resets]}, where f is {f[states == resets].mean():.2f}"
    figure = two_rows(x_title, 460)
    x, letters = np.arange(SHOWN_STEPS), [SYMBOLS[symbol] for symbol in symbols[0, :SHOWN_STEPS]]
    line = {"color": GATE_COLORS["c"], "width": 3.5}
    c = match.values_in(trace)[0, :SHOWN_STEPS]
    figure.add_scatter(x=x, y=c, name=f"c of unit {match.unit}", line=line, row=1, col=1)
    for gate in ("i", "f"):
        y = trace.gate(gate)[0, 0, 0, :SHOWN_STEPS, match.unit].numpy()
        name = f"its {GATE_NAMES[gate]}"
        figure.add_scatter(x=x, y=y, name=name, line={"color": GATE_COLORS[gate], "width": 2.5}, row=2, col=1)
    for step in np.flatnonzero(states[:SHOWN_STEPS] == resets):
        figure.add_vline(step, line={"color": GATE_COLORS["f"], "width": 1.5, "dash": "dot"})
    return figure.update_xaxes(tickvals=x, ticktext=letters, tickangle=0)


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if T or P is remembered with forget gates, and errors leave longer stretches free than without them."""
    from lstm_core.lessons.catalog.papers.reber.scores import longest_error_free, predict_streams

    predictions = {label: predict_streams(run) for label, run in runs.items()}
    accuracy = {label: float(np.nanmean(p.recalled)) for label, p in predictions.items()}
    metrics = {f"{label}_remembered": share for label, share in accuracy.items()}
    metrics |= {f"{label}_legal": float(np.nanmean(p.legal_ranked_first)) for label, p in predictions.items()}
    lengths = {label: longest_error_free(p) for label, p in predictions.items()}  # each (streams,)
    metrics |= {f"{label}_symbols": float(length.mean()) for label, length in lengths.items()}
    steps = predictions["lstm"].symbols.shape[1]
    perfect = {label: int((length == steps).sum()) for label, length in lengths.items()}
    summary = (
        f"T or P is right in {format_percent(accuracy['lstm'])} of the strings of {len(lengths['lstm'])} new streams, "
        f"without forget gates in {format_percent(accuracy['no_forget'])}; guessing scores 50\u202f%. Without a single "
        f"error for all {steps:,} symbols: {perfect['lstm']} of the streams, without forget gates "
        f"{perfect['no_forget']}; the longest stretch without an error is {metrics['lstm_symbols']:,.0f} and "
        f"{metrics['no_forget_symbols']:,.0f} symbols on average."
    )
    lasts = metrics["lstm_symbols"] >= MIN_FACTOR * metrics["no_forget_symbols"]
    return Outcome(bool(accuracy["lstm"] >= MIN_ACCURACY and lasts), summary, metrics)


def _stage_moment(run: Run) -> StageMoment:
    """The unit that remembers T or P, as it reads the first of them."""
    from lstm_core.lessons.catalog.papers.reber.scores import memory_unit

    return StageMoment("valid", 0, memory_unit(run, "valid").unit, 1)


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    return [np.log(np.abs(_trace(run).gate("c")[0, 0, 0, ::100].numpy()).max(axis=1)) for run in runs.values()]


def _measure_largest_c(runs: dict[str, Run]) -> Measured:
    largest = {label: float(_trace(run).gate("c").abs().max()) for label, run in runs.items()}
    c, steps = largest["no_forget"], _trace(runs["no_forget"]).gate("c").shape[3]
    return Measured(
        f"An LSTM **without** forget gates, as in 1997, reads an endless stream. After {steps:,} symbols, the largest "
        "|c| of its units is …",
        c,
        f"Without forget gates |c| reaches {format_significant(c)}, with them {format_significant(largest['lstm'])}.",
    )


LESSON = Lesson(
    title="Learning to forget: an endless stream",
    summary="Reber strings one after the other, without end: what the forget gate was invented for.",
    chapter="Papers",
    evening=3,
    after=("embedded_reber",),
    train_seconds=8.9,
    question=Question(
        _measure_largest_c,
        (
            Choice("below 1", between(0, 1), "h is always below 1, since it is o · tanh(c). c itself has no limit."),
            Choice("about 10", between(3, 30), "So it is with forget gates, which remove what is no longer needed."),
            Choice("above 100", between(100), "With f = 1 nothing is ever removed, and each symbol adds to it."),
        ),
    ),
    experiments={"lstm": _experiment(), "no_forget": _experiment(frozen=("forget_gate",))},
    figures=(
        LessonFigure(
            "**T or P, the symbol that must be remembered**",
            "Accuracy during training, on new streams; dotted: guessing.",
            _recall_plot,
        ),
        LessonFigure(
            "**What c does in an endless stream**",
            "With f = 1 nothing in c decays: whatever does not cancel adds up, symbol by symbol. Forget gates can "
            "keep c small.",
            _growth_figure,
        ),
        LessonFigure(
            "**The unit that remembers, and when it forgets**",
            "Found by a search over all units: c codes T or P from the second symbol on. Dotted: the step at a "
            "string's end where its forget gate closes most.",
            _unit_figure,
        ),
        LessonFigure(
            "**Accuracy by position in the stream**",
            "Ten new streams, twice as long as the training streams: does the accuracy last?",
            _position_figure,
        ),
    ),
    text="""
The strings of the embedded Reber grammar again, but now one follows the other without a mark or a pause. The second
symbol of each, T or P, must be repeated near its end; after that it is useless and must make room for the next.

The LSTM of 1997 had **no forget gate**: f was always 1, so what enters c stays there. In single strings that is an
advantage, since every string starts from c = 0. Here nothing resets it: c tends to grow, tanh(c) saturates at ±1, and
new symbols hardly change the unit's output. Most legal next symbols follow from the last few.

On some seeds T or P comes out right all the same. So what counts, as in the paper, is how
long a stream goes on **without a single error**. The goal: at least twice as long with forget gates, and T or P right
in 98 % of the strings.

The **forget gate** of Gers, Schmidhuber and Cummins lets the cell learn when to reset itself.

All else is equal: seven units, sixteen streams of 4,000 symbols, the same order, the same steps. Each stream starts
from c = 0, so it must be long: 330 strings without a reset.
""",
    formula=r"""\begin{aligned}
\text{1997:}\quad c_t &= c_{t-1} + i_t\,g_t \\
\text{2000:}\quad c_t &= f_t\,c_{t-1} + i_t\,g_t
\end{aligned}""",
    symbols="$c_t$ is the cell state after symbol $t$, $i_t$ and $f_t$ the input and the forget gate, $g_t$ the "
    "candidate.",
    exercises=(
        Exercise("One unit more: how long does a stream now last without forget gates?", {"model": {"hidden_size": 8}}),
        Exercise(
            "Twelve units and short streams of 100 symbols, so that c = 0 comes often: a task that can be learned "
            "without forget gates.",
            {
                "model": {"hidden_size": 12},
                "data": {"seq_len": 100, "length": 640},
                "train": {"batch_size": 32, "epochs": 60},
            },
        ),
        Exercise("On Gates, set f to 1 under What if? in the trained model: c grows and T or P is lost."),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "longest stretch without an error, in symbols: mean of ten streams of 8,000",
        {"with forget gates": "lstm_symbols", "without": "no_forget_symbols"},
        log=True,
    ),
    success_rate="Of the 5 seeds that miss it, on 3 T or P came out right in more than 99.5 % without forget gates, "
    "too; on the other 2 it did in only 95 and 97 % with them. On the seeds 4001 to 4010 it came out right in 99.7 to "
    "100 % without forget gates on 4 of 10; streams of 50,000 symbols without an error: 54 of 100 with, 2 of 100 "
    "without.",
    card=paper_cards.CONTINUAL_REBER,
    stage_moment=_stage_moment,
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Felix A. Gers, Jürgen Schmidhuber & Fred Cummins (2000), Learning to Forget: Continual Prediction with LSTM, "
        "Neural Computation 12(10), 2451–2471",
        "Sepp Hochreiter & Jürgen Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8), 1735–1780",
    ),
)
