"""Gates held open one by one, on two tasks: which gate is needed depends on the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_percent, format_significant
from lstm_core.experiment import OPEN_GATES, DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import GATE_COLORS, GREY, SLATE, figure_layout
from lstm_core.lessons.figures import LOSS_POINTS, level, new_figure
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, generated_data
from lstm_core.lessons.question import Choice, Measured, Question

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

TASKS = {"adding": "adding", "flip": "flip-flop"}  # label → name
NAIVE = {"adding": 1 / 6, "flip": 1.0}  # mean squared error of the best constant prediction
HELD = ("", *OPEN_GATES.values())  # the gate that is held open; "": none
NAMES = {"": "all gates", **{gate: f"{gate} = 1" for gate in OPEN_GATES.values()}}
COLORS = {"": SLATE, **{gate: GATE_COLORS[gate] for gate in OPEN_GATES.values()}}
DASHES = {"": "solid", "i": "dash", "f": "dot", "o": "dashdot"}
MIN_HARM, MAX_HARM = 3, 3  # times the error with all gates: of the gate that a task needs, of one that it does not
LONG_SEQUENCES, LONG_STEPS = 64, 400  # flip-flops beyond the length in training
OTHER_SEQUENCES = 2**30  # added to a run's seed

ADDING = generated_data("adding_problem", seq_len=30, length=2700, train_share=2000 / 2700, valid_share=200 / 2700)
FLIP_FLOP = generated_data("flip_flop", n_features=2, seq_len=30, length=1200, train_share=0.8, valid_share=0.1)


def _label(task: str, gate: str) -> str:
    return f"{task}_{gate}" if gate else task


def _experiment(data: DataSpec, head: str, epochs: int, gate: str) -> Experiment:
    frozen = tuple(part for part, held in OPEN_GATES.items() if held == gate)
    model = ModelSpec(hidden_size=12, head=head, frozen=frozen)
    return Experiment(data, model, TrainSpec(lr=0.01, batch_size=32, epochs=epochs, patience=0))


def _error(run: Run, task: str) -> float:
    """The mean squared error on new sequences as a share of what the best constant prediction scores."""
    import torch

    def measure() -> float:
        windows = run.windows
        starts = windows.starts["test"]
        with torch.no_grad():
            predictions = run.current_model()(torch.from_numpy(windows.inputs(starts))).numpy()
        rows = starts[:, None] + np.arange(windows.spec.seq_len)
        targets = windows.y[rows] if predictions.ndim == 3 else windows.y[rows[:, -1]]
        return float(np.mean((predictions - targets) ** 2) / NAIVE[task])

    return run.cached("held gates", run.weights_key, measure)


def _errors(runs: dict[str, Run]) -> dict[tuple[str, str], float]:
    """(task, gate held open) → error; of the current runs."""
    return {(task, gate): _error(runs[_label(task, gate)], task) for task in TASKS for gate in HELD}


def _harm(runs: dict[str, Run]) -> dict[tuple[str, str], float]:
    """(task, gate held open) → its error in multiples of the error with all gates."""
    errors = _errors(runs)
    return {(task, gate): errors[task, gate] / errors[task, ""] for task in TASKS for gate in OPEN_GATES.values()}


def _error_figure(runs: dict[str, Run]) -> go.Figure:
    errors, figure = _errors(runs), new_figure()
    for gate in HELD:
        y = [errors[task, gate] for task in TASKS]
        text = [format_significant(value) for value in y]
        marker = {"color": COLORS[gate], "size": 16, "symbol": "circle" if gate else "diamond"}
        style = {"mode": "markers+text", "textposition": "middle right", "marker": marker}
        # side by side, as bars of a group would be: a log axis has no 0 for a bar to begin at
        x = [k + 0.18 * (HELD.index(gate) - 1.5) for k in range(len(TASKS))]
        figure.add_scatter(x=x, y=y, name=NAMES[gate], text=text, **style)
    figure.add_hline(1, line={"color": GREY, "dash": "dot", "width": 2})
    names = list(TASKS.values())
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, range=[-0.5, len(names) - 0.4], title="task")
    figure.update_yaxes(title="error, 1: a constant", type="log", dtick=1)
    return figure_layout(figure, 380).update_layout(hovermode="closest")


def _right_by_step(run: Run) -> np.ndarray:
    """(LONG_STEPS,): the share of bits right after so many steps, of new flip-flops."""
    import torch

    from lstm_core.data.generators.bits import flip_flop

    def measure() -> np.ndarray:
        data = run.experiment.data
        table = flip_flop(LONG_SEQUENCES, LONG_STEPS, data.n_features, 0.0, (data.seed + OTHER_SEQUENCES) % 2**31)
        shape = (LONG_SEQUENCES, LONG_STEPS, -1)
        x, bits = (
            np.stack([table.column(name).values for name in names], axis=-1).reshape(shape).astype(np.float32)
            for names in (table.roles.features, table.roles.targets)
        )
        with torch.no_grad():
            return (np.sign(run.current_model()(torch.from_numpy(x)).numpy()) == bits).mean(axis=(0, 2))

    return run.cached("long flip-flops", run.weights_key, measure)


def _long_figure(runs: dict[str, Run]) -> go.Figure:
    figure = new_figure()
    for gate in HELD:
        share = _right_by_step(runs[_label("flip", gate)]).reshape(-1, 10).mean(axis=1)  # of ten steps each
        line = {"color": COLORS[gate], "width": 3, "dash": DASHES[gate]}
        figure.add_scatter(x=np.arange(len(share)) * 10 + 1, y=share, name=NAMES[gate], line=line)
    line = {"color": GREY, "dash": "dot", "width": 2}
    trained = runs["flip"].windows.spec.seq_len
    figure.add_vline(trained, line=line)
    figure.add_annotation(x=trained, y=0.55, text="length in training", showarrow=False, xanchor="left", xshift=4)
    figure.update_xaxes(title="step")
    figure.update_yaxes(title="bits right", range=[0.45, 1.03], tickformat=".0%")
    return figure_layout(figure, 340)


def _loss_plot(runs: dict[str, Run], task: str) -> LinePlot:
    chosen = {gate: runs[_label(task, gate)] for gate in HELD}
    lines = [
        Line(NAMES[gate], *run.curves["valid_loss"].points(LOSS_POINTS), COLORS[gate], DASHES[gate], width=3)
        for gate, run in chosen.items()
        if len(run.curves["valid_loss"].points()[0])
    ]
    constant = level("a constant", NAIVE[task], chosen, "dot")
    return LinePlot([*lines, constant], "epoch", "squared error, new sequences", log_y=True)


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if adding needs i, the flip-flop needs f, and neither needs o: by the error with that gate held open."""
    errors, harm = _errors(runs), _harm(runs)
    parts = [
        f"{TASKS[task].capitalize()}: {format_percent(errors[task, ''], 2)} of a constant's error with all gates, "
        + ", ".join(f"{format_percent(errors[task, gate], 2)} with {NAMES[gate]}" for gate in OPEN_GATES.values())
        for task in TASKS
    ]
    learned = all(errors[task, ""] < 0.1 for task in TASKS)
    needed = harm["adding", "i"] >= MIN_HARM and harm["flip", "f"] >= MIN_HARM
    spared = all(harm[task, "o"] <= MAX_HARM for task in TASKS)
    metrics = {f"{_label(task, gate)} error": error for (task, gate), error in errors.items()}
    return Outcome(bool(learned and needed and spared), f"{'. '.join(parts)}.", metrics)


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    return [_right_by_step(runs[_label("flip", gate)]).reshape(-1, 10).mean(axis=1) for gate in ("", "f")]


def _measure_worst(runs: dict[str, Run]) -> Measured:
    harm = {gate: _harm(runs)["flip", gate] for gate in OPEN_GATES.values()}
    worst = max(harm, key=harm.get)
    told = ", ".join(f"{format_significant(value)} with {NAMES[gate]}" for gate, value in harm.items())
    return Measured(
        "Two bits have to be held until a pulse sets them anew. Three LSTMs are trained with one gate open at every "
        "step, i = 1, f = 1 or o = 1. Which gate is missed most?",
        worst if harm[worst] >= MIN_HARM else "",
        f"The error with all gates is multiplied by: {told}.",
    )


LESSON = Lesson(
    title="Which gate is needed? Held open one by one",
    summary="Train with i, f or o open at every step, on two tasks. Which gate does each of them miss?",
    chapter="Memory",
    evening=2,
    after=("flip_flop", "adding_problem"),
    train_seconds=14.0,
    question=Question(
        _measure_worst,
        (
            Choice(
                "the input gate",
                lambda gate: gate == "i",
                "It keeps out what is not to be stored. Without a pulse the input is 0, and the candidate can be, too.",
            ),
            Choice(
                "the forget gate",
                lambda gate: gate == "f",
                "What is to be replaced must be removed first, and with f = 1 nothing ever is.",
            ),
            Choice(
                "the output gate",
                lambda gate: gate == "o",
                "It decides what is shown. Here all that is stored is to be shown at every step.",
            ),
        ),
    ),
    experiments={
        _label(task, gate): _experiment(data, head, epochs, gate)
        for task, data, head, epochs in (("adding", ADDING, "last", 25), ("flip", FLIP_FLOP, "per_step", 15))
        for gate in HELD
    },
    figures=(
        LessonFigure(
            "**The error with each gate held open**",
            "On new sequences, as a multiple of what the best constant prediction scores (dotted).",
            _error_figure,
        ),
        LessonFigure(
            "**The flip-flop beyond the length of the training**",
            f"{LONG_SEQUENCES} new sequences of {LONG_STEPS} steps: with f = 1, nothing leaves c any more.",
            _long_figure,
        ),
        LessonFigure(
            "**Adding: the loss on new sequences**",
            "The same data, first weights and steps; only the gate differs.",
            lambda runs: _loss_plot(runs, "adding"),
        ),
        LessonFigure("**Flip-flop: the loss on new sequences**", "Likewise.", lambda runs: _loss_plot(runs, "flip")),
    ),
    loss_figure=False,
    text="""
Are all three gates necessary? To find out, hold one **open from the start**: its weights are 0, its bias is so large
that σ is 1, and none of them trains. Two tasks, four LSTMs each.

**Adding.** Two of thirty numbers are marked, and their sum is the target. All others must stay out of c: the **input
gate**'s work. With i = 1 the candidate g has to be 0 at each unmarked number by itself. With f = 1 some seeds
do not get off the ground: as long as i has not learned to close, all thirty numbers are in c for good.

**Flip-flop.** A pulse sets a bit, which then stays until the next. The new value replaces the old one: the **forget
gate**'s work. With f = 1 the new value can only be added to the old one. Whatever is
left over stays in c.

The **output gate** decides what of c is shown. Both tasks can do without.

The goal: the error is at least three times as large with i = 1 in adding and with f = 1 in the flip-flop, and at most
three times with o = 1 in either.

Greff and colleagues left out parts of the LSTM one by one, on speech, handwriting and music: the forget gate and the
output **activation function** (here the tanh of c) mattered most. `nn.LSTM` has fixed activations, no peepholes and
no coupled gates, so those questions stay open here.
""",
    formula=r"""\begin{aligned}
\text{all gates:}\quad & c_t = f_t\,c_{t-1} + i_t\,g_t, \quad h_t = o_t \tanh(c_t) \\
i = 1:\quad & c_t = f_t\,c_{t-1} + g_t \\
f = 1:\quad & c_t = c_{t-1} + i_t\,g_t \\
o = 1:\quad & h_t = \tanh(c_t)
\end{aligned}""",
    symbols="$i_t$, $f_t$, $o_t$ are the gates, $g_t$ the candidate, $c_t$ the cell state, $h_t$ the hidden state.",
    common_mistakes="""
**"A gate that is hardly missed is useless."** In these two tasks. Where something is to be kept now and shown later, o
has work to do.

**Held open is not switched off afterwards.** *What if?* on Gates sets a gate of a trained model, whose other weights
rely on it. Here the others have learned without.
""",
    exercises=(
        Exercise("Hold i and f open at once, on Model under *frozen parameters*: what is left to decide with?"),
        Exercise("Twice the units: do they make up for a gate?", {"model": {"hidden_size": 24}}),
        Exercise("On Gates, *What if?*: set i of the LSTM with all gates to 1, and compare with the one trained so."),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "error, as a share of a constant’s",
        {
            f"{TASKS[task]}, {NAMES[gate] if gate else 'all gates'}": f"{_label(task, gate)} error"
            for task in TASKS
            for gate in ("", *OPEN_GATES.values())
        },
        {"a constant": 1.0},
        log=True,
    ),
    success_rate="Of these 30 seeds three miss it: on two, adding with o = 1 ends at 4.4 and 5.5 times the error with "
    "all gates, on one with i = 1 at 2.6 times.",
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Klaus Greff, Rupesh K. Srivastava, Jan Koutník, Bas R. Steunebrink & Jürgen Schmidhuber (2017), LSTM: A "
        "search space odyssey, IEEE Transactions on Neural Networks and Learning Systems 28(10), arXiv 1503.04069",
        "Felix A. Gers, Jürgen Schmidhuber & Fred Cummins (2000), Learning to Forget: Continual Prediction with LSTM, "
        "Neural Computation 12(10), 2451–2471: an LSTM without forget gates, and why it fails",
    ),
)
