"""The life of h and c: zero at every window, given at random, or carried on from one batch to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.generators.series import LAG
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures import diagram
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import ACTUAL_COLOR, BRICK, FONT_SIZE, GREY, LIME, VIOLET, figure_layout
from lstm_core.lessons.figures import LOSS_POINTS, new_figure
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, generated_data
from lstm_core.lessons.question import Choice, Measured, Question

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

COLORS = {"zero": VIOLET, "random": BRICK, "carried": LIME}


def _errors(runs: dict[str, Run]) -> dict[str, np.ndarray]:
    """Label → (seq_len,): mean squared error at each step of a window of the validation split."""
    from lstm_core.lessons.catalog.tutorials.state_carryover.trajectory import error_by_step

    return {label: error_by_step(run.snapshot_at().model, run.windows, run.train_spec) for label, run in runs.items()}


def _floor(runs: dict[str, Run]) -> float:
    """The lowest error that a single window allows: the variance, 1, on the first steps, 0 on the others."""
    seq_len = runs["zero"].windows.spec.seq_len
    return min(LAG, seq_len) / seq_len


def _by_step(runs: dict[str, Run]) -> go.Figure:
    figure = new_figure()
    for label, errors in _errors(runs).items():
        x, marker = np.arange(1, len(errors) + 1), {"color": COLORS[label]}
        figure.add_bar(x=x, y=errors, name=label, marker=marker, hovertemplate="%{y:.4f}")
    figure.add_hline(1, line={"color": ACTUAL_COLOR, "width": 2, "dash": "dash"})
    corner = {"xref": "paper", "xanchor": "right", "yanchor": "bottom"}
    figure.add_annotation(diagram.label(1, 1, "always predicting 0", FONT_SIZE, **corner))
    figure.update_xaxes(title="step of the window", dtick=1)
    figure.update_yaxes(title="mean squared error", rangemode="tozero")
    return figure_layout(figure, 300).update_layout(bargap=0.25, bargroupgap=0.05)


def _loss_plot(runs: dict[str, Run]) -> LinePlot:
    lines, last_step = [], 1.0
    for label, run in runs.items():
        epochs, losses = run.curves["train_loss"].points(LOSS_POINTS)
        steps = epochs * run.steps_per_epoch
        last_step = max(last_step, float(steps[-1]) if len(steps) else 1.0)
        lines.append(Line(label, steps, losses, COLORS[label], width=1.7))
    floor = np.full(2, _floor(runs))
    lines.append(Line(f"best from zeros: {floor[0]:.2f}", np.array([0, last_step]), floor, GREY, "dash"))
    return LinePlot(lines, "optimiser step", "training loss", log_y=True)


def _outcome(runs: dict[str, Run]) -> Outcome:
    errors = {label: float(by_step.mean()) for label, by_step in _errors(runs).items()}
    floor = _floor(runs)
    reached = errors["carried"] < 0.1 * floor and min(errors["zero"], errors["random"]) > 0.9 * floor
    return Outcome(
        reached,
        f"Mean squared error on new data: {errors['zero']:.2f} from zeros, {errors['random']:.2f} from random states, "
        f"{errors['carried']:.3f} carried. Always predicting 0 scores 1; the best that one window allows is "
        f"{floor:.2f}.",
        errors | {"floor": floor},
    )


def _experiment(state: str, epochs: int) -> Experiment:
    return Experiment(
        generated_data("echo", length=10_000, seq_len=5, n_features=10, train_share=0.6, valid_share=0.3),
        ModelSpec(hidden_size=20, num_layers=2, head="per_step"),
        TrainSpec(lr=1e-2, batch_size=16, epochs=epochs, initial_state=state, patience=0),
    )


def _measure_failing_steps(runs: dict[str, Run]) -> Measured:
    errors = _errors(runs)["zero"]
    failing = tuple((np.flatnonzero(errors > 0.5) + 1).tolist())
    numbers = ", ".join(f"{error:.2f}" for error in errors)
    return Measured(
        f"At every step the target is x1 of **three steps ago**. Windows have {len(errors)} steps, and each starts "
        "from h = c = 0. At which steps of a window does the prediction fail?",
        failing,
        f"The squared error from step 1 to {len(errors)} is {numbers}; always predicting 0 scores 1.",
    )


LESSON = Lesson(
    title="The life of h and c",
    summary="Zeros, random numbers, or the last batch's final state: the initial state decides what a window can know.",
    chapter="Tutorials",
    evening=1,
    after=("minibatches",),
    train_seconds=2.7,
    question=Question(
        _measure_failing_steps,
        (
            Choice(
                "at steps 1 to 3",
                lambda failing: failing == (1, 2, 3),
                "What they need was read in the window before, and zeros hold nothing of it.",
            ),
            Choice(
                "at steps 4 and 5",
                lambda failing: failing == (4, 5),
                "The end of a window is farthest from its start, but there the number asked for lies within it.",
            ),
            Choice(
                "at all of them",
                lambda failing: failing == (1, 2, 3, 4, 5),
                "If the first steps fail, the others seem to build on a wrong state. But zeros are only empty.",
            ),
        ),
    ),
    program="one_step",
    experiments={
        # windows that do not overlap are a fifth as many: five epochs of them take as many optimiser steps as one
        "zero": _experiment("zero", 3),
        "random": _experiment("random", 3),
        "carried": _experiment("stateful", 15),
    },
    figures=(
        LessonFigure(
            "**The first three targets lie in the batch before**",
            "The error at each step of a window, on new data. Only the carried state holds what came before step 1.",
            _by_step,
        ),
        LessonFigure(
            "**How it learned**",
            "The loss of every batch. *carried* jumps where an epoch begins: there, its streams start from zeros, too.",
            _loss_plot,
        ),
    ),
    loss_figure=False,
    text="""
`nn.LSTM(10, 20, 2)` reads batches of 16 windows of 5 steps. The task: predict at every step what x1 was **three steps
ago**. At steps 4 and 5 the answer lies in the window. At steps 1 to 3 it lies in the window before.

`nn.LSTM` keeps nothing from one call to the next. The initial state is what you pass:

* **zero**: nothing is passed, so every window starts from zeros. Three targets of five cannot be known.
* **random**: h_0 and c_0 from `torch.randn`, new for every batch. They hold no memory, only noise to remove.
* **carried**: row 7 of a batch continues where row 7 of the batch before ended (*stateful*). h_n and c_n are passed on,
  **detached**: as numbers, without the graph that made them.

No gradient ever crosses the border, and yet memory does: how to keep a number for three steps is learned at steps 4 and
5, and the same weights then keep it across.

Gates and Stage show single windows, which start from zeros: there you see the model *zero*.
""",
    formula=r"""\begin{aligned}
\text{zero: } & (h_0, c_0)^{(k+1)} = (0, 0) \\
\text{random: } & (h_0, c_0)^{(k+1)} \sim \mathcal N(0, 1) \\
\text{carried: } & (h_0, c_0)^{(k+1)} = \operatorname{detach}\big((h_n, c_n)^{(k)}\big) \qquad
\tfrac{\partial\, \text{loss}^{(k+1)}}{\partial\, x^{(k)}} = 0 \\
& \text{loss from zeros} \ \ge\ \tfrac35 \operatorname{Var}(x_1) = 0.6
\end{aligned}""",
    symbols="$k$ counts the batches, $h_0, c_0$ are the states before a window's first step, $h_n, c_n$ after its "
    "last.",
    common_mistakes="""
* **Drawing h_0 and c_0 from `torch.randn`**, which one tutorial's comment calls *clean out hidden state*. It is noise:
  the error rises from 0.61 to 0.64 here, the mean of the seeds 0 to 9. Leaving them out is zeros, to the last bit.
* **“hidden is for backpropagation.”** It is the state that the next call goes on from; gradients need only the graph.
* **“There is no intermediate output.”** A call returns h of the top layer at every step, in `output`.
* **Carrying without `detach`**: the second `backward()` fails. `retain_graph=True`, as the message advises, fails too,
  at the weights that the optimiser has changed.
* **Carrying with `shuffle=True`**: the next batch's row 7 then continues another part of the series. Carried states
  need windows that follow one another, in order.
* **`batch_first` does not turn h_0 and c_0**: they stay (num_layers, batch, hidden_size).
""",
    exercises=(
        Exercise(
            "Windows of 3 steps: the answer never lies in its own window, so no gradient teaches it what to keep. Even "
            "*carried* stays at about 0.8.",
            {"data": {"seq_len": 3}},
        ),
        Exercise(
            "Windows of 4 steps: a single answer in each is within reach of the gradient, and that is enough.",
            {"data": {"seq_len": 4}},
        ),
        Exercise(
            "Windows of 15 steps: fewer borders, so zeros cost less. The floor is 3/15 = 0.2.",
            {"data": {"seq_len": 15}},
        ),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "mean squared error at the end",
        {"state carried": "carried", "from zeros": "zero", "from random numbers": "random"},
        {"best from zeros": 0.6},
        log=True,
    ),
    thumbnail_plot=lambda runs: list(_errors(runs).values()),
    widget="state_carryover",
    sources=(
        "PyTorch documentation, torch.nn.LSTM",
        "R. J. Williams & J. Peng, 1990, An efficient gradient-based algorithm for on-line training of recurrent "
        "network trajectories, Neural Computation 2, 490-501 (truncated backpropagation through time)",
        "PyTorch examples, word_language_model (repackage_hidden: the same detach)",
    ),
)
