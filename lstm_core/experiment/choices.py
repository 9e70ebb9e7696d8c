"""What a setting can be: names and limits that specs, core and pages share."""

from __future__ import annotations

from lstm_core.settings import PlaygroundError

GATES = ("i", "f", "g", "o")  # input, forget, cell candidate, output: PyTorch's order of rows
STATES = ("c", "h")
SPLITS = ("train", "valid", "test")

SOURCES = ("sample", "generator", "csv")
SCALINGS = ("standard", "minmax", "none")
MISSING = ("forward_fill", "skip")
GRIDS = ("as_is", "regular")
PERIODS = ("none", "hour", "day", "week", "month")
AGGREGATES = ("mean", "sum", "last")
DUPLICATES = ("keep", "mean", "sum", "first", "last")
CALENDAR = ("hour", "weekday", "week", "month", "day_of_year", "weekend")
STARTS = ("none", "mean", "last", "season", "season_change", "smooth")
SEASONAL_STARTS = ("season", "season_change")  # those that cannot be without a season
CELL_GATES = {"lstm": GATES, "gru": ("r", "z", "n"), "rnn": ()}  # in PyTorch's order of rows
CELLS = tuple(CELL_GATES)
HEADS = ("last", "per_step")
OPEN_GATES = {"input_gate": "i", "forget_gate": "f", "output_gate": "o"}  # of ModelSpec.frozen: 1 at every step
FROZEN_PARTS = (*OPEN_GATES, "bias_hh", "head")  # parts of a model that keep a set value and never train
OPTIMIZERS = ("Adam", "AdamW", "RMSprop", "SGD")
REGRESSION_LOSSES = ("mse", "mae", "huber")
CLASSIFICATION_LOSSES = ("cross_entropy",)
LOSSES = ("auto", *REGRESSION_LOSSES, *CLASSIFICATION_LOSSES)
INITIAL_STATES = ("zero", "random", "stateful")  # h_0 and c_0 of a window
LIVE_FIELDS = ("lr", "max_grad_norm", "epochs", "patience")  # of TrainSpec: they can change during a run

MAX_SEED = 2**31 - 1
MAX_SNAPSHOTS = 60  # weights kept along a run, to replay its learning
SUPPORTING_ERRORS = 3.0  # standard errors of a lower validation error, from which on an output counts in full
SATURATING_BIAS = 20.0  # the bias of a gate that is frozen open: its σ is 1 to the last bit of float32


def check(condition: bool, sentence: str) -> None:
    """Raises PlaygroundError with the sentence unless the condition holds."""
    if not condition:
        raise PlaygroundError(sentence)
