"""Character model: an LSTM reads a book letter by letter, writes on by itself, and its units can be read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.number_format import format_number
from lstm_core.data.samples.book import SEQ_LEN
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import GATE_COLORS, GREY, TRAIN_COLOR, VALID_COLOR
from lstm_core.lessons.figures import level
from lstm_core.lessons.lesson import Exercise, Lesson, LessonFigure, Outcome, SeedDots, StageMoment
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_core.analysis.unit_search import UnitMatch
    from lstm_core.model.recurrent import SequenceModel
    from lstm_core.runs.run import Run

MAX_BITS = 2.35  # bits per character of the test split
MIN_GAIN = 0.2  # by which the quote unit's correlation exceeds the best of the untrained model
BIT = math.log(2)  # nats
LEVELS = 10_000  # characters over which the quote unit's c is averaged
TURNING = 400  # characters of the picture of one unit


def _ngram_bits(run: Run) -> tuple[float, float]:
    """Bits per character of the test split under a unigram and a bigram table."""
    from lstm_core.lessons.catalog.characters.text import ngram_baselines, split_text

    def bits() -> tuple[float, float]:
        return ngram_baselines(*(split_text(run.windows, split) for split in ("train", "test")))

    return run.cached("n-gram bits", (), bits)


def _outcome(runs: dict[str, Run]) -> Outcome:
    run = runs["lstm"]
    bits = run.evaluate("test") / BIT
    (unigram, bigram), (_, quote_match), untrained = _ngram_bits(run), _quote_unit(run), _untrained_quote_unit(run)
    summary = (
        f"{bits:.2f} bits per character on the last tenth of the book, which it was not trained on; a unigram table "
        f"scores {unigram:.2f}, a bigram table {bigram:.2f}. Unit {quote_match.unit} correlates with being inside "
        f"quotes: r = {format_number(quote_match.score)}; the best unit of the untrained model: r = "
        f"{format_number(untrained.score)}."
    )
    quotes = {"quotes": abs(quote_match.score), "quotes untrained": abs(untrained.score)}
    metrics = {"bits": bits, "unigram": unigram, "bigram": bigram} | quotes
    return Outcome(bits < MAX_BITS and quotes["quotes"] > MIN_GAIN + quotes["quotes untrained"], summary, metrics)


def _bits_plot(runs: dict[str, Run]) -> LinePlot:
    run = runs["lstm"]
    unigram, bigram = _ngram_bits(run)
    epochs, training = run.curves["train_loss"].points(600)
    lines = [
        Line("training (each batch)", epochs, training / BIT, TRAIN_COLOR, width=1.3, opacity=0.6),
        level("unigram table", unigram, runs, "dot"),
        level("bigram table", bigram, runs),
    ]
    train_points, valid_points = run.curves["valid_loss"].points(600)
    if len(train_points):
        lines.append(Line("unseen pages (each epoch)", train_points, valid_points / BIT, VALID_COLOR, width=3))
    return LinePlot(lines, "epoch", "bits per character")


def unseen(run: Run) -> str:
    """The pages of the book that the run does not train on, in the order of the book."""
    from lstm_core.lessons.catalog.characters.text import split_text

    splits = ("valid", "test")
    return run.cached("unseen text", (), lambda: "".join(split_text(run.windows, split) for split in splits))


def tracking_units(run: Run, gate: str) -> tuple[SequenceModel, dict[str, UnitMatch]]:
    """The current model, and for each signal its unit whose `gate` correlates most with it on the unseen pages."""
    from lstm_core.lessons.catalog.characters.text import best_units

    def search() -> tuple[SequenceModel, dict[str, UnitMatch]]:
        model = run.current_model()
        return model, best_units(model, unseen(run), gate)

    return run.cached(f"tracking units: {gate}", run.weights_key, search)


def _quote_unit(run: Run) -> tuple[SequenceModel, UnitMatch]:
    model, matches = tracking_units(run, "c")
    return model, matches["inside quotes"]


def quote_levels(run: Run) -> tuple[int, dict[bool, float]]:
    """The unit that goes with quotes best, and its mean c on unseen pages inside quotes (True) and outside."""
    from lstm_core.lessons.catalog.characters.text import text_features, unit_activations

    def levels() -> tuple[int, dict[bool, float]]:
        model, match = _quote_unit(run)
        text = unseen(run)[:LEVELS]
        c, inside = unit_activations(model, text)["c"][match.unit], text_features(text)["inside quotes"] == 1
        return match.unit, {side: float(c[inside == side].mean()) for side in (True, False)}

    return run.cached("quote levels", run.weights_key, levels)


def _untrained_quote_unit(run: Run) -> UnitMatch:
    """The same of the model before its first step: what a search over as many random units finds."""
    from lstm_core.lessons.catalog.characters.text import best_units

    def search() -> UnitMatch:
        return best_units(run.snapshot_at(0).model, unseen(run), "c")["inside quotes"]

    return run.cached("untrained quote unit", (), search)


def _quote_unit_figure(runs: dict[str, Run]) -> LinePlot:
    """How that unit's cell state turns at the marks of an unseen page, and what its gates do there."""
    from lstm_core.lessons.catalog.characters.text import excerpt, text_features, unit_activations

    model, quote_match = _quote_unit(runs["lstm"])
    text = excerpt(unseen(runs["lstm"]), TURNING)
    values = unit_activations(model, text)
    i, f, g, c = (values[name][quote_match.unit] for name in "ifgc")
    inside = (2 * text_features(text)["inside quotes"] - 1) * np.copysign(np.abs(c).max(), quote_match.score)
    at = np.arange(1.0, len(text) + 1)
    lines = [
        Line("inside quotes, or outside", at, inside, GREY, "dot", width=2),
        Line("i · g", at, i * g, GATE_COLORS["i"], width=1.5),
        Line("f", at, f, GATE_COLORS["f"], width=2),
        Line(f"c of unit {quote_match.unit}", at, c, GATE_COLORS["c"], width=3),
    ]
    return LinePlot(lines, "character", "value")


def _stage_moment(run: Run) -> StageMoment | None:
    """The unit that keeps quotes in mind, at an opening quote that its sequence closes again."""
    from lstm_core.lessons.catalog.characters.text import split_text

    _, match = _quote_unit(run)
    size, text = run.windows.spec.seq_len, split_text(run.windows, "test")
    for window, first in enumerate(range(0, len(text), size)):
        sequence = text[first : first + size]
        step = sequence.find("“")
        if 0 < step < size // 2 and "”" in sequence[step:]:
            return StageMoment("test", window, match.unit, step, match.layer, match.direction)
    return None


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    inside, *_, c = _quote_unit_figure(runs).lines
    return [inside.y, c.y]


_WORDS = """
The model reads *Alice's Adventures in Wonderland* one character at a time and predicts, after each, how likely each of
40 characters is to come next. Nothing marks words, quotations or lines for it.

To write, it samples a character from its own prediction, reads it as its next input, and so on. Its state
$(h, c)$ is carried along: that is its only memory. **Temperature** divides the outputs before the softmax: near 0 it
repeats its surest phrases, above 1 it misspells.

How good it is, is measured in **bits per character** on pages that it has never seen: the loss divided by $\\ln 2$.

Some units can be read. A value of $c$ that turns when a quotation opens and turns back when it closes *is* a memory of
being inside quotes: $f$ near 1 keeps it, $i \\odot g$ changes it at the marks. Most units mix many things. This small
model finds quotes early; brackets are too rare in one book (fewer than 60 pairs).

**Compare every such unit with an untrained model**: of 96 random units some correlate with any signal. The position in
the line, for one, is traced better before training (0.24 to 0.36 on the seeds 4001 to 4010) than after it (0.13 to
0.24): training did not put it there.
"""


def _measure_unigram_bits(runs: dict[str, Run]) -> Measured:
    unigram, bigram = _ngram_bits(runs["lstm"])
    return Measured(
        "Predict the next character of *Alice in Wonderland* from nothing but a table of how frequent each of 40 "
        "characters is. How many bits does a character cost?",
        unigram,
        f"The frequency table costs {unigram:.2f} bits per character on unseen pages, a bigram table {bigram:.2f}, and "
        f"40 equally likely characters would cost {math.log2(40):.2f}.",
    )


def _about(bits: float) -> Callable[[float], bool]:
    return between(bits - 0.2, bits + 0.2)


LESSON = Lesson(
    title="Character model: it writes",
    summary="It reads Alice in Wonderland letter by letter, writes on by itself, and one of its units knows about "
    "quotes.",
    chapter="Letters",
    evening=3,
    after=("minibatches",),
    train_seconds=10.3,
    question=Question(
        _measure_unigram_bits,
        (
            Choice("2.3", _about(2.3), "That is what this small LSTM needs, which reads everything before."),
            Choice("3.4", _about(3.4), "A table of pairs costs that: it knows which character follows which."),
            Choice("4.4", _about(4.4), "Frequent blanks and e's save only about one bit of log₂ 40, an even guess."),
        ),
    ),
    experiments={
        "lstm": Experiment(
            DataSpec("sample", "alice", seq_len=SEQ_LEN, horizon=0, train_share=0.8, valid_share=0.1, scaling="none"),
            ModelSpec(hidden_size=96, head="per_step", forget_bias=1.0),
            TrainSpec(optimizer="AdamW", lr=0.015, weight_decay=0.3, batch_size=16, epochs=26, patience=0),
        )
    },
    text=_WORDS,
    formula=r"""\begin{aligned}
p(x_{t+1} = k \mid x_1, \dots, x_t) &= \frac{e^{z_{t,k} / T}}{\sum_j e^{z_{t,j} / T}},
\qquad z_t = W h_t + b \\
\text{bits} &= -\frac{1}{n} \sum_{t=1}^{n} \log_2 p(x_{t+1} \mid x_1, \dots, x_t)
\end{aligned}""",
    symbols="$x_t$: the character at step $t$, one input of 40 is 1; $z_t$: 40 outputs of the linear head; $T$: "
    "temperature, 1 where bits are counted; $n$: characters.",
    exercises=(
        Exercise("Move the temperature to 0, then to 1.2: from one phrase for ever to new spellings."),
        Exercise(
            "Choose **c** and the button *inside quotes*: the colour turns at “ and at ”. Type a text of your own with "
            "a quotation that never closes."
        ),
        Exercise(
            "A quarter of the units: 2.7 bits per character, words that only look like words, and no unit that keeps "
            "quotes.",
            {"model": {"hidden_size": 24}},
        ),
        Exercise(
            "Without weight decay, 40 epochs: training goes on falling while unseen pages cost more after epoch 15, "
            "and no one unit keeps quotes any more. It learns the book by heart.",
            {"train": {"weight_decay": 0.0, "epochs": 40}},
        ),
    ),
    sources=(
        "A. Karpathy 2015, The Unreasonable Effectiveness of Recurrent Neural Networks, "
        "karpathy.github.io/2015/05/21/rnn-effectiveness",
        "A. Karpathy, J. Johnson and L. Fei-Fei 2016, Visualizing and Understanding Recurrent Networks, arXiv "
        "1506.02078",
        "L. Carroll 1865, Alice's Adventures in Wonderland, in the public domain",
    ),
    figures=(
        LessonFigure(
            "**Bits per character**",
            "Below the dashed line it predicts better than a bigram table, which knows which character follows which.",
            _bits_plot,
        ),
        LessonFigure(
            "**The unit that keeps quotes in mind**",
            "Grey is known from the text alone. c turns at the marks, "
            "where i · g jumps; between them f near 1 keeps it.",
            _quote_unit_figure,
        ),
    ),
    loss_figure=False,
    outcome=_outcome,
    stage_moment=_stage_moment,
    thumbnail_plot=_thumbnail_plot,
    seed_dots=SeedDots(
        "bits per character, on text that was not trained on",
        {"LSTM": "bits", "bigram table": "bigram", "unigram table": "unigram"},
    ),
    success_rate="On 28 of these 30 seeds a unit goes with quotes, up or down: its correlation, on pages that the "
    "model has not seen, is 0.45 to 0.87 there. On the two that miss the goal the best unit's is 0.27 and 0.32.",
    widget="characters",
)
