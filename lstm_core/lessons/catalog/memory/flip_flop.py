"""The 3-bit flip-flop: what is held for good rests in a stable state, one for each combination of bits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_percent
from lstm_core.experiment import STATES, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import ACTUAL_COLOR, GREY, LIME, PREDICTION_COLOR, SLATE, VIOLET, figure_layout
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, StageMoment, generated_data
from lstm_core.lessons.question import Choice, Measured, Question

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.analysis.fixed_points import Connection, FixedPoint, StateProjection
    from lstm_core.runs.run import Run
    from lstm_core.training.snapshots import ModelSnapshot

BITS = 3
SEARCH_STARTS = 512  # states that the search for resting states begins from
SILENT_STEPS = 300  # without a pulse, after a sequence's end
SILENT_WINDOWS = 64
DRAWN_EPOCHS = (3, 4, 8)  # of the moments in training whose memory is drawn beside that of now
MAX_CONNECTED = 40  # points up to which saddles are followed


@dataclass(frozen=True, eq=False)
class _Resting:
    points: list[FixedPoint]
    projection: StateProjection
    readouts: np.ndarray  # (points, bits): what the model predicts there

    @property
    def corners(self) -> list[tuple[int, ...]]:
        """The bits that are read out at the stable points."""
        return [
            tuple(np.sign(readout).astype(int).tolist())
            for point, readout in zip(self.points, self.readouts, strict=True)
            if point.stable
        ]


def _resting(run: Run) -> _Resting:
    """Where the state comes to rest without a pulse, of the current model."""
    import torch

    from lstm_core.analysis.fixed_points import find_fixed_points, project_states
    from lstm_core.analysis.unit_search import trace_windows

    def find() -> _Resting:
        model, windows = run.current_model(), run.windows
        trace = trace_windows(model, windows, windows.starts["test"])
        states = torch.cat([trace.h, trace.c], dim=-1)[-1, 0].flatten(0, 1)  # (windows · steps, 2 hidden_size)
        points = find_fixed_points(model.lstm, None, states, SEARCH_STARTS)
        h = torch.from_numpy(np.array([point.h for point in points]).reshape(-1, model.spec.h_size)).float()
        with torch.no_grad():
            readouts = model.head(h).numpy()
        return _Resting(points, project_states(states[:, : model.spec.h_size].double().numpy()), readouts)

    return run.cached("resting states of the flip-flop", run.weights_key, find)


def _connections(run: Run) -> list[Connection]:
    from lstm_core.analysis.fixed_points import saddle_connections

    points = _resting(run).points
    edges = [point for point in points if point.n_unstable <= 1]  # of a cube: its corners, and one on each edge
    if len(edges) > MAX_CONNECTED:
        return []
    find = lambda: saddle_connections(run.current_model().lstm, edges)  # noqa: E731
    return run.cached("edges of the flip-flop", run.weights_key, find)


def _predictions(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """What the model predicts at every step of the test sequences, and the bits: (windows, steps, bits) each."""
    import torch

    def predict() -> tuple[np.ndarray, np.ndarray]:
        windows = run.windows
        starts = windows.starts["test"]
        with torch.no_grad():
            predictions = run.current_model()(torch.from_numpy(windows.inputs(starts))).numpy()
        return predictions, windows.y[starts[:, None] + np.arange(windows.spec.seq_len)]

    return run.cached("flip-flop predictions", run.weights_key, predict)


def _held(run: Run, snapshot: ModelSnapshot) -> np.ndarray:
    """(SILENT_STEPS + 1,): the share of bits that are right 0, 1, 2 … steps after the end of test sequences."""
    import torch

    def measure() -> np.ndarray:
        windows, model = run.windows, snapshot.model
        starts = windows.starts["test"][:SILENT_WINDOWS]
        x = torch.from_numpy(windows.inputs(starts))
        silence = torch.zeros(len(x), SILENT_STEPS, x.shape[2])
        with torch.no_grad():
            output = model(torch.cat([x, silence], dim=1))[:, -SILENT_STEPS - 1 :].numpy()
        return (np.sign(output) == windows.y[windows.last_rows(starts)][:, None]).mean(axis=(0, 2))

    return run.cached("flip-flop held", (snapshot.step,), measure)


def _task_figure(runs: dict[str, Run]) -> go.Figure:
    from plotly.subplots import make_subplots

    run = runs["lstm"]
    predictions, bits = _predictions(run)
    pulses = run.windows.inputs(run.windows.starts["test"][:1])[0]
    steps = np.arange(1, len(pulses) + 1)
    figure = make_subplots(rows=bits.shape[2], shared_xaxes=True, vertical_spacing=0.05)
    for k in range(bits.shape[2]):
        style = {"row": k + 1, "col": 1, "showlegend": k == 0}
        figure.add_bar(x=steps, y=pulses[:, k], name="input pulse", marker={"color": SLATE}, width=0.5, **style)
        line = {"color": ACTUAL_COLOR, "width": 5, "shape": "hvh"}
        figure.add_scatter(x=steps, y=bits[0, :, k], name="target", mode="lines", line=line, **style)
        line = {"color": PREDICTION_COLOR, "width": 2.5, "shape": "hvh"}
        figure.add_scatter(x=steps, y=predictions[0, :, k], name="prediction", mode="lines", line=line, **style)
        figure.update_yaxes(title=f"bit {k + 1}", range=[-1.35, 1.35], tickvals=[-1, 0, 1], row=k + 1)
    figure.update_xaxes(title="step", row=bits.shape[2])
    return figure_layout(figure, 140 * bits.shape[2] + 60)


def _cube_figure(runs: dict[str, Run]) -> go.Figure:
    from lstm_core.analysis.unit_search import trace_windows
    from lstm_core.figures.resting_states import resting_states_figure

    run = runs["lstm"]
    found = _resting(run)
    windows = run.windows
    path = trace_windows(run.current_model(), windows, windows.starts["test"][:1]).h[-1, 0, 0].float().numpy()
    texts = [f"bits: {', '.join(f'{value:+.2f}'.replace('-', '−') for value in readout)}" for readout in found.readouts]
    return resting_states_figure(found.points, found.projection, path, _connections(run), texts)


def _held_plot(runs: dict[str, Run]) -> LinePlot:
    run = runs["lstm"]
    x, lines = np.arange(SILENT_STEPS + 1.0), []
    now = run.snapshot_at()
    for epoch, color, dash in zip(DRAWN_EPOCHS, (GREY, LIME, SLATE), ("dot", "dashdot", "dash"), strict=True):
        snapshot = run.snapshot_at(min(now.step, epoch * run.steps_per_epoch))
        if snapshot.step < now.step:
            name = f"after step {snapshot.step:,}"
            lines.append(Line(name, x, _held(run, snapshot), color, dash, width=2.5))
    lines.append(Line(f"now, step {now.step:,}", x, _held(run, now), VIOLET, width=3.5))
    return LinePlot(lines, "silent steps", "bits right", y_range=(0.45, 1.03))


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if all bits of new sequences are right, and each combination of them has one stable state of its own."""
    run = runs["lstm"]
    found, (predictions, bits) = _resting(run), _predictions(run)
    corners, wanted = found.corners, 2 ** bits.shape[2]
    wrong = int((np.sign(predictions) != bits).sum())
    held = float(_held(run, run.snapshot_at())[-1])
    saddles = sum(point.kind == "saddle" for point in found.points)
    summary = (
        f"{wrong} of {bits.size:,} bits of new sequences wrong; guessing gets half of them wrong. Without a pulse the "
        f"search finds {len(corners)} stable states, which answer {len(set(corners))} of the {wanted} combinations of "
        f"bits, and {saddles} saddles. After {SILENT_STEPS} silent steps {format_percent(held)} of the bits are right."
    )
    metrics = {"stable": len(corners), "combinations": len(set(corners)), "saddles": saddles, "wrong": wrong}
    metrics |= {"held": held}
    reached = wrong == 0 and len(corners) == len(set(corners)) == wanted and held == 1
    return Outcome(reached, summary, {name: float(value) for name, value in metrics.items()})


def _stage_moment(run: Run) -> StageMoment:
    """The unit that follows the first bit best, where a pulse turns that bit over."""
    from lstm_core.analysis.unit_search import rank_by_correlation

    windows = run.windows
    starts = windows.starts["test"]
    bit = windows.y[starts[:, None] + np.arange(windows.spec.seq_len)][..., 0]  # (windows, steps)
    unit = rank_by_correlation(run.current_model(), windows, starts, bit, STATES)[0].unit
    window = int(np.argmax((np.diff(bit) != 0).any(axis=1)))
    return StageMoment("test", window, unit, 1 + int(np.argmax(np.diff(bit[window]) != 0)))


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    predictions, _ = _predictions(runs["lstm"])
    return [predictions[0, :, k].repeat(4) / 2.5 - k for k in range(predictions.shape[2])]


def _measure_stable_states(runs: dict[str, Run]) -> Measured:
    run = runs["lstm"]
    found, steps = _resting(run), run.windows.spec.seq_len
    count = len(found.corners)
    return Measured(
        f"An LSTM of {run.experiment.model.hidden_size} units was trained on sequences of {steps} steps to hold "
        f"{run.windows.y.shape[1]} bits. Now it reads zeros, for as long as you like. In how many different states can "
        "it come to rest?",
        count,
        f"From {SEARCH_STARTS} states the search finds {count} stable resting states, which answer "
        f"{len(set(found.corners))} different combinations of bits.",
    )


LESSON = Lesson(
    title="Holding three bits",
    summary="Three bits, held for as long as no pulse comes. Where does the state rest in the meantime?",
    chapter="Memory",
    evening=2,
    after=("forget_bias",),
    train_seconds=3.0,
    question=Question(
        _measure_stable_states,
        (
            Choice("1", lambda count: count == 1, "With f below 1 each c alone would decay to one value and forget."),
            Choice("3", lambda count: count == 3, "One a bit would do if each state held one bit. A state holds all."),
            Choice("8", lambda count: count == 8, "Three bits have 2³ combinations, and each needs a place to stay."),
        ),
    ),
    experiments={
        "lstm": Experiment(
            generated_data("flip_flop", n_features=BITS, seq_len=25, length=2400, train_share=0.8, valid_share=0.1),
            ModelSpec(hidden_size=16, head="per_step"),
            TrainSpec(lr=0.01, batch_size=64, epochs=27, patience=0),
        )
    },
    figures=(
        LessonFigure(
            "**The task**",
            "One new sequence: a pulse sets its bit to 1 or −1, and the prediction has to stay there until the next.",
            _task_figure,
        ),
        LessonFigure(
            "**Where the state rests: a cube**",
            "Circles: stable states without a pulse; diamonds: saddles between them; line: the sequence above. Turn "
            "it, and point at a state to read what it answers.",
            _cube_figure,
        ),
        LessonFigure(
            "**Right is not yet held**",
            "The share of bits that are right as silent steps follow, without a pulse: now and early in training.",
            _held_plot,
        ),
    ),
    text="""
Three inputs, three outputs. At most steps an input is 0; one time in five it is a **pulse**, 1 or −1. Each output has
to show the last pulse of its own input, for however long the next one takes.

What does an LSTM do while nothing comes? Its step with zeros as input is a map from one state $(h, c)$ to the next.
Where the map leaves the state as it is, the state **rests**. If every small push away from there dies out, the resting
state is **stable**: a memory that lasts.

Sussillo and Barak search for such states in trained networks, and so does this lesson: from several hundred states
along new sequences, the size of the step is brought down to zero. Three bits need $2^3 = 8$ states. In the three
directions in which $h$ varies most they are the corners of a **cube**; a pulse carries the state along an edge or a
diagonal. Between two corners lies a **saddle**: stable but for one direction, along which the state falls to one corner
or the other.

The last figure tells a correct model from one that holds. Early in training all bits may be right within 25 steps and
fade later, since not every corner is stable yet. The goal: no bit of a new sequence wrong, eight stable states with a
combination of bits each, and all bits right after 300 steps of silence.
""",
    formula=r"""\begin{aligned}
&(h^*, c^*) = F(h^*, c^*;\ x = 0) \\
&\text{stable if all } |\lambda| < 1 \text{ of } \frac{\partial F}{\partial (h, c)}
\end{aligned}""",
    symbols="$F$ is one step of the LSTM, $h^*, c^*$ a resting state, $\\lambda$ an eigenvalue: by that factor a small "
    "push in its direction shrinks or grows at each step.",
    exercises=(
        Exercise("Two bits: how many stable states now, and how many saddles?", {"data": {"n_features": 2}}),
        Exercise("Four epochs instead of 27: are the bits right, and are they held?", {"train": {"epochs": 4}}),
        Exercise("On Understand, *Resting states*: set the constant input to this window's last one. Which are left?"),
    ),
    outcome=_outcome,
    seed_dots=SeedDots("resting states found", {"stable": "stable", "saddles": "saddles"}, {"2³": 2**BITS}),
    stage_moment=_stage_moment,
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "David Sussillo & Omri Barak (2013), Opening the black box: low-dimensional dynamics in high-dimensional "
        "recurrent neural networks, Neural Computation 25(3), 626–649: the task and the search, there in networks "
        "without gates",
        "Matthew D. Golub & David Sussillo (2018), FixedPointFinder, Journal of Open Source Software 3(31): which "
        "points are kept",
    ),
)
