"""Batches of 64: a real multivariate series, an LSTM and a GRU, and what a Dataset and a DataLoader stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_percent
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import CELL_COLORS, GREY
from lstm_core.lessons.figures import loss_plot
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, run_name
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    from lstm_core.runs.run import Run

SHOWN_WINDOWS = 120  # days of the test split in the plot


def _test_predictions(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(predictions, targets, values of the day before), each (days, targets), in the file's own units."""
    from lstm_core.forecasting.predict import predict

    windows, model = run.windows, run.snapshot_at().model
    starts = windows.starts["test"]
    predictions, targets = predict(model, windows, starts)[:, 0], windows.targets(starts)[:, 0]
    return predictions, targets, windows.y[windows.target_rows(starts)[:, 0] - 1]


def _gain(run: Run) -> float:
    """1 − RMSE / RMSE of persistence, the day before repeated: mean over the targets; negative if it is worse."""
    predictions, targets, last_values = _test_predictions(run)
    error, naive = (np.sqrt(((x - targets) ** 2).mean(0)) for x in (predictions, last_values))
    return float(1 - (error / naive).mean())


def _prediction_plot(runs: dict[str, Run]) -> LinePlot:
    lines = []
    for label, run in runs.items():
        predictions, targets, _ = _test_predictions(run)
        x = np.arange(SHOWN_WINDOWS, dtype=float)
        if not lines:
            lines.append(Line("actual", x, targets[:SHOWN_WINDOWS, 2], GREY, width=3))
        lines.append(Line(run_name(label), x, predictions[:SHOWN_WINDOWS, 2], CELL_COLORS[label], width=2))
    return LinePlot(lines, "days after 12 May 2015, none of them trained on", "New York, highest °C")


def _outcome(runs: dict[str, Run]) -> Outcome:
    gains = {run_name(label): _gain(run) for label, run in runs.items()}
    texts = (
        f"the {name}'s is {format_percent(abs(gain))} {'lower' if gain >= 0 else 'higher'}"
        for name, gain in gains.items()
    )
    return Outcome(
        min(gains.values()) > 0,
        "RMSE on the test days against persistence (“as yesterday”), mean over the five targets: "
        f"{' and '.join(texts)}.",
        {f"gain {name}": gain for name, gain in gains.items()},
    )


DATA = DataSpec(source="sample", name="weather", seq_len=14, horizon=1)
TRAIN = TrainSpec(lr=1e-3, batch_size=64, epochs=1000, patience=100, max_grad_norm=0.0)


def _measure_steps(runs: dict[str, Run]) -> Measured:
    run = runs["lstm"]
    count, size = len(run.windows.starts["train"]), run.train_spec.batch_size
    full, rest = divmod(count, size)
    last = f" and one of {rest}" if rest else ""
    return Measured(
        f"{count:,} windows to train on, in batches of {size}: how many steps does the optimiser take in one epoch?",
        run.steps_per_epoch,
        f"{count:,} windows are {full} full batches{last}: the run takes {run.steps_per_epoch} steps an epoch.",
    )


LESSON = Lesson(
    title="Dataset, DataLoader, batches",
    summary="Ten features a day, five targets for tomorrow, batches of 64: an LSTM, and a GRU beside it.",
    chapter="Tutorials",
    evening=1,
    after=("first_lstm",),
    train_seconds=6.8,
    question=Question(
        _measure_steps,
        (
            Choice(
                "15",
                between(15, 15),
                "That is the number of full batches: right with `drop_last=True`, which is not the default.",
            ),
            Choice("16", between(16, 16), "The last batch is smaller than the others, and is a step as well."),
            Choice("64", between(64, 64), "That is the size of a batch, not the number of batches."),
        ),
    ),
    program="minibatches",
    experiments={
        "lstm": Experiment(DATA, ModelSpec(hidden_size=20), TRAIN),
        "gru": Experiment(DATA, ModelSpec(cell="gru", hidden_size=20), TRAIN),
    },
    widget="equations",
    widget_below=True,
    figures=(
        LessonFigure(
            "**Tomorrow's temperature in New York**",
            "Each point is predicted from the 14 days before it; none of these days was in the training set.",
            _prediction_plot,
        ),
        LessonFigure(
            "**Up to 1,000 epochs, with early stopping**",
            "Strong lines are the validation days. They rise again while the training loss still falls: there "
            "training stops.",
            lambda runs: loss_plot(runs, "mean squared error (scaled)", CELL_COLORS),
        ),
    ),
    loss_figure=False,
    text="""
In PyTorch a **Dataset** gives the number of windows and returns one by index: 14 days of 10 numbers (four of each
city, and the season as a point on a circle), and the 5 targets of the next day. A **DataLoader** shuffles them, stacks
64 into a batch, and yields batch after batch until every window has been used. That is one **epoch**; a step of Adam
follows every batch. Here all windows are in memory, and a shuffled list of their indices does the same.

Each of the 20 units computes the equations below for every day: how much of its cell state to keep (f), how much of
the candidate (g) to write (i), and how much to output (o).

The **GRU** beside it has two gates and a candidate, and no separate cell state: a quarter fewer weights. The result
above compares both with “as yesterday”, and neither beats it by much. That is weather, not a fault: always compare a
model with a simple baseline.

The tutorial trains for 1,000 epochs. Here training stops when the validation loss has not improved for 100 epochs,
and the best weights are restored.
""",
    formula=r"""\begin{aligned}
i_t &= \sigma(W_{ii} x_t + b_{ii} + W_{hi} h_{t-1} + b_{hi}) \\
f_t &= \sigma(W_{if} x_t + b_{if} + W_{hf} h_{t-1} + b_{hf}) \\
g_t &= \tanh(W_{ig} x_t + b_{ig} + W_{hg} h_{t-1} + b_{hg}) \\
o_t &= \sigma(W_{io} x_t + b_{io} + W_{ho} h_{t-1} + b_{ho}) \\
c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
h_t &= o_t \odot \tanh(c_t)
\end{aligned}""",
    symbols="$x_t$: the 10 numbers of day $t$; $h_t$, $c_t$: 20 numbers each; $\\sigma$: the logistic function; "
    "$\\odot$: the elementwise product.",
    common_mistakes="""
- **“The GRU is a simpler LSTM and so a little worse.”** On this series it is not; see also *Claims checked*.
- A scaler fitted on **all** rows lets the future leak into training. Here it is fitted on the training days only.
- A shuffled split puts neighbours of the test days into training. Here the split is by time.
- `nn.LSTM` adds **two** bias vectors; equations with one are right too, for their sum.
- **`seq.view(len(seq), -1)`** reads a (64, 10) batch as *one* sequence of 64 steps. The output is one row of 5 numbers,
  and `MSELoss` broadcasts it against the (64, 5) targets with no more than a warning; a batch of windows, (64, 7, 10),
  raises. Both are run in *Claims checked*.
- **The loss printed for an epoch is its last batch's.** Take the mean over the epoch: see *Claims checked*.
- `criterion`, `X`, `y` and `X_test` are used and never defined, and **`.item()`** on five outputs raises: it takes one.
- RNN is short for **recurrent** neural network; a *recursive* one is applied over a tree.
""",
    exercises=(
        Exercise(
            "All windows in one batch: one step an epoch, so 1,000 epochs are only 1,000 steps.",
            {"train": {"batch_size": 1009}},
        ),
        Exercise("A tenth of the units: does it need 20?", {"model": {"hidden_size": 2}}),
        Exercise("No early stopping: watch the validation error climb (half a minute).", {"train": {"patience": 0}}),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "error lower than that of “as yesterday”, by",
        {"LSTM": "gain LSTM", "GRU": "gain GRU"},
        {"as yesterday": 0.0},
        percent=True,
    ),
    sources=(
        "PyTorch documentation, torch.nn.LSTM, torch.nn.GRU and torch.utils.data",
        "Weather: National Centers for Environmental Information (NOAA), by way of vega-datasets",
    ),
)
