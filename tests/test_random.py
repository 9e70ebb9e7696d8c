"""Nothing draws from a global random generator, so no page, lesson or analysis changes what another's training draws.

nn.LSTM's dropout has no other one: it draws inside rng_scope, which puts the state back.
"""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from lstm_core.lessons import lessons
from lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm import TUTORIAL_END, max_difference_from_lstm
from tests.conftest import quick
from tests.factories import DROPS, flat_weights, trainer_of, wave
from tests.pages.conftest import open_lesson, visit, warm_server  # noqa: F401 - fixtures

ROOT = Path(__file__).parent.parent
GLOBAL_DRAW = re.compile(r"np\.random\.(?!default_rng|Generator)\w+|torch\.((manual_)?seed|rand\w*|normal)|random\.\w+")
PAGES = ("start", "lessons", "data", "model", "train", "gates", "stage")


def states() -> tuple:
    name, keys, *rest = np.random.get_state()
    return torch.get_rng_state().numpy().tobytes(), (name, keys.tobytes(), *rest), random.getstate()


@contextmanager
def no_global_draw() -> Iterator[None]:
    before = states()
    yield
    for kind, old, new in zip(("torch", "numpy", "random"), before, states(), strict=True):
        assert new == old, f"something drew from the global generator of {kind}"


def test_a_draw_is_noticed():
    for draw in (lambda: torch.rand(1), lambda: np.random.rand(), random.random):
        with pytest.raises(AssertionError, match="something drew"), no_global_draw():
            draw()


@pytest.mark.parametrize("page", PAGES)
def test_no_page_draws(visit, page):  # noqa: F811
    tab = visit("train")  # a server's first visitor: Streamlit and torch have done what they do once
    with no_global_draw():
        tab.go(page)
        tab.run()


@pytest.mark.parametrize("name", quick(lessons(), "by_hand", "exploding", "adding_problem", "characters"))
def test_no_lesson_draws(visit, name):  # noqa: F811
    visit("start")
    with no_global_draw():
        open_lesson(visit, name).run()


def test_the_unit_by_hand_is_compared_without_a_draw():
    with no_global_draw():
        assert max_difference_from_lstm(TUTORIAL_END, np.array([[0.0, 0.5, 0.25, 1.0]])) < 1e-6


def test_training_with_dropout_puts_the_state_back_and_is_its_seeds_alone():
    with no_global_draw():
        first = trainer_of(wave(), DROPS)
        list(first)
    torch.rand(5)
    second = trainer_of(wave(), DROPS)
    for _ in second:
        max_difference_from_lstm(TUTORIAL_END, np.array([[0.0, 0.5, 0.25, 1.0]]))
    assert torch.equal(flat_weights(first), flat_weights(second))


def global_draws(tree: ast.AST) -> Iterator[int]:
    """Lines of calls that draw from, or seed, a global generator by name."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    for call in calls:
        own = any(keyword.arg == "generator" for keyword in call.keywords)
        if GLOBAL_DRAW.fullmatch(ast.unparse(call.func)) and not own:
            yield call.lineno


def test_no_source_draws_by_name():
    sources = [path for folder in ("lstm_core", "pages") for path in sorted((ROOT / folder).rglob("*.py"))]
    sources = [path for path in sources if path.parent.name != "programs"]  # scripts, each in a process of its own
    found = [f"{path}:{line}" for path in sources for line in global_draws(ast.parse(path.read_text(encoding="utf-8")))]
    assert found == []
    assert list(global_draws(ast.parse("torch.randn(3)\nnp.random.rand()\nrandom.random()"))) == [1, 2, 3]
