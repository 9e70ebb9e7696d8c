"""The table of shapes and the parameter counts are those of the PyTorch module that is built."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.architecture.shapes import parameter_count, parameter_shapes, shape_table
from lstm_core.experiment import ModelSpec
from lstm_core.model.recurrent import build_model
from tests.conftest import examples
from tests.factories import model_specs

sizes = st.integers(1, 5)


@examples(60)
@given(model_specs(), sizes, sizes, sizes, sizes)
def test_the_table_is_what_pytorch_does(spec, input_size, output_size, batch_size, seq_len):
    model = build_model(spec, input_size, output_size).eval()
    table = shape_table(spec, input_size, output_size, batch_size, seq_len)
    shapes = {row.name: row.shape for row in table}
    assert len(shapes) == len(table)

    learned = [(name.removeprefix(f"{spec.cell}."), tuple(p.shape)) for name, p in model.named_parameters()]
    first = list(shapes).index("weight_ih_l0")
    assert [(row.name, row.shape) for row in table[first:-1]] == learned  # names, shapes and order
    names = {name: list(p.shape) for name, p in model.named_parameters()}
    assert list(parameter_shapes(spec, input_size, output_size).items()) == list(names.items())

    x = torch.zeros(batch_size, seq_len, input_size)
    predictions = model(x)
    given_in = model.to_module_layout(x)
    kept = ("h", "c") if spec.cell == "lstm" else ("h",)
    states = tuple(torch.zeros(shapes[f"{name}_0"]) for name in kept)
    output, ends = model.recurrent(given_in, states if len(states) > 1 else states[0])  # raises at a wrong shape
    ends = ends if len(states) > 1 else (ends,)
    real = {"input": given_in, "output": output, "prediction": predictions}
    real |= {f"{name}_n": end for name, end in zip(kept, ends, strict=True)}
    real |= {f"{name}_0": state for name, state in zip(kept, states, strict=True)}
    assert {row.name: row.shape for row in [*table[:first], table[-1]]} == {
        name: tuple(t.shape) for name, t in real.items()
    }


@examples(60)
@given(model_specs(), sizes, sizes)
def test_parameters_are_counted_by_layer(spec, input_size, output_size):
    model = build_model(spec, input_size, output_size)
    expected = {f"layer {layer}": 0 for layer in range(spec.num_layers)} | {"head": 0}
    for name, parameter in model.named_parameters():
        layer = re.search(r"_l(\d+)", name)
        expected[f"layer {layer[1]}" if layer else "head"] += parameter.numel()
    assert parameter_count(spec, input_size, output_size) == expected


def test_a_linear_skip_has_a_weight_for_each_input_of_the_window():
    spec = ModelSpec(hidden_size=4, linear_skip=True)
    model = build_model(spec, 3, 2, 7)
    names = {name: list(p.shape) for name, p in model.named_parameters()}
    assert list(parameter_shapes(spec, 3, 2, 7).items()) == list(names.items())
    assert names["skip.weight"] == [2, 21]
    rows = {row.name: list(row.shape) for row in shape_table(spec, 3, 2, 8, 7)}
    assert rows["skip.weight"] == [2, 21] and rows["skip.bias"] == [2]
    assert parameter_count(spec, 3, 2, 7)["skip"] == 2 * 21 + 2


def test_batch_first_turns_input_and_output_only():
    first, second = (
        {row.name: row.shape for row in shape_table(ModelSpec(batch_first=turned), 3, 1, 8, 20)}
        for turned in (True, False)
    )
    assert first["input"] == (8, 20, 3)
    assert second["input"] == (20, 8, 3)
    assert {name for name in first if first[name] != second[name]} == {"input", "output"}


@pytest.mark.parametrize(("cell", "count", "order"), [("lstm", 4, "i, f, g, o"), ("gru", 3, "r, z, n")])
def test_rows_of_gates_say_their_order(cell, count, order):
    for row in shape_table(ModelSpec(cell=cell, num_layers=2, bidirectional=True), 3, 1, 8, 20):
        gates = row.shape[0] == count * 32 and row.name.startswith(("weight", "bias"))
        assert (f"{count} · hidden_size rows: {order}" in row.meaning) == gates


def test_a_gru_is_said_to_add_its_biases_as_pytorch_does():
    """bias_hh's part of n stands inside the product with r: at zero weights, h_1 = (1 − z) tanh(b_in + r b_hn)."""
    table = {row.name: row.meaning for row in shape_table(ModelSpec(cell="gru"), 1, 1, 8, 20)}
    assert "added to bias_ih_l0, but in n inside the product with r" in table["bias_hh_l0"]
    gru = torch.nn.GRU(1, 1)
    for parameter in gru.parameters():
        torch.nn.init.zeros_(parameter)
    gru.bias_ih_l0.data, gru.bias_hh_l0.data = torch.tensor([0.3, 0.1, 0.2]), torch.tensor([-0.8, 0.4, 0.9])
    r, z = (torch.tensor(total).sigmoid() for total in (0.3 - 0.8, 0.1 + 0.4))
    torch.testing.assert_close(gru(torch.zeros(1, 1))[1].squeeze(), (1 - z) * torch.tanh(0.2 + r * 0.9))
