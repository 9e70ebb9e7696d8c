"""Teacher forcing and rollout: one step ahead is easy, and its own predictions as inputs are another matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_significant
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.theme import ACTUAL_COLOR, BRICK, GREY, LIME, VIOLET, figure_layout
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.figures import new_figure
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

AHEAD = 84  # steps of a rollout, and of the direct forecast
TOLD = (1, 10, 20, 50, 84)  # of them in the summary
EVERY = 4  # windows between two that are rolled out
MIN_GROWTH = 10  # times its one-step error, the rollout's error ten steps ahead
SHOWN = 20  # the rollout that is drawn
COLORS = {"rollout": BRICK, "forced": VIOLET, "direct": LIME}
NAMES = {"rollout": "rollout, its own predictions read", "forced": "teacher forced, true values read"}
NAMES |= {"direct": "direct, all 84 at once"}
DASHES = {"rollout": "solid", "forced": "dot", "direct": "dash"}


def _data(horizon: int) -> DataSpec:
    about = {"source": "generator", "name": "mackey_glass", "length": 3000, "noise": 0.0}
    return DataSpec(**about, seq_len=50, horizon=horizon, train_share=0.7, valid_share=0.1)


def _experiment(horizon: int, head: str, epochs: int) -> Experiment:
    model = ModelSpec(hidden_size=16, head=head)
    return Experiment(_data(horizon), model, TrainSpec(lr=0.01, batch_size=32, epochs=epochs, patience=0))


def _starts(run: Run) -> np.ndarray:
    """Some test windows, each with AHEAD rows after it: the same of both runs."""
    windows = run.windows
    last = windows.rows - windows.spec.seq_len - AHEAD
    first = windows.starts["test"][0]
    return np.arange(first, last + 1, EVERY)


def _forecasts(runs: dict[str, Run]) -> dict[str, np.ndarray]:
    """(windows, AHEAD) each, scaled: the truth, rolled out, teacher forced and direct."""
    import torch

    one, direct = runs["one_step"], runs["direct"]
    windows = one.windows
    steps = windows.spec.seq_len

    def measure() -> dict[str, np.ndarray]:
        starts = _starts(one)
        rows = starts[:, None] + np.arange(steps + AHEAD)
        values = windows.scaled_x[rows]  # (windows, steps + AHEAD, 1)
        model = one.current_model()
        with torch.no_grad():
            output, state = model.forward_with_state(torch.from_numpy(values[:, :steps]))
            predicted = [output[:, -1:]]
            for _ in range(AHEAD - 1):
                output, state = model.forward_with_state(predicted[-1], state)
                predicted.append(output)
            forced = model(torch.from_numpy(values))[:, steps - 1 : -1, 0].numpy()
            # in the other run's scale, whose training rows end elsewhere
            theirs = direct.windows
            at_once = direct.current_model()(torch.from_numpy(theirs.scaled_x[rows[:, :steps]]))
        own_units = theirs.inverse_transform(at_once.numpy(), starts + steps - 1)[..., 0]
        return {
            "truth": values[:, steps:, 0],
            "rollout": torch.cat(predicted, dim=1)[..., 0].numpy(),
            "forced": forced,
            "direct": ((own_units - windows.y_center) / windows.y_scale).astype(np.float32),
        }

    return one.cached("rollouts", (one.weights_key, direct.weights_key), measure)


def _errors(runs: dict[str, Run]) -> dict[str, np.ndarray]:
    """(AHEAD,) each: the root mean squared error so many steps ahead, in standard deviations of the series."""
    forecasts = _forecasts(runs)
    truth = forecasts["truth"]
    return {
        name: np.sqrt(np.mean((values - truth) ** 2, axis=0)) / truth.std()
        for name, values in forecasts.items()
        if name != "truth"
    }


def _error_figure(runs: dict[str, Run]) -> go.Figure:
    figure, x = new_figure(), np.arange(1, AHEAD + 1)
    for name, errors in _errors(runs).items():
        line = {"color": COLORS[name], "width": 3, "dash": DASHES[name]}
        figure.add_scatter(x=x, y=errors, name=NAMES[name], line=line)
    figure.add_hline(1, line={"color": GREY, "dash": "dot", "width": 2})
    figure.update_xaxes(title="steps ahead")
    figure.update_yaxes(title="error (1: the mean)", type="log", tickformat="~g")
    return figure_layout(figure, 380)


def _example_figure(runs: dict[str, Run]) -> go.Figure:
    forecasts, figure = _forecasts(runs), new_figure()
    one = runs["one_step"]
    steps, row = one.windows.spec.seq_len, min(SHOWN, len(forecasts["truth"]) - 1)
    start = _starts(one)[row]
    before = one.windows.scaled_x[start : start + steps, 0]
    x = np.arange(1, steps + AHEAD + 1)
    truth = np.concatenate([before, forecasts["truth"][row]])
    figure.add_scatter(x=x, y=truth, name="series", line={"color": ACTUAL_COLOR, "width": 5})
    for name in ("rollout", "direct"):
        line = {"color": COLORS[name], "width": 3, "dash": DASHES[name]}
        figure.add_scatter(x=x[steps:], y=forecasts[name][row], name=NAMES[name], line=line)
    figure.add_vline(steps + 0.5, line={"color": GREY, "dash": "dot", "width": 2})
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="scaled value")
    return figure_layout(figure, 360)


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if errors grow tenfold within ten steps of rollout, and the direct forecast is better at the end."""
    errors = _errors(runs)
    told = ", ".join(f"{k} steps {format_significant(float(errors['rollout'][k - 1]))}" for k in TOLD[1:])
    summary = (
        f"Error in standard deviations of the series, where predicting its mean scores 1: one step ahead "
        f"{format_significant(float(errors['rollout'][0]))}. Rolled out on its own predictions: {told}. The direct "
        f"forecast: one step {format_significant(float(errors['direct'][0]))}, {AHEAD} steps "
        f"{format_significant(float(errors['direct'][-1]))}."
    )
    metrics = {f"{name} {k}": float(values[k - 1]) for name, values in errors.items() for k in TOLD}
    grows = metrics["rollout 10"] >= MIN_GROWTH * metrics["rollout 1"]
    crosses = metrics["direct 1"] > metrics["rollout 1"] and metrics[f"direct {AHEAD}"] < metrics[f"rollout {AHEAD}"]
    return Outcome(bool(grows and crosses), summary, metrics)


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    forecasts = _forecasts(runs)
    row = min(SHOWN, len(forecasts["truth"]) - 1)
    return [forecasts["truth"][row], forecasts["rollout"][row]]


def _measure_growth(runs: dict[str, Run]) -> Measured:
    errors = _errors(runs)["rollout"]
    ratio = float(errors[9] / errors[0])
    return Measured(
        f"An LSTM predicts the next value of a chaotic series with an error of {format_significant(float(errors[0]))} "
        "standard deviations. Now each prediction becomes its next input, ten times. By what is the error multiplied?",
        ratio,
        f"Ten steps ahead the error is {format_significant(float(errors[9]))}, {format_significant(ratio)} times that "
        f"of one step; {AHEAD} steps ahead it is {format_significant(float(errors[-1]))}.",
    )


LESSON = Lesson(
    title="Teacher forcing and rollout",
    summary="One step ahead the error is tiny. What if the LSTM reads its own predictions?",
    chapter="Papers",
    evening=3,
    after=("state_life",),
    train_seconds=4.0,
    question=Question(
        _measure_growth,
        (
            Choice("about 1", between(0.5, 2), "The weights are the same, but not what they read."),
            Choice("3 to 9", between(3, 9.5), "So it would be if ten errors of one step's size simply added up."),
            Choice("more than 10", between(10), "Each error is read, and makes the next one larger."),
        ),
    ),
    experiments={"one_step": _experiment(1, "per_step", 10), "direct": _experiment(AHEAD, "last", 15)},
    figures=(
        LessonFigure(
            "**One rollout**",
            "Left of the dotted line the true values are read, right of it nothing but predictions.",
            _example_figure,
        ),
        LessonFigure(
            "**The error, step by step**",
            "Over many test windows; with true values as inputs, it stays where it is.",
            _error_figure,
        ),
    ),
    text="""
The series is that of Mackey and Glass: chaos from a simple rule, without noise. At each step an LSTM reads the true
value and predicts the next. Training with the true past as input is called **teacher forcing**, and measured in the
same way the error is tiny.

But whoever wants to look 84 steps ahead has no true values to read. The usual way is a **rollout**: the prediction
becomes the next input, again and again. Now the model reads what it has never been trained on, its own small errors.
Nothing in its training taught it to return from them. So they grow.

"The error on validation is small" thus tells little about a rollout: measure what you will use.

Two ways out. Samy Bengio and colleagues replace the true input by the model's own prediction during training, ever more
often (*scheduled sampling*). That needs a training loop of its own and is not built here. The other one is to train on
what is asked for. The second LSTM predicts **all 84 values at once**, from true values only. One step ahead it is
worse, since it has 84 things to learn; far ahead it is better.

The goal: ten steps of rollout multiply the error at least by ten, and the direct forecast is worse at one step and
better at 84.
""",
    formula=r"""\begin{aligned}
\text{teacher forced:}\quad & \hat x_{t+1} = F(x_t, s_{t-1}) \\
\text{rollout:}\quad & \hat x_{t+1} = F(\hat x_t, s_{t-1}) \\
\text{direct:}\quad & (\hat x_{t+1}, \dots, \hat x_{t+84}) = G(s_t)
\end{aligned}""",
    symbols="$x_t$ is the series, $\\hat x_t$ its prediction, $s_t = (h_t, c_t)$ the state after it, $F$ one step of "
    "the LSTM and its head, $G$ the head of the second LSTM.",
    exercises=(
        Exercise("Forty epochs: the error of one step falls. And the rollout's?", {"train": {"epochs": 40}}),
        Exercise("A little noise in the data: does the rollout gain from it?", {"data": {"noise": 0.05}}),
        Exercise("On Data, choose *sine* instead, horizon 1, head every step: a series without chaos."),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "error, in standard deviations of the series",
        {
            "one step": "rollout 1",
            "rolled out, 10 steps": "rollout 10",
            "rolled out, 84 steps": "rollout 84",
            "direct, one step": "direct 1",
            "direct, 84 steps": "direct 84",
        },
        {"the mean": 1.0},
        log=True,
    ),
    card=paper_cards.ROLLOUT,
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Samy Bengio, Oriol Vinyals, Navdeep Jaitly & Noam Shazeer (2015), Scheduled sampling for sequence prediction "
        "with recurrent neural networks, NIPS, arXiv 1506.03099",
        "Ronald J. Williams & David Zipser (1989), A learning algorithm for continually running fully recurrent neural "
        "networks, Neural Computation 1(2), 270–280: teacher forcing",
        "Michael C. Mackey & Leon Glass (1977), Oscillation and chaos in physiological control systems, Science 197, "
        "287–289: the series",
    ),
)
