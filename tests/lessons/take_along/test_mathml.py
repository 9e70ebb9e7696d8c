"""LaTeX → MathML and Markdown → HTML: what lessons use comes out well formed, the rest is refused or stays text."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from lstm_core.lessons import lessons
from lstm_core.lessons.lesson import Lesson
from lstm_core.lessons.take_along.markdown import inline_html, markdown_html
from lstm_core.lessons.take_along.mathml import mathml


def texts_of(lesson: Lesson) -> list[str]:
    figures = [text for figure in lesson.figures for text in (figure.title, figure.caption)]
    exercises = [exercise.text for exercise in lesson.exercises]
    return [
        lesson.summary,
        lesson.text,
        lesson.symbols,
        lesson.common_mistakes,
        lesson.success_rate,
        *exercises,
        *figures,
    ]


def tree(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<div>{html}</div>")


def shape(latex: str, display: bool = False) -> str:
    """The elements and texts, without <mrow>."""
    return re.sub(r"</?mrow>", "", mathml(latex, display)).removeprefix("<math>").removesuffix("</math>")


@pytest.mark.parametrize("name", lessons())
def test_every_formula_and_text_of_a_lesson_comes_out_well_formed(name):
    lesson = lessons()[name]
    if lesson.formula:
        assert "<mtext>" in mathml(lesson.formula, True) or "<mi>" in mathml(lesson.formula, True)
        tree(mathml(lesson.formula, True))
    for text in texts_of(lesson):
        for latex in re.findall(r"\$([^$]+)\$", text):
            mathml(latex)  # raises what is not known
        found = tree(markdown_html(text))
        words = "".join(found.itertext())
        assert "**" not in words and "`" not in words and "$" not in words


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("c_t", "<msub><mi>c</mi><mi>t</mi></msub>"),
        ("x^{-1}", "<msup><mi>x</mi><mo>−</mo><mn>1</mn></msup>"),
        ("h_t^2", "<msubsup><mi>h</mi><mi>t</mi><mn>2</mn></msubsup>"),
        (r"\frac12", "<mstyle><mfrac><mn>1</mn><mn>2</mn></mfrac></mstyle>"),
        (r"\text{num\_layers}", "<mtext>num_layers</mtext>"),
        (r"\mathcal N", '<mi mathvariant="normal">𝒩</mi>'),
        (r"\mathbb E", '<mi mathvariant="normal">𝔼</mi>'),
        (r"a < b", "<mi>a</mi><mo>&lt;</mo><mi>b</mi>"),
    ],
)
def test_a_formula(latex, expected):
    assert shape(latex) == expected


def test_bounds_of_a_sum_stand_above_and_below_only_in_a_display():
    assert "<munderover>" in mathml(r"\sum_{k=1}^T x_k", True)
    assert "<msubsup>" in mathml(r"\sum_{k=1}^T x_k")


def test_rows_and_columns_of_aligned_equations():
    found = ElementTree.fromstring(mathml(r"\begin{aligned} a &= 1 \\ b &= 2 \\ \end{aligned}", True))
    rows = list(found.iter("mtr"))
    assert [len(row.findall("mtd")) for row in rows] == [2, 2]


@pytest.mark.parametrize("latex", [r"\unheardof{x}", "{x", "x}", r"\begin{tikzpicture}x\end{tikzpicture}", r"\frac{1}"])
def test_what_is_not_known_is_refused(latex):
    with pytest.raises(ValueError, match=r"[A-Z].+\."):
        mathml(latex)


def test_markdown_blocks():
    html = markdown_html("# One\n\nA *b* **c `d*e`**\nf\n\n* g\n  h\n* i\n\n1. j\n2. k")
    assert html.split("\n<") == [
        "<h2>One</h2>",
        "p>A <em>b</em> <strong>c <code>d*e</code></strong>\nf</p>",
        "ul><li>g\nh</li><li>i</li></ul>",
        "ol><li>j</li><li>k</li></ol>",
    ]


def test_html_and_links_stay_text():
    html = inline_html('<img src=x onerror="hack()"> [a](javascript:b) `<i>` $\\text{<b>}$')
    assert not list(tree(html).iter("img")) and "<i>" not in html and "<b>" not in html
    assert "[a](javascript:b)" in html


def test_a_formula_that_cannot_be_drawn_is_shown_as_it_was_written():
    assert inline_html(r"$\unheardof{<}$") == r"<code>\unheardof{&lt;}</code>"
