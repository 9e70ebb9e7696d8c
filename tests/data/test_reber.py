from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.generators.reber import (
    LEGAL,
    STATE,
    SYMBOLS,
    continual_reber,
    decode_one_hot,
    embedded_reber,
    legal_next_symbols,
    states_after,
)
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError
from tests.conftest import examples

# The grammar once more, as a regular expression got by hand from the drawing of Reber (1967): an oracle of its own
UPPER = "(?:XT*VP)*(?:S|XT*VV)"  # from the place after the first X or the first P below
INNER = f"B(?:TS*X{UPPER}|PT*V(?:P{UPPER}|V))E"
EMBEDDED = f"B(?:T{INNER}T|P{INNER}P)E"


def letters(codes) -> str:
    return "".join(SYMBOLS[code] for code in codes if code >= 0)


def codes(text: str) -> np.ndarray:
    return np.array([[SYMBOLS.index(letter) for letter in text]])


def seen(table) -> np.ndarray:
    """(sequences, seq_len) symbols that the model is shown, −1 where all its features are 0."""
    x = np.stack([table.column(symbol).values for symbol in SYMBOLS], axis=-1)
    assert set(np.unique(x)) <= {0.0, 1.0} and x.sum(axis=-1).max() == 1
    return decode_one_hot(x).reshape(-1, table.roles.seq_len)


def column(table, name) -> np.ndarray:
    return table.column(name).values.reshape(-1, table.roles.seq_len)


def test_the_oracle_knows_the_strings_of_the_papers():
    for string in ("BTXSE", "BPVVE", "BTSSXXTVVE", "BPVPXVPXVPXVVE", "BTXXTVPSE"):
        assert re.fullmatch(INNER, string), string
    for string in ("BTTVVE", "BTXE", "BPXSE", "TXS", "BTXSEE"):
        assert not re.fullmatch(INNER, string), string


def test_what_may_come_next_is_what_some_string_of_the_language_goes_on_with():
    """All strings of up to nine symbols, found by trying: no prefix needs more than three symbols to its end."""
    language = [
        f"B{''.join(middle)}E"
        for size in range(3, 8)
        for middle in itertools.product("TPSXV", repeat=size)
        if re.fullmatch(INNER, f"B{''.join(middle)}E")
    ]
    for wrapped in "TP":
        whole = [f"B{wrapped}{string}{wrapped}E" for string in language]
        for prefix in {string[:size] for string in whole for size in range(1, 8)}:
            next_symbols = {string[len(prefix)] for string in whole if string.startswith(prefix)}
            next_symbols |= {"T", "P"} if prefix == "B" else set()
            symbols_found = {SYMBOLS[k] for k in np.flatnonzero(legal_next_symbols(codes(prefix))[0, -1])}
            assert symbols_found == next_symbols, prefix


@examples(40)
@given(st.integers(2, 40), st.integers(7, 40), st.integers(0, 2**31 - 1))
def test_embedded_strings_are_of_the_grammar_and_their_last_target_is_the_second_symbol(length, seq_len, seed):
    table = embedded_reber(length, seq_len, 1, 0.0, seed)
    symbols, following = seen(table), column(table, "next")
    for shown, expected in zip(symbols, following, strict=True):
        string = letters(shown)
        assert re.fullmatch(EMBEDDED, string + letters(expected[-1:]) + "E")
        assert letters(expected) == string[1:] + string[1]
        pad = seq_len - len(string)
        assert (shown[:pad] == -1).all() and (shown[pad:] >= 0).all()  # padded in front
        assert (expected[:pad] == -1).all() and (expected[pad:] >= 0).all()
    may = legal_next_symbols(symbols)
    scored = following >= 0
    assert np.take_along_axis(may, np.maximum(following, 0)[..., None], axis=-1)[..., 0][scored].all()


@examples(25)
@given(st.integers(2, 12), st.integers(2, 120), st.integers(0, 2**31 - 1))
def test_streams_are_strings_one_after_the_other(length, seq_len, seed):
    table = continual_reber(length, seq_len, 1, 0.0, seed)
    symbols, following = seen(table), column(table, "next")
    np.testing.assert_array_equal(symbols[:, 1:], following[:, :-1])
    for shown, places in zip(symbols, states_after(symbols), strict=True):
        whole = np.flatnonzero(places == 0)[-1:] + 1  # up to the last E that ends a string
        text = letters(shown[: whole[0]]) if len(whole) else ""
        assert re.fullmatch(f"(?:{EMBEDDED})*", text)
        assert text.count("E") == 2 * (places == 0).sum()
    assert np.take_along_axis(legal_next_symbols(symbols), following[..., None].astype(int), axis=-1).all()


def test_every_arrow_is_equally_likely_and_strings_have_the_length_that_follows():
    table = continual_reber(40, 5000, 1, 0.0, 7)
    symbols, following = seen(table), column(table, "next")
    places = states_after(symbols)
    for state in np.flatnonzero(LEGAL.sum(axis=1) == 2):
        first = np.flatnonzero(LEGAL[state])[0]
        following_here = following[places == state]
        assert abs((following_here == first).mean() - 0.5) < 5 * 0.5 / np.sqrt(len(following_here))
    # the mean number of symbols to the end, from each place of the inner grammar, solved by hand: 8; and 4 around it
    assert symbols.size / (places == 0).sum() == pytest.approx(12, rel=0.01)


def test_the_columns_that_explain_say_where_the_grammar_is_and_what_to_remember():
    table = continual_reber(6, 300, 1, 0.0, 3)
    symbols = seen(table)
    state, wrapped = column(table, "state"), column(table, "wrapped")
    assert table.roles.features == SYMBOLS and table.roles.targets == ("next",)
    for shown, states, signs in zip(symbols, state, wrapped, strict=True):
        text = letters(shown)
        for string in re.finditer(EMBEDDED, text):
            a, b = string.span()
            assert states[a] == 1 and states[b - 2] == 10 and states[b - 1] == 0
            assert (states[a + 1 : b - 2] >= 2).all() and (states[a + 1 : b - 2] <= 9).all()
            assert states[b - 3] == 9 and (states[a : b - 3] != 9).all()
            sign = {"T": 1, "P": -1}[text[a + 1]]
            assert (signs[a + 1 : b - 2] == sign).all() and signs[a] == 0 and (signs[b - 2 : b] == 0).all()
    np.testing.assert_array_equal(state, STATE[states_after(symbols)])


def test_the_windows_of_both_ask_for_classes_at_every_row():
    for make in (embedded_reber, continual_reber):
        table = make(40, 30, 1, 0.0, 0)
        roles = table.roles
        spec = DataSpec(
            "generator",
            table.name,
            targets=roles.targets,
            features=roles.features,
            group=roles.group,
            seq_len=30,
            horizon=0,
            scaling="none",
        )
        windows = make_windows(table, spec)
        assert windows.classes == SYMBOLS and windows.input_size == windows.output_size == 7
        assert sum(map(len, windows.starts.values())) == 40


def test_a_window_too_short_for_any_string_is_refused():
    assert embedded_reber(5, 7, 1, 0.0, 0).rows == 35
    with pytest.raises(PlaygroundError, match="seq_len is 6, too short .* choose 7 or more"):
        embedded_reber(5, 6, 1, 0.0, 0)


@pytest.mark.parametrize(("text", "step"), [("BTBTXSEP", 8), ("T", 1), ("BTBTV", 5), ("BTBTXSETEE", 10), ("BB", 2)])
def test_a_symbol_against_the_grammar_is_refused_with_its_place(text, step):
    with pytest.raises(PlaygroundError, match=f"^Symbol {step} of sequence 1 is not"):
        states_after(codes(text))


def test_a_gap_within_a_string_is_refused_and_one_in_front_is_not():
    string = codes("BTBTXSET")[0]
    padded = np.concatenate([[-1, -1], string])
    assert states_after(padded[None])[0, :2].tolist() == [0, 0]
    with pytest.raises(PlaygroundError, match="^Symbol 5 of sequence 2"):
        states_after(np.stack([padded, np.insert(string, 4, [-1, -1])]))


def test_one_hot_rows_are_read_back():
    rows = np.eye(7)[[3, 0, 6]]
    assert decode_one_hot(rows).tolist() == [3, 0, 6]
    assert decode_one_hot(np.zeros((2, 7))).tolist() == [-1, -1]
