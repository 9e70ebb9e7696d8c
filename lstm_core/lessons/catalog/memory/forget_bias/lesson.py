"""Forget gate bias: 0, 1 and chrono, on a task that only gates which start open learn reliably."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import BRICK, GREY, LIME, MIN_SHARE, VIOLET, figure_layout
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.catalog.memory.forget_bias.lengths import STEPS, lengths_figure
from lstm_core.lessons.figures import LOSS_POINTS, new_figure
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, generated_data, run_name
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go

    from lstm_core.runs.run import Run
    from lstm_core.training.snapshots import ModelSnapshot

COLORS = {"chrono": LIME, "bias_1": VIOLET, "bias_0": BRICK}
WINDOWS = 8  # that the gates are averaged over
MAX_ERROR = 0.1  # squared, of a model that has learned the task; always predicting 0 scores 1

DATA = generated_data("recall_first", length=2000, seq_len=STEPS, train_share=0.8, valid_share=0.1)


def _mean_forget_gates(run: Run, snapshot: ModelSnapshot) -> np.ndarray:
    """(hidden_size,): each unit's f, mean over some windows and their steps."""
    from lstm_core.analysis.unit_search import trace_windows

    def mean() -> np.ndarray:
        f = trace_windows(snapshot.model, run.windows, run.windows.starts["valid"][:WINDOWS]).f
        return f[0, 0].double().mean((0, 1)).numpy()  # of (1, 1, batch, seq_len, hidden_size)

    return run.cached("forget gates", (snapshot.step,), mean)


def _constants(run: Run, snapshot: ModelSnapshot) -> np.ndarray:
    """(hidden_size,) −1 / ln f in steps, the longest first."""
    with np.errstate(divide="ignore"):
        return np.sort(-1 / np.log(_mean_forget_gates(run, snapshot)))[::-1]


def _initial_figure(runs: dict[str, Run]) -> go.Figure:
    figure = new_figure()
    for label, run in runs.items():
        constants = _constants(run, run.snapshot_at(0))
        units, line = np.arange(1, len(constants) + 1), {"color": COLORS[label], "width": 3}
        style = {"mode": "lines+markers", "line": line, "marker": {"size": 8}}
        figure.add_scatter(x=units, y=constants, name=run_name(label), **style)
    seq_len, line = run.windows.spec.seq_len, {"color": GREY, "dash": "dash", "width": 2}
    name = f"the {seq_len} steps to remember"
    figure.add_scatter(x=units[[0, -1]], y=[seq_len, seq_len], name=name, mode="lines", line=line)
    figure.update_yaxes(type="log", title="time constant (steps)", dtick=1)
    figure.update_xaxes(title="unit, the longest memory first")
    return figure_layout(figure, 300)


def _remaining_plot(runs: dict[str, Run]) -> LinePlot:
    lines = []
    for label, run in runs.items():
        f = _mean_forget_gates(run, run.snapshot_at())
        back = np.arange(run.windows.spec.seq_len, dtype=float)
        lines.append(Line(run_name(label), back, _remaining(f, back), COLORS[label], width=3))
        start = _remaining(_mean_forget_gates(run, run.snapshot_at(0)), back)
        lines.append(Line(f"{run_name(label)}, before training", back, start, COLORS[label], "dot", 2))
    return LinePlot(lines, "steps", "share of c that is left", log_y=True)


def _remaining(f: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The share of c that the unit with the largest f keeps after so many steps; NaN where it is too small to draw."""
    product = f.max() ** steps
    return np.where(product > MIN_SHARE, product, np.nan)


def _loss_plot(runs: dict[str, Run]) -> LinePlot:
    curves = {label: run.curves["valid_loss"].points(LOSS_POINTS) for label, run in runs.items()}
    lines = [Line(run_name(label), *curve, COLORS[label], width=3) for label, curve in curves.items()]
    return LinePlot(lines, "epoch", "squared error", y_range=(0.0, 1.15))


def _epochs_to_learn(run: Run) -> float:
    """The first epoch whose validation error is below MAX_ERROR; infinite if there is none."""
    epochs, losses = run.curves["valid_loss"].points()
    learned = losses < MAX_ERROR
    return float(epochs[learned.argmax()]) if learned.any() else np.inf


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if chrono learns the task, and sooner than both others, which may never do so."""
    errors, means, epochs = {}, {}, {}
    for label, run in runs.items():
        errors[label] = run.evaluate("test")
        means[label] = float(_mean_forget_gates(run, run.snapshot_at(0)).mean())
        epochs[label] = _epochs_to_learn(run)
    errors_text = "; ".join(f"{run_name(label)}: {format_significant(error, 1)}" for label, error in errors.items())
    gates = ", ".join(f"{means[label]:.2f} with {run_name(label)}" for label in errors)
    learned_text = ", ".join(
        f"{run_name(label)} {f'at epoch {epoch:.0f}' if np.isfinite(epoch) else 'never'}"
        for label, epoch in epochs.items()
    )
    summary = (
        f"Squared error on new sequences: {errors_text}; always predicting 0 would score 1. The mean forget gate "
        f"before training was {gates}. First validation error below {MAX_ERROR:g}: {learned_text}."
    )
    sooner = epochs["chrono"] < min(epochs["bias_1"], epochs["bias_0"])
    metrics = {f"{label} error": error for label, error in errors.items()}
    return Outcome(errors["chrono"] < MAX_ERROR and sooner, summary, metrics)


def _experiment(**model) -> Experiment:
    return Experiment(
        DATA, ModelSpec(hidden_size=20, **model), TrainSpec(lr=5e-3, batch_size=64, epochs=30, patience=0)
    )


def _measure_kept(runs: dict[str, Run]) -> Measured:
    run = runs["bias_1"]
    f, steps = float(_mean_forget_gates(run, run.snapshot_at(0)).mean()), run.windows.spec.seq_len - 1
    return Measured(
        f"With a forget bias of 1, the forget gates are {f:.2f} on average before training. How much of what a unit "
        f"stores is left {steps} steps later?",
        f**steps,
        f"{f:.4f} to the power of {steps} is {format_significant(f**steps)}.",
    )


def _about(share: float) -> Callable[[float], bool]:
    """Whether a measured share is of this order of magnitude."""
    return between(share / 10**0.7, share * 10**0.7)


LESSON = Lesson(
    title="The forget gate's initial bias",
    summary="Whether an LSTM learns to remember may be decided before it sees any data: bias 0, 1 and chrono.",
    chapter="Memory",
    evening=2,
    after=("vanishing",),
    train_seconds=3.0,
    question=Question(
        _measure_kept,
        (
            Choice("about 10⁻¹", _about(1e-1), "0.73 seems to be mostly open. But it is multiplied at every step."),
            Choice("about 10⁻³", _about(1e-3), "So it would be after some twenty steps."),
            Choice("about 10⁻⁷", _about(1e-7), "A share of 0.73 at each step is a tenth after seven, and so on."),
        ),
    ),
    experiments={
        "chrono": _experiment(chrono_t_max=STEPS),
        "bias_1": _experiment(forget_bias=1.0),
        "bias_0": _experiment(forget_bias=0.0),
    },
    figures=(
        LessonFigure(
            "**How long each unit remembers, before any training**",
            "After that many steps a unit has kept 1/e of its cell state: chrono spreads the units over the whole "
            "task.",
            _initial_figure,
        ),
        LessonFigure(
            "**What they learn from there**",
            "Squared error on validation sequences after each epoch; always predicting 0 scores 1.",
            _loss_plot,
        ),
        LessonFigure(
            "**How much of the first step is left**",
            "The share of c that the mean f leaves in the unit with the longest memory: dotted before training, solid "
            "now.",
            _remaining_plot,
        ),
        LessonFigure(
            "**The more steps, the fewer seeds learn, but for chrono**",
            "The seeds 2000 to 2029 at each length, chrono told so. Above a column: how many of the 30 end below 0.1 "
            "(dashed). Diamonds: these runs.",
            lambda runs: lengths_figure(runs, COLORS, MAX_ERROR),
        ),
    ),
    loss_figure=False,
    text=r"""
The first of fifty steps is +1 or −1, all others are noise, and at the end the LSTM has to predict which it was. Always
predicting 0 scores a squared error of 1. Three LSTMs, equal but for the **biases of their gates** before training.

With **bias 0** a forget gate starts at σ(0) = 0.5. Of what the first step writes into $c$, $0.5^{49} \approx 10^{-15}$
is left at the end, and the same share of the gradient on its way back. Gates vary from unit to unit and from seed to
seed, so some runs find their way out; most do not.

With **bias 1** it starts at 0.73, which leaves 4 % after ten steps, and $10^{-7}$ after forty-nine. It helps, but not
reliably.

**Chrono** takes the longest memory that the task may need, here fifty steps, and gives each unit a time constant
between two steps and that. The input gates get the negative bias: what is to last must not be overwritten at every
step. Some units then carry the first step from the very first batch.

Initialisation does not decide what an LSTM *can* learn, but whether its first gradients point there. The goal of this
lesson: chrono learns, a squared error below 0.1, and sooner than both others.
""",
    formula=r"""\begin{aligned}
f &= \sigma(b_f)\ \Rightarrow\ \text{time constant } \frac{-1}{\ln f} \\
\text{chrono: } b_f &\sim \ln \mathcal{U}(1,\ T_{\max}-1), \quad b_i = -b_f
\end{aligned}""",
    symbols="$\\sigma$ is the logistic function, $T_{\\max}$ the longest time to remember, in steps; inputs and $h$ "
    "add to the biases, which is why the gates of one LSTM differ before training too.",
    common_mistakes="""
**"Set both biases to 1."** nn.LSTM adds `bias_ih` and `bias_hh`: set in both, it is 2. Here one has the value, the
other 0.

**"A forget bias of 1 solves it."** Up to twenty steps. On the seeds 2000 to 2029 bias 1 learned on all 30 with ten or
twenty steps, on 16 with fifty and on 2 with a hundred; chrono on all 30 at each length.

**"PyTorch starts at 1."** It does not: its biases come from U(−1/√H, 1/√H), so that f starts around 0.5, as with bias
0.
""",
    exercises=(
        Exercise("Twenty steps instead of fifty: which of the three still fail?", {"data": {"seq_len": 20}}),
        Exercise("A wrong guess: on Model set chrono T_max to 5, then to 1,000, and train."),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "squared error at the end",
        {"chrono": "chrono error", "bias 1": "bias_1 error", "bias 0": "bias_0 error"},
        {"always predicting 0": 1.0},
        log=True,
        colors=tuple(COLORS.values()),
    ),
    success_rate="Of these 30 seeds chrono learns on 30, bias 1 on 16 and bias 0 on 4. The goal asks that chrono is "
    "first, too: on seed 2002 bias 1 is as early.",
    card=paper_cards.FORGET_BIAS,
    thumbnail_plot=lambda runs: [run.curves["valid_loss"].points(100)[1] for run in runs.values()],
    sources=(
        "Felix Gers, Jürgen Schmidhuber & Fred Cummins (2000), Learning to forget: continual prediction with LSTM, "
        "Neural Computation 12(10): forget gates, which start open",
        "Rafal Jozefowicz, Wojciech Zaremba & Ilya Sutskever (2015), An empirical exploration of recurrent network "
        "architectures, ICML: a forget bias of 1",
        "Corentin Tallec & Yann Ollivier (2018), Can recurrent neural networks warp time?, ICLR, arXiv 1804.11188: "
        "chrono",
    ),
)
