"""Embedded Reber grammar: one symbol at the start decides the target at the end (Hochreiter & Schmidhuber 1997)."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.data.generators.reber import SYMBOLS, legal_next_symbols
from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.figures.lines import Line, LinePlot
from lstm_core.figures.theme import CELL_COLORS, GATE_COLORS, GATE_NAMES
from lstm_core.lessons.catalog import paper_cards
from lstm_core.lessons.figures import resample, symbol_figure, two_rows
from lstm_core.lessons.lesson import (
    Exercise,
    Lesson,
    LessonFigure,
    Outcome,
    SeedDots,
    StageMoment,
    generated_data,
    run_name,
)
from lstm_core.lessons.question import Choice, Measured, Question, between

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from lstm_core.runs.run import Run

NAMES = {"lstm": "The LSTM", "rnn": "the plain RNN"}
DASHES = {"lstm": "solid", "rnn": "dash"}
MAX_SHOWN = 16  # symbols of the string that is drawn, so that each can be read
T, P = SYMBOLS.index("T"), SYMBOLS.index("P")
GRAMMAR_KNOWN = 0.9  # share of steps at which the legal symbols are ranked first
LEARNED = 0.7  # share of right T and P from which on the memory is being learned


def _experiment(cell: str) -> Experiment:
    # Room for the longest strings: one that fills all steps has no zeros in front, and starts from a state of its own.
    data = generated_data("embedded_reber", length=8000, seq_len=44, train_share=0.936, valid_share=0.032)
    model = ModelSpec(cell=cell, hidden_size=16, head="per_step")
    return Experiment(data, model, TrainSpec(lr=0.015, batch_size=32, epochs=16, weight_decay=3e-4, patience=0))


def _solved_plot(runs: dict[str, Run]) -> LinePlot:
    from lstm_core.lessons.catalog.papers.reber.scores import solved_history

    lines = [
        Line(run_name(label), *solved_history(run), CELL_COLORS[label], DASHES[label], width=3)
        for label, run in runs.items()
    ]
    return LinePlot(lines, "epoch", "strings right at every symbol", y_range=(-0.03, 1.03))


def _twins(run: Run) -> np.ndarray:
    """(2, seq_len): two strings that differ only in their second symbol, T in the first, P in the other."""
    from lstm_core.data.generators.reber import decode_one_hot

    windows = run.windows
    strings = decode_one_hot(windows.inputs(windows.starts["test"]))
    sizes = (strings >= 0).sum(axis=1)
    string = strings[np.where(sizes <= MAX_SHOWN, sizes, 0).argmax()]
    second = len(string) - (string >= 0).sum() + 1
    twins = np.stack([string, string])
    twins[:, second] = T, P
    return twins


def _mechanism_figure(runs: dict[str, Run]) -> go.Figure:
    import torch

    from lstm_core.lessons.catalog.papers.reber.scores import memory_unit, one_hot
    from lstm_core.trace.gate_trace import trace_lstm

    run = runs["lstm"]
    match, twins = memory_unit(run, "test"), _twins(run)
    trace = trace_lstm(run.current_model().lstm, torch.from_numpy(one_hot(twins)))
    is_symbol = twins[0] >= 0
    x = np.arange(is_symbol.sum())
    letters = [SYMBOLS[symbol] for symbol in twins[0, is_symbol]]
    letters[1] = "T or P"
    figure = two_rows("input symbol", 460)
    for k, (name, dash) in enumerate((("T", "solid"), ("P", "dash"))):
        c = match.values_in(trace)[k, is_symbol]
        line = {"color": GATE_COLORS["c"], "width": 3.5, "dash": dash}
        figure.add_scatter(x=x, y=c, name=f"c of unit {match.unit}, string with {name}", line=line, row=1, col=1)
    for gate in ("i", "f"):
        y = trace.gate(gate)[0, 0, 0, is_symbol, match.unit].numpy()
        line = {"color": GATE_COLORS[gate], "width": 2.5}
        figure.add_scatter(x=x, y=y, name=f"its {GATE_NAMES[gate]} (T)", line=line, row=2, col=1)
    return figure.update_xaxes(tickvals=x, ticktext=letters)


def _prediction_figure(runs: dict[str, Run]) -> go.Figure:
    from lstm_core.lessons.catalog.papers.reber.scores import one_hot, predict_symbols

    string = _twins(runs["lstm"])[:1]
    is_symbol = string[0] >= 0
    logits = predict_symbols(runs["lstm"].current_model(), one_hot(string)).logits[0, is_symbol]
    probabilities = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities /= probabilities.sum(axis=1, keepdims=True)  # (steps, 7)
    legal = np.nonzero(legal_next_symbols(string)[0, is_symbol])
    letters = [SYMBOLS[symbol] for symbol in string[0, is_symbol]]
    return symbol_figure(probabilities, legal, "legal in the grammar", letters, SYMBOLS)


def _outcome(runs: dict[str, Run]) -> Outcome:
    """Reached by the paper's rule: at some moment every string, training and test, is right at every symbol."""
    from lstm_core.lessons.catalog.papers.reber.scores import count_unseen, first_perfect_epoch, solved_history

    metrics, texts, count = {}, [], len(runs["lstm"].windows.starts["test"])
    for label, run in runs.items():
        _, shares = solved_history(run)
        best, last, epoch = float(shares.max()), float(shares[-1]), first_perfect_epoch(run)
        metrics |= {f"{label}_best": best, f"{label}_last": last, f"{label}_epoch": np.inf if epoch is None else epoch}
        if epoch is not None:
            when = f"had every training and test string right for the first time at epoch {epoch:.1f}"
        else:
            when = f"never had every string right, and {best * count:.0f} of {count} test strings at best"
        texts.append(f"{NAMES[label]} {when} ({last * count:.0f} of {count} test strings at the end)")
    summary = (
        f"{'; '.join(texts)}. Of the test strings {count_unseen(runs['lstm'])} are not in the training set. Guessing T "
        "or P at the end gets half of them right."
    )
    return Outcome(bool(np.isfinite(metrics["lstm_epoch"])), summary, metrics)


def _stage_moment(run: Run) -> StageMoment:
    """The unit that remembers T or P, as it reads it: the second symbol of a string that can be overlooked."""
    from lstm_core.data.generators.reber import decode_one_hot
    from lstm_core.lessons.catalog.papers.reber.scores import memory_unit

    windows = run.windows
    sizes = (decode_one_hot(windows.inputs(windows.starts["test"])) >= 0).sum(axis=1)
    window = int(np.where(sizes <= MAX_SHOWN, sizes, 0).argmax())
    return StageMoment("test", window, memory_unit(run, "test").unit, windows.spec.seq_len - int(sizes[window]) + 1)


def _thumbnail_plot(runs: dict[str, Run]) -> list[np.ndarray]:
    from lstm_core.lessons.catalog.papers.reber.scores import solved_history

    return [resample(*solved_history(run)) for run in runs.values()]


def _measure_early_recall(runs: dict[str, Run]) -> Measured:
    from lstm_core.lessons.catalog.papers.reber.scores import predict_test_strings

    run = runs["lstm"]

    def early_shares() -> list[float]:
        early = (predict_test_strings(run, step) for step in run.snapshots.steps)
        forgetful = takewhile(lambda predictions: np.nanmean(predictions.recalled) < LEARNED, early)
        known = [p for p in forgetful if np.nanmean(p.legal_ranked_first) > GRAMMAR_KNOWN]
        return [float(np.nanmean(predictions.recalled)) for predictions in known]

    shares = run.cached("reber early recall", run.weights_key, early_shares)
    share = float(np.median(shares)) if shares else np.nan
    return Measured(
        "A string's second symbol, T or P, comes again at its end, after everything else. Early in training the LSTM "
        "knows the grammar and has not yet learned to remember that symbol. How often is its T or P right?",
        share,
        f"Before the memory was learned it was right in {100 * share:.0f}\u202f% of the test strings: the median over "
        f"{len(shares)} snapshots.",
    )


LESSON = Lesson(
    title="Embedded Reber grammar",
    summary="The second symbol of a string decides its last but one: an LSTM learns to remember it.",
    chapter="Papers",
    evening=3,
    after=("vanishing",),
    seed=2,  # its unit writes T and P both; from seed 0 it writes P alone, and T is that nothing was written
    train_seconds=9.1,
    question=Question(
        _measure_early_recall,
        (
            Choice(
                "never", between(0, 0.1), "It has forgotten the symbol, but it still has a guess, and there are two."
            ),
            Choice("half of the time", between(0.4, 0.6), "T and P are equally frequent, and it guesses."),
            Choice(
                "nearly always",
                between(0.9, 1),
                "Most other symbols are right by then, since the last few letters are enough for those.",
            ),
        ),
    ),
    experiments={cell: _experiment(cell) for cell in ("lstm", "rnn")},
    figures=(
        LessonFigure(
            "**Strings without a single error**",
            "The share of 256 test strings, most of them in the training set too, in which the legal next symbols have "
            "the highest logits at every step.",
            _solved_plot,
        ),
        LessonFigure(
            "**The unit that remembers**",
            "Found by a search over all units: the same string, once with T and once with P. Its c splits at the "
            "second symbol; what counts is that the two still differ at the end.",
            _mechanism_figure,
        ),
        LessonFigure(
            "**The predicted next symbol**",
            "Bright is likely; rings are the legal symbols. In the last column only the remembered T is right.",
            _prediction_figure,
        ),
    ),
    text="""
A **Reber grammar** is a small map of one-way streets, each with a letter. Walk through it, choosing a street at random
at every fork, and write the letters down: BTXSE, BPVVE, BTSSXXTVVE. The task is to predict which letters may come next.

Remembering one symbol is nearly enough for that. So the grammar is **embedded** in another: B, then T or P, then a
whole Reber string, then *the same* T or P, then E. The second symbol must survive all that lies between: five to some
forty symbols that carry no information about it.

A string counts as right if at *every* step the legal symbols have the highest logits. As in the paper, a trial is
solved once **all** strings are right, training and test; the last E, always the same, is left out. The paper trained on
256 strings, here it is 7,488. Most test strings are short and in both sets, since the grammar has no others: a high
test score is mostly memory of strings seen.

The paper's table 1 quotes an Elman network, the plain RNN of its day, that never solved it. With the exact gradient and
Adam a plain RNN does, on 29 of the 30 seeds below; the first figure shows whether it then forgets T and P again.
""",
    formula=r"\text{right at step } t \iff \min_{s \,\in\, \text{legal}_t} y_{t,s} > \max_{s \,\notin\, "
    r"\text{legal}_t} y_{t,s}",
    symbols="$y_{t,s}$ is the model's output for symbol $s$ at step $t$, $\\text{legal}_t$ the one or two symbols that "
    "may come next.",
    exercises=(
        Exercise("Four units instead of sixteen: it may no longer solve the task.", {"model": {"hidden_size": 4}}),
        Exercise(
            "No weight decay: is it still solved, and does it then forget T and P again?",
            {"train": {"weight_decay": 0.0}},
        ),
        Exercise(
            "On Gates, choose the unit named above and a string: f near 1 means that it remembers, whatever the input."
        ),
    ),
    outcome=_outcome,
    seed_dots=SeedDots(
        "test strings right at every step, at the end of the training",
        {"LSTM": "lstm_last", "plain RNN": "rnn_last"},
        percent=True,
    ),
    success_rate="The goal is the paper's rule, checked at up to sixty moments of the training. A string stands at the "
    "end of 44 steps, with zeros in front. On the one seed that misses it, a training string of 42 symbols has two "
    "zeros in front only, begins from a state that hardly any other does, and is wrong at its second symbol. With 32 "
    "steps and a learning rate of 0.02, strings without any zeros in front did the same on 2 of the seeds 0 to 9.",
    card=paper_cards.EMBEDDED_REBER,
    stage_moment=_stage_moment,
    thumbnail_plot=_thumbnail_plot,
    sources=(
        "Sepp Hochreiter & Jürgen Schmidhuber (1997), Long Short-Term Memory, Neural Computation 9(8), 1735–1780, "
        "experiment 1",
        "Arthur S. Reber (1967), Implicit learning of artificial grammars, Journal of Verbal Learning and Verbal "
        "Behavior 6(6), 855–863",
        "Scott E. Fahlman (1991), The recurrent cascade-correlation architecture, NIPS 3",
    ),
)
