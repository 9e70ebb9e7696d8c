"""Steps per second of the Trainer against a bare PyTorch loop and Lightning's Trainer on the same job.

    python -m tests.benchmarks.engine [--device cuda]            (Lightning's column needs: pip install lightning)

All take turns in one process, a second each, several rounds; the ratio is the median of the rounds' own ratios.
The bare loop records nothing, validates nothing and clips nothing; ours validates every epoch and records every
step's loss and gradient norm. Both use Adam(fused=True) and each its best thread count.

On a card the bare loop never waits for it; Lightning is left out.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import time

import numpy as np
import torch

from lstm_core.data.table import ColumnRoles, Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import DataSpec, Experiment, ModelSpec, TrainSpec
from lstm_core.model.devices import resolve_device
from lstm_core.model.recurrent import build_model
from lstm_core.training.trainer import Trainer

JOBS = {  # rows, features, seq_len, batch, hidden, layers
    "16 × 5 × 10, hidden 20": (1000, 10, 5, 16, 20, 1),
    "32 × 24 × 1, hidden 32": (600, 1, 24, 32, 32, 1),
    "32 × 50 × 4, hidden 64, 2 layers": (2000, 4, 50, 32, 64, 2),
    "64 × 100 × 8, hidden 128, 2 layers": (2000, 8, 100, 64, 128, 2),
}
SECONDS, ROUNDS, WARM_UP = 1.0, 5, 20


def job(rows: int, features: int, seq_len: int, batch: int, hidden: int, layers: int, device: str = "cpu"):
    values = np.random.default_rng(0).normal(size=(rows, features)).astype(np.float32)
    names = tuple(f"x{k}" for k in range(features))
    table = Table.from_columns("noise", dict(zip(names, values.T, strict=True)), ColumnRoles())
    data = DataSpec(features=names, targets=names[:1], seq_len=seq_len)
    model = ModelSpec(hidden_size=hidden, num_layers=layers)
    train = TrainSpec(batch_size=batch, epochs=1_000_000, patience=0, device=device)
    return make_windows(table, data), Experiment(data, model, train)


def tensors(windows: Windows, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Scaled inputs and targets of a split."""
    starts = windows.starts[split]
    y = (windows.targets(starts) - windows.y_center) / windows.y_scale
    return torch.from_numpy(windows.inputs(starts)), torch.from_numpy(y.reshape(len(y), -1).astype(np.float32))


def bare_steps(windows: Windows, experiment: Experiment, threads: int, alike: bool = False):
    """What a careful person writes by hand: one generator step is one optimiser step.

    alike: it clips as the experiment says and validates after every epoch; else it does neither.
    """
    device = resolve_device(experiment.train.device)
    x, y = (tensor.to(device) for tensor in tensors(windows, "train"))
    x_valid, y_valid = (tensor.to(device) for tensor in tensors(windows, "valid"))
    model = build_model(experiment.model, windows.input_size, windows.output_size).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=experiment.train.lr, fused=True)
    torch.set_num_threads(threads)
    while True:
        for rows in torch.randperm(len(x)).split(experiment.train.batch_size):
            torch.set_num_threads(threads)
            loss = torch.nn.functional.mse_loss(model(x[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            if alike:
                torch.nn.utils.clip_grad_norm_(model.parameters(), experiment.train.max_grad_norm)
            optimizer.step()
            yield
        if alike:
            with torch.no_grad():
                torch.nn.functional.mse_loss(model(x_valid), y_valid).item()


def lightning_steps(windows: Windows, experiment: Experiment) -> float:
    """Steps a second of Lightning's Trainer with its logging and validation on, progress bar and files off."""
    import lightning

    train, valid = (torch.utils.data.TensorDataset(*tensors(windows, split)) for split in ("train", "valid"))

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = build_model(experiment.model, windows.input_size, windows.output_size)

        def training_step(self, batch, _):
            loss = torch.nn.functional.mse_loss(self.model(batch[0]), batch[1])
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch, _):
            self.log("valid_loss", torch.nn.functional.mse_loss(self.model(batch[0]), batch[1]))

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=experiment.train.lr, fused=True)

    size = experiment.train.batch_size
    loaders = (
        torch.utils.data.DataLoader(train, batch_size=size, shuffle=True),
        torch.utils.data.DataLoader(valid, batch_size=size),
    )
    trainer = lightning.Trainer(
        max_steps=-1,
        max_time={"seconds": 3},
        accelerator="cpu",
        logger=False,
        num_sanity_val_steps=0,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        check_val_every_n_epoch=1,
    )
    begin = time.perf_counter()
    trainer.fit(Module(), *loaders)
    return trainer.global_step / (time.perf_counter() - begin)


def rate(steps) -> float:
    begin, count = time.perf_counter(), 0
    while time.perf_counter() - begin < SECONDS:
        next(steps)
        count += 1
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return count / (time.perf_counter() - begin)


def best_bare(windows: Windows, experiment: Experiment):
    """The bare loop on the thread count that is fastest for it here."""
    rates = {}
    for threads in sorted({1, torch.get_num_threads()}):
        loop = bare_steps(windows, experiment, threads)
        for _ in range(WARM_UP):
            next(loop)
        rates[threads] = rate(loop)
    threads = max(rates, key=rates.get)
    return bare_steps(windows, experiment, threads), threads


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine")
    parser.add_argument("--device", default="cpu", help="cpu, or a card: cuda, cuda:1")
    device = parser.parse_args().device
    with_lightning = device == "cpu" and importlib.util.find_spec("lightning") is not None
    cores = torch.get_num_threads()
    print(
        f"torch {torch.__version__}, {device}, {cores} threads at most; steps per second, medians of {ROUNDS} rounds\n"
    )
    print(f"{'job':38}{'bare':>8}{'(thr.)':>7}{'Trainer':>9}{'(thr.)':>7}{'ratio':>7}{'Lightning':>11}")
    for name, sizes in JOBS.items():
        torch.set_num_threads(cores)
        windows, experiment = job(*sizes, device)
        bare, threads = best_bare(windows, experiment)
        ours = Trainer(windows, experiment)
        for _ in range(WARM_UP):
            next(bare), next(ours)
        rounds = [(rate(bare), rate(ours)) for _ in range(ROUNDS)]
        ratio = statistics.median(b / a for a, b in rounds)
        a, b = (statistics.median(column) for column in zip(*rounds, strict=True))
        torch.set_num_threads(ours.spec.threads)
        other = f"{lightning_steps(windows, experiment):11.0f}" if with_lightning else "          –"
        print(f"{name:38}{a:8.0f}{threads:7}{b:9.0f}{ours.spec.threads:7}{ratio:7.2f}{other}")


if __name__ == "__main__":
    main()
