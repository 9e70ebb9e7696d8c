"""The text of a training script where it fits a linear skip: what lstm_core/training/linear_skip.py does."""

from __future__ import annotations

from lstm_core.architecture.skip_limits import MAX_NUMBERS, PENALTIES, window_stride
from lstm_core.data.windows import Windows

LEFT = [  # where the head's share is measured
    "        skip = model.skip(inputs.flatten(1)).double()",
    "        outputs, targets = outputs - skip, targets - skip  # what the head adds, and what there is to add",
]


def fit(cell: str, windows: Windows) -> str:
    """set_skip(first rows), the model's skip as it is before the training, and what trains beside it."""
    numbers = windows.spec.seq_len * windows.input_size + windows.output_size
    count = len(windows.starts["train"]) + len(windows.starts["valid"])
    some = f"    first = first[:: -(-len(first) * {numbers} // {MAX_NUMBERS})]  # evenly spread\n"
    return f"""\
# Linear skip: ridge regression from the whole window, fitted to training windows, its penalty chosen by validation ones
def pairs_of(first):  # (windows, {windows.spec.seq_len * windows.input_size}), (windows, {windows.output_size})
{some if window_stride(count, numbers) > 1 else ""}    inputs, targets = batch_of(first)
    return inputs.flatten(1).double(), targets.flatten(1).double()


def ridge(first, penalties):  # [(penalty, weight, bias), ...]; the bias is not penalised
    inputs, targets = pairs_of(first)
    x_mean, y_mean = inputs.mean(0), targets.mean(0)
    inputs -= x_mean
    values, vectors = torch.linalg.eigh(inputs.T @ inputs)
    projected = vectors.T @ (inputs.T @ (targets - y_mean))
    weights = [vectors @ (projected / (values.clamp(min=0) + penalty)[:, None]) for penalty in penalties]
    return [(penalty, weight, y_mean - x_mean @ weight) for penalty, weight in zip(penalties, weights)]


inputs, targets = pairs_of(starts["valid"])
least, skip_penalty = targets.square().mean().item(), None  # of no skip at all
for penalty, weight, bias in ridge(starts["train"], {list(PENALTIES)!r}):
    error = (inputs @ weight + bias - targets).square().mean().item()
    if error < least:
        least, skip_penalty = error, penalty
print("linear skip:", "left out" if skip_penalty is None else f"penalty {{skip_penalty:g}}")


def set_skip(first):
    if skip_penalty is not None:
        ((_, weight, bias),) = ridge(first, [skip_penalty])
        with torch.no_grad():
            model.skip.weight.copy_(weight.T)
            model.skip.bias.copy_(bias)


set_skip(starts["train"])
trained = [*model.{cell}.parameters(), *model.head.parameters()]"""
