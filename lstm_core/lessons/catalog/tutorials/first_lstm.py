"""First LSTM: random sequences, random targets. It memorises its training data and learns nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_number, minus_sign
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import GREY, TRAIN_COLOR, VALID_COLOR, figure_layout
from lstm_core.lessons.figures import LOSS_POINTS, level, new_figure
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, generated_data
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

SHOWN = 100  # sequences of each part in the picture


def _predictions_by_split(run: Run) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Split → (predictions, targets), each (sequences,)."""
    from lstm_core.forecasting.predict import predict

    windows, model = run.windows, run.snapshot_at().model
    return {
        split: (predict(model, windows, starts)[:, 0, 0], windows.targets(starts)[:, 0, 0])
        for split, starts in windows.starts.items()
        if len(starts)
    }


def _loss_plot(runs: dict[str, Run]) -> LinePlot:
    run = runs["lstm"]
    train_points, valid_points = (run.curves[name].points(LOSS_POINTS) for name in ("train_loss", "valid_loss"))
    naive_loss = float(np.mean(run.windows.targets(run.windows.starts["valid"]) ** 2))
    lines = [
        Line("the 100 training sequences", *train_points, TRAIN_COLOR, width=3),
        Line("new sequences", *valid_points, VALID_COLOR, width=3),
        level("always predicting 0, on new sequences", naive_loss, runs),
    ]
    return LinePlot(lines, "epoch", "mean squared error", y_range=(0.0, 2.2 * naive_loss))


def _prediction_figure(runs: dict[str, Run]) -> go.Figure:
    by_split, figure = _predictions_by_split(runs["lstm"]), new_figure()
    named = (("valid", "new", VALID_COLOR), ("train", "training", TRAIN_COLOR))
    for split, name, color in named:
        predictions, targets = by_split[split]
        r2 = 1 - np.sum((predictions - targets) ** 2) / np.sum((targets - targets.mean()) ** 2)
        marker = {"color": color, "size": 7, "opacity": 0.8}
        name = f"{name}, R² = {minus_sign(f'{r2:.2f}')}"
        figure.add_scatter(x=targets[:SHOWN], y=predictions[:SHOWN], mode="markers", name=name, marker=marker)
    figure.add_scatter(
        x=[-3, 3], y=[-3, 3], mode="lines", name="right", line={"color": GREY, "dash": "dash", "width": 2}
    )
    figure.update_xaxes(title="target", range=[-3, 3]).update_yaxes(title="prediction", range=[-3, 3])
    return figure_layout(figure, 340).update_layout(hovermode="closest")


def _outcome(runs: dict[str, Run]) -> Outcome:
    by_split = _predictions_by_split(runs["lstm"])
    errors = {split: float(np.mean((predictions - targets) ** 2)) for split, (predictions, targets) in by_split.items()}
    zero_errors = {split: float(np.mean(targets**2)) for split, (_, targets) in by_split.items()}
    prediction, target = (values[0] for values in by_split["test"])
    reached = errors["train"] < 0.9 * zero_errors["train"] and errors["valid"] > 0.95 * zero_errors["valid"]
    return Outcome(
        reached,
        f"Mean squared error {errors['train']:.2f} on the 100 training sequences (always predicting 0: "
        f"{zero_errors['train']:.2f}), but {errors['valid']:.2f} on {len(by_split['valid'][0]):,} new ones (always "
        f"predicting 0: {zero_errors['valid']:.2f}). One new sequence: prediction {format_number(prediction)}, target "
        f"{format_number(target)}.",
        {"error seen": errors["train"], "error new": errors["valid"], "zero new": zero_errors["valid"]},
    )


def _measure_new_error(runs: dict[str, Run]) -> Measured:
    metrics = _outcome(runs).metrics
    new, zero = metrics["error new"], metrics["zero new"]
    return Measured(
        "The training loss of this LSTM falls and falls; its targets are random numbers. Compared with always "
        "predicting 0, its squared error on **new** sequences is …",
        new / zero,
        f"On new sequences it scores {new:.2f}, always predicting 0 scores {zero:.2f}: {new / zero:.2f} times as much.",
    )


LESSON = Lesson(
    title="First LSTM: random regression",
    summary="The loss falls, and nothing is learned: memorising is not learning.",
    chapter="Tutorials",
    evening=1,
    train_seconds=0.4,
    question=Question(
        _measure_new_error,
        (
            Choice(
                "lower",
                between(0, 0.95),
                "A falling training loss looks like learning. It can be the training sequences, learned by heart.",
            ),
            Choice(
                "about the same",
                between(0.95, 1.05),
                "Nothing can be learned from random targets, and so one expects no harm either. What was memorised "
                "still adds noise to every prediction.",
            ),
            Choice(
                "higher, by a third or more",
                between(4 / 3),
                "Targets that were learned by heart make predictions far from 0, at random.",
            ),
        ),
    ),
    program="first_lstm",
    experiments={
        "lstm": Experiment(
            generated_data(
                "random_regression", length=1000, seq_len=5, n_features=10, train_share=0.1, valid_share=0.8
            ),
            ModelSpec(hidden_size=50, num_layers=2),
            TrainSpec(lr=1e-3, batch_size=100, epochs=100, max_grad_norm=0.0, patience=0),
        )
    },
    figures=(
        LessonFigure(
            "**The loss falls, but only on the training data**",
            "Blue: the training sequences. Orange: new ones of the same kind. Grey: what always predicting 0 scores "
            "on those.",
            _loss_plot,
        ),
        LessonFigure(
            "**Predictions and targets**",
            "On the dashed line a prediction is right. R² is 1 if all are, 0 for always predicting the mean, and below "
            "0 for worse than that.",
            _prediction_figure,
        ),
    ),
    loss_figure=False,
    text="""
This is the first LSTM of many tutorials: 100 sequences of 5 steps, 10 random numbers at every step, and for each
sequence one random target. The loss falls from epoch to epoch, and the tutorial stops there.

But inputs and targets were drawn **independently**. A sequence carries no information about its target, so there is
nothing to learn. What the loss shows is **memorising**: the model has 32,851 parameters to store 100 targets in.

The honest test is the orange line: new sequences, never trained on. It stays close to the variance of the targets at
first (a dip of up to 0.5 % below it, as on 3 of the seeds 4001 to 4010, is chance), and the longer the model memorises,
the higher it climbs. The best possible prediction for them is the mean, 0. Whenever
you see a falling training loss, ask for the validation loss.
""",
    formula=r"\text{loss} = \frac1N\sum_{n}(\hat y_n - y_n)^2 \qquad \min_{\hat y}\ \mathbb E\,(\hat y - y)^2 = "
    r"\operatorname{Var}(y) = 1",
    symbols="$\\hat y_n$ is the prediction for sequence $n$, $y_n$ its target. The second formula holds because the "
    "inputs are independent of $y$.",
    common_mistakes="""
**“Evaluation.”** The tutorial means one forward pass on one new random sequence, without a target. A single sequence
cannot tell a good model from a bad one: the error here is a mean over 800 new ones, with one of them shown beside it.

**“nn.LSTM has four parameters.”** Four of its arguments are meant: input_size, hidden_size, num_layers and
batch_first. There are more (bias, dropout, bidirectional, proj_size), and *parameters* are the weights, of which there
are thousands.

**“batch_first=True by default.”** It is False; see *Claims checked*.

**No seed.** Inputs, targets and weights are drawn anew in every run of the tutorial, so its printed losses and its
printed prediction cannot be compared with anyone's. The same is true of most tutorials.

Another tutorial of this chapter takes **one** step on random targets and calls the result an optimised model: see *One
optimizer step is training* in *Claims checked*.
""",
    exercises=(
        Exercise(
            "1,000 epochs: it memorises all 100 targets, and gets worse on new sequences.", {"train": {"epochs": 1000}}
        ),
        Exercise(
            "A tenth of the units: less room to memorise, so the blue line falls more slowly.",
            {"model": {"hidden_size": 5}},
        ),
        Exercise(
            "Dropout 0.5 between the layers slows the memorising. It cannot create anything to learn.",
            {"model": {"dropout": 0.5}},
        ),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "mean squared error at the end",
        {"training sequences": "error seen", "new sequences": "error new", "new, always 0": "zero new"},
    ),
    sources=("PyTorch documentation, torch.nn.LSTM",),
)
