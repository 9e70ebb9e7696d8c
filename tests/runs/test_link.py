"""A link's experiment: back as it was, short, and nothing that a stranger writes into it does harm."""

from __future__ import annotations

import base64
import json
import re
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.experiment import DataSpec, Experiment, ModelSpec, PlaygroundError
from lstm_core.runs.link import MAX_LINK, experiment_from_link, experiment_to_link
from tests.conftest import examples
from tests.factories import experiments


def link_of(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    return base64.urlsafe_b64encode(zlib.compress(data, 9)).decode().rstrip("=")


def refused(link: str) -> str:
    with pytest.raises(PlaygroundError) as caught:
        experiment_from_link(link)
    sentence = str(caught.value)
    assert sentence.startswith("This link")
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


@examples(60)
@given(experiments())
def test_an_experiment_comes_back_as_it_was(experiment):
    link = experiment_to_link(experiment)
    assert re.fullmatch(r"[\w-]+", link, re.ASCII)
    assert experiment_from_link(link) == experiment


def test_defaults_are_written_since_another_version_may_have_others():
    link = experiment_to_link(Experiment())
    assert len(link) < 800
    text = zlib.decompress(base64.urlsafe_b64decode(link + "=" * (-len(link) % 4)))
    assert json.loads(text) == json.loads(Experiment().to_json())


def test_what_is_too_large_has_no_link():
    names = tuple(f"{k * 7919 % 104729:x} column {k * 104723 % 15485863:x}" for k in range(2000))
    assert experiment_to_link(Experiment(DataSpec(features=names))) is None


def test_a_bomb_is_not_inflated():
    bomb = link_of(b'{"format": 2, "data": {"name": "' + b"a" * 4_000_000 + b'"}}')
    assert len(bomb) < MAX_LINK
    assert "damaged" in refused(bomb)


@pytest.mark.parametrize("cut", [0, 1, 7, 40, -1, -4])
def test_a_link_that_was_cut_is_damaged(cut):
    link = experiment_to_link(Experiment(DataSpec(name="nile"), ModelSpec(hidden_size=8)))
    assert "damaged" in refused(link[:cut])


@pytest.mark.parametrize("link", ["<script>", "é", "\x00", "A" * 100_000, "=" * 8, "../../etc/passwd"])
def test_what_is_no_link_is_damaged(link):
    assert "damaged" in refused(link)


@pytest.mark.parametrize(
    "text", [b"\xff\xfe", b'{"format": 2, "data": {"name": "\\ud800"}}'], ids=["no UTF-8", "half a character"]
)
def test_text_that_is_none_is_damaged(text):
    assert "damaged" in refused(link_of(text))


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ([], "object"),
        ({"format": 99}, "format"),
        ({"format": 2, "data": {"nam": "x"}}, "nam"),
        ({"format": 2, "model": {"hidden_size": 10**9}}, "hidden_size"),
        ({"format": 2, "train": {"lr": "fast"}}, "lr"),
        ({"format": 2, "data": 3}, "data"),
    ],
)
def test_what_is_no_experiment_says_what(parts, word):
    assert word in refused(link_of(json.dumps(parts)))


@pytest.mark.parametrize("text", ["[" * 50_000, '{"format": 2, "train": {"lr": NaN}}', "9" * 50_000, '{"a": 1e999}'])
def test_json_that_is_a_trap_is_refused(text):
    refused(link_of(text))


@examples(100)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_experiment_or_a_sentence(data):
    for link in (base64.urlsafe_b64encode(data).decode(), link_of(data)):
        refused(link)
