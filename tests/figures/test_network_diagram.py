from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import ModelSpec
from lstm_core.figures.network_diagram import FORWARD, HEAD, REVERSE, network_figure
from lstm_core.figures.theme import subscript
from tests.conftest import examples
from tests.factories import model_specs


def texts(figure) -> list[str]:
    return [note.text for note in figure.layout.annotations if note.text]


def cells(figure, color: str) -> int:
    return sum(shape.type == "rect" and shape.line.color == color for shape in figure.layout.shapes)


@examples(40)
@given(model_specs(most_layers=9), st.integers(1, 200), st.integers(1, 9), st.integers(1, 50))
def test_every_drawing_is_complete_and_readable(spec, input_size, output_size, seq_len):
    figure = network_figure(spec, input_size, output_size, seq_len)
    steps = seq_len if seq_len <= 4 else 3
    layers = spec.num_layers if spec.num_layers <= 4 else 3
    assert cells(figure, FORWARD) == steps * layers
    assert cells(figure, REVERSE) == (steps * layers if spec.bidirectional else 0)
    assert cells(figure, HEAD) == (steps if spec.head == "per_step" else 1)

    result = texts(figure)
    assert result.count(spec.cell.upper()) == cells(figure, FORWARD) + cells(figure, REVERSE)
    assert any("cₙ" in text or text.startswith("c ") for text in result) == (spec.cell == "lstm")
    assert {f"x{subscript(t)}" for t in (1, seq_len)} <= set(result)
    assert {f"<b>layer {n}</b>" for n in (0, spec.num_layers - 1)} <= set(result)
    assert str(input_size) in result
    assert str(output_size) in result
    assert any("weight_hr" in text for text in result) == bool(spec.proj_size)
    assert any("×" in text for text in result) == (spec.dropout > 0 and spec.num_layers > 1)
    assert all(note.font.size >= 13 for note in figure.layout.annotations if note.text)

    (left, right), (low, high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    for note in figure.layout.annotations:
        assert left <= note.x <= right
        assert low <= note.y <= high


def test_no_two_texts_stand_on_each_other():
    """Text boxes on a 1000-pixel drawing, 8 pixels a character, never overlap."""
    spec = ModelSpec(hidden_size=512, num_layers=3, bidirectional=True, dropout=0.25, proj_size=64)
    figure = network_figure(spec, 12, 3, 100)
    (left, right), (low, high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    boxes = []
    for note in (n for n in figure.layout.annotations if n.text and "×" not in n.text):
        lines = re.sub(r"<(?!br)[^>]*>", "", note.text).split("<br>")
        wide, tall = 8 * max(map(len, lines)), note.font.size * len(lines)
        x = (note.x - left) / (right - left) * 1000
        x -= {"left": 0, "center": wide / 2, "right": wide}[note.xanchor]
        y = (note.y - low) / (high - low) * figure.layout.height
        boxes.append((x, x + wide, y - tall / 2, y + tall / 2, note.text))
    for i, a in enumerate(boxes):
        for b in boxes[:i]:
            apart = a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2]
            assert apart, (a[4], b[4])


def arrows(figure, color: str) -> list[tuple[float, float]]:
    """(x of the tail, x of the tip) of the level arrows in this colour."""
    notes = [n for n in figure.layout.annotations if n.showarrow and n.arrowcolor == color]
    return [(n.ax, n.x) for n in notes if n.ay == n.y]


def test_forward_runs_right_and_reverse_runs_left():
    figure = network_figure(ModelSpec(bidirectional=True), 3, 1, 24)
    assert arrows(figure, FORWARD)
    assert all(tail < tip for tail, tip in arrows(figure, FORWARD))
    assert arrows(figure, REVERSE)
    assert all(tail > tip for tail, tip in arrows(figure, REVERSE))


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ModelSpec(num_layers=2, dropout=0.25), "32<br>dropout 0.25"),
        (ModelSpec(proj_size=8), "weight_hr 32 → 8"),
        (ModelSpec(num_layers=7), "layers 2 … 5"),
        (ModelSpec(bidirectional=True), "hₙ 64"),
        (ModelSpec(linear_skip=True), "linear skip"),
        (ModelSpec(linear_skip=True), "72"),
    ],
)
def test_settings_are_written_on_the_drawing(spec, words):
    assert words in texts(network_figure(spec, 3, 1, 24))


def test_it_stands_on_any_background():
    figure = network_figure(ModelSpec(bidirectional=True), 3, 1, 24)
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert all(note.font.color is None for note in figure.layout.annotations)  # the theme's own
