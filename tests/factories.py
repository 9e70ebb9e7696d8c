"""What tests of several rooms set up: tables, specs, models, trainers, traces and runs, each small and from a seed."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable

import numpy as np
import pytest
import safetensors.torch
import torch
from hypothesis import assume
from hypothesis import strategies as st

from lstm_core.data.table import Column, ColumnRoles, Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import (
    AGGREGATES,
    CALENDAR,
    CELLS,
    DUPLICATES,
    GRIDS,
    INITIAL_STATES,
    LOSSES,
    MISSING,
    OPTIMIZERS,
    PERIODS,
    SCALINGS,
    SOURCES,
    DataSpec,
    Experiment,
    ModelSpec,
    PlaygroundError,
    TrainSpec,
)
from lstm_core.figures.stage_scene import build_scene, earlier_snapshots
from lstm_core.model.recurrent import build_model
from lstm_core.runs import pool
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.run import Run
from lstm_core.runs.sweeps.study import Range, Study
from lstm_core.trace.gate_trace import trace_lstm
from lstm_core.training.checkpoint import load_checkpoint, save_checkpoint
from lstm_core.training.trainer import Trainer

# A model whose dropout draws random numbers at every step.
DROPS = {"num_layers": 2, "dropout": 0.4}
# The shapes of LSTM that the stage draws.
MODELS = {
    "plain": {},
    "deep": {"num_layers": 2, "bidirectional": True},
    "projected": {"hidden_size": 5, "proj_size": 2, "bias": False},
    "every": {"head": "per_step"},
}
# Parts of an experiment as format 2 names them, not the default values.
NEW = {
    "data": {"missing": "forward_fill"},
    "model": {"head": "per_step", "frozen": ["bias_hh"], "chrono_t_max": 9},
    "train": {"initial_state": "stateful", "max_grad_norm": 0.5},
}
# Epochs that no test waits for.
ENDLESS = 1_000_000
PREFIX = "This model file cannot be used: "


# ---- tables and windows


def table_of(name: str = "test.csv", **columns) -> Table:
    """A table of these columns; lists of str are categories, "" a missing one."""
    return Table.from_columns(name, {k: np.asarray(v) for k, v in columns.items()}, ColumnRoles())


def timed(time: np.ndarray, **columns) -> Table:
    """table_of with a column "time" of dates and times before the others."""
    table = table_of(**columns)
    return dataclasses.replace(table, columns=(Column("time", "time", time.astype("M8[ns]")), *table.columns))


def series(rows: int, **changes) -> Table:
    """Columns a, b, y whose values tell their row: a = row, b = 1000 + row, y = 2000 + row."""
    row = np.arange(rows, dtype=np.float32)
    return table_of(**({"a": row, "b": 1000 + row, "y": 2000 + row} | changes))


def spec_of(**fields) -> DataSpec:
    """A DataSpec that reads the columns of series()."""
    return DataSpec(**({"targets": ("y",), "features": ("a", "b"), "seq_len": 4} | fields))


def wave_table(rows: int = 90, gaps: tuple[int, ...] = ()) -> Table:
    """A noisy sine; targets are missing at `gaps`."""
    rng = np.random.default_rng(0)
    a = np.sin(np.arange(rows) / 3) + 0.1 * rng.normal(size=rows)
    y = np.roll(a, -1)
    y[list(gaps)] = np.nan
    return table_of(a=a, y=y)


def wave(rows: int = 90, gaps: tuple[int, ...] = (), **fields) -> Windows:
    """Windows of wave_table."""
    return make_windows(wave_table(rows, gaps), spec_of(**({"features": ("a",), "seq_len": 6} | fields)))


def labelled(rows: int = 90) -> Windows:
    """Windows of one feature whose sign is the class of the target."""
    rng = np.random.default_rng(0)
    a = rng.normal(size=rows)
    label = np.where(a > 0, "up", "down")
    return make_windows(table_of(a=a, y=label), spec_of(features=("a",), seq_len=3, horizon=0))


TABLE = wave_table()  # of wave()


# ---- models, trainers and traces


def trainer_of(windows: Windows, model: dict | None = None, **train) -> Trainer:
    """A Trainer on the CPU: 6 units, batches of 16, 3 epochs, no patience, if `model` and `train` are silent."""
    spec = ModelSpec(**({"hidden_size": 6, "seed": 1} | (model or {})))
    train = TrainSpec(**({"batch_size": 16, "epochs": 3, "lr": 0.01, "device": "cpu", "patience": 0} | train))
    return Trainer(windows, Experiment(windows.spec, spec, train))


def flat_weights(trainer: Trainer) -> torch.Tensor:
    """A copy of all parameters, one after the other."""
    return torch.cat([p.detach().flatten() for p in trainer.model.parameters()]).clone()


def some(*shape: int) -> torch.Tensor:
    """Normal random numbers of this shape, the same at every call."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5))


def trace_of(seq_len: int = 7, **fields):
    """The trace of an untrained LSTM of 5 units over 2 windows of 2 features."""
    model = build_model(ModelSpec(**({"hidden_size": 5} | fields)), 2, 1).eval()
    return trace_lstm(model.lstm, some(2, seq_len, 2))


def scene_of(model: dict, windows=None, steps: int = 5, others=None, **train):
    """(run, snapshot, trace, window, header, arrays) of the stage after some steps of training."""
    trainer = trainer_of(wave() if windows is None else windows, model, **train)
    for _ in range(steps):
        next(trainer)
    run = Run(trainer, None)
    return run, *run_scene(run, others=others)


def run_scene(run: Run, split: str = "valid", others=None):
    """(snapshot, trace, window, header, arrays) of the stage, of the first window of a split."""
    windows, snapshot = run.windows, run.snapshot_at()
    start = int(windows.starts[split][0])
    x = torch.from_numpy(windows.inputs(np.array([start])))
    trace = trace_lstm(snapshot.model.lstm, snapshot.model.to_module_layout(x))
    earlier = earlier_snapshots(run.snapshots, snapshot.step, run.is_active)
    header, arrays = build_scene(windows, snapshot, earlier, trace, start, others or {}, run.steps_per_epoch)
    return snapshot, trace, x, header, arrays


BRACKETS = "()01234"
DEEPEST = 4


def brackets(count: int, length: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(symbols, depths), each (count, length) int64: nested brackets, and between them digits that tell the depth.

    As the parentheses of LSTMVis. depths: brackets that are open after a symbol, 0 to DEEPEST.
    """
    rng = np.random.default_rng(seed)
    symbols, depths = np.empty((2, count, length), np.int64)
    for k in range(count):
        depth = 0
        for t in range(length):
            draw = rng.random()
            if draw < 0.2 and depth < DEEPEST:
                depth, symbol = depth + 1, 0
            elif draw > 0.8 and depth > 0:
                depth, symbol = depth - 1, 1
            else:
                symbol = 2 + depth
            symbols[k, t], depths[k, t] = symbol, depth
    return symbols, depths


NILE = DataSpec(name="nile", seq_len=5, targets=("volume",), features=("volume",))


def nile_study(**fields) -> Study:
    """A study of a small LSTM on a short series, two epochs a trial."""
    train = TrainSpec(epochs=2, batch_size=16, patience=0, device="cpu")
    search = {"train.lr": Range(1e-3, 0.1, log=True), "model.cell": ("lstm", "gru")}
    return Study(**{"experiment": Experiment(NILE, ModelSpec(hidden_size=3), train), "search": search} | fields)


# ---- runs and their threads


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for a condition; only a hang makes this fail."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.002)


def runs_at_work() -> list[RunFolder]:
    """The runs that somebody trains at the moment."""
    return [folder for folder in pool.wanted_runs() if folder.is_locked]


# ---- saved files


def refused(data: bytes) -> str:
    """The one sentence with which these bytes are refused."""
    with pytest.raises(PlaygroundError) as caught:
        load_checkpoint(data)
    sentence = str(caught.value)
    assert sentence.startswith(PREFIX)
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence.removeprefix(PREFIX)


# ---- hypothesis strategies


names = st.text(max_size=12)


@st.composite
def data_specs(draw) -> DataSpec:
    """Any DataSpec; its columns need not be in a table."""
    train = draw(st.floats(0.05, 0.95))
    return DataSpec(
        source=draw(st.sampled_from(SOURCES)),
        name=draw(names),
        length=draw(st.integers(2, 10**6)),
        n_features=draw(st.integers(1, 1000)),
        noise=draw(st.floats(0, 10)),
        seed=draw(st.integers(0, 2**31 - 1)),
        targets=tuple(draw(st.lists(names, max_size=3))),
        features=tuple(draw(st.lists(names, max_size=3))),
        time=draw(st.none() | names),
        group=draw(st.none() | names),
        seq_len=draw(st.integers(1, 100_000)),
        horizon=draw(st.integers(0, 10_000)),
        train_share=train,
        valid_share=draw(st.floats(0, min(0.9, 1 - train))),
        scaling=draw(st.sampled_from(SCALINGS)),
        missing=draw(st.sampled_from(MISSING)),
        grid=draw(st.sampled_from(GRIDS)),
        resample=draw(st.sampled_from(PERIODS)),
        aggregate=draw(st.sampled_from(AGGREGATES)),
        duplicates=draw(st.sampled_from(DUPLICATES)),
        series=tuple(draw(st.lists(names, max_size=3))),
        series_sum=draw(st.booleans()),
        calendar=tuple(draw(st.lists(st.sampled_from(CALENDAR), max_size=3, unique=True))),
        holidays=draw(st.sampled_from([None, "DE", "US-CA"])),
        known_future=tuple(draw(st.lists(names, max_size=3))),
        scale_per_series=draw(st.booleans()),
        series_id_input=draw(st.booleans()),
    )


@st.composite
def model_specs(draw, most_units: int = 7, most_layers: int = 3, cells: tuple[str, ...] = CELLS) -> ModelSpec:
    """Any ModelSpec of these cells up to these sizes."""
    cell, hidden_size, bias = (draw(st.sampled_from(cells)), draw(st.integers(1, most_units)), draw(st.booleans()))
    starts = [{}]  # how an LSTM's forget gates may start
    if bias and cell == "lstm":
        starts += [{"forget_bias": draw(st.floats(-2, 3))}, {"chrono_t_max": draw(st.integers(3, 40))}]
    return ModelSpec(
        cell=cell,
        hidden_size=hidden_size,
        num_layers=draw(st.integers(1, most_layers)),
        bias=bias,
        batch_first=draw(st.booleans()),
        dropout=draw(st.sampled_from([0.0, 0.3])),
        bidirectional=draw(st.booleans()),
        proj_size=draw(st.integers(0, hidden_size - 1)) if cell == "lstm" else 0,
        head=draw(st.sampled_from(["last", "per_step"])),
        seed=draw(st.integers(0, 9)),
        **draw(st.sampled_from(starts)),
    )


@st.composite
def train_specs(draw) -> TrainSpec:
    """Any TrainSpec."""
    return TrainSpec(
        optimizer=draw(st.sampled_from(OPTIMIZERS)),
        lr=draw(st.floats(1e-9, 1e6)),
        momentum=draw(st.floats(0, 0.9999)),
        weight_decay=draw(st.floats(0, 1e3)),
        batch_size=draw(st.integers(1, 10**6)),
        epochs=draw(st.integers(1, 10**6)),
        max_grad_norm=draw(st.floats(0, 1e9)),
        patience=draw(st.integers(0, 10**6)),
        loss=draw(st.sampled_from(LOSSES)),
        device=draw(st.sampled_from(["auto", "cpu", "cuda", "cuda:3", "mps"])),
        initial_state=draw(st.sampled_from(INITIAL_STATES)),
    )


def experiments() -> st.SearchStrategy[Experiment]:
    """Any Experiment."""
    return st.builds(Experiment, data_specs(), model_specs(), train_specs())


@st.composite
def cut_tables(draw):
    """(table, spec, windows) of any size, groups, order of time and gaps that can be cut."""
    rows = draw(st.integers(8, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    classify = draw(st.booleans())
    columns = {"a": rng.normal(size=rows), "b": rng.normal(size=rows)}
    for values in columns.values():
        values[rng.random(rows) < draw(st.sampled_from([0, 0.1]))] = np.nan
    columns["y"] = rng.integers(0, 3, rows).astype(str) if classify else rng.normal(size=rows)
    columns["t"] = rng.permutation(rows)
    columns["s"] = rng.integers(0, draw(st.integers(1, 5)), rows)
    spec = spec_of(
        seq_len=draw(st.integers(1, 5)),
        horizon=draw(st.integers(0, 4)),
        missing=draw(st.sampled_from(["forward_fill", "skip"])),
        time=draw(st.sampled_from([None, "t"])),
        group=draw(st.sampled_from([None, "s"])),
        scaling=draw(st.sampled_from(SCALINGS)),
        train_share=draw(st.sampled_from([0.5, 0.7])),
        valid_share=draw(st.sampled_from([0.0, 0.2])),
    )
    table = table_of(**columns)
    try:
        windows = make_windows(table, spec)
    except PlaygroundError:
        assume(False)
    return table, spec, windows


CURVES = {"train_loss": ([0.25, 0.5], [1.5, 1.0]), "valid_loss": ([], [])}


def saved(steps: int = 6, windows=None, model=None, **train) -> bytes:
    trainer = trainer_of(wave() if windows is None else windows, model, **train)
    for _ in range(steps):
        next(trainer)
    return save_checkpoint(trainer, CURVES)


def open_up(data: bytes) -> tuple[dict, dict]:
    """(what the header says of the run, tensors as lists)."""
    size = int.from_bytes(data[:8], "little")
    about = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["playground"])
    tensors = safetensors.torch.load(data)
    return about | {"digest": None}, {name: value.tolist() for name, value in tensors.items()}
