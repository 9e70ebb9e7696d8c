"""Exploding gradients: the same RNN with and without clipping, and what clipping does to a gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures import diagram
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import BRICK, GREY, LILAC, VIOLET, figure_layout
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.catalog.memory.exploding.cliff import cliff_figure, extra_files
from lstm_core.lessons.figures import LOSS_POINTS, new_figure
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, generated_data, run_name
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

COLORS = {"clip": VIOLET, "no_clip": BRICK}
CLIP = 0.25
MAX_NORM_SHOWN = 1e6
MAX_ERROR = 0.1  # squared, of a model that has learned the task; always predicting 0 scores 1

DATA = generated_data("recall_first", length=2000, seq_len=20, train_share=0.8, valid_share=0.1)


def _curve(run: Run, name: str) -> tuple[np.ndarray, np.ndarray]:
    """A curve to draw; values beyond MAX_NORM_SHOWN run along the top, or nothing else could be made out."""
    epochs, values = run.curves[name].points(LOSS_POINTS)
    return epochs, np.minimum(values, MAX_NORM_SHOWN)


def _norms(runs: dict[str, Run]) -> LinePlot:
    lines = [Line(run_name(label), *_curve(run, "grad_norm"), COLORS[label], width=2) for label, run in runs.items()]
    clipped = runs["clip"]
    end, limit = max(clipped.epoch, 1), clipped.train_spec.max_grad_norm or CLIP
    lines.append(Line("the limit", np.array([0.0, end]), np.full(2, limit), GREY, "dash", 2))
    return LinePlot(lines, "epoch", "gradient norm, before clipping", log_y=True)


def _loss_plot(runs: dict[str, Run]) -> LinePlot:
    lines = [Line(run_name(label), *_curve(run, "train_loss"), COLORS[label], width=2) for label, run in runs.items()]
    return LinePlot(lines, "epoch", "squared error of each batch", log_y=True)


def _vectors(runs: dict[str, Run]) -> go.Figure:
    """A gradient of two weights, clipped by its norm and, beside it, clipped weight by weight."""
    gradient = np.array([1.0, 0.4])
    by_norm, by_value = gradient * CLIP / np.linalg.norm(gradient), np.clip(gradient, -CLIP, CLIP)
    angle = np.linspace(0, np.pi / 2, 60)
    x, y = CLIP * np.cos(angle), CLIP * np.sin(angle)
    figure, line = new_figure(), {"color": GREY, "dash": "dash", "width": 2}
    figure.add_scatter(x=x, y=y, mode="lines", hoverinfo="skip", line=line)
    vectors = (
        (f"the gradient, length {np.linalg.norm(gradient):.2f}", gradient, COLORS["no_clip"], "solid", (0, 22)),
        ("clipped by norm: the same direction", by_norm, COLORS["clip"], "solid", (145, -24)),
        ("clipped by value: it turns", by_value, LILAC, "dot", (30, 22)),
    )
    for name, (x, y), color, dash, (right, up) in vectors:
        line = {"color": color, "width": 5, "dash": dash}
        tip = {"size": [0, 16], "symbol": "arrow", "angleref": "previous", "opacity": 1}
        style = {"mode": "lines+markers", "hoverinfo": "skip", "opacity": 1}
        figure.add_scatter(x=[0, x], y=[0, y], line=line, marker=tip, **style)
        figure.add_annotation(diagram.label(x, y, name, 16, color, xshift=right, yshift=up))
    figure.update_xaxes(title="gradient of weight 1", range=[-0.05, 1.2])
    figure.update_yaxes(title="of weight 2", range=[-0.05, 0.55], scaleanchor="x")
    return figure_layout(figure, 300).update_layout(showlegend=False)


def _outcome(runs: dict[str, Run]) -> Outcome:
    error = runs["clip"].evaluate("test")
    unclipped = runs["no_clip"]
    losses, norms = (unclipped.curves[name].points()[1] for name in ("train_loss", "grad_norm"))
    loss, norm = (float(values.max(initial=0.0)) for values in (losses, norms))
    broke_off = unclipped.status == "failed"
    how = (
        f"broke off after {unclipped.step:,} steps, its loss or gradient infinite or NaN"
        if broke_off
        else "did not break off"
    )
    median_text = f", the median {format_significant(float(np.median(norms)), 1)}" if len(norms) else ""
    summary = (
        f"Clipped: squared error {format_significant(error)} on new sequences; always predicting 0 would score 1. Not "
        f"clipped: it {how}; its largest loss was {format_significant(loss, 1)} and its largest gradient norm "
        f"{format_significant(norm, 1)}{median_text}."
    )
    metrics = {"clip error": error, "no_clip steps": float(unclipped.step), "no_clip largest loss": loss}
    return Outcome(error < MAX_ERROR and broke_off, summary, metrics)


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    """The norms of both over twice the epochs that the unclipped run lasted."""
    max_epochs = 2 * runs["no_clip"].epoch + 2
    curves = []
    for run in runs.values():
        x, y = run.curves["grad_norm"].points()
        even = np.linspace(0, max_epochs, 160)
        curves.append(np.interp(even, x, np.log10(np.clip(y, 1e-4, 1e6)), right=np.nan))
    return curves


def _experiment(clip: float) -> Experiment:
    train = TrainSpec(optimizer="SGD", lr=0.1, momentum=0.9, batch_size=64, epochs=80, max_grad_norm=clip, patience=0)
    return Experiment(DATA, ModelSpec(cell="rnn", hidden_size=50), train)


def _largest_over_median(run: Run) -> float:
    """Of a run's gradient norms before clipping, as far as they are finite; NaN before the first step."""
    _, norms = run.curves["grad_norm"].points()
    finite = norms[np.isfinite(norms)]
    return float(finite.max() / np.median(finite)) if len(finite) else np.nan


def _measure_largest_norm(runs: dict[str, Run]) -> Measured:
    ratios = {label: _largest_over_median(run) for label, run in runs.items()}
    return Measured(
        "An RNN is trained without gradient clipping. Its largest gradient norm, divided by the median one, is about …",
        ratios["no_clip"],
        f"Without clipping the largest norm is {format_significant(ratios['no_clip'])} times the run's median, with "
        f"clipping {format_significant(ratios['clip'])} times.",
    )


LESSON = Lesson(
    title="Exploding gradients",
    summary="One steep step of the loss destroys all that an RNN has learned; gradient clipping prevents it.",
    chapter="Memory",
    evening=2,
    after=("vanishing",),
    train_seconds=2.8,
    question=Question(
        _measure_largest_norm,
        (
            Choice(
                "10",
                between(1, 100),
                "While training goes well, the noise between batches makes about that much difference.",
            ),
            Choice(
                "1,000",
                between(100, 1e5),
                "On the cliff a gradient may be as large as that. The weights it leads to have a still larger one.",
            ),
            Choice(
                "more than a million",
                between(1e6),
                "A factor above 1 at each of twenty steps, and each bad step leads to a worse one.",
            ),
        ),
    ),
    experiments={"clip": _experiment(CLIP), "no_clip": _experiment(0.0)},
    figures=(
        LessonFigure(
            "**The gradient norm, batch by batch**",
            "Both start alike. Where the norm exceeds the dashed limit, the clipped run's gradient is scaled down to "
            "the limit.",
            _norms,
        ),
        LessonFigure(
            "**The loss of every batch**",
            "Always predicting 0 scores 1. A line that leaves the plot at a million and ends is a run whose loss "
            "became infinite or NaN.",
            _loss_plot,
        ),
        LessonFigure(
            "**The cliff: the loss along the gradient**",
            "One batch, downhill along its gradient, at the last step of the run without clipping with a loss below 1, "
            "or at its next. Marked: one step of plain gradient descent. Dashed: half as many steps in. Norm: of the "
            "gradient.",
            lambda runs: cliff_figure(runs["no_clip"], runs["clip"].train_spec.max_grad_norm or CLIP),
        ),
        LessonFigure(
            "**What clipping does**",
            "By norm, the arrow keeps its direction and is scaled to the limit; by value, its direction would change.",
            _vectors,
        ),
    ),
    loss_figure=False,
    text="""
The first of twenty steps is +1 or −1, the others are noise; at the end the RNN has to predict which it was. Both runs
have the same data, weights and learning rate. Only one **clips** its gradient.

To remember the first step, the RNN's recurrent weights must grow until they carry a number through twenty steps. Then
the product that makes gradients vanish does the opposite: factors above 1, twenty times over. The loss has a **cliff**
there, and on it the gradient is orders of magnitude larger than on the plateau before: the result above gives the
largest norm and the median. The third picture is a cut through it.

A step is learning rate times gradient. One such step throws the weights far away, where the next gradient is larger
still, until the loss is infinite or NaN. The Trainer then stops that run, reports it, and keeps its last finite
weights: **this stop is what the lesson shows**, not a fault.

Clipping measures the norm of the whole gradient, all weights together, and scales it down if it exceeds the limit. The
step keeps its direction, and is never longer than the limit.
""",
    formula=r"""g \;\leftarrow\; g \cdot \min\!\left(1,\ \frac{\text{clip}}{\lVert g \rVert}\right),
\qquad w \;\leftarrow\; w - \eta\, g""",
    symbols="$g$ is the gradient of all weights as one vector, $\\lVert g \\rVert$ its norm, $\\eta$ the learning "
    "rate.",
    common_mistakes="""
**Clipping does not cure vanishing gradients.** It shortens long gradients and lengthens none.

**By norm or by value?** PyTorch has both. `clip_grad_norm_` keeps the direction, `clip_grad_value_` clips each
element by itself and changes the direction. This app clips by norm.

**"Adam needs no clipping."** Here it does not: no step is much larger than the learning rate. But one huge gradient
still spoils Adam's averages for many steps, and a NaN spoils them for good.

**LSTMs explode too.** Only the cell state is gated; the path through $h$ has a product of weights as in an RNN.
""",
    exercises=(
        Exercise(
            "A tenth of the learning rate: neither run falls off the cliff. Small steps help as well, at a price: how "
            "many epochs does it take now?",
            {"train": {"lr": 0.01}},
        ),
        Exercise(
            "Adam instead of SGD: it divides each gradient by its usual size, and here both runs learn.",
            {"train": {"optimizer": "Adam", "lr": 0.005}},
        ),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "squared error",
        {"clipped, at the end": "clip error", "not clipped, largest": "no_clip largest loss"},
        {"always predicting 0": 1.0},
        log=True,
        colors=tuple(COLORS.values()),
    ),
    success_rate="The number of epochs was chosen on the seeds 10 to 39, all of which reach it; with half as many, 27 "
    "of the seeds 2000 to 2029 do: on two neither run has learned by then, and on one the unclipped run comes back. At "
    "the step in the picture of the cliff, on the 28 of these seeds that break off, a whole step of plain gradient "
    "descent raises the batch's loss on 25, a clipped one lowers it on all 28.",
    card=paper_cards.EXPLODING,
    thumbnail_plot=_thumbnail_plot,
    extra_files=extra_files,
    sources=(
        "Yoshua Bengio, Patrice Simard & Paolo Frasconi (1994), Learning long-term dependencies with gradient descent "
        "is difficult, IEEE Transactions on Neural Networks 5(2): the task in its simplest form",
        "Razvan Pascanu, Tomas Mikolov & Yoshua Bengio (2013), On the difficulty of training recurrent neural "
        "networks, ICML, arXiv 1211.5063: the cliff, and clipping by the norm",
        "Tomas Mikolov (2012), Statistical language models based on neural networks, PhD thesis, Brno: clipping each "
        "value",
    ),
)
