"""Vanishing gradients: one task, RNN, GRU and LSTM of equal size, and how far back each one's gradient reaches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import CELL_COLORS, MIN_SHARE
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.figures import loss_plot
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
    from lstm_core.analysis.gradient_horizon import GradientHorizon
    from lstm_core.runs.run import Run
    from lstm_core.training.snapshots import ModelSnapshot

WINDOWS = 8  # that a gradient is averaged over
FADED_SHARE = 0.01  # of its largest: below it a gradient counts as vanished
HISTORY_POINTS = 15  # snapshots of a run at which the distance is drawn
NAIVE_LOSS = 1 / 3  # the squared error of always predicting 0
MAX_ERROR = 0.02  # squared, of a model that has learned the task
SHORT_DISTANCE = 10  # steps before the end at which the result gives the gradient, beside the first step
VANISHED_SHARE = (
    0.03  # of the gradient at the end: less than it is left at the first step of the RNN, more of the others
)

DATA = generated_data("recall_marked", length=4000, seq_len=50, train_share=0.8, valid_share=0.1)


def _horizon(run: Run, snapshot: ModelSnapshot) -> GradientHorizon:
    import torch

    from lstm_core.analysis.gradient_horizon import memory_horizon

    x = torch.from_numpy(run.windows.inputs(run.windows.starts["valid"][:WINDOWS]))
    return run.cached("horizon", (snapshot.step,), lambda: memory_horizon(snapshot.model, x))


def _from_the_end(norms: np.ndarray) -> np.ndarray:
    """Of d_h or d_c, (1, 1, batch, seq_len): the mean over the windows, by steps before the end; (seq_len,)."""
    return norms[0, 0].mean(0)[::-1]


def _gradients(runs: dict[str, Run]) -> LinePlot:
    lines = []
    for label, run in runs.items():
        horizon, name = _horizon(run, run.snapshot_at()), run_name(label)
        curves = [(f"{name}, h", horizon.d_h, "solid", 3.0)]
        if horizon.d_c is not None:
            curves.append((f"{name}, c", horizon.d_c, "dash", 2.0))
        for title, norms, dash, width in curves:
            curve = _from_the_end(norms)
            curve = np.where(curve > MIN_SHARE, curve, np.nan)
            lines.append(Line(title, np.arange(len(curve), dtype=float), curve, CELL_COLORS[label], dash, width))
    return LinePlot(lines, "steps before the end", "size of the gradient", log_y=True)


def _steps_back_plot(runs: dict[str, Run]) -> LinePlot:
    lines = []
    for label, run in runs.items():
        steps = _history_steps(run)
        distances = np.array([_steps_back(run, step) for step in steps], dtype=float)
        epochs = np.array(steps) / run.steps_per_epoch
        lines.append(Line(run_name(label), epochs, distances, CELL_COLORS[label], width=3))
    seq_len = next(iter(runs.values())).windows.spec.seq_len
    return LinePlot(lines, "epoch", "steps back", y_range=(0.0, seq_len * 1.04))


def _history_steps(run: Run) -> list[int]:
    """Steps of snapshots, evenly spread over the planned run and stable while it trains, and the newest one."""
    steps = run.snapshots.steps
    targets = np.linspace(0, run.total_steps, HISTORY_POINTS)
    nearest = {min(steps, key=lambda step: abs(step - target)) for target in targets if target <= steps[-1]}
    return sorted(nearest | {steps[-1]})


def _steps_back(run: Run, step: int) -> int:
    """How many steps before the end the gradient with respect to h falls below FADED_SHARE of its largest."""
    from lstm_core.analysis.gradient_horizon import steps_until_faded

    def count() -> int:
        return steps_until_faded(_horizon(run, run.snapshot_at(step)).d_h[0, 0].mean(0), FADED_SHARE)

    return run.cached(f"steps back at {step}", (), count)


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if the RNN has learned nothing and its gradient has vanished, and the others have learned and kept it."""
    errors, shares = {}, {}
    for label, run in runs.items():
        errors[label] = run.evaluate("test")
        curve = _from_the_end(_horizon(run, run.snapshot_at()).d_h)
        shares[label] = curve / curve[0]  # (seq_len,) by steps before the end
    errors_text = "; ".join(f"{run_name(label)}: {format_significant(error)}" for label, error in errors.items())
    distances = [back for back in (SHORT_DISTANCE, len(curve) - 1) if back < len(curve)]
    shares_text = "; ".join(
        f"{run_name(label)}: {' and '.join(format_significant(float(share[back]), 1) for back in distances)}"
        for label, share in shares.items()
    )
    summary = (
        f"Squared error on new sequences: {errors_text}; always predicting 0 would score {NAIVE_LOSS:.2g}. "
        f"Share of the gradient at the end that is left {' and '.join(map(str, distances))} steps back: {shares_text}."
    )
    remaining = {label: float(share[-1]) for label, share in shares.items()}
    vanished = remaining["rnn"] < VANISHED_SHARE < min(remaining["gru"], remaining["lstm"])
    learned = errors["rnn"] > 0.5 * NAIVE_LOSS and max(errors["gru"], errors["lstm"]) < MAX_ERROR
    metrics = {f"{label} error": error for label, error in errors.items()}
    return Outcome(
        learned and vanished, summary, metrics | {f"{label} gradient left": share for label, share in remaining.items()}
    )


def _stage_moment(run: Run) -> StageMoment:
    """The unit whose c goes with the number to be remembered, as it reads that number."""
    from lstm_core.analysis.unit_search import rank_by_correlation

    windows, model = run.windows, run.current_model()
    starts = windows.starts["test"]
    signal = np.full((len(starts), windows.spec.seq_len), np.nan)
    signal[:, -1] = windows.targets(starts)[:, 0, 0]
    marker = windows.inputs(starts[:1])[0, :, -1]
    unit = rank_by_correlation(model, windows, starts, signal, ("c",))[0].unit
    return StageMoment("test", 0, unit, int(marker.argmax()))


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    curves = (_from_the_end(_horizon(run, run.snapshot_at()).d_h) for run in runs.values())
    return [np.log10(np.maximum(curve, MIN_SHARE)) for curve in curves]


def _experiment(**model) -> Experiment:
    return Experiment(
        DATA, ModelSpec(hidden_size=20, **model), TrainSpec(lr=5e-3, batch_size=64, epochs=20, patience=0)
    )


def _measure_gradient_left(runs: dict[str, Run]) -> Measured:
    share, steps = _outcome(runs).metrics["rnn gradient left"], runs["rnn"].windows.spec.seq_len - 1
    return Measured(
        f"A plain RNN is trained to remember a number. Of its gradient at the last step, how much is left {steps} "
        "steps back?",
        share,
        f"{format_significant(100 * share)}\u202f% is left in this RNN, mean over {WINDOWS} sequences.",
    )


LESSON = Lesson(
    title="Vanishing gradients",
    summary="One number to remember for up to fifty steps: the RNN does not learn it, the GRU and the LSTM do.",
    chapter="Memory",
    evening=2,
    after=("first_lstm",),
    train_seconds=8.2,
    question=Question(
        _measure_gradient_left,
        (
            Choice(
                "more than 10\u202f%",
                between(0.1),
                "So it is in the LSTM and the GRU below, whose gates learned to stay open.",
            ),
            Choice(
                "0.1 to 10\u202f%",
                between(0.001, 0.1),
                "That would be about what a factor of 0.9 leaves, multiplied at each step. The slope of tanh and the "
                "weights together are often smaller.",
            ),
            Choice(
                "less than 0.1\u202f%",
                between(0, 0.001),
                "One factor below 1 for each step, multiplied, soon is next to nothing.",
            ),
        ),
    ),
    experiments={
        "rnn": _experiment(cell="rnn"),
        "gru": _experiment(cell="gru"),
        "lstm": _experiment(cell="lstm", forget_bias=1.0),
    },
    figures=(
        LessonFigure(
            "**The gradient, step by step into the past**",
            "The gradient of the prediction with respect to each step's state, of the current models: a straight line "
            "is exponential decay.",
            _gradients,
        ),
        LessonFigure(
            "**How far back each gradient reaches, during training**",
            "Steps before the end at which the gradient of h has fallen below 1 % of its largest.",
            _steps_back_plot,
        ),
        LessonFigure(
            "**How they learn**",
            "Pale: every batch; strong: validation. Always predicting 0 scores 1/3.",
            lambda runs: loss_plot(runs, "squared error", CELL_COLORS),
        ),
    ),
    loss_figure=False,
    text="""
Each sequence is fifty numbers between −1 and 1. One of them, anywhere, is **marked**, and after the last step the model
has to predict that number. Always predicting 0 scores a squared error of 1/3.

To correct step 5 for an error at step 50, the gradient travels back through every step between, and an RNN multiplies
it by $W_{hh}$ and by the slope of tanh at each. In this RNN these shrink it, and the result above measures how far:
what is left 10 and 49 steps back. Almost all of its gradient comes from the last steps, which seldom hold the mark, so
it stays near 1/3.

The LSTM has a second path back, through its cell state $c$, where the gradient is multiplied by the forget gate $f$
alone. Where $f$ is near 1 it survives; here its bias starts at 1, a help that neither other cell gets. The
GRU's update gate does the same for its $h$.

Watch the gradients **during training**: the LSTM's and the GRU's lines decay at first too, and rise as the gates learn.
It happens step by step: marks close to the end are learned first, and teach the gates to stay open.
""",
    formula=r"""\begin{aligned}
\text{RNN:}\quad \frac{\partial h_T}{\partial h_t} &= \prod_{k=t+1}^{T}
  \operatorname{diag}\!\left(1-h_k^2\right) W_{hh}\\
\text{LSTM:}\quad \frac{\partial c_T}{\partial c_t} &= \prod_{k=t+1}^{T} \operatorname{diag}(f_k)
  \;+\; \text{paths through } h
\end{aligned}""",
    symbols="$T$ is the last step, $t$ an earlier one. If each factor shrinks a vector to a share $\\gamma < 1$, then "
    "$\\gamma^{\\,T-t}$ is left: of $0.7$, a fifty-millionth after fifty steps.",
    common_mistakes="""
**"An LSTM's gradient does not vanish."** It does wherever $f$ is below 1: with $f = 0.5$, which is about where PyTorch
starts, $10^{-15}$ is left after fifty steps. Gates *can* stay open; they must learn to, or start open (next lessons).

**"An RNN cannot learn long memories."** Its gradient vanishes on many tasks, not on all. With ten steps instead of
fifty it learns this one; on a smooth series its gradient may well reach back a hundred steps.

**"Equal size"** here means 20 units each. The GRU has three times and the LSTM four times the RNN's weights.
""",
    exercises=(
        Exercise(
            "Ten steps instead of fifty: now the RNN's gradient reaches the first step, and it learns as well.",
            {"data": {"seq_len": 10}},
        ),
        Exercise(
            "PyTorch's default forget gates, near 0.5, instead of a bias of 1: here, where close marks are learned "
            "first, the LSTM learns all the same.",
            {"model": {"forget_bias": None}},
        ),
        Exercise("On Gates, *How far back?* shows the same gradients for one sequence and every layer."),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "share of the gradient left, 49 steps back",
        {"RNN": "rnn gradient left", "GRU": "gru gradient left", "LSTM": "lstm gradient left"},
        log=True,
    ),
    success_rate="How far the RNN's gradient has vanished differs: on one of the seeds 4001 to 4010, 27 % was left "
    "after 10 steps and 1.2 % after 49.",
    card=paper_cards.VANISHING,
    stage_moment=_stage_moment,
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Sepp Hochreiter (1991), Untersuchungen zu dynamischen neuronalen Netzen, diploma thesis, TU München",
        "Yoshua Bengio, Patrice Simard & Paolo Frasconi (1994), Learning long-term dependencies with gradient descent "
        "is difficult, IEEE Transactions on Neural Networks 5(2)",
        "Sepp Hochreiter & Jürgen Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8)",
        "Razvan Pascanu, Tomas Mikolov & Yoshua Bengio (2013), On the difficulty of training recurrent neural "
        "networks, ICML, arXiv 1211.5063",
    ),
)
