"""Copy memory, T = 10: ten symbols, a silence, a marker, then all ten again (Arjovsky, Shah & Bengio 2016)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.generators.symbols import MARKER, copy_length, copy_naive_loss
from lstm_core.data.number_format import format_percent
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import GATE_COLORS, GREY, RUN_COLORS, figure_layout
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.figures import loss_with_levels, new_figure, symbol_figure
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, StageMoment, generated_splits
from lstm_core.lessons.question import Choice, Measured, Question, between, median_loss

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.analysis.unit_search import UnitMatch
    from lstm_core.runs.run import Run

SILENCE = 10  # T
OTHER_SILENCES = 5, 15, 20, 40  # T of sequences that it was not trained on
OTHER_SEQUENCES = 2**30  # added to a run's seed, for new sequences
SEARCH_WINDOWS = 256  # test sequences in which the units are looked for
MIN_ACCURACY = 0.97  # of the symbols
EARLY = 0.1, 0.25  # epochs: by then it knows when to stay silent, and no symbol yet
LETTERS = [*"01234567", "·", "?"]  # COPY_SYMBOLS of the generator, as they are drawn


def _probabilities(run: Run, count: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the first test sequences: inputs and targets (count, seq_len), probabilities (count, seq_len, 9)."""
    import torch

    windows = run.windows
    starts = windows.starts["test"][:count]
    x = windows.inputs(starts)
    with torch.no_grad():
        probabilities = run.current_model()(torch.from_numpy(x)).softmax(-1).numpy()
    return x.argmax(axis=-1), windows.y[starts[:, None] + np.arange(windows.spec.seq_len)], probabilities


def _best_units(run: Run) -> list[UnitMatch]:
    """For each of the ten symbols, the c whose value at the marker best separates its eight classes."""
    from lstm_core.analysis.unit_search import rank_by_class

    def find() -> list[UnitMatch]:
        windows, model = run.windows, run.current_model()
        starts = windows.starts["test"][:SEARCH_WINDOWS]
        read = windows.inputs(starts).argmax(axis=-1)
        matches = []
        for position in range(copy_length(windows.spec.seq_len)):
            classes = np.where(read == MARKER, read[:, position, None], -1)
            matches.append(rank_by_class(model, windows, starts, classes, ("c",))[0])
        return matches

    return run.cached("copy units", run.weights_key, find)


def _prediction_figure(runs: dict[str, Run]) -> go.Figure:
    read, targets, probabilities = (values[0] for values in _probabilities(runs["lstm"], 1))
    letters = [LETTERS[k] for k in read]
    return symbol_figure(probabilities, (np.arange(len(read)), targets), "target", letters, LETTERS[:-1])


def _mechanism_figure(runs: dict[str, Run]) -> go.Figure:
    """The mean over new sequences of the unit that keeps one symbol best, for each of its eight values."""
    from lstm_core.analysis.unit_search import trace_windows

    run = runs["lstm"]
    windows, matches = run.windows, _best_units(run)
    position = int(np.argmax([match.score for match in matches]))
    starts = windows.starts["test"][:SEARCH_WINDOWS]
    values = matches[position].values_in(trace_windows(run.current_model(), windows, starts))
    symbol = windows.inputs(starts)[:, position].argmax(axis=-1)
    order = np.argsort([values[symbol == k, -len(matches) - 1].mean() for k in range(8)])
    figure = new_figure()
    for shade, k in enumerate(order):
        color = f"hsl({30 + 25 * shade}, 75%, 50%)"
        mean = values[symbol == k].mean(axis=0)
        line = {"color": color, "width": 3}
        figure.add_scatter(x=np.arange(1, len(mean) + 1), y=mean, name=LETTERS[k], mode="lines", line=line)
    for step, label in ((position + 1, f"symbol {position + 1} is read"), (len(mean) - len(matches), "marker")):
        figure.add_vline(float(step), line={"color": GREY, "width": 2, "dash": "dot"})
        place = {"x": float(step), "y": 1, "yref": "y domain", "xanchor": "left", "xshift": 4}
        figure.add_annotation(text=label, showarrow=False, **place)
    match = matches[position]
    figure.update_yaxes(title=f"{match.gate} of unit {match.unit}, mean (η² {match.score:.2f})")
    figure.update_xaxes(title="step")
    return figure_layout(figure, 400)


def _ranking_figure(runs: dict[str, Run]) -> go.Figure:
    """For each of the ten symbols the η² of the c that separates its classes best."""
    matches, figure = _best_units(runs["lstm"]), new_figure()
    figure.add_bar(
        x=np.arange(1, len(matches) + 1),
        y=[match.score for match in matches],
        marker={"color": GATE_COLORS["c"]},
        text=[f"unit {match.unit}" for match in matches],
        textangle=-90,
        textfont={"size": 15},
    )
    figure.update_xaxes(title="symbol", dtick=1)
    figure.update_yaxes(title="η² at the marker", range=[0, 1.03])
    return figure_layout(figure, 320).update_layout(hovermode="closest")


def _positions_plot(runs: dict[str, Run]) -> LinePlot:
    """The share of new sequences in which each of the ten symbols is right, at the trained silence and at others."""
    run, lines = runs["lstm"], []
    trained = run.windows.spec.seq_len - 2 * copy_length(run.windows.spec.seq_len)
    for silence, color in zip((trained, *OTHER_SILENCES), RUN_COLORS, strict=True):
        shares = run.cached(f"copy at {silence}", run.weights_key, partial(_right_by_position, run, silence))
        name = f"T = {silence}" + (", as trained" if silence == trained else "")
        width = 3.5 if silence == trained else 2
        lines.append(Line(name, np.arange(1.0, len(shares) + 1), shares, color, width=width))
    return LinePlot(
        [*lines, Line("guessing", np.array([1.0, 10.0]), np.full(2, 1 / 8), GREY, "dot")],
        "symbol",
        "right",
        y_range=(0.0, 1.03),
    )


def _right_by_position(run: Run, silence: int) -> np.ndarray:
    """(ten,): on sequences that nothing was trained on, with a silence of so many steps."""
    import torch

    from lstm_core.data.generators.symbols import copy_memory

    steps = silence + 2 * copy_length(run.windows.spec.seq_len)
    table = copy_memory(SEARCH_WINDOWS, steps, 1, 0.0, (run.experiment.data.seed + OTHER_SEQUENCES) % 2**31)
    columns = [table.column(name).values for name in run.windows.feature_names]
    x = np.stack(columns, axis=-1, dtype=np.float32).reshape(SEARCH_WINDOWS, steps, len(columns))
    with torch.no_grad():
        said = run.current_model()(torch.from_numpy(x)).argmax(-1).numpy()
    count = copy_length(steps)
    return (said[:, -count:] == x.argmax(-1)[:, :count]).mean(axis=0)


def _loss_plot(runs: dict[str, Run]) -> LinePlot:
    naive_loss = copy_naive_loss(runs["lstm"].windows.spec.seq_len)
    return loss_with_levels(runs["lstm"], "cross-entropy", {f"no memory, {naive_loss:.3f}": naive_loss})


def _outcome(runs: dict[str, Run]) -> Outcome:
    run = runs["lstm"]
    read, targets, probabilities = _probabilities(run)
    recalled = slice(-copy_length(read.shape[1]), None)
    accuracy = float((probabilities.argmax(axis=-1) == targets)[:, recalled].mean())
    loss = float(-np.log(np.take_along_axis(probabilities, targets[..., None], axis=-1)).mean())
    summary = (
        f"{format_percent(accuracy)} of the symbols right on {len(read):,} new sequences (guessing: 12.5\u202f%). "
        f"Cross-entropy {loss:.2g}; a model that remembers nothing scores {copy_naive_loss(read.shape[1]):.3f}"
    )
    metrics = {"right": accuracy, "loss": loss}
    epochs, losses = run.curves["train_loss"].points()
    if (early := (epochs > EARLY[0]) & (epochs < EARLY[1])).any():
        metrics["early loss"] = float(np.median(losses[early]))
        summary += f", as this model did early in training: {metrics['early loss']:.3f}"
    return Outcome(accuracy >= MIN_ACCURACY, summary + ".", metrics)


def _stage_moment(run: Run) -> StageMoment:
    """The unit that keeps one symbol best, at the marker, where all are still to be repeated."""
    windows, match = run.windows, max(_best_units(run), key=lambda match: match.score)
    (read,) = windows.inputs(windows.starts["test"][:1]).argmax(axis=-1)
    return StageMoment("test", 0, match.unit, int((read == MARKER).argmax()))


def _measure_plateau(runs: dict[str, Run]) -> Measured:
    run = runs["lstm"]
    plateau, steps = median_loss(run, *EARLY), run.windows.spec.seq_len
    return Measured(
        f"Ten symbols of eight kinds, a silence, then repeat all ten: {steps} steps, and at all but ten of them the "
        "target is a blank. Before it remembers any symbol, at which cross-entropy, the mean over all steps, does the "
        "LSTM stay?",
        plateau,
        f"Between epoch {EARLY[0]} and {EARLY[1]} the median loss of a batch was {plateau:.3f}; a model that remembers "
        f"nothing scores 10 ln 8 / {steps} = {copy_naive_loss(steps):.3f}.",
    )


LESSON = Lesson(
    title="Copy memory",
    summary="Ten symbols, a silence, a marker: now repeat all ten, in order.",
    chapter="Papers",
    evening=3,
    after=("adding_problem",),
    train_seconds=17.5,
    question=Question(
        _measure_plateau,
        (
            Choice("0.17", between(0.15, 0.2), "So it is with a silence of 100 steps: blanks are easy, and many."),
            Choice("0.69", between(0.62, 0.78), "ln 8 for each of ten guesses, and nothing for twenty blanks."),
            Choice("2.08", between(1.9, 2.2), "ln 8 is the loss of one guess among eight. Most steps need none."),
        ),
    ),
    experiments={
        "lstm": Experiment(
            generated_splits("copy_memory", seq_len=SILENCE + 20, train=16_000, valid=500, test=1000),
            ModelSpec(hidden_size=128, head="per_step", chrono_t_max=SILENCE + 20),
            TrainSpec(lr=1e-2, batch_size=32, epochs=10, max_grad_norm=0.1, patience=0),
        )
    },
    figures=(
        LessonFigure(
            "**Ten in, ten out**",
            "One new sequence from left to right: dots are blanks, ? is the marker. Bright is likely, rings are the "
            "targets.",
            _prediction_figure,
        ),
        LessonFigure(
            "**A unit that stores one symbol**",
            "The c whose value at the marker best separates the eight classes of one of the ten symbols: a line for "
            "each class, the mean over new sequences.",
            _mechanism_figure,
        ),
        LessonFigure(
            "**First the rules, then the memory**",
            "At the dashed line it outputs blanks and symbols at the right steps, but guesses the symbols. Below it, "
            "it remembers.",
            _loss_plot,
        ),
        LessonFigure(
            "**How well one unit stores each of the ten**",
            "The best c for each symbol. Where even the best is low, the symbol is coded by several units together.",
            _ranking_figure,
        ),
        LessonFigure(
            "**Right by position, and at other silences**",
            "New sequences, also with silences T that it was not trained on. Where those lines are low, it has learned "
            "to count the steps, not to wait for the marker.",
            _positions_plot,
        ),
    ),
    loss_figure=False,
    text="""
Ten symbols, each one of eight, come one after the other. Then T = 10 blanks follow, and then a marker that means:
**repeat them all, in order**. Until the marker the target is the blank.

That is more than one number to store: ten symbols of three bits each, thirty bits that must stay apart.

A model that remembers nothing still predicts the blanks, and guesses the ten symbols. Its mean loss is
**10 ln 8 / (T + 20)**: 0.693 for T = 10, and 0.173 for T = 100. A model gets there within its first few hundred
batches; the question is whether it gets below. Of the paper's delays, T = 100 to 500, its LSTM got below at 100 only.
The goal here is a shorter one, T = 10: at least 97 % of the symbols right on new sequences.

The second figure shows the cell state that best separates, at the marker, the classes of one of the ten symbols: its
eight lines stay apart through the blanks, and meet once the symbol has been output. The other symbols are coded by
several units each.
""",
    formula=r"\text{loss without memory} = \frac{10 \ln 8}{T + 20}",
    symbols="$\\ln 8$ is the cross-entropy of guessing one of eight; only ten of the $T + 20$ steps need a guess.",
    exercises=(
        Exercise(
            "T = 100, where the loss without memory is 0.173: does it get below?",
            {"data": {"seq_len": 120, "length": 8000}, "model": {"chrono_t_max": 120}, "train": {"epochs": 4}},
        ),
        Exercise("PyTorch's default initialisation instead of spread forget gates.", {"model": {"chrono_t_max": None}}),
        Exercise("A quarter of the units: thirty bits in 32 units.", {"model": {"hidden_size": 32}}),
    ),
    outcome=_outcome,
    seed_dots=SeedDots("symbols right", {"LSTM": "right"}, {"guessing": 1 / 8}, percent=True),
    success_rate="One bad step at the end can cost a little: of the seeds 0 to 9, with gradients clipped at 1 instead "
    "of 0.1, one ended at 94.8 %, after 16 epochs.",
    card=paper_cards.COPY_MEMORY,
    stage_moment=_stage_moment,
    thumbnail_plot=lambda runs: _probabilities(runs["lstm"], 1)[2][0].T[::-1],  # (9, seq_len)
    sources=(
        "Martin Arjovsky, Amar Shah & Yoshua Bengio (2016), Unitary evolution recurrent neural networks, arXiv "
        "1511.06464",
        "Sepp Hochreiter & Jürgen Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8)",
        "Corentin Tallec & Yann Ollivier (2018), Can recurrent neural networks warp time?, arXiv 1804.11188 (how the "
        "gates' biases start; they use this task too)",
    ),
)
