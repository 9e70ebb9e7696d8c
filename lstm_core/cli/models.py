"""score and trace: what a trained model is worth, and every gate of it, on all windows of a split."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core.architecture.memory import MEMORY_SHARE
from lstm_core.cli.find import find_run
from lstm_core.cli.output import add_json, print_json, read_file
from lstm_core.cli.summary import MODEL
from lstm_core.data.ingest.read import read_table
from lstm_core.data.load import load_table
from lstm_core.data.number_format import format_bytes
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import GATES, SPLITS, STATES, ModelSpec, PlaygroundError
from lstm_core.model.devices import free_memory
from lstm_core.training.checkpoint import load_checkpoint, resume_trainer

if TYPE_CHECKING:
    from lstm_core.training.trainer import Trainer

TRACE = """\
Write every gate of nn.LSTM at every step of a split's windows to a file of numpy arrays: i, f, g, o, c and h, each
(num_layers, num_directions, windows, seq_len, hidden_size), indexed by the time of the input in both directions; h has
proj_size in its last place, if that is set; x (windows, seq_len, input_size), scaled, as the model reads it; start_row
(windows,), the first row of each window, counted from 0 in the order of data.group and data.time. h and c of a window
begin at zero.
"""


def add_commands(commands: Any) -> None:
    score = commands.add_parser(
        "score",
        help="a trained model and its baselines on all windows of each split",
        description="Score a trained model and its baselines on all windows of the test and validation splits, in the "
        "target's units: the numbers of the page.",
    )
    _add_model(score)
    add_json(score)
    score.set_defaults(run=_score)
    trace = commands.add_parser(
        "trace",
        help="every gate of a trained LSTM at every step, as numpy arrays",
        description=TRACE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_model(trace)
    trace.add_argument("--out", metavar="FILE.npz", required=True, help="where to write; an old file is replaced")
    trace.add_argument("--split", choices=SPLITS, default="test", help="whose windows (default: test)")
    trace.add_argument("--windows", metavar="N", type=int, help="so many windows at most, evenly spread")
    add_json(trace)
    trace.set_defaults(run=_trace)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="the file that Save gives, or a run's folder or id")
    parser.add_argument("--data", metavar="FILE", help="the table, where a model file's data.source is csv")


def load_model(model: str, data: str | None) -> Trainer:
    """The trained model of a file or of a run, with its windows.

    Raises:
        PlaygroundError: there is no such model, or its data is missing or does not fit.
    """
    if not Path(model).expanduser().is_file():
        folder = find_run(model)
        if data is not None:
            raise PlaygroundError("A run has its data in its folder: leave --data out.")
        if not folder.file(MODEL).exists():
            raise PlaygroundError("This run has no model file yet: it gets one when it pauses or ends.")
        checkpoint, table = load_checkpoint(folder.file(MODEL).read_bytes()), folder.table()
        return resume_trainer(checkpoint, make_windows(table, checkpoint.experiment.data))
    checkpoint = load_checkpoint(read_file(model))
    spec = checkpoint.experiment.data
    if (data is None) == (spec.source == "csv"):
        problem = (
            f"The model was trained on the file {spec.name!r}: give it with --data."
            if data is None
            else f"The model was trained on built-in data ({spec.name}): leave --data out."
        )
        raise PlaygroundError(problem)
    table = load_table(spec) if data is None else read_table(read_file(data), Path(data).name)
    return resume_trainer(checkpoint, make_windows(table, spec))


def _score(chosen: argparse.Namespace) -> None:
    from lstm_core.forecasting.score_table import score_table
    from lstm_core.forecasting.scores import BASELINE_NAMES

    trainer = load_model(chosen.model, chosen.data)
    result = score_table(trainer.scored_models(), trainer.windows)
    if chosen.json:
        print_json(result)
        return
    rows = {f"{split} split": result[split] for split in ("test", "valid")}
    rows |= {f"test split, {BASELINE_NAMES[name]}": score for name, score in result["baselines"].items()}
    for name, score in rows.items():
        values = (f"{key} {'undefined' if value is None else f'{value:g}'}" for key, value in score.items())
        print(f"{name}: {', '.join(values)}")


def _trace(chosen: argparse.Namespace) -> None:
    import torch

    from lstm_core.trace.files import trace_arrays
    from lstm_core.trace.gate_trace import trace_lstm

    if chosen.windows is not None and chosen.windows < 1:
        raise PlaygroundError(f"--windows is {chosen.windows}: give a whole number from 1 on.")
    trainer = load_model(chosen.model, chosen.data)
    model, windows = trainer.model.cpu().eval(), trainer.windows
    if model.spec.cell != "lstm":
        raise PlaygroundError(f"This model is an nn.{model.spec.module_name}: only an nn.LSTM has the gates to trace.")
    starts = _choose(windows, chosen.split, chosen.windows)
    _check_trace_memory(model.spec, windows, len(starts))
    x = windows.inputs(starts)
    trace = trace_lstm(model.lstm, model.to_module_layout(torch.from_numpy(x)))
    arrays = {name: values for name, values in trace_arrays(trace).items() if name in GATES + STATES}
    out = Path(chosen.out).expanduser()
    try:
        with out.open("wb") as file:  # given a name, numpy would append .npz to another
            np.savez(file, **arrays, x=x, start_row=starts)
    except OSError as error:
        raise PlaygroundError(f"{chosen.out!r} cannot be written ({error.strerror}): choose another file.") from None
    shape = list(trace.i.shape)
    if chosen.json:
        about = {"out": str(out.resolve()), "split": chosen.split, "windows": len(starts), "shape": shape}
        print_json(about | {"max_difference": trace.max_difference})
    else:
        print(f"{out}: {len(starts):,} {chosen.split} windows; i, f, g, o and c have the shape {tuple(shape)}.")
        print(f"Largest difference from what nn.LSTM computed: {trace.max_difference:.2g}")


def _choose(windows: Windows, split: str, most: int | None) -> np.ndarray:
    starts = windows.starts[split]
    if not len(starts):
        raise PlaygroundError(f"The {split} split has no window: choose another with --split.")
    if most is None or most >= len(starts):
        return starts
    return starts[np.linspace(0, len(starts) - 1, most).round().astype(int)]


def _check_trace_memory(spec: ModelSpec, windows: Windows, count: int) -> None:
    """Refuse what would not fit: the gates, c, h and the inputs of all windows at once, and as much in between."""
    per_step = spec.num_layers * spec.num_directions * (5 * spec.hidden_size + spec.h_size) + windows.input_size
    per_window, limit = 2 * 4 * windows.spec.seq_len * per_step, MEMORY_SHARE * free_memory()
    if count * per_window > limit:
        fits = int(limit // per_window)
        advice = f"with --windows {fits} it fits" if fits else "close other programs"
        raise PlaygroundError(
            f"A trace of {count:,} windows would need about {format_bytes(count * per_window)} and may take "
            f"{format_bytes(limit)} of what is free: {advice}."
        )
