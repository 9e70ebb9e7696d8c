"""Steps per second on the LSTM by hand: the tutorial's own way under Lightning, and this project's Trainer.

    python -m tests.benchmarks.by_hand            (needs: pip install lightning)

Both train twelve numbers on two sequences of four days, batch 1, Adam 1e-3, one thread. They take turns in one
process, so that a busy machine is busy for both, and are timed by the clock and by the processor's own time, which
other programs do not disturb; the ratio is the median of the rounds' own ratios.
"""

from __future__ import annotations

import logging
import statistics
import tempfile
import time
import warnings
from collections import deque
from collections.abc import Callable
from itertools import islice

import lightning
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lstm_core.experiment import Experiment, ModelSpec, TrainSpec
from lstm_core.lessons.catalog.tutorials.by_hand.scalar_lstm import TWO_COMPANIES
from lstm_core.lessons.runs import load_windows
from lstm_core.training.trainer import Trainer

ROUNDS, EPOCHS, OURS, WARM_UP = 5, 200, 2000, 50


class Unrolled(lightning.LightningModule):
    """One unit from twelve scalar parameters, unrolled in Python and logged at every step, as the tutorial does."""

    def __init__(self) -> None:
        super().__init__()
        for gate in "ifgo":
            for kind in ("ih", "hh"):
                setattr(self, f"{kind}_{gate}", nn.Parameter(torch.randn(())))
            setattr(self, f"b_{gate}", nn.Parameter(torch.zeros(())))

    def gate(self, name: str, x: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
        w_ih, w_hh, b = (getattr(self, f"{kind}_{name}") for kind in ("ih", "hh", "b"))
        return w_hh * h + w_ih * x + b

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        c = h = torch.zeros(())
        for x in sequence:
            i, f, o = (torch.sigmoid(self.gate(name, x, h)) for name in "ifo")
            c = f * c + i * torch.tanh(self.gate("g", x, h))
            h = o * torch.tanh(c)
        return h

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters())

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        sequences, labels = batch
        out = self.forward(sequences[0])
        loss = ((out - labels) ** 2).sum()
        self.log("train_loss", loss)
        self.log("out_0" if labels[0] == 0 else "out_1", out)
        return loss


def pace(steps: int, work: Callable[[], object]) -> tuple[float, float]:
    """Steps per second by the clock, and per second of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return steps / (time.perf_counter() - clock), steps / (time.process_time() - processor)


def lightning_pace(folder: str) -> tuple[float, float]:
    x = torch.tensor([[0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 1.0]])
    loader = DataLoader(TensorDataset(x, torch.tensor([0.0, 1.0])))
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        accelerator="cpu",
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=lightning.pytorch.loggers.CSVLogger(folder),
    )
    return pace(2 * EPOCHS, lambda: trainer.fit(Unrolled(), loader))


def our_pace() -> tuple[float, float]:
    _, windows = load_windows(TWO_COMPANIES)
    model = ModelSpec(hidden_size=1, frozen=("bias_hh", "head"))
    train = TrainSpec(lr=1e-3, batch_size=1, epochs=1_000_000, max_grad_norm=0.0, device="cpu")
    trainer = Trainer(windows, Experiment(windows.spec, model, train))
    for _ in islice(trainer, WARM_UP):
        pass
    return pace(OURS, lambda: deque(islice(trainer, OURS), maxlen=0))


def main() -> None:
    warnings.filterwarnings("ignore")
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        lightning_pace(folder)  # imports and caches
        rounds = [(lightning_pace(folder), our_pace()) for _ in range(ROUNDS)]
    print("| steps per second | Lightning, unrolled in Python | our Trainer | ratio |")
    print("|---|---|---|---|")
    for k, name in enumerate(("by the clock", "of processor time")):
        pairs = [(theirs[k], ours[k]) for theirs, ours in rounds]
        theirs, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratios = sorted(ours / theirs for theirs, ours in pairs)
        spread = f"{statistics.median(ratios):.1f} ({ratios[0]:.1f}–{ratios[-1]:.1f})"
        print(f"| {name}, median of {ROUNDS} rounds | {theirs:,.0f} | {ours:,.0f} | {spread} |")


if __name__ == "__main__":
    main()
