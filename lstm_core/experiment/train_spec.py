"""TrainSpec: how the model is trained."""

from __future__ import annotations

from typing import Literal

from lstm_core.experiment.choices import INITIAL_STATES, LOSSES, MAX_SEED, OPTIMIZERS
from lstm_core.settings import setting, validated


@validated
class TrainSpec:
    """How the model is trained."""

    optimizer: Literal[OPTIMIZERS] = setting(
        "Adam", "optimizer", "How a gradient becomes a step. Adam is a good first choice for LSTMs"
    )
    lr: float = setting(0.005, "lr", "Learning rate: the size of a step. Can change while the run goes on", 1e-9, 1e6)
    momentum: float = setting(0.9, "momentum", "SGD only: share of the last step kept in the next", 0, 0.9999)
    weight_decay: float = setting(0.0, "weight_decay", "Pulls weights towards 0 at every step", 0, 1e3)
    batch_size: int = setting(32, "batch_size", "Windows per step. Small: more, noisier steps", 1, 1_000_000)
    epochs: int = setting(60, "epochs", "Passes over the training set. Can change while the run goes on", 1, 1_000_000)
    max_grad_norm: float = setting(
        1.0,
        "max grad norm",
        "A longer gradient is scaled down to this norm (clipping). 0: no limit. LSTMs rarely train well without one "
        "on long sequences",
        0,
        1e9,
    )
    patience: int = setting(
        15,
        "early-stopping patience",
        "Epochs without a better validation loss before training stops. When it ends, the weights of the best epoch "
        "come back. 0: never stop early, keep the last weights",
        0,
        1_000_000,
    )
    shrink: bool = setting(
        False,
        "shrink",
        "Once the best epoch is known: scale the output head by 0 to 1. It counts in full where it lowers the squared "
        "error on the validation windows by three standard errors or more, in proportion below that, and not at all "
        "where it lowers nothing. A linear skip is scaled likewise. Needs patience",
    )
    refit: bool = setting(
        False,
        "refit",
        "Once the best epoch is known: train again from the same first weights on the training and validation rows "
        "together, for as many passes. The refitted model is the result",
    )
    loss: Literal[LOSSES] = setting("auto", "loss", "auto: mean squared error for numbers, cross-entropy for classes")
    initial_state: Literal[INITIAL_STATES] = setting(
        "zero",
        "initial state",
        "h_0 and c_0 of a window. zero: zeros. random: random numbers, drawn anew for every batch. stateful: each "
        "batch goes on from the final state of the one before, detached (truncated BPTT); windows then do not "
        "overlap, in batch_size streams, and every epoch starts from zeros",
    )
    seed: int = setting(0, "seed", "Order of the batches, what dropout zeroes, random initial states", 0, MAX_SEED)
    device: str = setting(
        "auto",
        "device",
        "Small models are faster on the CPU than on any GPU",
        pattern=r"^(auto|cpu|cuda|mps)(:[0-9]+)?$",
        examples=["auto", "cpu", "cuda:0", "mps"],
    )
    threads: int = setting(
        1,
        "CPU threads",
        "Of a training step. Two are up to 1.5 times as fast as one on an idle machine, and several times slower as "
        "soon as anything else runs, this page's browser for one. Another number rounds differently",
        1,
        256,
    )
