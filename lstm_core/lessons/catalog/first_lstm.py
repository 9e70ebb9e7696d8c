"""First LSTM: random sequences, random targets. It learns its training data by heart, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome

if TYPE_CHECKING:
    from lstm_core.runs.run import Run


def _predictions_by_split(run: Run) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Part → (what the model says, the truth), each (sequences,)."""
    from lstm_core.forecasting.predict import predict

    windows, model = run.windows, run.snapshot_at().model
    return {
        split: (predict(model, windows, starts)[:, 0, 0], windows.targets(starts)[:, 0, 0])
        for split, starts in windows.starts.items()
        if len(starts)
    }


def _losses(runs: dict[str, Run]) -> LinePlot:
    run = runs["lstm"]
    train_points, valid_points = (run.curves[name].points(1000) for name in ("train_loss", "valid_loss"))
    targets = run.windows.targets(run.windows.starts["valid"])
    level = float(np.mean(targets**2))
    end = max(run.train_spec.epochs, 1)
    return LinePlot(
        [
            Line("the 100 sequences it trains on", *train_points, "#0072B2", width=3),
            Line("new sequences", *valid_points, "#D55E00", width=3),
            Line(
                "always saying 0, on the new ones",
                np.array([0.0, end]),
                np.array([level, level]),
                "#888888",
                "dash",
            ),
        ],
        "epoch",
        "mean squared error",
        y_range=(0.0, 2.2 * level),
    )


def _prediction_plot(runs: dict[str, Run]) -> LinePlot:
    by_split = _predictions_by_split(runs["lstm"])
    lines = []
    for split, name, color in (("train", "trained on", "#0072B2"), ("valid", "new", "#D55E00")):
        predictions, targets = (values[:100] for values in by_split[split])
        order = np.argsort(targets)
        at = np.linspace(1, 100, len(order))
        lines.append(Line(f"what it says, {name}", at, predictions[order], color, width=2))
        if split == "train":
            lines.append(Line("the truth", at, targets[order], "#888888", width=3))
    return LinePlot(lines, "sequences, in order of their target", "target")


def _outcome(runs: dict[str, Run]) -> Outcome:
    by_split = _predictions_by_split(runs["lstm"])
    train_error, valid_error = (
        float(np.mean((predictions - targets) ** 2)) for predictions, targets in (by_split["train"], by_split["valid"])
    )
    zero_train_error, zero_valid_error = (float(np.mean(by_split[split][1] ** 2)) for split in ("train", "valid"))
    predictions, targets = (values[0] for values in by_split["test"])
    reached = train_error < 0.9 * zero_train_error and valid_error > 0.95 * zero_valid_error
    return Outcome(
        reached,
        f"Error {train_error:.2f} on the 100 sequences it has seen (always saying 0: {zero_train_error:.2f}), but {valid_error:.2f} on "
        f"{len(by_split['valid'][0]):,} new ones (always saying 0: {zero_valid_error:.2f}). One new sequence: it says {predictions:.2f}, "
        f"the truth is {targets:.2f}.",
        {"error seen": train_error, "error new": valid_error, "zero new": zero_valid_error},
    )


LESSON = Lesson(
    title="First LSTM: random regression",
    summary="The loss falls, and nothing is learned: memorising is not learning.",
    chapter="Tutorials",
    order=1,
    experiments={
        "lstm": Experiment(
            DataSpec(
                source="generator",
                name="random_regression",
                length=1000,
                seq_len=5,
                n_features=10,
                noise=0.0,
                horizon=0,
                train_share=0.1,
                valid_share=0.8,
                scaling="none",
            ),
            ModelSpec(hidden_size=50, num_layers=2),
            TrainSpec(lr=1e-3, batch_size=100, epochs=100, max_grad_norm=0.0),
        )
    },
    figures=(
        LessonFigure(
            "**The loss falls, but only where it has looked**",
            "Blue: the sequences it trains on. Orange: new ones of the same kind. Grey: what always saying 0 gets there.",
            _losses,
        ),
        LessonFigure(
            "**What it says, beside the truth**",
            "Sorted by the truth. Blue bends to the grey line; orange has nothing to do with it.",
            _prediction_plot,
        ),
    ),
    loss_figure=False,
    text="""
This is the first LSTM of many tutorials: 100 sequences of 5 steps, 10 random numbers at every step, and for each
sequence one random target. The loss falls from epoch to epoch, and the tutorial stops there.

But inputs and targets were drawn **independently**. Nothing in a sequence tells its target, so there is nothing to
learn. What the loss shows is **memorising**: the model has 32,851 numbers to store 100 targets in.

The honest test is the orange line: new sequences, never trained on. It never falls below the variance of the targets, and the
longer it memorises, the higher it climbs.
The best that anyone can do on them is to say the mean, 0, every time. Whenever you see a falling loss, ask for the other
curve.
""",
    formula=r"\text{loss} = \frac1N\sum_{n}(\hat y_n - y_n)^2 \qquad \min_{\hat y}\ \mathbb E\,(\hat y - y)^2 = "
    r"\operatorname{Var}(y) = 1",
    symbols="$\\hat y_n$ is what the model says of sequence $n$, $y_n$ its target. The second formula holds because the "
    "inputs say nothing about $y$.",
    common_mistakes="""
The tutorial calls one forward pass on one new random sequence *evaluation*. A single sequence cannot tell a good model
from a bad one: here the error is taken over 800 new ones, and one of them is shown beside it.
""",
    exercises=(
        Exercise(
            "1,000 epochs: it learns all 100 targets by heart, and gets worse on new sequences.",
            {"train": {"epochs": 1000}},
        ),
        Exercise(
            "A tenth of the units: less room to memorise, so the blue line falls more slowly.",
            {"model": {"hidden_size": 5}},
        ),
        Exercise(
            "Dropout 0.5 between the layers slows the memorising down. It cannot create something to learn.",
            {"model": {"dropout": 0.5}},
        ),
    ),
    outcome=_outcome,
    success_rate="10 of 10 seeds (0 to 9): the error on the seen sequences falls below 0.15, on new ones it rises above 1.3.",
    sources=("PyTorch documentation, torch.nn.LSTM",),
)
