"""How long a memory holds: scores of shorter and of longer windows, against runs by hand and nets that are made so."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from lstm_core.analysis.memory_span import (
    MemorySpan,
    rows_to_try,
    score_with_idle_rows,
    score_with_last_rows,
    span_sentence,
)
from lstm_core.analysis.window_score import Scale, WindowScore
from lstm_core.data.windows import make_windows
from lstm_core.experiment import ModelSpec, PlaygroundError
from lstm_core.forecasting.scores import PERSISTENCE, evaluate_windows
from lstm_core.model.recurrent import build_model
from tests.factories import series, spec_of, wave

SHAPES = [{}, {"num_layers": 2, "bidirectional": True, "head": "per_step"}, {"cell": "gru", "batch_first": False}]


def windows_and_model(labels: bool = False, **fields):
    table = series(90, y=["u", "v", "w"] * 30) if labels else series(90)
    windows = make_windows(table, spec_of(seq_len=6, horizon=0 if labels else 2))
    model = build_model(ModelSpec(**({"hidden_size": 5} | fields)), windows.input_size, windows.output_size)
    return windows, model.eval()


@torch.no_grad()
def score_by_hand(model, windows, starts, x: torch.Tensor) -> float:
    """RMSE or accuracy of what the model answers at the end of x (windows, steps, inputs)."""
    outputs = model(x)
    outputs = outputs[:, -1] if model.spec.head == "per_step" else outputs
    if windows.classes:
        return float((outputs.argmax(1).numpy() == windows.targets(starts)).mean())
    predictions = windows.inverse_transform(outputs.numpy(), windows.last_rows(starts))
    return float(np.sqrt(np.square(predictions - windows.targets(starts)).mean()))


@pytest.mark.parametrize("fields", SHAPES, ids=str)
@pytest.mark.parametrize("labels", [False, True])
def test_a_cut_past_is_scored_as_a_shorter_window(fields, labels):
    windows, model = windows_and_model(labels, **fields)
    starts = windows.starts["train"]
    x = torch.from_numpy(windows.inputs(starts))
    span = score_with_last_rows(model, windows, starts, (1, 3, 6))
    assert (span.kind, span.rows, span.seq_len, span.windows) == ("cut", (1, 3, 6), 6, len(starts))
    assert span.scores == pytest.approx([score_by_hand(model, windows, starts, x[:, -k:]) for k in (1, 3, 6)])
    assert span.scores[-1] == pytest.approx(span.scale.full)


@pytest.mark.parametrize("fields", SHAPES, ids=str)
@pytest.mark.parametrize("before", [None, 0, 3])
def test_idle_rows_are_put_in_where_they_are_asked_for(fields, before):
    windows, model = windows_and_model(**fields)
    starts, at = windows.starts["valid"], 5 if before is None else before
    x, idle = torch.from_numpy(windows.inputs(starts)), np.array([0.5, -1.0])
    span = score_with_idle_rows(model, windows, starts, (0, 4), before, idle)
    row = torch.from_numpy(idle).float().expand(len(x), 4, 2)
    waited = torch.cat([x[:, :at], row, x[:, at:]], dim=1)
    assert span.scores == pytest.approx([score_by_hand(model, windows, starts, part) for part in (x, waited)])
    assert span.scores[0] == pytest.approx(span.scale.full)


def test_the_model_and_its_score_stay_what_they_are():
    windows, model = windows_and_model()
    starts = windows.starts["train"]
    before = evaluate_windows(model, windows, "train", starts)
    shares = []
    span = score_with_last_rows(model, windows, starts, progress=shares.append)
    assert span.rows == (1, 2, 3, 4, 5, 6) and shares == sorted(shares) and shares[0] == 0
    after = evaluate_windows(model, windows, "train", starts)
    assert after.model == before.model
    assert span.scale.full == pytest.approx(before.model.rmse)
    assert (span.scale.answer, span.scale.without) == (
        "persistence (the last value)",
        before.baselines[PERSISTENCE].rmse,
    )


def test_a_linear_skip_reads_the_same_last_rows_and_no_idle_ones():
    windows = wave(start="last")
    model = build_model(
        ModelSpec(hidden_size=3, linear_skip=True), windows.input_size, windows.output_size, windows.spec.seq_len
    ).eval()
    with torch.no_grad():
        model.skip.weight.copy_(torch.arange(1.0, 7.0)[None])
        model.head.weight.zero_()
        model.head.bias.zero_()  # the skip alone answers
    starts = windows.starts["train"]
    x = torch.from_numpy(windows.inputs(starts))
    cut = score_with_last_rows(model, windows, starts, (2, 6))
    assert cut.scores == pytest.approx([score_by_hand(model, windows, starts, x[:, -k:]) for k in (2, 6)])
    assert cut.scores[0] != cut.scores[1]
    idle = score_with_idle_rows(model, windows, starts, (0, 3))
    assert idle.scores[0] == idle.scores[1]


def test_what_raises_in_progress_ends_it():
    windows, model = windows_and_model()

    def cancel(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score_with_last_rows(model, windows, windows.starts["train"], progress=cancel)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda w, m, s: score_with_last_rows(m, w, s, (0, 2)), "rising whole numbers from 1 to seq_len"),
        (lambda w, m, s: score_with_last_rows(m, w, s, (1, 7)), "rising whole numbers"),
        (lambda w, m, s: score_with_last_rows(m, w, s, (3, 2)), "rising whole numbers"),
        (lambda w, m, s: score_with_last_rows(m, w, s[:0]), "no window to score"),
        (lambda w, m, s: score_with_idle_rows(m, w, s, ()), "rising whole numbers from 0"),
        (lambda w, m, s: score_with_idle_rows(m, w, s, (1,), before=6), "choose 0 to 5"),
        (lambda w, m, s: score_with_idle_rows(m, w, s, (1,), idle=np.zeros(3)), "has 2 values"),
    ],
)
def test_what_cannot_be_scored_is_refused(call, words):
    windows, model = windows_and_model()
    with pytest.raises(PlaygroundError, match=words):
        call(windows, model, windows.starts["train"])


def test_the_rows_tried_are_few_and_reach_the_end():
    assert rows_to_try(5) == (1, 2, 3, 4, 5)
    assert rows_to_try(500)[0] == 1 and rows_to_try(500)[-1] == 500 and len(rows_to_try(500)) <= 16


def test_classes_are_scored_by_accuracy_and_cross_entropy():
    windows, model = windows_and_model(labels=True)
    starts = windows.starts["train"]
    with torch.no_grad():
        logits = model(torch.from_numpy(windows.inputs(starts)))
    targets = torch.from_numpy(windows.targets(starts))
    scored = WindowScore(windows, starts).of(model)
    assert scored.loss == pytest.approx(torch.nn.functional.cross_entropy(logits, targets).item(), abs=1e-6)
    assert scored.score == pytest.approx((logits.argmax(1) == targets).float().mean().item())


# ---- sentences


RMSE = Scale("RMSE", "the training mean", 10.0, 2.0)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (MemorySpan("cut", (1, 4, 8), (8.0, 2.1, 2.0), RMSE, 8, 9), "The last 4 of 8 rows keep 95 %.*long enough"),
        (MemorySpan("cut", (1, 7, 8), (8.0, 2.1, 2.0), RMSE, 8, 9), "The last 7 of 8 .*a longer seq_len may help"),
        (MemorySpan("cut", (1, 4, 8), (8.0, 3.0, 2.0), RMSE, 8, 9), "needs all 8 rows .*the last 4 alone give 3.00"),
        (MemorySpan("cut", (1, 4), (8.0, 3.0), RMSE, 8, 9), "The last 4 rows alone do not keep"),
        (MemorySpan("cut", (1, 4, 8), (2.0, 3.0, 2.0), RMSE, 8, 9), "needs all 8 rows"),  # the first is luck
        (MemorySpan("idle", (0, 5, 9), (2.0, 5.9, 6.1), RMSE, 8, 9), "Up to 5 idle rows .*half .*after 9 it does not"),
        (MemorySpan("idle", (1, 5), (2.0, 4.0), RMSE, 8, 9), "After 5 idle rows 75 % of the model's lead"),
        (MemorySpan("idle", (1, 5), (7.0, 7.0), RMSE, 8, 9), "Already a single idle row costs more than half"),
        (MemorySpan("cut", (1,), (9.0,), Scale("accuracy", "x", 0.5, 0.5), 8, 9), "no better than x .*no memory"),
    ],
)
def test_the_sentence_says_what_the_scores_say(span, words):
    sentence = span_sentence(span).replace("\u202f", " ")
    assert re.search(words, sentence), sentence
