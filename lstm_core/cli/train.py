"""train: an experiment's file becomes a run, which a worker trains while this command shows its progress."""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lstm_core.architecture.memory import check_memory
from lstm_core.cli import torchrun
from lstm_core.cli.control import await_end
from lstm_core.cli.output import add_json, add_ray, read_file
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.data.ingest.read import read_table
from lstm_core.data.load import load_table, with_roles
from lstm_core.data.table import Table
from lstm_core.data.upload import Upload
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import PARTS, DataSpec, Experiment, PlaygroundError
from lstm_core.model.devices import free_memory
from lstm_core.runs import launcher, pool
from lstm_core.runs.cluster import starter
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import adopt, home, new_id
from lstm_core.settings import settings
from lstm_core.training.changes import changes_from_json

MADE_FROM = ("source", "name", "length", "n_features", "noise", "seed")  # what synthetic data is made from
ABOUT = """\
Train an experiment and wait until it ends. EXPERIMENT.json is what "experiment file" on the page downloads, what
export prints, or written by hand: what it leaves out has its default (schema lists all settings), and with no target
and no features the data's own are taken. Live changes in it are made again at their steps, so that the weights come
out the same.

Ctrl-C detaches: the run goes on, and resume attaches again.

Several processes, on one machine or more, train it together where torchrun starts this command; each takes its share of
every batch. They get the weights of one process, to rounding; only dropout zeroes others. Ctrl-C then ends them all.
"""
EXAMPLES = """\
examples:
  python -m lstm_core train experiment.json
  torchrun --nproc-per-node 2 -m lstm_core train experiment.json --out runs/shared
  python -m lstm_core train demand.json --data demand.csv --out runs/demand --set train.lr=0.01 --set train.epochs=20
"""


def add_commands(commands: Any) -> None:
    train = commands.add_parser(
        "train",
        help="train an experiment",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    train.add_argument("experiment", metavar="EXPERIMENT.json", help="the experiment, as JSON")
    train.add_argument("--data", metavar="FILE", help="the table, where data.source is csv")
    train.add_argument("--out", metavar="DIR", help="the run's folder, new or empty; else one among all runs")
    train.add_argument(
        "--set",
        metavar="PART.FIELD=VALUE",
        action="append",
        default=[],
        help="another value of a setting, as JSON or as text, such as train.lr=0.01; any number of times",
    )
    train.add_argument("--detach", action="store_true", help="do not wait: print the run's id and folder")
    add_ray(train)
    add_json(train)
    train.set_defaults(run=_train)


def _train(chosen: argparse.Namespace) -> int:
    if torchrun.is_launched():
        return torchrun.train(lambda check: _new_run(chosen, check), chosen)
    if chosen.ray:
        starter.await_worker(chosen.ray)
    folder = _new_run(chosen, _check_for_cluster if chosen.ray else _check_model)
    with _making_room():
        folder.ask("train", steps=None)
        pool.want(folder, chosen.ray)
    return await_end(folder, chosen.detach, chosen.json)


def _new_run(chosen: argparse.Namespace, check_model: Callable[[Windows, Experiment], None]) -> RunFolder:
    """The folder of a new run, which nobody trains yet."""
    text = read_text(chosen.experiment)
    experiment = with_settings(Experiment.from_json(text), chosen.set)
    changes = changes_from_json(text)
    experiment, table = with_data(experiment, json.loads(text), chosen.data, chosen.set)
    windows = make_windows(table, experiment.data)
    check_memory(experiment, windows, free_memory())
    out = None if chosen.out is None else new_folder(chosen.out, "run")
    check_model(windows, experiment)
    about = {"name": out.name if out else Path(chosen.experiment).stem, "created": time.time()}
    with _making_room():
        id = new_id() if out is None else adopt(out)
        folder = RunFolder(out or home() / "runs" / id, id)
        folder.create(experiment, table, about, changes)
    return folder


@contextmanager
def _making_room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PlaygroundError(f"The run cannot be saved ({error.strerror}): make room on the disk.") from None


def read_text(path: str) -> str:
    """Raises PlaygroundError: it cannot be read, or is no text."""
    try:
        return read_file(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PlaygroundError(f"{path!r} is no experiment: it is not text in UTF-8.") from None


def with_data(experiment: Experiment, notes: dict, file: str | None, changes: list[str]) -> tuple[Experiment, Table]:
    """The experiment with the columns that it leaves open, and its table; notes: what its JSON says beside the parts;
    file: of the table, where it is one; changes: as --set has them.

    Raises:
        PlaygroundError: the table cannot be read, or is another than the experiment's.
    """
    table = _table(experiment.data, file, notes)
    _check_table(table, experiment.data, notes, changes)
    return dataclasses.replace(experiment, data=with_roles(experiment.data, table)), table


def with_settings(experiment: Experiment, changes: list[str]) -> Experiment:
    """The experiment with settings such as "train.lr=0.01" in it.

    Raises:
        PlaygroundError: there is no such setting, or it refuses the value.
    """
    parts = json.loads(experiment.to_json())
    for change in changes:
        name, equals, text = change.partition("=")
        part, dot, field = name.strip().partition(".")
        if not (equals and dot):
            raise PlaygroundError(f"--set {change!r} is not of the form part.field=value, such as train.lr=0.01.")
        known = settings(PARTS[part]).get(field) if part in PARTS else None
        if known is None:
            raise PlaygroundError(f"There is no setting {name.strip()!r}: python -m lstm_core schema lists all.")
        parts[part][field] = _value(text, known.type, known.is_list)
    return Experiment.from_json(json.dumps(parts)) if changes else experiment


def _value(text: str, kind: type, is_list: bool) -> Any:
    """JSON, or the text itself: of a list of texts the only one."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if is_list:
        return value if isinstance(value, list) else [text]
    return text if kind is str and value is not None and not isinstance(value, str) else value


def _table(spec: DataSpec, file: str | None, notes: dict) -> Table:
    if spec.source != "csv":
        if file is not None:
            raise PlaygroundError(f"The experiment's data is built in ({spec.name}): leave --data out.")
        return load_table(spec)
    if file is None:
        raise PlaygroundError(f"The experiment's data is the file {spec.name!r}: give it with --data.")
    options = CsvOptions.from_json(notes.get("read_options", {}))
    data = read_file(file)
    table = read_table(data, Path(file).name, options)
    return dataclasses.replace(table, upload=Upload(data, options))


def _check_table(table: Table, spec: DataSpec, notes: dict, changes: list[str]) -> None:
    """Refuse other data than that which the experiment was exported with."""
    expected = notes.get("table_sha256", table.sha256)
    is_other = spec.source != "csv" and any(
        change.startswith(f"data.{name}=") for change in changes for name in MADE_FROM
    )
    if expected in (table.sha256, table.sha256_of_float32) or is_other:
        return
    what = f"the file {spec.name!r}" if spec.source == "csv" else f"{spec.name!r} as an earlier version made it"
    raise PlaygroundError(
        f"{table.name!r} has the SHA-256 {table.sha256[:12]}…, but the experiment is of {what}, {str(expected)[:12]}…: "
        "take table_sha256 out of its file to train on these values all the same."
    )


def new_folder(path: str, what: str) -> Path:
    """The folder, made, for its owner alone; what: a run or a sweep.

    Raises:
        PlaygroundError: it is not empty, or cannot be made.
    """
    out = Path(path).expanduser().resolve()
    if out.parent == (home() / "runs").resolve():
        raise PlaygroundError(
            f"{path!r} lies among the runs that have ids for names: leave --out out, or take another."
        )
    try:
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        is_empty = not any(out.iterdir())
    except OSError as error:
        raise PlaygroundError(f"{path!r} cannot be the {what}'s folder ({error.strerror}): choose another.") from None
    if not is_empty:
        raise PlaygroundError(f"{path!r} is not empty: give a new folder with --out.")
    return out


def _check_model(windows: Windows, experiment: Experiment) -> None:
    """Raises PlaygroundError: what only the model itself, or the device, can refuse."""
    launcher.ensure_workers(standby=True)  # it starts while PyTorch loads here
    from lstm_core.training.trainer import Trainer

    Trainer(windows, experiment)


def _check_for_cluster(windows: Windows, experiment: Experiment) -> None:
    """Raises PlaygroundError: what only the model itself can refuse; the device is the cluster's."""
    from lstm_core.training.trainer import Trainer

    Trainer(windows, dataclasses.replace(experiment, train=dataclasses.replace(experiment.train, device="cpu")))
