"""Paper cards: complete, closed Markdown, and a citation that BibTeX can read."""

from __future__ import annotations

import re

import pytest

from lstm_core.lessons import lessons
from lstm_core.lessons.paper_card import Reference
from lstm_core.lessons.paper_figures import card_parts
from lstm_core.lessons.seeds import shipped_trials
from tests.benchmarks.papers import RULES

CARDS = {name: found.card for name, found in lessons().items() if found.card}
every = pytest.mark.parametrize("name", CARDS)


@every
def test_a_card_has_the_papers_side_and_ours(name):
    card = CARDS[name]
    parts = card_parts(lessons()[name])
    assert {"Claim", "Published figure", "Here", "What differs"} <= set(parts)
    is_compared = "Its rule" in card.parts
    assert is_compared == (lessons()[name].chapter == "Papers" and not card.row.startswith("Not compared"))
    trials = shipped_trials(name)
    count = sum(bool(one.passed) for one in trials) if name in RULES else sum(one.reached for one in trials)
    assert (
        re.search(rf"\b{count}\b", parts["Here"])
        and f"{len(trials)} seeds (2000 to {trials[-1].seed})" in parts["Here"]
    )
    for text in parts.values():
        assert text.count("**") % 2 == 0 and "$" not in text and "|" not in text and text.endswith(".")


@every
def test_the_paper_of_a_card_is_among_the_lessons_sources(name):
    paper = CARDS[name].paper
    surname = paper.authors[0].rpartition(" ")[2]
    assert any(surname in source and str(paper.year) in source for source in lessons()[name].sources)


def test_a_citation_of_an_article():
    paper = Reference(("Ada B. First", "Bo Second", "Cy Third"), 2000, "To Learn: a Test", "A Journal", "article", "1")
    assert paper.who == "Ada B. First, Bo Second & Cy Third" and paper.where == "A Journal 1"
    assert paper.bibtex.splitlines()[:3] == [
        "@article{first2000to,",
        "  author        = {First, Ada B. and Second, Bo and Third, Cy},",
        "  title         = {{To Learn: a Test}},",
    ]


@every
def test_a_citation_has_what_its_kind_needs_and_closes_its_braces(name):
    text = CARDS[name].paper.bibtex
    fields = dict(re.findall(r"^  (\w+) += \{(.*)\},$", text, re.MULTILINE))
    assert {"author", "title", "year"} <= fields.keys()
    assert ("journal" if text.startswith("@article") else "booktitle") in fields
    assert text.count("{") == text.count("}") and all(fields.values())
