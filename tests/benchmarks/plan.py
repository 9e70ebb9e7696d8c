"""What many runs cost: the measures behind the README's plan of a class of 200 and of a study of 10,000 trials.

    python -m tests.benchmarks.plan        (needs optuna: requirements-extras.txt)

Seconds are CPU seconds of one thread, so that a busy machine changes little. The trials that are proposed are not
trained: their losses are drawn. A folder is that of 16 units on the sunspots, trained for 30 epochs.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg

from lstm_core.experiment import Experiment
from lstm_core.runs.folder import RunFolder
from lstm_core.runs.home import home, new_id
from lstm_core.runs.shelf import Shelf
from lstm_core.runs.sweeps.files import SweepFolder
from lstm_core.runs.sweeps.history import History
from lstm_core.runs.sweeps.outcome import COMPLETE, Outcome
from lstm_core.runs.sweeps.progress import described
from lstm_core.runs.sweeps.study import Range, Study
from tests.benchmarks.visitors import answer
from tests.browser.conftest import server

MARKS = (100, 300, 1000, 3000)  # trials; 10,000 would take a quarter of an hour
SEARCH = {
    "train.lr": Range(1e-4, 0.1, log=True),
    "model.hidden_size": Range(4, 64),
    "train.batch_size": (16, 32, 64),
    "model.num_layers": (1, 2),
}
EPOCHS = 30
EXPERIMENT = {
    "format": 2,
    "data": {"source": "sample", "name": "sunspots"},
    "model": {"hidden_size": 16},
    "train": {"epochs": EPOCHS, "patience": 0},
}
ROOT = Path(__file__).parents[2]
FOLDERS = 2000  # of hidden runs among which Runs looks for its own


def cpu(action: Callable[[], object], times: int = 1) -> float:
    """CPU seconds of one call."""
    begin = time.process_time()
    for _ in range(times):
        action()
    return (time.process_time() - begin) / times


def trained() -> RunFolder:
    """A run, trained by a worker."""
    file = home() / "experiment.json"
    file.write_text(json.dumps(EXPERIMENT))
    command = [sys.executable, "-m", "lstm_core", "train", str(file), "--json"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT)
    return RunFolder(Path(json.loads(said.stdout)["folder"]))


def size(path: Path) -> float:
    """MB of a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6


def workers_memory() -> list[float]:
    """MB that each worker of this home uses alone."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        with suppress(psutil.Error):
            is_ours = process.environ().get("LSTM_PLAYGROUND_HOME") == str(home())
            if is_ours and "lstm_core.runs.worker" in (process.info["cmdline"] or ()):
                found.append(process.memory_full_info().uss / 1e6)
    return found


def visitors(count: int) -> None:
    """Memory of a server whose visitors each have work of their own on Train, and stay."""

    async def visit(host: str, process: psutil.Process) -> list[float]:
        used, open_now = [], []
        for k in range(count + 1):
            if k in (1, count):  # the first one has loaded what all share
                used.append(process.memory_info().rss / 1e6)
            socket = await websockets.connect(f"ws://{host}/_stcore/stream", subprotocols=["streamlit"], max_size=None)
            message = BackMsg()
            message.rerun_script.page_name = "train"
            await answer(socket, message)
            open_now.append(socket)
        for socket in open_now:
            await socket.close()
        return used

    with tempfile.TemporaryDirectory() as place, server(Path(place) / "log.txt") as address:
        port = address.rpartition(":")[2]
        process = next(one for one in psutil.process_iter(["cmdline"]) if port in (one.info["cmdline"] or ()))
        first, last = asyncio.run(visit(address.removeprefix("http://"), process))
        print(f"a server: {first:.0f} MB with one visitor, {last:.0f} MB with {count}")


def proposals(run: RunFolder, place: Path) -> None:
    """Cost of a trial against the number of those before it: proposing, what the page reads, the database."""
    study = Study(Experiment(), SEARCH, trials=MARKS[-1], parallel=8)
    folder = SweepFolder(place)
    folder.create(study, run.table(), new_id())
    history, drawn = History(place / "optuna.db", study), np.random.default_rng(0)
    print(f"{'trials':>7}{'propose, s':>12}{'tell, s':>9}{'progress.json, s':>18}{'and MB':>8}{'optuna.db, MB':>15}")
    begin = time.process_time()
    for count in MARKS:
        while len(history.trials) < count:
            trial = history.propose()
            loss = abs(float(np.log10(trial.params["train.lr"])) + 2) + float(drawn.random()) / 10
            history.tell(trial.number, Outcome(COMPLETE, loss, (loss,) * EPOCHS))
        proposing, telling = [], []
        for number in range(count, count + 10):
            proposing.append(cpu(history.propose))
            telling.append(cpu(lambda k=number: history.tell(k, Outcome(COMPLETE, 2.0, (2.0,) * EPOCHS))))
        showing = cpu(lambda: folder.write_progress(described(folder, study, history.trials, {}, ())))
        progress, database = ((place / name).stat().st_size / 1e6 for name in ("progress.json", "optuna.db"))
        print(
            f"{count:7,}{np.median(proposing):12.3f}{np.median(telling):9.3f}{showing:18.3f}{progress:8.2f}{database:15.2f}",
            flush=True,
        )
    used = psutil.Process().memory_info().rss / 1e6
    print(f"all of it: {time.process_time() - begin:.0f} s; the process has {used:.0f} MB")


def listing(folder: RunFolder) -> None:
    """Cost of the page Runs beside many hidden trials."""
    for k in range(FOLDERS):
        copy = home() / "runs" / f"{k:024x}"
        shutil.copytree(folder.path, copy, copy_function=os.link)
        RunFolder(copy).write_about(folder.about() | {"hidden": True, "sweep": "0" * 24, "trial": k})
    shelf = Shelf()
    first, again = cpu(shelf.runs), cpu(shelf.runs, 5)
    print(f"Runs beside {FOLDERS:,} trials: {first:.2f} s of CPU at first, {again:.3f} s each time after")


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        os.environ["LSTM_PLAYGROUND_HOME"] = f"{place}/home"
        folder = trained()
        status = folder.status()
        print(
            f"a run: {size(folder.path):.2f} MB, of which the data {size_of(folder, 'table.safetensors')}, its weights "
            f"along the training {size_of(folder, 'snapshots.bin')}, its model {size_of(folder, 'model.safetensors')}; "
            f"{status['step']:,} steps in {status['seconds']:.1f} s of training"
        )
        print("a worker: " + ", ".join(f"{mb:.0f} MB" for mb in workers_memory()))
        visitors(60)
        listing(folder)
        proposals(folder, Path(place) / "sweep")


def size_of(folder: RunFolder, name: str) -> str:
    return f"{folder.file(name).stat().st_size / 1e6:.2f}"


if __name__ == "__main__":
    main()
