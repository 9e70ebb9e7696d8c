"""What equals what, over any seed and size; and that the pictures light the places that are equal."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.experiment import PlaygroundError
from lstm_core.lessons.catalog.tutorials.shapes.drawing import (
    HIGHLIGHT,
    PACKED_END,
    PADDED_END,
    outputs_figure,
    packing_figure,
)
from lstm_core.lessons.catalog.tutorials.shapes.outputs import (
    compare_outputs,
    compare_packed,
    compare_stepwise,
    seeded_module,
)
from tests.conftest import examples

seeds = st.integers(0, 10**6)


def test_fresh_weights_are_those_of_manual_seed_and_the_worlds_generator_is_left_alone():
    with torch.random.fork_rng():
        torch.manual_seed(7)
        expected = nn.LSTM(3, 4, 2).state_dict()
    before = torch.get_rng_state()
    result = seeded_module(7, nn.LSTM, 3, 4, 2).state_dict()
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(result[name], value) for name, value in expected.items())


@given(seeds, st.integers(1, 20), st.integers(1, 6))
@examples(25)
def test_one_step_at_a_time_is_all_at_once(seed, steps, size):
    result = compare_stepwise(seed, steps, size)
    assert result.at_once.shape == result.one_by_one.shape == (steps, size)
    np.testing.assert_allclose(result.one_by_one, result.at_once, atol=1e-6)
    assert np.abs(result.one_by_one - result.at_once).max() <= result.difference < 1e-6
    assert np.allclose(result.without_state[0], result.at_once[0], atol=1e-6)
    assert steps == 1 or np.abs(result.without_state - result.at_once).max() > 1e-5


@given(seeds, st.integers(1, 3), st.booleans(), st.booleans(), st.integers(2, 10))
@examples(25)
def test_the_slices_named_are_h_n(seed, num_layers, bidirectional, batch_first, steps):
    """The code that the page shows is evaluated here on a fresh run of the same module."""
    result = compare_outputs(seed, num_layers, bidirectional, batch_first, steps)
    lstm = seeded_module(seed, nn.LSTM, 5, 4, num_layers, bidirectional=bidirectional, batch_first=batch_first)
    output, (h_n, _) = lstm(torch.randn(*result.shapes["input"]))
    assert [tuple(output.shape), tuple(h_n.shape)] == [result.shapes["output"], result.shapes["h_n"]]
    assert [end.row for end in result.final_states] == list(range(len(h_n)))
    for end in result.final_states:
        assert end.difference < 1e-6
        assert (end.code is not None) == (end.layer == num_layers - 1)
        np.testing.assert_allclose(result.h[end.layer, end.direction, end.step], result.h_n[end.row], atol=1e-6)
        if end.code is not None:
            assert torch.equal(eval(end.code, {"output": output, "H": 4}), h_n[end.row])
    assert (result.last_row_difference > 1e-4) == bidirectional


lengths_of = st.lists(st.integers(1, 12), min_size=1, max_size=6).map(tuple)


@given(seeds, lengths_of)
@examples(25)
def test_packing_gives_each_sequence_its_own_end(seed, lengths):
    result = compare_packed(seed, lengths)
    assert result.packed_error.max() < 1e-6
    assert result.gathered_error < 1e-6
    padded = np.array(lengths) < max(lengths)
    assert (result.padded_error[padded] > 1e-5).all()
    assert (result.padded_error[~padded] < 1e-6).all()
    assert result.batch_sizes == tuple(sum(n > t for n in lengths) for t in range(max(lengths)))
    assert sorted(result.order) == [(k, t) for k, n in enumerate(lengths) for t in range(n)]
    assert [step for _, step in result.order] == sorted(step for _, step in result.order)


@pytest.mark.parametrize("lengths", [(), (0, 2), (51,), (1,) * 13])
def test_lengths_that_cannot_be_shown_are_refused(lengths):
    with pytest.raises(PlaygroundError, match="whole number from 1 to 50"):
        compare_packed(0, lengths)


def test_the_picture_lights_each_end_twice():
    result = compare_outputs(0, num_layers=2, steps=6)
    frames = [shape for shape in outputs_figure(result).layout.shapes if shape.line.color in HIGHLIGHT]
    middles = [((shape.x0 + shape.x1) / 2, HIGHLIGHT.index(shape.line.color)) for shape in frames]
    assert sorted(middles) == sorted([(5, 0), (7, 0), (0, 1), (7, 1)] * 2)


def test_the_packed_picture_frames_the_true_ends_and_the_padded_ones():
    shapes = packing_figure(compare_packed(0, (3, 5, 2))).layout.shapes
    ends = {color: [(s.x0 + s.x1) / 2 for s in shapes if s.line.color == color] for color in (PACKED_END, PADDED_END)}
    assert ends[PACKED_END] == [2, 4, 1]
    assert ends[PADDED_END] == [4, 4]
