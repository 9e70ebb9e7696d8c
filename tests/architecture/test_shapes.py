from __future__ import annotations

import dataclasses
import math
import re
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lstm_core.architecture.memory import MEMORY_SHARE, check_memory, estimate_training_bytes
from lstm_core.architecture.shapes import parameter_count, parameter_shapes, shape_table
from lstm_core.experiment import ModelSpec, PlaygroundError
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


# Measured peaks in bytes (tests/benchmarks/memory.py, x86-64, torch 2.13)
MEASURED = [
    (ModelSpec(hidden_size=64), (8, 1, 256, 200), 209e6),
    (ModelSpec(hidden_size=64), (512, 1, 128, 200), 405e6),
    (ModelSpec(hidden_size=64, num_layers=2, bidirectional=True), (8, 1, 128, 200), 329e6),
    (ModelSpec(hidden_size=1000, num_layers=2, bidirectional=True), (8, 1, 4, 4), 580e6),
    (ModelSpec(hidden_size=32, head="per_step"), (4, 500, 64, 200), 207e6),
    (ModelSpec(cell="gru", hidden_size=64), (8, 1, 256, 200), 189e6),
    (
        ModelSpec(cell="gru", hidden_size=64, num_layers=3, dropout=0.3, bidirectional=True),
        (8, 1, 128, 200),
        460e6,
    ),
    (ModelSpec(cell="gru", hidden_size=4), (2, 1, 1, 5000), 80e6),
    (ModelSpec(cell="rnn", hidden_size=64), (512, 1, 128, 200), 137e6),
    (
        ModelSpec(cell="rnn", hidden_size=128, num_layers=3, dropout=0.3, bidirectional=True),
        (8, 1, 128, 200),
        488e6,
    ),
    (ModelSpec(cell="rnn", hidden_size=1500, num_layers=2), (8, 1, 4, 4), 175e6),
]


@pytest.mark.parametrize(("spec", "run", "measured"), MEASURED)
def test_the_memory_estimate_is_near_what_was_measured(spec, run, measured):
    assert estimate_training_bytes(spec, *run) == pytest.approx(measured, rel=0.3)


@examples(60)
@given(model_specs(), sizes, sizes, sizes, sizes)
def test_memory_grows_with_every_size(spec, input_size, output_size, batch_size, seq_len):
    size = estimate_training_bytes(spec, input_size, output_size, batch_size, seq_len)
    wider = dataclasses.replace(spec, hidden_size=spec.hidden_size + 1)
    deeper = dataclasses.replace(spec, num_layers=spec.num_layers + 1)
    assert estimate_training_bytes(wider, input_size, output_size, batch_size, seq_len) > size
    assert estimate_training_bytes(deeper, input_size, output_size, batch_size, seq_len) > size
    assert estimate_training_bytes(spec, input_size, output_size, batch_size + 1, seq_len) > size
    assert estimate_training_bytes(spec, input_size, output_size, batch_size, seq_len + 1) > size


@examples(100)
@given(
    model_specs(most_units=3000),
    st.integers(1, 500),
    st.integers(1, 3000),
    st.integers(1, 500),
    st.integers(100_000, 4_000_000_000),
)
def test_the_sizes_that_are_offered_are_the_largest_that_fit(spec, input_size, batch_size, seq_len, free):
    def fits(hidden_size: int, batch: int) -> bool:
        sized = dataclasses.replace(spec, hidden_size=hidden_size)
        return estimate_training_bytes(sized, input_size, 1, batch, seq_len) <= MEMORY_SHARE * free

    run = (spec, input_size, 1, batch_size, seq_len, free)
    if fits(spec.hidden_size, batch_size):
        check_memory(*run)
        return
    with pytest.raises(PlaygroundError) as refused:
        check_memory(*run)
    offered = {name: int(n) for name, n in re.findall(r"(batch_size|hidden_size) (\d+)", str(refused.value))}
    hidden, batch = offered.get("hidden_size"), offered.get("batch_size")
    if " and hidden_size" in str(refused.value):  # neither alone is enough
        assert fits(hidden, 1)
        assert not fits(hidden + 1, 1)
        assert not fits(spec.proj_size + 1, batch_size)
        return
    if batch:
        assert fits(spec.hidden_size, batch)
        assert not fits(spec.hidden_size, batch + 1)
    else:
        assert not fits(spec.hidden_size, 1)
    if hidden:
        assert hidden > spec.proj_size
        assert fits(hidden, batch_size)
        assert not fits(hidden + 1, batch_size)
    else:
        assert not fits(spec.proj_size + 1, batch_size)
    if not offered:
        assert "shorten seq_len or take fewer layers" in str(refused.value)


def test_the_refusal_names_need_room_and_what_fits():
    spec = ModelSpec(hidden_size=2048, num_layers=2)
    with pytest.raises(PlaygroundError) as refused:
        check_memory(spec, 8, 1, 512, 500, 14_000_000_000)
    match = re.fullmatch(
        r"This model would need about (\d+) GB to train and may take 8\.4 GB of the 14 GB that are free: "
        r"with batch_size (\d+) or hidden_size (\d+) it fits\.",
        str(refused.value),
    )
    assert match
    assert math.isclose(float(match[1]), estimate_training_bytes(spec, 8, 1, 512, 500) / 1e9, abs_tol=0.6)


def test_configuring_imports_neither_torch_nor_streamlit():
    code = (
        "import sys, lstm_core.architecture.shapes, lstm_core.architecture.advice, lstm_core.architecture.code, lstm_core.figures.network_diagram;"
        "print(sorted({'torch', 'streamlit'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
