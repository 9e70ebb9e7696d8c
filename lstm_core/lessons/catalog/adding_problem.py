"""The adding problem, T = 100: two marked numbers among a hundred, to be added up (Hochreiter & Schmidhuber 1997)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.analysis.unit_search import UnitMatch
    from lstm_core.runs.run import Run

NAIVE_LOSS = 1 / 6  # mean squared error of always saying 1
THRESHOLD = 0.01
SEARCH_WINDOWS = 256  # test sequences in which the units are looked for
SHOWN_WINDOWS = 100  # test sequences in the picture of what it says
TRAIN_WINDOWS, VALID_WINDOWS, TEST_WINDOWS = 8000, 500, 2000  # sequences


def _explained_sum(value: np.ndarray, marker: np.ndarray) -> np.ndarray:
    """(…, seq_len): the best guess of the sum so far: 1, then the first marked value and a half, then both."""
    return 1 + (marker * (value - 0.5)).cumsum(axis=-1)


def _rank_units(run: Run) -> tuple[list[UnitMatch], list[UnitMatch]]:
    """All units' c by how they follow the best guess so far, and all gates by how they follow the marker."""
    from lstm_core.analysis.unit_search import rank_by_correlation

    def rank() -> tuple[list[UnitMatch], list[UnitMatch]]:
        windows, model = run.windows, run.current_model()
        starts = windows.starts["test"][:SEARCH_WINDOWS]
        value, marker = np.moveaxis(windows.inputs(starts), -1, 0)  # each (windows, seq_len)
        adds = rank_by_correlation(model, windows, starts, _explained_sum(value, marker), ("c",))
        opens = rank_by_correlation(model, windows, starts, marker, ("i", "f", "o"))
        return adds, opens

    return run.cached("adding units", (run.step,), rank)


def _best_units(run: Run) -> tuple[UnitMatch, UnitMatch]:
    """The c that follows the best guess so far best, and the gate that follows the marker best."""
    adds, opens = _rank_units(run)
    return adds[0], opens[0]


def _example(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of the test sequence of the largest sum, each (seq_len,): values, markers, c and gate of _best_units, and the best
    guess in c's own scale."""
    from lstm_core.analysis.unit_search import trace_windows

    windows, (adds, opens) = run.windows, _best_units(run)
    starts = windows.starts["test"]
    trace = trace_windows(run.current_model(), windows, starts[:SEARCH_WINDOWS])
    value, marker = np.moveaxis(windows.inputs(starts[:SEARCH_WINDOWS]), -1, 0)
    guess, c = _explained_sum(value, marker), adds.values_in(trace)
    slope, level = np.polyfit(guess.ravel(), c.ravel(), 1)
    k = guess[:, -1].argmax()
    return value[k], marker[k], c[k], opens.values_in(trace)[k], slope * guess[k] + level


def _mechanism_figure(runs: dict[str, Run]) -> go.Figure:
    from plotly.subplots import make_subplots

    from lstm_core.figures.theme import ACTUAL_COLOR, GATE_COLORS, GATE_NAMES, figure_layout

    run = runs["lstm"]
    adds, opens = _best_units(run)
    value, marker, c, gate, guess = _example(run)
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.6, 0.4])
    lines = (
        ("best guess so far, in its scale", guess, ACTUAL_COLOR, "dash", 1),
        (f"c of unit {adds.unit} (r = {adds.score:.2f})", c, GATE_COLORS["c"], "solid", 1),
        (
            f"{GATE_NAMES[opens.gate]} of unit {opens.unit} (r = {opens.score:.2f} with the marker)",
            gate,
            GATE_COLORS[opens.gate],
            "solid",
            2,
        ),
    )
    for name, y, color, dash, row in lines:
        line = {"color": color, "width": 4, "dash": dash}
        figure.add_scatter(x=np.arange(len(y)), y=y, name=name, line=line, row=row, col=1)
    for at in np.flatnonzero(marker):
        figure.add_vline(float(at), line={"color": "#CC79A7", "width": 2, "dash": "dot"})
        figure.add_annotation(
            x=float(at),
            y=1.0,
            yref="y2 domain",
            text=f"<b>{value[at]:.2f}</b>",
            showarrow=False,
            xanchor="left",
            xshift=4,
            font={"size": 18},
        )
    figure.update_yaxes(title="c", row=1)
    figure.update_yaxes(title="gate", range=[-0.03, 1.03], row=2)
    figure.update_xaxes(title="step", row=2)
    return figure_layout(figure, 420)


def _ranking_figure(runs: dict[str, Run]) -> go.Figure:
    """Every unit's own r: its c with the best guess so far, its input gate with the marker."""
    import plotly.graph_objects as go

    from lstm_core.figures.theme import GATE_COLORS, figure_layout

    adds, opens = _rank_units(runs["lstm"])
    gate = {match.unit: abs(match.score) for match in opens if match.gate == "i"}
    names = [str(match.unit) for match in adds]
    figure = go.Figure()
    figure.add_bar(
        x=names,
        y=[abs(match.score) for match in adds],
        name="c with the best guess",
        marker={"color": GATE_COLORS["c"]},
    )
    figure.add_bar(
        x=names,
        y=[gate[match.unit] for match in adds],
        name="input gate with the marker",
        marker={"color": GATE_COLORS["i"]},
    )
    figure.update_xaxes(title="unit", type="category")
    figure.update_yaxes(title="|r|", range=[0, 1.03])
    return figure_layout(figure, 320)


def _errors(runs: dict[str, Run]) -> LinePlot:
    run = runs["lstm"]
    end = float(max(run.train_spec.epochs, 1))
    level = np.array([NAIVE_LOSS, NAIVE_LOSS])
    return LinePlot(
        [
            Line("training", *run.curves["train_loss"].points(1000), "#56B4E9", width=1.3, opacity=0.5),
            Line("new sequences", *run.curves["valid_loss"].points(1000), "#D55E00", width=3),
            Line("always saying 1", np.array([0.0, end]), level, "#888888", "dash", 3),
        ],
        "epoch",
        "mean squared error",
        log_y=True,
    )


def _prediction_plot(runs: dict[str, Run]) -> LinePlot:
    from lstm_core.forecasting.predict import predict

    run = runs["lstm"]
    windows = run.windows
    starts = windows.starts["test"][:SHOWN_WINDOWS]
    targets = windows.targets(starts)[:, 0, 0]
    order = np.argsort(targets)
    at = np.arange(1.0, len(order) + 1)
    predictions = predict(run.current_model(), windows, starts)[:, 0, 0]
    return LinePlot(
        [
            Line("the sum", at, targets[order], "#888888", width=4),
            Line("what it says", at, predictions[order], "#D55E00", width=2),
        ],
        "new sequences, in order of their sum",
        "sum",
        y_range=(0.0, 2.0),
    )


def _outcome(runs: dict[str, Run]) -> Outcome:
    error, count = runs["lstm"].evaluate("test"), len(runs["lstm"].windows.starts["test"])
    summary = f"Mean squared error {error:.2g} on {count:,} new sequences; always saying 1 would give {NAIVE_LOSS:.4f}."
    return Outcome(error < THRESHOLD, summary, {"error": error})


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    _, _, c, _, guess = _example(runs["lstm"])
    return [guess, c]


LENGTH = TRAIN_WINDOWS + VALID_WINDOWS + TEST_WINDOWS

LESSON = Lesson(
    title="The adding problem",
    summary="A hundred numbers, two of them marked: say their sum. One unit keeps it.",
    chapter="Papers",
    order=21,
    experiments={
        "lstm": Experiment(
            DataSpec(
                source="generator",
                name="adding_problem",
                length=LENGTH,
                seq_len=100,
                noise=0.0,
                horizon=0,
                train_share=TRAIN_WINDOWS / LENGTH,
                valid_share=VALID_WINDOWS / LENGTH,
                scaling="none",
            ),
            ModelSpec(hidden_size=16, chrono_t_max=100),
            TrainSpec(lr=5e-3, batch_size=32, epochs=12),
        )
    },
    figures=(
        LessonFigure(
            "**The unit that adds**",
            "Found by the program among all units: the c that best follows what one can guess so far (1, then the first "
            "number and a half, then the sum), and the gate that best follows the marker (dotted).",
            _mechanism_figure,
        ),
        LessonFigure(
            "**Long nothing, then all at once**",
            "It first learns to say 1, the mean; then the markers begin to matter, and the error falls in an epoch or two.",
            _errors,
        ),
        LessonFigure(
            "**What it says, beside the truth**",
            "A hundred new sequences, sorted by their sum.",
            _prediction_plot,
        ),
        LessonFigure(
            "**How it was found**",
            "For every unit, how closely its c follows the best guess, and its input gate the marker; the best stands left.",
            _ranking_figure,
        ),
    ),
    loss_figure=False,
    text="""
Each sequence is 100 steps of two numbers: a value between 0 and 1, and a marker, 1 at two steps and 0 at all others. One
marked step lies in each half. At the end the model must say the **sum of the two marked values**.

Whoever cannot remember says 1 every time, the mean of all sums, and has an error of 1/6. To do better, a model must carry
a value for up to a hundred steps without touching it, and let 98 others pass.

An LSTM has what that takes: a gate that opens only where the marker is, and a cell state that keeps what was let in. No
one told it so. The picture shows where it put them, on a sequence that it was not trained on.

The forget gates' biases start spread (*chrono*), so that some units remember for a hundred steps from the beginning.
""",
    formula=r"c_t = f_t\,c_{t-1} + i_t\,g_t \qquad f_t \approx 1,\quad i_t \approx 0 \text{ unless marked}",
    symbols="With $f_t$ near 1 and $i_t$ near 0, $c_t$ stays as it is; at a marker, $i_t g_t$ adds the value to it.",
    exercises=(
        Exercise(
            "PyTorch's own first weights: every unit forgets half at each step. How long does it stay at 1/6?",
            {"model": {"chrono_t_max": None}},
        ),
        Exercise("Twice as long, T = 200.", {"data": {"seq_len": 200}, "model": {"chrono_t_max": 200}}),
        Exercise("On Gates, look for the unit named in the picture, and play the sequence on Stage."),
    ),
    outcome=_outcome,
    success_rate="10 of 10 seeds (0 to 9): errors from 0.0002 to 0.0007.",
    published="Always saying 1: mean squared error 1/6 = 0.1667 (Arjovsky, Shah & Bengio 2016)",
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Sepp Hochreiter & Jürgen Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8), experiment 4 "
        "(values there from −1 to 1)",
        "Quoc V. Le, Navdeep Jaitly & Geoffrey Hinton (2015), A simple way to initialize recurrent networks of "
        "rectified linear units, arXiv 1504.00941",
        "Martin Arjovsky, Amar Shah & Yoshua Bengio (2016), Unitary evolution recurrent neural networks, arXiv "
        "1511.06464",
        "Corentin Tallec & Yann Ollivier (2018), Can recurrent neural networks warp time?, arXiv 1804.11188 (chrono)",
    ),
)
