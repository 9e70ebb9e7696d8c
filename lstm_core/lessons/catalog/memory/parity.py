"""Parity: the same sequences, with a target at every step or at the end only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_percent
from lstm_core.experiment import STATES, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import ACTUAL_COLOR, BRICK, GATE_COLORS, GREY, RUN_COLORS, SLATE, VIOLET, figure_layout
from lstm_core.lessons.figures import level, loss_plot, new_figure
from lstm_core.lessons.lesson import (
    Exercise,
    Lesson,
    LessonFigure,
    Outcome,
    SeedDots,
    StageMoment,
    generated_splits,
    run_name,
)
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.analysis.unit_search import UnitMatch
    from lstm_core.runs.run import Run

STEPS = 20  # of the training sequences
LONG_SEQUENCES, LONG_STEPS = 256, 1000  # of the test beyond them
OTHER_SEQUENCES = 2**30  # added to a run's seed: sequences that it was not trained on
MAX_ACCURACY = 0.6  # of what has not learned it
DRAWN_STEPS = (1, 2, 4, 8, 20)  # of a sequence, whose accuracy is drawn along training
HISTORY_POINTS = 40
COLORS = {"every_step": VIOLET, "at_end": BRICK}
DASHES = {"every_step": "solid", "at_end": "dash"}


def _experiment(head: str) -> Experiment:
    data = generated_splits("parity", seq_len=STEPS, train=1920, valid=240, test=256)
    return Experiment(
        data, ModelSpec(hidden_size=8, head=head), TrainSpec(lr=0.02, batch_size=64, epochs=20, patience=0)
    )


def _right(model, bits: np.ndarray) -> np.ndarray:
    """(sequences, steps): whether the parity is right after each step; bits: the same shape, 0 or 1.

    A head that was trained at the end only is applied at every step as well.
    """
    import torch

    with torch.no_grad():
        output, _ = model.lstm(model.to_module_layout(torch.from_numpy(bits[..., None].astype(np.float32))))
        odd = model.head(output if model.spec.batch_first else output.transpose(0, 1)).argmax(dim=-1).numpy()
    return odd == bits.cumsum(axis=1) % 2


def _long_accuracy(run: Run) -> np.ndarray:
    """(LONG_STEPS,): the share of new sequences whose parity is right after so many bits."""

    def measure() -> np.ndarray:
        rng = np.random.default_rng((run.experiment.data.seed + OTHER_SEQUENCES) % 2**31)
        return _right(run.current_model(), rng.integers(0, 2, (LONG_SEQUENCES, LONG_STEPS))).mean(axis=0)

    return run.cached("parity of long sequences", run.weights_key, measure)


def _test_bits(run: Run) -> np.ndarray:
    windows = run.windows
    return windows.inputs(windows.starts["test"])[..., 0].astype(np.int64)


def _test_accuracy(run: Run, step: int | None = None) -> np.ndarray:
    """(seq_len,): the share of test sequences whose parity is right after each step, by the model of that step."""
    snapshot = run.snapshot_at(step)
    measure = lambda: _right(snapshot.model, _test_bits(run)).mean(axis=0)  # noqa: E731
    return run.cached("parity of the test", (snapshot.step,), measure)


def _best_unit(run: Run) -> UnitMatch:
    """The c or h that tells even from odd best."""
    from lstm_core.analysis.unit_search import rank_by_class

    def rank() -> UnitMatch:
        starts = run.windows.starts["test"]
        return rank_by_class(run.current_model(), run.windows, starts, _test_bits(run).cumsum(axis=1) % 2, STATES)[0]

    return run.cached("parity unit", run.weights_key, rank)


def _unit_figure(runs: dict[str, Run]) -> go.Figure:
    from plotly.subplots import make_subplots

    from lstm_core.analysis.unit_search import trace_windows

    run = runs["every_step"]
    windows, match = run.windows, _best_unit(run)
    bits = _test_bits(run)[0]
    values = match.values_in(trace_windows(run.current_model(), windows, windows.starts["test"][:1]))[0]
    steps = np.arange(1, len(bits) + 1)
    figure = make_subplots(rows=2, shared_xaxes=True, vertical_spacing=0.06, row_heights=[0.7, 0.3])
    line = {"color": GATE_COLORS[match.gate], "width": 3.5, "shape": "hvh"}
    name = f"{match.gate} of unit {match.unit}, η² {match.score:.2f}"
    figure.add_scatter(x=steps, y=values, name=name, mode="lines", line=line, row=1, col=1)
    is_odd = bits.cumsum() % 2 == 1
    for name, chosen, symbol in (("even so far", ~is_odd, "circle-open"), ("odd so far", is_odd, "circle")):
        marker = {"symbol": symbol, "size": 10, "color": ACTUAL_COLOR, "line": {"width": 2}}
        y = np.where(chosen, values, np.nan)
        figure.add_scatter(x=steps, y=y, name=name, mode="markers", marker=marker, row=1, col=1)
    figure.add_bar(x=steps, y=bits, name="input bit", marker={"color": SLATE}, width=0.5, row=2, col=1)
    figure.update_yaxes(title=match.gate, row=1)
    figure.update_yaxes(title="bit", range=[0, 1.2], tickvals=[0, 1], row=2)
    figure.update_xaxes(title="step", row=2)
    return figure_layout(figure, 400)


def _length_figure(runs: dict[str, Run]) -> go.Figure:
    figure = new_figure()
    x = np.unique(np.geomspace(1, LONG_STEPS, 120).round().astype(int))
    for label, run in runs.items():
        line = {"color": COLORS[label], "width": 3, "dash": DASHES[label]}
        figure.add_scatter(x=x, y=_long_accuracy(run)[x - 1], name=f"target {run_name(label)}", line=line)
    line = {"color": GREY, "dash": "dot", "width": 2}
    figure.add_hline(0.5, line=line)
    trained = runs["every_step"].windows.spec.seq_len
    figure.add_vline(trained, line=line)
    figure.add_annotation(x=np.log10(trained), y=0.75, text="length in training", showarrow=False, xanchor="left")
    figure.update_xaxes(title="bits read", type="log", tickvals=[1, 10, 100, 1000])
    figure.update_yaxes(title="parity right", range=[0.35, 1.03], tickformat=".0%")
    return figure_layout(figure, 340)


def _front_first_plot(runs: dict[str, Run]) -> LinePlot:
    run = runs["every_step"]
    ends = np.unique(np.linspace(0, run.step, HISTORY_POINTS).round().astype(int))
    steps = sorted({run.snapshot_at(int(step)).step for step in ends})
    accuracy = np.stack([_test_accuracy(run, step) for step in steps])  # (snapshots, seq_len)
    epochs = np.array(steps) / run.steps_per_epoch
    lines = [
        Line(f"bit {step}", epochs, accuracy[:, step - 1], color, width=3)
        for step, color in zip(DRAWN_STEPS, RUN_COLORS, strict=True)
        if step <= accuracy.shape[1]
    ]
    lines.append(level("guessing", 0.5, {"": run}, "dot"))
    return LinePlot(lines, "epoch", "parity right", y_range=(0.35, 1.03))


def _loss_plot(runs: dict[str, Run]) -> LinePlot:
    plot = loss_plot(runs, "cross-entropy", COLORS)
    return LinePlot([*plot.lines, level("guessing, ln 2", np.log(2), runs)], plot.x_title, plot.y_title, log_y=True)


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached if every long sequence is right with targets at every step, and about half of the short ones without."""
    at_end = {label: float(_test_accuracy(run)[-1]) for label, run in runs.items()}
    long = {label: float(_long_accuracy(run)[-1]) for label, run in runs.items()}
    steps, count = runs["every_step"].windows.spec.seq_len, len(_test_bits(runs["every_step"]))
    summary = (
        f"Of {count} new sequences of {steps} bits the parity is right in {format_percent(at_end['every_step'])} with "
        f"a target at every step, in {format_percent(at_end['at_end'])} with one at the end only; guessing gets "
        "50\u202f%. "
        f"Of {LONG_SEQUENCES} sequences of {LONG_STEPS:,} bits: {format_percent(long['every_step'])} and "
        f"{format_percent(long['at_end'])}."
    )
    metrics = {f"{label} right": share for label, share in at_end.items()}
    metrics |= {f"{label} right at {LONG_STEPS}": share for label, share in long.items()}
    reached = at_end["every_step"] == long["every_step"] == 1 and at_end["at_end"] <= MAX_ACCURACY
    return Outcome(reached, summary, metrics)


def _stage_moment(run: Run) -> StageMoment:
    """The unit that tells even from odd, as it reads the second 1."""
    return StageMoment("test", 0, _best_unit(run).unit, int(np.argmax(_test_bits(run)[0].cumsum() == 2)))


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    return [_long_accuracy(run)[:200] for run in runs.values()]


def _measure_at_end(runs: dict[str, Run]) -> Measured:
    run = runs["at_end"]
    right = float(_test_accuracy(run)[-1])
    steps, updates = run.windows.spec.seq_len, run.step
    return Measured(
        f"Is the number of 1s among {steps} bits even or odd? One LSTM gets this target at the end of each sequence "
        f"only. After {updates:,} steps of training, in how many new sequences is it right?",
        right,
        f"It is right in {format_percent(right)}. The one with a target at every step is right in "
        f"{format_percent(float(_test_accuracy(runs['every_step'])[-1]))} after as many steps.",
    )


LESSON = Lesson(
    title="Parity: where the target stands",
    summary="Even or odd? The same LSTM with a target at every step, and with one at the end only.",
    chapter="Memory",
    evening=2,
    after=("forget_bias",),
    train_seconds=4.0,
    question=Question(
        _measure_at_end,
        (
            Choice("about half", between(0.4, 0.6), "That is guessing, as if it had learned nothing."),
            Choice(
                "about three quarters",
                between(0.65, 0.85),
                "For most tasks half of the rule scores more than nothing. Half of a parity is no better than none.",
            ),
            Choice(
                "all of them", between(0.98, 1), "Two states are enough for it, and an LSTM of eight units has more."
            ),
        ),
    ),
    experiments={"every_step": _experiment("per_step"), "at_end": _experiment("last")},
    figures=(
        LessonFigure(
            "**One unit tells even from odd**",
            "The best of all c and h, on a new sequence, in the LSTM with a target at every step.",
            _unit_figure,
        ),
        LessonFigure(
            "**It learns from the front**",
            "With a target at every step: the parity of the first bits comes first, that of all twenty last.",
            _front_first_plot,
        ),
        LessonFigure(
            "**The loss of both**",
            "Guessing scores ln 2. With a target at the end only, does the loss on new sequences ever leave it?",
            _loss_plot,
        ),
        LessonFigure(
            "**Longer than in training**",
            f"{LONG_SEQUENCES} new sequences of {LONG_STEPS:,} bits: the share that is right after so many of them.",
            _length_figure,
        ),
    ),
    loss_figure=False,
    text="""
Bits come one by one: is the number of 1s so far **even or odd**? Two states are enough, and each 1 changes from one to
the other. Both LSTMs here have the same data, the same first weights and the same number of steps. One gets a
**target at every step**, the other one **at the end** of twenty bits only.

Few tasks are so easy to state and so hard to find by gradient. Parity has no partial solution: whoever misses one of
the twenty bits guesses, however well the others are counted. So there is no slope to follow. Each bit by itself, and
each group of nineteen, is independent of the target.

A target at every step adds easy tasks to the hard one. After one bit the target *is* the bit. After two it takes one
change of state, and the rule for the second bit is the rule for the third. The LSTM learns from the front, and once it
has the rule, length no longer matters.

The goal: with targets at every step, all of 256 sequences of 1,000 bits right; at the end only, no better than 60 % at
twenty.

So before you change the model, ask what the loss rewards on the way. Targets at more steps, or short sequences first,
can be worth more than units.
""",
    formula=r"""\begin{aligned}
y_t &= y_{t-1} \oplus x_t \\
L_{\text{every step}} &= \frac1T \sum_{t=1}^{T} \ell(\hat y_t, y_t) \\
L_{\text{end}} &= \ell(\hat y_T, y_T)
\end{aligned}""",
    symbols="$x_t$ is the bit, $y_t$ the parity so far, $\\oplus$ addition without carry: $1 \\oplus 1 = 0$; $\\ell$ "
    "is the cross-entropy of the prediction $\\hat y_t$, $T$ the number of steps.",
    common_mistakes="""
**"The model is too small."** Eight units are more than enough: the LSTM with targets at every step has just as many.

**"Its memory is too short."** Twenty steps are no obstacle here. Where to go is not in the gradient.
""",
    exercises=(
        Exercise(
            "Five bits: does a target at the end now suffice, and does the other LSTM still get 1,000 bits right?",
            {"data": {"seq_len": 5}},
        ),
        Exercise("Thirty-two units: does size help the second LSTM?", {"model": {"hidden_size": 32}}),
        Exercise("On Stage, play a sequence and watch the unit named above at each 1."),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "parity right",
        {"every step, 1,000 bits": f"every_step right at {LONG_STEPS}", "at the end, 20 bits": "at_end right"},
        {"guessing": 0.5},
        percent=True,
    ),
    stage_moment=_stage_moment,
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Yoshua Bengio, Patrice Simard & Paolo Frasconi (1994), Learning long-term dependencies with gradient descent "
        "is difficult, IEEE Transactions on Neural Networks 5(2), 157–166: parity is one of its tasks",
        "Jürgen Schmidhuber & Sepp Hochreiter (1996), Guessing can outperform many long time lag algorithms, Technical "
        "Note IDSIA-19-96",
        "Shai Shalev-Shwartz, Ohad Shamir & Shaked Shammah (2017), Failures of gradient-based deep learning, ICML, "
        "arXiv 1703.07950: the gradient tells almost nothing about which parity is asked for",
    ),
)
