"""Every claim's demonstration, at every seed and size that the page offers, bears its verdict out."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from lstm_core.lessons.catalog.tutorials.claims import demonstrations as quick
from lstm_core.lessons.catalog.tutorials.claims import program_demonstrations as programs
from lstm_core.lessons.catalog.tutorials.claims import training_demonstrations
from lstm_core.lessons.catalog.tutorials.claims.claims import CLAIMS, Claim
from lstm_core.lessons.catalog.tutorials.claims.training_demonstrations import (
    last_batch_and_epoch,
    lstm_and_gru,
    one_step,
    resume_or_transfer,
)
from tests.conftest import examples

QUICK = [claim for claim in CLAIMS if not claim.slow]
names = pytest.mark.parametrize("claim", QUICK, ids=lambda claim: claim.name)


def test_claims_are_told_apart_and_complete():
    assert len({claim.name for claim in CLAIMS}) == len({claim.statement for claim in CLAIMS}) == len(CLAIMS) == 18
    for claim in CLAIMS:
        assert claim.name.isidentifier()
        assert claim.verdict and claim.explanation and claim.source
        assert claim.size.minimum <= claim.size.default <= claim.size.maximum


@names
@given(data=st.data())
@examples(12)
def test_the_demonstration_shows_it_whatever_the_seed_and_size(claim: Claim, data):
    seed, size = (data.draw(st.integers(0, 9999)), data.draw(st.integers(claim.size.minimum, claim.size.maximum)))
    result = claim.demonstrate(seed, size)
    assert result.confirmed, result.summary
    assert result.table is None or len({len(column) for column in result.table.values()}) == 1


@names
def test_one_seed_says_one_thing_and_nothing_seeds_the_world(claim: Claim):
    before = torch.get_rng_state()
    one, two = (claim.demonstrate(3, claim.size.default) for _ in range(2))
    assert (one.summary, one.table, one.code) == (two.summary, two.table, two.code)
    assert torch.equal(before, torch.get_rng_state())


def test_the_default_is_read_off_the_module(monkeypatch):
    """If PyTorch changed its mind, the page would say so."""
    init = nn.LSTM.__init__
    monkeypatch.setattr(
        nn.LSTM, "__init__", lambda self, *a, batch_first=True, **k: init(self, *a, batch_first=batch_first, **k)
    )
    result = quick.batch_first_default(0, 3)
    assert not result.confirmed
    assert "batch_first is True" in result.summary


def test_xavier_weights_would_be_found_out(monkeypatch):
    def xavier(lstm: nn.LSTM) -> None:
        for weight in lstm.parameters():
            nn.init.xavier_uniform_(weight) if weight.dim() == 2 else nn.init.zeros_(weight)

    monkeypatch.setattr(nn.LSTM, "reset_parameters", xavier)
    assert not quick.initialisation(0, 64).confirmed


def test_the_histogram_is_of_the_very_weights():
    bars, own, xavier = quick.initialisation(0, 16).figure.data
    width = bars.x[1] - bars.x[0]
    assert np.sum(bars.y) * width == pytest.approx(1)
    assert max(own.y) == pytest.approx(np.sqrt(16) / 2)
    assert max(xavier.y) == pytest.approx(1 / (2 * np.sqrt(6 / (64 + 64))))


def test_a_change_spreads_along_time_only():
    change = np.array(quick.input_order(0, 6).figure.data[0].z)  # (BATCH, seq_len)
    assert (change[2, 1:] > 0).all()
    assert change[2, 0] == 0
    assert not change[[0, 1, 3]].any()


def test_the_biases_are_counted_as_pytorch_counts():
    table = quick.two_biases(0, 8).table
    assert table["all parameters"][0] == sum(p.numel() for p in nn.LSTM(quick.FEATURES, 8).parameters())
    assert table["all parameters"][1] == sum(p.numel() for p in nn.LSTM(quick.FEATURES, 8).parameters()) - 32


def test_the_tutorials_view_runs_on_rows_and_raises_on_windows():
    shapes, results = programs.view_as_one_sequence(0, 64).table.values()
    assert shapes[:2] == ["(64, 10)", "(64, 7, 10)"] and results[0].startswith("(5,)")
    with pytest.raises(RuntimeError) as raised:
        nn.LSTM(10, 20)(torch.zeros(64, 70))
    assert results[1] == f"RuntimeError: {raised.value}"


def test_the_forget_gates_product_starts_at_one_for_the_last_step():
    influence, kept = programs.last_hidden_state(0, 30).figure.data
    assert influence.y[-1] == kept.y[-1] == 1 and len(kept.y) == 30
    assert (np.diff(kept.y) > 0).all()


@pytest.mark.parametrize("steps", [1, 4, 12])
def test_the_largest_h_is_the_hyperbolic_tangent_of_the_number_of_steps(steps):
    (line,) = programs.largest_output(3, steps).figure.data
    np.testing.assert_allclose(line.y, np.tanh(np.arange(1, steps + 1)))
    assert max(line.y) < 1


def test_the_wrong_order_of_states_fits_two_sequences_and_changes_the_output():
    *_, silent = quick.batch_first_states(0, 3).table["what PyTorch does"]
    assert silent.startswith("runs: output off by up to 0.") and not silent.endswith("0.00")


@pytest.mark.parametrize(("seed", "batch_size"), [(0, 16), (1, 48)])
def test_the_last_batch_is_not_the_epoch(seed, batch_size):
    result = last_batch_and_epoch(seed, batch_size)
    assert result.confirmed, result.summary
    last, means = (np.array(trace.y) for trace in result.figure.data)
    assert len(last) == len(means) == training_demonstrations.PRINTED_EPOCHS and (last != means).all()


def test_one_step_is_the_second_point_of_many():
    result = one_step(0, 20)
    assert result.confirmed, result.summary
    own, new = (np.array(trace.y) for trace in result.figure.data)
    assert (
        len(own) == len(new) == 21 and f"from {own[0]:.3f} to {own[1]:.3f}, 20 steps to {own[-1]:.3f}" in result.summary
    )


def test_pytorchs_warning_is_shown_word_for_word():
    with pytest.warns(UserWarning, match="dropout") as caught:
        nn.LSTM(quick.FEATURES, 5, 1, dropout=0.5)
    assert str(caught[0].message) in quick.single_layer_dropout(0, 50).summary
    assert "warns" not in quick.single_layer_dropout(0, 0).summary


@pytest.mark.parametrize(("seed", "epochs"), [(0, 2), (5, 3)])
def test_resuming_is_the_same_run_and_transfer_another(seed, epochs):
    result = resume_or_transfer(seed, epochs)
    assert result.confirmed, result.summary
    whole, resumed, transfer = result.figure.data
    assert list(resumed.y) == list(whole.y)[-len(resumed.y) :]
    assert list(resumed.x) == list(whole.x)[-len(resumed.x) :]
    assert list(transfer.y) != list(resumed.y)


@pytest.mark.parametrize("seeds", [1, pytest.param(training_demonstrations.SEEDS, marks=pytest.mark.slow)])
def test_the_lstm_does_not_always_win(monkeypatch, seeds):
    monkeypatch.setattr(training_demonstrations, "SEEDS", seeds)
    result = lstm_and_gru(0, 8)
    assert result.confirmed, result.summary
    wins = {"lstm": 0, "gru": 0}
    lstm, gru = ([trace for trace in result.figure.data if trace.name == name] for name in ("LSTM", "GRU"))
    for left, right in zip(lstm, gru, strict=True):
        wins["lstm"] += int(np.sum(np.array(left.y) < np.array(right.y)))
        wins["gru"] += int(np.sum(np.array(left.y) > np.array(right.y)))
    assert f"the LSTM is better in {wins['lstm']}, the GRU in {wins['gru']}" in result.summary
