"""The shape lab against nn.LSTM itself: what it reports is what PyTorch does, and every refusal is explained."""

from __future__ import annotations

import warnings

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.catalog.tutorials.shapes.call import LSTMCall, parse_lengths, parse_shape
from lstm_core.lessons.catalog.tutorials.shapes.explain_errors import explain_error
from lstm_core.lessons.catalog.tutorials.shapes.run_call import PRESETS, run_call
from tests.conftest import examples

small = st.integers(1, 3)
shapes = st.lists(st.integers(0, 4), max_size=4).map(tuple)


@st.composite
def setups(draw) -> LSTMCall:
    """Calls of which most are right in most parts: an error then has one cause, as a beginner's has."""
    hidden, layers, two = draw(small), draw(st.integers(0, 3)), draw(st.booleans())
    features, first = draw(small), draw(st.booleans())
    x = draw(st.one_of(shapes, st.tuples(small, small, st.just(features)), st.tuples(small, st.just(features))))
    proj = draw(st.sampled_from([0, 0, 0, 1]))
    batch = (x[0] if first else x[1],) if len(x) == 3 else ()
    right = (layers * (1 + two), *batch)
    return LSTMCall(
        features,
        hidden,
        layers,
        draw(st.booleans()),
        first,
        draw(st.sampled_from([0.0, 0.5, 1.5])),
        two,
        proj,
        draw(st.sampled_from(["float32", "float32", "float64", "int64"])),
        x,
        draw(st.sampled_from(["float32", "float32", "float64", "int64"])),
        draw(st.sampled_from(["none", "none", "(h_0, c_0)", "h_0 alone"])),
        draw(st.one_of(shapes, st.just((*right, proj or hidden)))),
        draw(st.one_of(shapes, st.just((*right, hidden)))),
        draw(st.one_of(st.just(()), st.lists(st.integers(-1, 4), min_size=1, max_size=3).map(tuple))),
        draw(st.booleans()),
    )


@given(setups())
@examples(200)
def test_every_call_gives_shapes_or_an_error_that_is_explained(setup):
    report = run_call(setup)
    names = [row.name for row in report.rows]
    if report.problem is None:
        assert {"input", "h_n", "c_n"} <= set(names)
        assert report.code[-1].startswith("output, ")
    else:
        assert "output" not in names
        assert report.problem.text
        assert report.problem.meaning, (setup, report.problem)
    assert all(note.meaning for note in report.notes), report.notes


@pytest.mark.parametrize("name", PRESETS)
def test_a_presets_lines_run_as_they_stand(name):
    """The code that the lab shows is executed here: it must end as the lab says, with the same words."""
    setup = PRESETS[name]
    report = run_call(setup)
    space = {"nn": nn, "torch": torch, "pack_padded_sequence": nn.utils.rnn.pack_padded_sequence}

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec("\n".join(report.code), space)

    if report.problem is None:
        run()
        data = getattr(space["output"], "data", space["output"])
        shapes = {row.name.partition(".")[0]: row.shape for row in report.rows}
        assert shapes["output"] == tuple(data.shape)
        assert (shapes["h_n"], shapes["c_n"]) == (tuple(space["h_n"].shape), tuple(space["c_n"].shape))
    else:
        with pytest.raises(Exception) as raised:  # noqa: PT011  any kind: the words are compared
            run()
        assert (type(raised.value).__name__, str(raised.value)) == (report.problem.kind, report.problem.text)


def test_the_weights_are_the_modules_own():
    setup = LSTMCall(bidirectional=True, proj_size=4, states="none")
    lstm = nn.LSTM(10, 20, 2, bidirectional=True, proj_size=4)
    shapes = {row.name: row.shape for row in run_call(setup).rows}
    assert {name: tuple(p.shape) for name, p in lstm.named_parameters()}.items() <= shapes.items()
    assert shapes["output"] == (5, 3, 8)
    assert shapes["h_n"] == (4, 3, 4)
    assert shapes["c_n"] == (4, 3, 20)


@pytest.mark.parametrize(
    ("setup", "text", "message"),
    [
        (
            LSTMCall(batch_first=True, x=(3, 5, 10), h_0=(3, 2, 20)),
            "Expected hidden[0] size (2, 3, 20), got [3, 2, 20]",
            "never the states",
        ),
        (
            LSTMCall(batch_first=False, x=(3, 5, 10)),
            "Expected hidden[0] size (2, 5, 20), got [2, 3, 20]",
            "batch_first=True what you mean",
        ),
        (LSTMCall(bidirectional=True), "Expected hidden[0] size (4, 3, 20), got [2, 3, 20]", "2 · 2 = 4"),
        (LSTMCall(c_0=(2, 4, 20)), "Expected hidden[1] size (2, 3, 20), got [2, 4, 20]", "c_0 must be"),
        (LSTMCall(proj_size=5), "Expected hidden[0] size (2, 3, 5), got [2, 3, 20]", "only c_0 keeps hidden_size"),
        (
            LSTMCall(x=(5, 10), h_0=(3, 20), c_0=(3, 20)),
            "Expected hidden[0] size (2, 1, 20), got [3, 1, 20]",
            "= (2, 20); yours is (3, 20)",
        ),
        (
            LSTMCall(x=(10, 5, 3)),
            "input.size(-1) must be equal to input_size. Expected 10, got 3",
            "Here 10 is the size of axis 0",
        ),
        (LSTMCall(x=(5,)), "LSTM: Expected input to be 2D or 3D, got 1D instead", "unsqueeze(-1)"),
        (
            LSTMCall(x=(0, 3, 10), states="none"),
            "Expected sequence length to be larger than 0 in RNN",
            "axis 0 is time",
        ),
        (LSTMCall(hidden_size=0), "hidden_size must be greater than zero", "at least 1"),
        (LSTMCall(proj_size=20), "proj_size has to be smaller than hidden_size", "below hidden_size"),
        (LSTMCall(x_dtype="int64"), None, "nn.Embedding"),
        (
            LSTMCall(states="none", lengths=(6, 4, 2)),
            "start (11) + length (1) exceeds dimension size (11).",
            "more than the 5 steps",
        ),
        (LSTMCall(states="none", lengths=(5, 4)), None, "has 3, and 2 lengths"),
        (LSTMCall(states="none", lengths=(3, 2, 2, 1, 1)), None, "Is batch_first=True"),
        (LSTMCall(lengths=(5, 4, 2), h_0=(2, 4, 20)), None, "h_0 must be (2, 3, 20)"),
    ],
)
def test_an_error_is_pytorchs_own_and_its_meaning_names_the_cause(setup, text, message):
    problem = run_call(setup).problem
    assert text is None or problem.text == text
    assert message in problem.meaning


def test_dropout_with_one_layer_is_a_warning_and_what_pytorch_lets_pass_is_said():
    (note,) = run_call(PRESETS["Dropout with one layer"]).notes
    assert note.text.startswith("dropout option adds dropout after all but last recurrent layer")
    assert "has no effect" in note.meaning
    # (2, 2, 20) for one unbatched sequence: a pair of states by accident
    (note,) = run_call(LSTMCall(x=(5, 10), states="h_0 alone", h_0=(2, 2, 20))).notes
    assert note.text == ""
    assert "did not complain" in note.meaning
    assert run_call(LSTMCall()).notes == ()


def test_the_labs_warnings_stay_in_the_lab():
    with warnings.catch_warnings(record=True) as outside:
        warnings.simplefilter("always")
        run_call(PRESETS["Dropout with one layer"])
    assert outside == []


def test_an_unknown_error_has_no_invented_meaning():
    assert explain_error(LSTMCall(), "something new") == ""


@pytest.mark.parametrize(
    "wild",
    [
        {"hidden_size": 10**9},
        {"input_size": 10**9},
        {"num_layers": 10**6},
        {"x": (10**6, 10**6, 10)},
        {"h_0": (10**6, 10**6)},
        {"x": (6000, 1, 10)},
        {"x": (1, 6000, 10), "batch_first": True},
        {"lengths": (1,) * 10_001},
        {"hidden_size": 300, "x": (4000, 2, 10)},
    ],
)
def test_nothing_huge_is_ever_made(wild):
    with pytest.raises(PlaygroundError, match="choose"):
        LSTMCall(**wild)


@pytest.mark.parametrize("text", ["5,3,10", "(5, 3, 10)", "5 x 3 x 10", "5×3×10", "[5 3 10]", "torch.Size([5, 3, 10])"])
def test_a_shape_is_read_however_it_is_written(text):
    assert parse_shape(text) == (5, 3, 10)


@given(shapes)
def test_a_printed_shape_reads_back(shape):
    assert parse_shape(str(shape)) == shape == parse_shape(str(torch.Size(shape)))


@pytest.mark.parametrize("text", ["a", "5, -3", "1.5", "5, 3, **10**", "1,1,1,1,1,1,1", "99999999", "٣, 3"])
def test_nonsense_is_no_shape(text):
    with pytest.raises(PlaygroundError):
        parse_shape(text)


def test_lengths_may_be_negative_since_pytorch_says_it_better():
    assert parse_lengths("5, -1") == (5, -1)
    assert parse_lengths(" ") == ()
    with pytest.raises(PlaygroundError):
        parse_lengths("five")
