"""The adding problem, T = 100: two marked numbers among a hundred, to be added up (Hochreiter & Schmidhuber 1997)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures import diagram
from lstm_core.figures.lines import LinePlot
from lstm_core.figures.theme import ACTUAL_COLOR, GATE_COLORS, GATE_NAMES, PREDICTION_COLOR, SLATE, figure_layout
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.figures import loss_with_levels, new_figure, ranking_figure, sorted_predictions, two_rows
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, StageMoment, generated_splits
from lstm_core.lessons.question import Choice, Measured, Question, between, median_loss

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.analysis.unit_search import UnitMatch
    from lstm_core.runs.run import Run

NAIVE_LOSS = 1 / 6  # mean squared error of always predicting 1
PAPER_WINDOWS = 2560  # the paper tests on as many
PAPER_TOLERANCE = 0.04 * 2  # the paper's 0.04 is of a target scaled to 0 … 1, the sum here goes from 0 to 2
PAPER_MAX_WRONG = 3  # of PAPER_WINDOWS
SEARCH_WINDOWS = 256  # test sequences in which the units are looked for
SILENCED_WINDOWS = 128  # test sequences that are predicted with a unit silenced
SHOWN_WINDOWS = 100  # test sequences in the plot of predictions
PLATEAU = 0.1, 0.25  # epochs: by then it predicts the mean, and has not found the markers yet


def _expected_sum(value: np.ndarray, marker: np.ndarray) -> np.ndarray:
    """(…, seq_len): the expected sum given the values read: 1, then the first marked value + 0.5, then both."""
    return 1 + (marker * (value - 0.5)).cumsum(axis=-1)


def _rank_units(run: Run) -> tuple[list[UnitMatch], list[UnitMatch]]:
    """All units' c by how they follow the running estimate of the sum, and all gates by how they follow the marker."""
    from lstm_core.analysis.unit_search import rank_by_correlation

    def rank() -> tuple[list[UnitMatch], list[UnitMatch]]:
        windows, model = run.windows, run.current_model()
        starts = windows.starts["test"][:SEARCH_WINDOWS]
        value, marker = np.moveaxis(windows.inputs(starts), -1, 0)  # each (windows, seq_len)
        cells = rank_by_correlation(model, windows, starts, _expected_sum(value, marker), ("c",))
        gates = rank_by_correlation(model, windows, starts, marker, ("i", "f", "o"))
        return cells, gates

    return run.cached("adding units", run.weights_key, rank)


def _best_units(run: Run) -> tuple[UnitMatch, UnitMatch]:
    """The c that follows the running estimate best, and the gate that follows the marker best."""
    cells, gates = _rank_units(run)
    return cells[0], gates[0]


def _example(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of the test sequence with the largest sum, each (seq_len,): values, markers, c and gate of _best_units, and the
    running estimate in c's own scale."""
    from lstm_core.analysis.unit_search import trace_windows

    windows, (cell_match, gate_match) = run.windows, _best_units(run)
    starts = windows.starts["test"]
    trace = trace_windows(run.current_model(), windows, starts[:SEARCH_WINDOWS])
    value, marker = np.moveaxis(windows.inputs(starts[:SEARCH_WINDOWS]), -1, 0)
    estimate, c = _expected_sum(value, marker), cell_match.values_in(trace)
    slope, intercept = np.polyfit(estimate.ravel(), c.ravel(), 1)
    k = estimate[:, -1].argmax()
    return value[k], marker[k], c[k], gate_match.values_in(trace)[k], slope * estimate[k] + intercept


def _mechanism_figure(runs: dict[str, Run]) -> go.Figure:
    run = runs["lstm"]
    cell_match, gate_match = _best_units(run)
    value, marker, c, gate, estimate = _example(run)
    figure = two_rows("step", 420, vertical_spacing=0.06, row_heights=[0.6, 0.4])
    c_name = f"c of unit {cell_match.unit} (r = {cell_match.score:.2f})"
    gate_name = f"{GATE_NAMES[gate_match.gate]} of unit {gate_match.unit} (r = {gate_match.score:.2f} with the marker)"
    lines = (
        ("running estimate, in its scale", estimate, ACTUAL_COLOR, "dash", 1),
        (c_name, c, GATE_COLORS["c"], "solid", 1),
        (gate_name, gate, GATE_COLORS[gate_match.gate], "solid", 2),
    )
    for name, y, color, dash, row in lines:
        line = {"color": color, "width": 4, "dash": dash}
        figure.add_scatter(x=np.arange(1, len(y) + 1), y=y, name=name, line=line, row=row, col=1)
    for at in np.flatnonzero(marker):
        step = float(at + 1)
        figure.add_vline(step, line={"color": SLATE, "width": 2, "dash": "dot"})
        text = diagram.label(step, 1.0, f"<b>{value[at]:.2f}</b>", 18, yref="y2 domain", xanchor="left", xshift=4)
        figure.add_annotation(text)
    return figure.update_yaxes(title="gate", row=2)


def _ranking_figure(runs: dict[str, Run]) -> go.Figure:
    """Every unit's own r: its c with the running estimate, its input gate with the marker."""
    cells, gates = _rank_units(runs["lstm"])
    gate = {match.unit: abs(match.score) for match in gates if match.gate == "i"}
    bars = {
        "c with the running estimate": ([abs(match.score) for match in cells], GATE_COLORS["c"]),
        "input gate with the marker": ([gate[match.unit] for match in cells], GATE_COLORS["i"]),
    }
    return ranking_figure([match.unit for match in cells], bars, "|r|")


def _silenced_figure(runs: dict[str, Run]) -> go.Figure:
    """The squared error of the model with one unit silenced, for each of them in the order of the ranking."""
    run = runs["lstm"]
    units = [match.unit for match in _rank_units(run)[0]]
    errors = run.cached("adding silenced", run.weights_key, lambda: [_error_without(run, unit) for unit in units])
    figure = new_figure()
    colors = [GATE_COLORS["c"] if unit == units[0] else ACTUAL_COLOR for unit in units]
    figure.add_bar(x=[str(unit) for unit in units], y=errors, marker={"color": colors}, showlegend=False)
    for name, value, dash in (
        ("always predicting 1", NAIVE_LOSS, "dash"),
        ("all units", _error_without(run, None), "dot"),
    ):
        line = {"color": PREDICTION_COLOR, "width": 2.5, "dash": dash}
        x = [str(units[0]), str(units[-1])]
        figure.add_scatter(x=x, y=[value, value], mode="lines", name=name, line=line)
    figure.update_xaxes(title="unit", type="category")
    figure.update_yaxes(title="squared error", type="log", exponentformat="power", dtick=1)
    return figure_layout(figure, 320)


def _error_without(run: Run, unit: int | None) -> float:
    """On SILENCED_WINDOWS test sequences, with a unit's c and h at 0; None: with all units."""
    from lstm_core.analysis.gate_importance import predict_with_interventions
    from lstm_core.trace.interventions import Intervention

    windows = run.windows
    starts = windows.starts["test"][:SILENCED_WINDOWS]
    silenced = [] if unit is None else [Intervention("zero", "c", units=(unit,))]
    predictions = predict_with_interventions(run.current_model(), windows, starts, silenced)
    return float(np.mean((predictions - windows.targets(starts)) ** 2))


def _predictions(run: Run, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of the first test sequences, each (count,): predictions and targets."""
    from lstm_core.forecasting.predict import predict

    starts = run.windows.starts["test"][:count]
    return predict(run.current_model(), run.windows, starts)[:, 0, 0], run.windows.targets(starts)[:, 0, 0]


def _prediction_plot(runs: dict[str, Run]) -> LinePlot:
    predictions, targets = _predictions(runs["lstm"], SHOWN_WINDOWS)
    lines = sorted_predictions("prediction", predictions, targets, PREDICTION_COLOR, len(targets))
    return LinePlot(lines[::-1], "new sequences, in order of their sum", "sum", y_range=(0.0, 2.0))


def _outcome(runs: dict[str, Run]) -> Outcome:
    predictions, targets = _predictions(runs["lstm"], len(runs["lstm"].windows.starts["test"]))
    errors = np.abs(predictions - targets)
    error, wrong = float(np.mean(errors**2)), int((errors > PAPER_TOLERANCE).sum())
    summary = (
        f"Mean squared error {format_significant(error)} on {len(errors):,} new sequences; always predicting 1 would "
        f"score {NAIVE_LOSS:.4f}. Off by more than 0.04 of the range, the rule of 1997: {wrong:,} of them."
    )
    return Outcome(wrong <= PAPER_MAX_WRONG, summary, {"error": error, "wrong": float(wrong)})


def _stage_moment(run: Run) -> StageMoment:
    """The unit that adds, as it reads the first of the marked values whose sum is the largest."""
    _, marker, *_ = _example(run)
    windows = run.windows
    sums = windows.targets(windows.starts["test"][:SEARCH_WINDOWS]).ravel()
    return StageMoment("test", int(sums.argmax()), _best_units(run)[0].unit, int(marker.argmax()))


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    _, _, c, _, estimate = _example(runs["lstm"])
    return [estimate, c]


def _measure_plateau(runs: dict[str, Run]) -> Measured:
    plateau = median_loss(runs["lstm"], *PLATEAU)
    return Measured(
        "A hundred values between 0 and 1, two of them marked: predict the sum of these two. Early in training the "
        "squared error stays on a plateau. At which level?",
        plateau,
        f"Between epoch {PLATEAU[0]} and {PLATEAU[1]} the median loss of a batch was {plateau:.3f}; always predicting "
        f"1 scores {NAIVE_LOSS:.3f}.",
    )


LESSON = Lesson(
    title="The adding problem",
    summary="A hundred numbers, two of them marked: add those two. One unit of the cell state holds the sum.",
    chapter="Papers",
    evening=2,
    after=("forget_bias",),
    train_seconds=6.8,
    question=Question(
        _measure_plateau,
        (
            Choice("near 0", between(0, 0.05), "It ends there, once it has found the markers."),
            Choice(
                "near 1/6",
                between(0.13, 0.21),
                "The mean of all sums is 1, and always predicting it scores their variance, two times 1/12.",
            ),
            Choice("near 1", between(0.8, 1.2), "1 is what it predicts then, the mean of all sums, and not its error."),
        ),
    ),
    experiments={
        "lstm": Experiment(
            generated_splits("adding_problem", seq_len=100, train=8000, valid=500, test=PAPER_WINDOWS),
            ModelSpec(hidden_size=16, chrono_t_max=100),
            TrainSpec(lr=5e-3, batch_size=32, epochs=24, patience=0),
        )
    },
    figures=(
        LessonFigure(
            "**The unit that adds**",
            "Found by a search over all units: the c that best follows the expected sum so far (1, then the first "
            "marked value + 0.5, then the sum), and the gate that best follows the marker (dotted).",
            _mechanism_figure,
        ),
        LessonFigure(
            "**A plateau, then a sudden drop**",
            "It first learns to predict 1, the mean; then it starts to use the markers, and the error falls within an "
            "epoch or two.",
            lambda runs: loss_with_levels(runs["lstm"], "mean squared error", {"always predicting 1": NAIVE_LOSS}),
        ),
        LessonFigure("**Predictions and targets**", "A hundred new sequences, sorted by their sum.", _prediction_plot),
        LessonFigure(
            "**How the unit was found**",
            "For every unit, how closely its c follows the running estimate, and its input gate the marker; best on "
            "the left.",
            _ranking_figure,
        ),
        LessonFigure(
            "**Each unit silenced**",
            "The error with one unit's c and h at 0, the other units as they are. Orange: the unit that adds.",
            _silenced_figure,
        ),
    ),
    loss_figure=False,
    text="""
Each sequence is 100 steps of two numbers: a value between 0 and 1, and a marker, 1 at two steps and 0 at all others.
One marked step lies in each half. At the end the model must predict the **sum of the two marked values**.

A model without memory can only predict 1, the mean of all sums, which scores a mean squared error of 1/6. To do better,
it must keep a value unchanged for up to a hundred steps and ignore 98 others.

An LSTM can: an input gate that opens only at the marker, and a cell state that keeps what was written. Nothing in the
loss asks for this; training finds it. The first figure shows the units, on a sequence that it was not trained on.

The paper of 1997, with values from −1 to 1, reports more than a low mean error: of 2,560 new sequences at most 3 were
off by more than 0.04, with targets scaled to 0 … 1. The result above counts those too, and the goal is the same: at
most 3 of 2,560.

The forget gates' biases start spread out (*chrono*), so that some units remember for a hundred steps from the start.
""",
    formula=r"c_t = f_t\,c_{t-1} + i_t\,g_t \qquad f_t \approx 1,\quad i_t \approx 0 \text{ unless marked}",
    symbols="With $f_t$ near 1 and $i_t$ near 0, $c_t$ stays as it is; at a marker, $i_t g_t$ adds the value to it.",
    exercises=(
        Exercise(
            "PyTorch's default initialisation: every unit forgets half at each step. How long does it stay at 1/6?",
            {"model": {"chrono_t_max": None}},
        ),
        Exercise("Twice as long, T = 200.", {"data": {"seq_len": 200}, "model": {"chrono_t_max": 200}}),
        Exercise("On Gates, find the unit named in the figure, and play the sequence on Stage."),
    ),
    outcome=_outcome,
    seed_dots=SeedDots("mean squared error", {"LSTM": "error"}, {"always 1": 1 / 6}, log=True),
    success_rate="With half as many epochs 6 of 10 seeds (2000 to 2009) reach it, and all have a mean squared error "
    "below 0.001.",
    card=paper_cards.ADDING,
    stage_moment=_stage_moment,
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
