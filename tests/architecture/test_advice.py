"""Advice is given where it applies and only there, and PyTorch behaves as it claims."""

from __future__ import annotations

import pytest
import torch

from lstm_core.architecture.advice import advise
from lstm_core.experiment import DataSpec, ModelSpec
from lstm_core.model.recurrent import build_model

FORECAST, LABELS = DataSpec(horizon=1), DataSpec(horizon=0)


def advice_text(data: DataSpec, spec: ModelSpec, task: str = "regression", level: str | None = None) -> str:
    return "\n".join(a.text for a in advise(data, spec, task) if level in (None, a.level))


CASES = [
    (FORECAST, ModelSpec(dropout=0.2), "warning", "dropout has no effect with num_layers 1"),
    (FORECAST, ModelSpec(dropout=1.0, num_layers=2), "error", "never learn"),
    (FORECAST, ModelSpec(dropout=0.8, num_layers=2), "warning", "zeroes 80\u202f%"),
    (FORECAST, ModelSpec(bidirectional=True), "info", "does not leak"),
    (FORECAST, ModelSpec(bidirectional=True), "info", "reads h_n, not output[:, -1]"),
    (FORECAST, ModelSpec(bidirectional=True, head="per_step"), "error", "leaks the future"),
    (LABELS, ModelSpec(bidirectional=True, head="per_step"), "info", "the whole sequence is available"),
    (FORECAST, ModelSpec(hidden_size=1), "warning", "hidden_size 1"),
    (FORECAST, ModelSpec(proj_size=8), "info", "h has size 8 and c keeps size 32"),
    (DataSpec(seq_len=1), ModelSpec(), "warning", "nothing to remember"),
    (DataSpec(seq_len=1000), ModelSpec(), "warning", "keeps only 0.00004 of the first step"),
    (DataSpec(seq_len=2000), ModelSpec(), "warning", "keeps less than 0.00001 of the first step"),
    (FORECAST, ModelSpec(bias=False), "info", "forget_bias cannot be set"),
    (FORECAST, ModelSpec(forget_bias=1.0), "info", "start at f = 0.73"),
    (FORECAST, ModelSpec(chrono_t_max=50), "info", "their own time constant, up to 50 steps"),
    (FORECAST, ModelSpec(forget_bias=-3.0), "warning", "start at f = 0.05"),
    (FORECAST, ModelSpec(cell="gru"), "info", "update gate z sets how much of h is kept"),
    (FORECAST, ModelSpec(cell="gru"), "info", "h_0 and h_n keep"),
    (FORECAST, ModelSpec(cell="gru"), "info", "PyTorch runs nn.GRU step by step"),
    (FORECAST, ModelSpec(cell="rnn"), "info", "has no gates"),
    (DataSpec(seq_len=1), ModelSpec(cell="rnn"), "warning", "h_0 is zero, so weight_hh has no effect"),
    (DataSpec(seq_len=1000), ModelSpec(cell="gru"), "warning", "an update gate of 0.99 keeps only 0.00004"),
    (FORECAST, ModelSpec(cell="rnn", bias=False), "info", "the units have no learned offset"),
    (FORECAST, ModelSpec(linear_skip=True), "info", "never passes through the cells"),
    (FORECAST, ModelSpec(linear_skip=True), "warning", "Switch zero_head on"),
]


@pytest.mark.parametrize(("data", "spec", "level", "words"), CASES)
def test_advice_is_given_where_it_applies_and_only_there(data, spec, level, words):
    assert words in advice_text(data, spec, level=level)
    assert words not in advice_text(FORECAST, ModelSpec())


def test_the_default_model_is_only_told_of_batch_first():
    result = advise(FORECAST, ModelSpec(), "regression")
    assert [a.level for a in result] == ["info"]
    assert "h_0, c_0, h_n and c_n keep" in result[0].text


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_no_advice_names_what_only_another_cell_has(cell):
    spec = {"cell": cell, "bias": False, "bidirectional": True, "head": "per_step"}
    for seq_len in (1, 24, 1000):
        words = advice_text(DataSpec(seq_len=seq_len), ModelSpec(**spec))
        assert not any(word in words for word in ("forget", "c_0", "c_n"))


def test_bidirectional_suits_sequence_classification():
    assert "both ends" in advice_text(LABELS, ModelSpec(bidirectional=True), "classification")
    assert "both ends" not in advice_text(LABELS, ModelSpec(bidirectional=True), "regression")


def test_the_leak_is_real_and_head_last_has_none():
    """The advice's claim on PyTorch itself: a later row changes an earlier output only with head "per_step"."""
    x = torch.zeros(1, 5, 1)
    later = x.clone()
    later[0, 4] = 1.0
    model = build_model(ModelSpec(bidirectional=True, head="per_step"), 1, 1).eval()
    assert not torch.equal(model(x)[0, 0], model(later)[0, 0])
    one_way = build_model(ModelSpec(head="per_step"), 1, 1).eval()
    assert torch.equal(one_way(x)[0, :4], one_way(later)[0, :4])


def test_the_forget_gate_has_no_effect_on_one_step():
    """The advice's claim on PyTorch itself: with one step, weight_hh and the forget gate's rows get no gradient."""
    model = build_model(ModelSpec(hidden_size=3), 2, 1)
    model(torch.ones(1, 1, 2)).sum().backward()
    assert not model.lstm.weight_hh_l0.grad.any()
    assert not model.lstm.weight_ih_l0.grad[3:6].any()
    assert model.lstm.weight_ih_l0.grad.any()


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_weight_hh_has_no_effect_on_one_step(cell):
    model = build_model(ModelSpec(cell=cell, hidden_size=3), 2, 1)
    model(torch.ones(1, 1, 2)).sum().backward()
    assert not model.recurrent.weight_hh_l0.grad.any()
    assert model.recurrent.weight_ih_l0.grad.any()


def test_an_update_gate_keeps_its_share_of_h():
    """The advice's claim on PyTorch itself: z near 1 keeps h, and a GRU keeps z of it where n is zero."""
    gru = torch.nn.GRU(1, 1)
    for parameter in gru.parameters():
        torch.nn.init.zeros_(parameter)
    gru.bias_ih_l0.data[1] = torch.tensor(0.99).logit()
    h_n = gru(torch.zeros(50, 1), torch.ones(1, 1))[1]
    torch.testing.assert_close(h_n, torch.full((1, 1), 0.99**50))
