from __future__ import annotations

import hashlib
from importlib import resources

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.data.samples import load_sample
from lstm_core.data.samples.book import (
    ALPHABET,
    CHARACTER_NAMES,
    SEQ_LEN,
    book_table,
    encode,
    load_book,
    normalize,
    one_hot,
)
from lstm_core.data.windows import make_windows
from lstm_core.experiment import DataSpec, PlaygroundError

SHA256 = "7467306ee0feed4971260f3c87421154a05be571d944e9cb021a5713700c38f0"


def test_the_file_is_the_one_that_sources_md_speaks_of():
    data = resources.files("lstm_core.data.samples").joinpath("alice.txt").read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (152_089, SHA256)


def test_the_book_keeps_its_first_paragraph_lines_and_quotation_marks():
    expected = (
        "chapter i\n\ndown the rabbit-hole\n\nalice was beginning to get very tired of sitting by her sister\n"
        "on the bank, and of having nothing to do: once or twice she had\npeeped into the book her sister was "
        "reading, but it had no\npictures or conversations in it, “and what is the use of a book,”\nthought alice "
        "“without pictures or conversation?”\n\nso she"
    )
    assert load_book().startswith(expected)
    assert load_book().endswith("remembering her own child-life, and the happy summer days.")


def test_the_book_has_all_characters_of_the_alphabet_and_no_others():
    assert set(load_book()) == set(ALPHABET)
    assert len(ALPHABET) == len(set(ALPHABET)) == len(set(CHARACTER_NAMES.values())) == 40


def test_an_apostrophe_inside_a_word_is_no_closing_quote():
    assert "i shan't\nbe able" in load_book() and "it's a cheshire cat,”" in load_book()
    assert abs(load_book().count("“") - load_book().count("”")) < 10  # a speech of two paragraphs opens twice


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ('"Oh dear!" she said.', "“oh dear!” she said."),
        ('she said "no" ("never")', "she said “no” (“never”)"),
        ("a  b\t c", "a b c"),
        ("one \r\n two", "one\ntwo"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("It’s [so] — well…", "it's (so) -- well..."),
        ("alice ", "alice "),
        ("", ""),
    ],
)
def test_typed_text_is_brought_into_the_books_form(typed, meant):
    assert normalize(typed) == meant


@given(st.text(max_size=60))
def test_normalising_twice_is_normalising_once(text):
    assert normalize(normalize(text)) == normalize(text)


@given(st.text(ALPHABET, max_size=60))
def test_codes_name_the_very_characters(text):
    numbers = encode(text)
    assert numbers.dtype == np.int64
    assert "".join(ALPHABET[k] for k in numbers) == text
    rows = one_hot(numbers)
    np.testing.assert_array_equal(rows.sum(1), np.ones(len(text)))
    assert all(row[number] == 1 for row, number in zip(rows, numbers, strict=True))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("3 mice", "'3'"),
        ("<b>", "'<', '>'"),
        ("a\u202eb", r"the character U\+202E"),
        ("Alice", "'A'"),
        ("0123456", "'0', '1', '2', '3', '4', …"),
    ],
)
def test_an_unknown_character_is_named(text, named):
    with pytest.raises(PlaygroundError, match=f"does not know {named}: use the letters"):
        encode(text)


def test_each_row_is_its_character_and_the_next():
    table, text = book_table(), load_book()
    rows = table.rows
    assert rows % SEQ_LEN == 0 and len(text) - SEQ_LEN <= rows + 1 <= len(text)
    x = table.numbers[:, : len(ALPHABET)]
    assert x.dtype == np.float32 and set(np.unique(x)) == {0.0, 1.0}
    assert "".join(ALPHABET[k] for k in x.argmax(1)) == text[:rows]
    following = table.column("next")
    assert "".join(ALPHABET[k] for k in following.values) == text[1 : rows + 1]
    assert following.classes == tuple(CHARACTER_NAMES.values()) == tuple(table.column_names("number")[:-1])
    np.testing.assert_array_equal(table.column("block").values, np.arange(rows) // SEQ_LEN)


def test_the_sample_is_cut_into_whole_blocks_in_the_books_order():
    table = load_sample("alice")
    roles = table.roles
    spec = DataSpec(
        name="alice",
        targets=roles.targets,
        features=roles.features,
        group=roles.group,
        seq_len=roles.seq_len,
        horizon=roles.horizon,
        scaling="none",
    )
    windows = make_windows(table, spec)
    starts = np.concatenate([windows.starts[split] for split in ("train", "valid", "test")])
    np.testing.assert_array_equal(starts, np.arange(0, table.rows, SEQ_LEN))
    assert windows.task == "classification" and windows.input_size == windows.output_size == len(ALPHABET)
    np.testing.assert_array_equal(
        windows.inputs(starts[:2]), one_hot(encode(load_book()[: 2 * SEQ_LEN])).reshape(2, SEQ_LEN, 40)
    )
