"""memory_tasks: the papers' definitions, read back from the tables."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators import generate
from lstm_core.data.generators.symbols import (
    BLANK,
    COPY_SYMBOLS,
    COUNT_SYMBOLS,
    MARKER,
    ORDER_SYMBOLS,
    ORDERS,
    copy_length,
    copy_memory,
    copy_naive_loss,
    count_string,
    counting,
    max_count,
    temporal_order,
)
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError
from tests.conftest import examples


def read(table, symbols, seq_len) -> np.ndarray:
    """(sequences, seq_len): the number of the one column that is 1, −1 where none is."""
    x = np.stack([table.column(name).values for name in symbols], axis=-1)
    assert set(np.unique(x)) <= {0.0, 1.0} and (x.sum(axis=-1) <= 1).all()
    return np.where(x.any(axis=-1), x.argmax(axis=-1), -1).reshape(-1, seq_len)


def test_temporal_order_of_110_steps_is_task_6a():
    table = temporal_order(2000, 110, 1, 0.0, 0)
    rows = ["".join(ORDER_SYMBOLS[k] for k in row if k >= 0) for row in read(table, ORDER_SYMBOLS, 110)]
    assert {len(row) for row in rows} == set(range(100, 111))
    places = np.array([[at for at, symbol in enumerate(row) if symbol in "XY"] for row in rows])
    assert set(places[:, 0]) == set(range(10, 21)) and set(places[:, 1]) == set(range(50, 61))
    for row, (first, second) in zip(rows, places, strict=True):
        assert row[0] == "E" and row[-1] == "B" and set(row[1:-1]) - set("XY") == set("abcd")
        assert sum(row.count(symbol) for symbol in "EBXY") == 4 and first < second
    targets = table.column("order").values.reshape(-1, 110)
    assert (targets[:, :-1] == -1).all()
    symbols_said = [row[first] + row[second] for row, (first, second) in zip(rows, places, strict=True)]
    assert [ORDERS[k] for k in targets[:, -1]] == symbols_said
    assert all(400 < count < 600 for count in np.bincount(targets[:, -1], minlength=4))


@examples(40)
@given(st.integers(6, 150), st.integers(0, 2**31 - 1))
def test_temporal_order_of_any_length_has_its_two_symbols_between_its_ends(seq_len, seed):
    symbols = read(temporal_order(20, seq_len, 1, 0.0, seed), ORDER_SYMBOLS, seq_len)
    empty = symbols < 0
    assert (empty[:, :-1] >= empty[:, 1:]).all()  # padding lies in front only
    assert (np.isin(symbols, (4, 5)).sum(axis=1) == 2).all()
    assert ((symbols == 6).sum(axis=1) == 1).all() and (symbols[:, -1] == 7).all()


@examples(40)
@given(st.integers(3, 60), st.integers(0, 2**31 - 1))
def test_copy_memory_says_at_the_end_what_it_was_given_at_the_start(seq_len, seed):
    table, copied = copy_memory(8, seq_len, 1, 0.0, seed), copy_length(seq_len)
    symbols = read(table, COPY_SYMBOLS, seq_len)
    symbols_said = table.column("say").values.reshape(-1, seq_len)
    assert (symbols[:, :copied] < BLANK).all() and (symbols[:, -copied - 1] == MARKER).all()
    silent = np.delete(np.arange(seq_len), [*range(copied), seq_len - copied - 1])
    assert (symbols[:, silent] == BLANK).all()
    assert (symbols_said[:, :-copied] == BLANK).all()
    np.testing.assert_array_equal(symbols_said[:, -copied:], symbols[:, :copied])


def test_copy_memory_of_t_plus_20_steps_copies_ten_of_eight_symbols():
    symbols = read(copy_memory(500, 30, 1, 0.0, 0), COPY_SYMBOLS, 30)
    assert (symbols[0] == MARKER).argmax() == 19  # ten symbols and T − 1 blanks before it
    assert set(symbols[:, :10].ravel()) == set(range(8))
    assert [copy_length(seq_len) for seq_len in (3, 12, 20, 21, 30, 120)] == [1, 5, 9, 10, 10, 10]


@pytest.mark.parametrize(("blanks", "published"), [(10, 0.693), (100, 0.173)])
def test_the_baseline_is_the_papers_and_the_loss_of_knowing_only_the_rules(blanks, published):
    seq_len = blanks + 20
    assert copy_naive_loss(seq_len) == pytest.approx(published, abs=5e-4)
    symbols_said = copy_memory(50, seq_len, 1, 0.0, 0).column("say").values.reshape(-1, seq_len)
    chances = np.where(np.arange(seq_len) < seq_len - 10, 1.0, 1 / 8)  # of the right answer, at each step
    assert (symbols_said[:, :-10] == BLANK).all()
    assert -np.log(chances).mean() == pytest.approx(copy_naive_loss(seq_len))
    assert copy_naive_loss(seq_len) == pytest.approx(10 * math.log(8) / (blanks + 20))


def test_a_string_to_count_has_as_many_b_as_a():
    assert "".join(COUNT_SYMBOLS[k] for k in count_string(3)) == "Saaabbb"


@examples(40)
@given(st.integers(2, 60), st.integers(0, 2**31 - 1))
def test_counting_is_whole_strings_one_after_the_other_but_for_the_last(seq_len, seed):
    table = counting(20, seq_len, 1, 0.0, seed)
    symbols = read(table, COUNT_SYMBOLS, seq_len)
    following = table.column("next").values.reshape(-1, seq_len)
    np.testing.assert_array_equal(following[:, :-1], symbols[:, 1:])
    assert table.column("next").classes == COUNT_SYMBOLS
    for row in np.concatenate([symbols, following[:, -1:]], axis=1):
        first, *strings = "".join(COUNT_SYMBOLS[k] for k in row).split("S")
        assert first == "" and strings
        for string in strings[:-1]:
            n = len(string) // 2
            assert string == "a" * n + "b" * n and 1 <= n <= max_count(seq_len)
        n = strings[-1].count("a")
        assert strings[-1] == "a" * n + "b" * (len(strings[-1]) - n) and len(strings[-1]) <= 2 * n


def test_counting_draws_every_n_up_to_its_largest():
    symbols = read(counting(400, 30, 1, 0.0, 0), COUNT_SYMBOLS, 30)
    first = [(row[: np.append(np.flatnonzero(row[1:] == 0) + 1, 30)[0]] == 1).sum() for row in symbols]
    assert set(first) == set(range(1, 11)) and max_count(30) == 10
    assert min(np.bincount(first)[1:]) > 20


@pytest.mark.parametrize(("name", "least"), [("temporal_order", 6), ("copy_memory", 3)])
def test_too_short_sequences_are_refused_and_the_shortest_make_windows(name, least):
    spec = DataSpec("generator", name, length=60, seq_len=least - 1, noise=0.0, horizon=0, scaling="none")
    with pytest.raises(PlaygroundError, match="too short"):
        generate(spec)
    table = (temporal_order if name == "temporal_order" else copy_memory)(60, least, 1, 0.0, 0)
    roles = table.roles
    spec = DataSpec(
        "generator",
        name,
        targets=roles.targets,
        features=roles.features,
        group=roles.group,
        seq_len=least,
        horizon=0,
        scaling="none",
    )
    assert sum(map(len, make_windows(table, spec).starts.values())) == 60
