"""The linear skip's penalties, and how large it may be: it is fitted in memory, before the training."""

from __future__ import annotations

from lstm_core.data.windows import Windows
from lstm_core.experiment import ModelSpec, PlaygroundError

PENALTIES = tuple(10.0**power for power in range(-6, 3))
MAX_INPUTS = 2048  # numbers of a window, of which a matrix of all pairs is decomposed
MAX_WEIGHTS = 1 << 20
MAX_NUMBERS = 1 << 24  # inputs and targets of the windows it is fitted to, 128 MiB in float64; of more windows some


def check_skip(spec: ModelSpec, windows: Windows) -> None:
    """Refuse a linear skip that these windows have no use or no memory for.

    Raises:
        PlaygroundError: the target has classes, there is no validation window, or it would be too large.
    """
    if not spec.linear_skip:
        return
    off = "or switch linear_skip off"
    if windows.classes:
        raise PlaygroundError(f"linear_skip predicts numbers, and this target has classes: choose a number, {off}.")
    if not len(windows.starts["valid"]):
        raise PlaygroundError(
            f"linear_skip is chosen by the validation windows, and there is none: raise valid_share, {off}."
        )
    inputs = windows.spec.seq_len * windows.input_size
    weights = inputs * windows.output_size
    if inputs > MAX_INPUTS or weights > MAX_WEIGHTS:
        raise PlaygroundError(
            f"linear_skip would read {inputs:,} numbers for {windows.output_size:,} outputs, and may read "
            f"{min(MAX_INPUTS, MAX_WEIGHTS // windows.output_size):,}: shorten seq_len, take fewer inputs {off}."
        )


def window_stride(windows: int, numbers: int) -> int:
    """Every how many-th of so many windows is taken, of `numbers` inputs and targets each."""
    return -(-windows * numbers // MAX_NUMBERS)
