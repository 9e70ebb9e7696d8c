"""Continual embedded Reber grammar: a stream without end, with forget gates and without (Gers et al. 2000)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.generators.reber import STATE, SYMBOLS
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

COLORS = {"lstm": "#0072B2", "no_forget": "#D55E00"}
LABELS = {"lstm": "with forget gates", "no_forget": "without, as in 1997"}
GREY = "#888888"
ENOUGH, TOO_MUCH = 0.98, 0.70  # of T or P right, with forget gates and without
ENDS = (10, 0, 1)  # column "state" around a boundary: T or P said again; E; the next B
SHOWN_STEPS = 48  # symbols of the stream in which a unit is read: about four strings


def _experiment(**model) -> Experiment:
    data = DataSpec(
        source="generator",
        name="continual_reber",
        length=20,
        seq_len=4000,
        noise=0.0,
        targets=("next",),
        features=SYMBOLS,
        group="sequence",
        horizon=0,
        train_share=0.8,
        valid_share=0.1,
        scaling="none",
    )
    spec = ModelSpec(hidden_size=7, head="per_step", **model)
    return Experiment(data, spec, TrainSpec(lr=0.02, batch_size=1, epochs=50))


def _recall_plot(runs: dict[str, Run]) -> LinePlot:
    from lstm_core.lessons.catalog.reber.scores import recall_history

    lines = [
        Line(
            LABELS[label],
            *recall_history(run),
            COLORS[label],
            "dash" if label == "no_forget" else None,
            width=3,
        )
        for label, run in runs.items()
    ]
    end = np.array([0.0, max(run.train_spec.epochs for run in runs.values())])
    return LinePlot(
        [*lines, Line("guessing", end, np.full(2, 0.5), GREY, "dot")],
        "epoch",
        "T or P right",
        y_range=(-0.03, 1.03),
    )


def _position_figure(runs: dict[str, Run]) -> go.Figure:
    import plotly.graph_objects as go

    from lstm_core.figures.theme import figure_layout
    from lstm_core.lessons.catalog.reber.scores import mean_by_position, predict_streams

    figure = go.Figure()
    for label, run in runs.items():
        x, y = mean_by_position(predict_streams(run).recalled, 200)
        line = {"color": COLORS[label], "width": 3, "dash": "dash" if label == "no_forget" else "solid"}
        figure.add_scatter(x=x, y=y, name=LABELS[label], line=line)
    figure.add_hline(0.5, line={"color": GREY, "dash": "dot", "width": 2})
    trained = next(iter(runs.values())).windows.spec.seq_len
    figure.add_vline(
        trained,
        line={"color": GREY, "dash": "dot", "width": 2},
        annotation_text="trained on streams up to here",
        annotation_position="bottom left",
    )
    figure.update_xaxes(title="symbols read since the stream began")
    figure.update_yaxes(title="T or P right", range=[-0.03, 1.03])
    return figure_layout(figure, 340)


def _growth_figure(runs: dict[str, Run]) -> go.Figure:
    import plotly.graph_objects as go

    from lstm_core.figures.theme import figure_layout
    from lstm_core.training.history import downsample_min_max

    figure = go.Figure()
    for label, run in runs.items():
        c = np.abs(_trace(run).gate("c")[0, 0, 0].numpy())  # (steps, units)
        line = {"color": COLORS[label], "width": 2.5 if label == "lstm" else 3}
        x, y = downsample_min_max(np.arange(1.0, len(c) + 1), c.max(axis=1).astype(np.float64), 1000)
        figure.add_scatter(x=x, y=y, name=f"{LABELS[label]}: largest |c|", line=line)
    figure.update_xaxes(title="symbols read since the stream began")
    figure.update_yaxes(title="|c|", type="log", exponentformat="power", dtick=1)
    return figure_layout(figure, 340)


def _trace(run: Run):
    """Every gate over the first of the streams that it was not trained on."""
    import torch

    from lstm_core.lessons.catalog.reber.scores import unseen_streams
    from lstm_core.trace.gate_trace import trace_lstm

    def trace():
        return trace_lstm(run.current_model().lstm, torch.from_numpy(unseen_streams(run)[:1]))

    return run.cached("reber trace", (run.step,), trace)


def _unit_figure(runs: dict[str, Run]) -> go.Figure:
    from plotly.subplots import make_subplots

    from lstm_core.data.generators.reber import decode_one_hot, states_after
    from lstm_core.figures.theme import GATE_COLORS, GATE_NAMES, figure_layout
    from lstm_core.lessons.catalog.reber.scores import memory_unit, unseen_streams

    run = runs["lstm"]
    trace, match = _trace(run), memory_unit(run, "valid")
    symbols = decode_one_hot(unseen_streams(run)[:1])
    states = STATE[states_after(symbols)][0]
    f = trace.gate("f")[0, 0, 0, :, match.unit].numpy()
    resets = min(ENDS, key=lambda state: f[states == state].mean())
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.08)
    x = np.arange(SHOWN_STEPS)
    line = {"color": GATE_COLORS["c"], "width": 3.5}
    figure.add_scatter(
        x=x,
        y=match.values_in(trace)[0, :SHOWN_STEPS],
        name=f"c of unit {match.unit}",
        line=line,
        row=1,
        col=1,
    )
    for gate in ("i", "f"):
        y = trace.gate(gate)[0, 0, 0, :SHOWN_STEPS, match.unit].numpy()
        name = f"its {GATE_NAMES[gate]}"
        figure.add_scatter(x=x, y=y, name=name, line={"color": GATE_COLORS[gate], "width": 2.5}, row=2, col=1)
    for step in np.flatnonzero(states[:SHOWN_STEPS] == resets):
        figure.add_vline(step, line={"color": GATE_COLORS["f"], "width": 1.5, "dash": "dot"})
    figure.update_xaxes(tickvals=x, ticktext=[SYMBOLS[symbol] for symbol in symbols[0, :SHOWN_STEPS]], tickangle=0)
    figure.update_xaxes(
        title=f"symbol that it reads; dotted: {_state_text(resets)}, where f is {f[states == resets].mean():.2f}",
        row=2,
    )
    figure.update_yaxes(title="c", row=1)
    figure.update_yaxes(title="gates", range=[-0.03, 1.03], row=2)
    return figure_layout(figure, 460)


def _state_text(state: int) -> str:
    return {10: "T or P is said again", 0: "E ends the string", 1: "B begins the next"}[state]


def _outcome(runs: dict[str, Run]) -> Outcome:
    from lstm_core.lessons.catalog.reber.scores import predict_streams

    right = {label: float(np.nanmean(predict_streams(run).recalled)) for label, run in runs.items()}
    metrics = {f"{label}_remembered": share for label, share in right.items()}
    metrics |= {
        f"{label}_legal": float(np.nanmean(predict_streams(run).legal_ranked_first)) for label, run in runs.items()
    }
    summary = f"T or P is right in {right['lstm']:.1%} of the strings of ten new streams"
    reached = right["lstm"] >= ENOUGH
    if "no_forget" in right:
        summary += f", without forget gates in {right['no_forget']:.1%}"
        reached &= right["no_forget"] <= TOO_MUCH
    return Outcome(reached, summary + "; guessing gets 50 %.", metrics)


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    return [np.log(np.abs(_trace(run).gate("c")[0, 0, 0, ::100].numpy()).max(axis=1)) for run in runs.values()]


LESSON = Lesson(
    name="continual_reber",
    title="Learning to forget: a stream without end",
    summary="Reber strings one after the other, for ever: what the forget gate was invented for.",
    chapter="Papers",
    order=24,
    experiments={"lstm": _experiment(), "no_forget": _experiment(frozen=("forget_gate",))},
    figures=(
        LessonFigure(
            "**T or P, the symbol that must be remembered**",
            "How often it is right along the training: with forget gates it is learned, without them it stays a guess.",
            _recall_plot,
        ),
        LessonFigure(
            "**What c does in an endless stream**",
            "Without forget gates nothing is ever taken out of c, and it grows with every symbol; with them it stays small.",
            _growth_figure,
        ),
        LessonFigure(
            "**The unit that remembers, and when it forgets**",
            "Found by the program: c says T or P from the second symbol on. Dotted: the place at a string's end where its forget "
            "gate closes most.",
            _unit_figure,
        ),
        LessonFigure(
            "**Right by position in the stream**",
            "Ten new streams, twice as long as those of the training: what was learned holds on.",
            _position_figure,
        ),
    ),
    text="""
The strings of the embedded Reber grammar again, but now one follows the other without a mark or a pause. The second
symbol of each, T or P, must be said again near its end; then it is worth nothing and must make room for the next.

The LSTM of 1997 had **no forget gate**: f was 1, always. What goes into c stays there. In single strings that is a
virtue, since every string begins with c = 0. Here nothing sets it back: c grows and grows, tanh(c) stands at ±1, and
new symbols hardly move what the unit says. Legal next symbols it still gets right: the last few symbols are
enough for those.

The **forget gate** of Gers, Schmidhuber and Cummins lets the cell learn when to wipe itself. Nobody tells it where a
string ends.

Everything else is equal: seven units, sixteen streams of 4,000 symbols, the same order, the same steps. Each stream
begins with c = 0, so they must be long: 330 strings without a reset.
""",
    formula=r"""\begin{aligned}
\text{1997:}\quad c_t &= c_{t-1} + i_t\,g_t \\
\text{2000:}\quad c_t &= f_t\,c_{t-1} + i_t\,g_t
\end{aligned}""",
    symbols="$c_t$ is the cell state after symbol $t$, $i_t$ and $f_t$ the input and the forget gate, $g_t$ the candidate.",
    exercises=(
        Exercise(
            "One unit more: now and then a seed finds a way to empty a unit through h, without forget gates.",
            {"model": {"hidden_size": 8}},
        ),
        Exercise(
            "Twelve units and short streams of 100 symbols, so that c = 0 comes often: without forget gates it learns, too.",
            {
                "model": {"hidden_size": 12},
                "data": {"seq_len": 100, "length": 640},
                "train": {"batch_size": 32, "epochs": 60},
            },
        ),
        Exercise("On Gates, hold f at 1 under What if? in the trained model: c grows and T or P is lost."),
    ),
    outcome=_outcome,
    success_rate="10 of 10 seeds (0 to 9): with forget gates T or P is right in 99.3 % or more, without them in 45 to 68 %.",
    published="Without forget gates LSTM fails, with them it solves the task (Gers, Schmidhuber & Cummins 2000)",
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Felix A. Gers, Jürgen Schmidhuber & Fred Cummins (2000), Learning to Forget: Continual Prediction with LSTM, "
        "Neural Computation 12(10), 2451–2471",
        "Sepp Hochreiter & Jürgen Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8), 1735–1780",
    ),
)
