"""Copy memory, T = 10: ten symbols, a silence, a marker, and then all ten again (Arjovsky, Shah & Bengio 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.generators.symbols import MARKER, copy_length, copy_naive_loss
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.analysis.unit_search import UnitMatch
    from lstm_core.runs.run import Run

SILENCE = 10  # T
SEARCH_WINDOWS = 256  # test sequences in which the units are looked for
THRESHOLD = 0.97  # of the symbols right
EARLY = 0.1, 0.25  # of an epoch: by then it knows the rules, and no symbol yet
TRAIN_WINDOWS, VALID_WINDOWS, TEST_WINDOWS = 16_000, 500, 1000  # sequences
LETTERS = [*"01234567", "·", "?"]  # memory_tasks.COPY_SYMBOLS as they are drawn


def _probabilities(run: Run, count: int | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the first test sequences: symbols read and to be said (count, seq_len), probabilities (…, seq_len, 9)."""
    import torch

    windows = run.windows
    starts = windows.starts["test"][:count]
    x = windows.inputs(starts)
    with torch.no_grad():
        probabilities = run.current_model()(torch.from_numpy(x)).softmax(-1).numpy()
    return x.argmax(axis=-1), windows.y[starts[:, None] + np.arange(windows.spec.seq_len)], probabilities


def _best_units(run: Run) -> list[UnitMatch]:
    """For each symbol of the ten the c that tells best, at the marker, which of the eight it was."""
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

    return run.cached("copy units", (run.step,), find)


def _prediction_figure(runs: dict[str, Run]) -> go.Figure:
    import plotly.graph_objects as go

    from lstm_core.figures.theme import FONT_SIZE, GATE_SCALE, figure_layout

    read, targets, probabilities = (values[0] for values in _probabilities(runs["lstm"], 1))
    steps = np.arange(len(read))
    figure = go.Figure(
        go.Heatmap(
            z=probabilities.T,
            zmin=0,
            zmax=1,
            colorscale=GATE_SCALE,
            colorbar={"thickness": 14, "tickfont": {"size": FONT_SIZE - 1}},
        )
    )
    figure.add_scatter(
        x=steps,
        y=targets,
        mode="markers",
        name="what it must say",
        showlegend=True,
        marker={"symbol": "circle-open", "size": 15, "color": "#D55E00", "line": {"width": 3}},
    )
    figure.update_xaxes(tickvals=steps, ticktext=[LETTERS[k] for k in read], tickangle=0, title="what it reads")
    figure.update_yaxes(tickvals=list(range(probabilities.shape[1])), ticktext=LETTERS, title="what it says")
    return figure_layout(figure, 400).update_layout(hovermode="closest")


def _mechanism_figure(runs: dict[str, Run]) -> go.Figure:
    """The mean over new sequences of the unit that keeps one symbol best, for each of its eight values."""
    import plotly.graph_objects as go

    from lstm_core.analysis.unit_search import trace_windows
    from lstm_core.figures.theme import figure_layout

    run = runs["lstm"]
    windows, matches = run.windows, _best_units(run)
    position = int(np.argmax([match.score for match in matches]))
    starts = windows.starts["test"][:SEARCH_WINDOWS]
    values = matches[position].values_in(trace_windows(run.current_model(), windows, starts))
    symbol = windows.inputs(starts)[:, position].argmax(axis=-1)
    order = np.argsort([values[symbol == k, -len(matches) - 1].mean() for k in range(8)])
    figure = go.Figure()
    for shade, k in enumerate(order):
        color = f"hsl({30 + 25 * shade}, 75%, 50%)"
        mean = values[symbol == k].mean(axis=0)
        figure.add_scatter(y=mean, name=LETTERS[k], mode="lines", line={"color": color, "width": 3})
    for at, label in ((position, f"symbol {position + 1} is read"), (len(mean) - len(matches) - 1, "marker")):
        figure.add_vline(float(at), line={"color": "#888888", "width": 2, "dash": "dot"})
        figure.add_annotation(x=float(at), y=1, yref="y domain", text=label, xanchor="left", xshift=4, showarrow=False)
    match = matches[position]
    figure.update_yaxes(title=f"{match.gate} of unit {match.unit}, mean (η² {match.score:.2f})")
    figure.update_xaxes(title="step")
    return figure_layout(figure, 400)


def _ranking_figure(runs: dict[str, Run]) -> go.Figure:
    """For each of the ten symbols the η² of the c that tells it best."""
    import plotly.graph_objects as go

    from lstm_core.figures.theme import GATE_COLORS, figure_layout

    matches = _best_units(runs["lstm"])
    figure = go.Figure(
        go.Bar(
            x=np.arange(1, len(matches) + 1),
            y=[match.score for match in matches],
            marker={"color": GATE_COLORS["c"]},
            text=[f"unit {match.unit}" for match in matches],
            textangle=-90,
            textfont={"size": 15},
        )
    )
    figure.update_xaxes(title="symbol", dtick=1)
    figure.update_yaxes(title="η² at the marker", range=[0, 1.03])
    return figure_layout(figure, 320).update_layout(hovermode="closest")


def _losses(runs: dict[str, Run]) -> LinePlot:
    run = runs["lstm"]
    ends = np.array([0.0, max(run.train_spec.epochs, 1)])
    level = np.full(2, copy_naive_loss(run.windows.spec.seq_len))
    return LinePlot(
        [
            Line("training", *run.curves["train_loss"].points(1000), "#56B4E9", width=1.3, opacity=0.5),
            Line("new sequences", *run.curves["valid_loss"].points(1000), "#D55E00", width=3),
            Line(f"remembering nothing, {level[0]:.3f}", ends, level, "#888888", "dash", 3),
        ],
        "epoch",
        "cross-entropy",
        log_y=True,
    )


def _outcome(runs: dict[str, Run]) -> Outcome:
    run = runs["lstm"]
    read, targets, probabilities = _probabilities(run)
    recalled = slice(-copy_length(read.shape[1]), None)
    right = float((probabilities.argmax(axis=-1) == targets)[:, recalled].mean())
    loss = float(-np.log(np.take_along_axis(probabilities, targets[..., None], axis=-1)).mean())
    summary = (
        f"{right:.1%} of the symbols right on {len(read):,} new sequences (guessing: 12.5%). Cross-entropy {loss:.2g}; "
        f"who remembers nothing gets {copy_naive_loss(read.shape[1]):.3f}"
    )
    metrics = {"right": right, "loss": loss}
    epochs, losses = run.curves["train_loss"].points()
    if (early := (epochs > EARLY[0]) & (epochs < EARLY[1])).any():
        metrics["early loss"] = float(np.median(losses[early]))
        summary += f", and so did this model early on: {metrics['early loss']:.3f}"
    return Outcome(right >= THRESHOLD, summary + ".", metrics)


def _thumbnail_plot(runs: dict[str, Run]) -> np.ndarray:
    """(9, seq_len): what it says."""
    return _probabilities(runs["lstm"], 1)[2][0].T[::-1]


LENGTH = TRAIN_WINDOWS + VALID_WINDOWS + TEST_WINDOWS

LESSON = Lesson(
    title="Copy memory",
    summary="Ten symbols, a silence, a marker: now say all ten again, in order.",
    chapter="Papers",
    order=25,
    experiments={
        "lstm": Experiment(
            DataSpec(
                source="generator",
                name="copy_memory",
                length=LENGTH,
                seq_len=SILENCE + 20,
                noise=0.0,
                horizon=0,
                train_share=TRAIN_WINDOWS / LENGTH,
                valid_share=VALID_WINDOWS / LENGTH,
                scaling="none",
            ),
            ModelSpec(hidden_size=128, head="per_step", chrono_t_max=SILENCE + 20),
            TrainSpec(lr=1e-2, batch_size=32, epochs=10, max_grad_norm=0.1),
        )
    },
    figures=(
        LessonFigure(
            "**Ten in, ten out**",
            "One new sequence from left to right: dots are silence, ? is the marker. Bright is likely, circles are right.",
            _prediction_figure,
        ),
        LessonFigure(
            "**A unit that holds one symbol**",
            "The c that tells best, at the marker, which of the eight one of the ten symbols was: a line for each of the "
            "eight, the mean over new sequences.",
            _mechanism_figure,
        ),
        LessonFigure(
            "**First the rules, then the memory**",
            "At the dashed line it knows when to be silent and when to speak, and guesses what. Below it, it remembers.",
            _losses,
        ),
        LessonFigure(
            "**How well one unit can hold each of the ten**",
            "The c that tells each symbol best. Where the best is low, the symbol is shared out over several units.",
            _ranking_figure,
        ),
    ),
    loss_figure=False,
    text="""
Ten symbols, each one of eight, come one after the other. Then nothing happens for T = 10 steps, and then a marker says:
**say them all again, in order**. Until the marker the right answer is silence.

This is more than one number to hold: ten symbols of three bits each, thirty bits that must not get mixed up.

Who knows the rules but remembers nothing is right about the silences and guesses the ten symbols. That is a mean loss of
**10 ln 8 / (T + 20)**: 0.693 for T = 10, and 0.173 for T = 100. A model gets there within its first few hundred
batches; the question is whether it gets below. In the paper an LSTM did for T = 100 and not for longer silences. Here
T = 10 is solved: at least 97 % of the symbols right on new sequences.

The second picture is of the cell state that tells best, at the marker, what one of the ten symbols was: its eight lines
part on the way through the silence, and fall together once the symbol has been said. The other symbols are shared out,
over several units each.
""",
    formula=r"\text{loss of remembering nothing} = \frac{10 \ln 8}{T + 20}",
    symbols="$\\ln 8$ is the cross-entropy of guessing one of eight; only ten of the $T + 20$ steps need a guess.",
    exercises=(
        Exercise(
            "T = 100, where the line to beat is 0.173: does it leave it?",
            {"data": {"seq_len": 120, "length": 8000}, "model": {"chrono_t_max": 120}, "train": {"epochs": 4}},
        ),
        Exercise("PyTorch's own first weights instead of spread forget gates.", {"model": {"chrono_t_max": None}}),
        Exercise("A quarter of the units: thirty bits in 32 units.", {"model": {"hidden_size": 32}}),
    ),
    outcome=_outcome,
    success_rate="10 of 10 seeds (0 to 9): 98.7 % to 100 % of the symbols right. A last bad step can cost a little: with "
    "gradients clipped at 1 in place of 0.1, one of the ten ended at 94.8 %, after 16 epochs.",
    published="Remembering nothing: 10 ln 8 / (T + 20), 0.693 at T = 10 and 0.173 at T = 100 (Arjovsky, Shah & Bengio "
    "2016)",
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Martin Arjovsky, Amar Shah & Yoshua Bengio (2016), Unitary evolution recurrent neural networks, arXiv "
        "1511.06464",
        "Sepp Hochreiter & Jürgen Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8)",
        "Corentin Tallec & Yann Ollivier (2018), Can recurrent neural networks warp time?, arXiv 1804.11188 (how the "
        "gates' biases start; they use this task too)",
    ),
)
