"""The text of a training script where it fits a linear skip: what lstm_core/training/linear_skip.py does."""

from __future__ import annotations

from lstm_core.architecture.skip_limits import MAX_NUMBERS, PENALTIES, window_stride
from lstm_core.data.windows import Windows
from lstm_core.experiment import SUPPORTING_ERRORS, Experiment

LEFT = [  # where the head's share is measured
    "        skip = model.skip(inputs.flatten(1)).double()",
    "        outputs, targets = outputs - skip, targets - skip  # what the head adds, and what there is to add",
]


def fit(experiment: Experiment, windows: Windows) -> str:
    """set_skip(first rows), the model's skip as it is before the training, and what trains beside it."""
    numbers = windows.spec.seq_len * windows.input_size + windows.output_size
    count = len(windows.starts["train"]) + len(windows.starts["valid"])
    some = f"    first = first[:: -(-len(first) * {numbers} // {MAX_NUMBERS})]  # evenly spread\n"
    cell, share = experiment.model.cell, _share(windows, numbers) if experiment.train.shrink else ""
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
least, skip_penalty, skip_share = targets.square().mean().item(), 0.0, 0.0  # of no skip at all
for penalty, weight, bias in ridge(starts["train"], {list(PENALTIES)!r}):
    answer = inputs @ weight + bias
    error = (answer - targets).square().mean().item()
    if error < least:
        least, skip_penalty, skip_share, best_answer = error, penalty, 1.0, answer
{share}print(f"linear skip: penalty {{skip_penalty:g}}, scaled by {{skip_share:.4g}}; 0: left out")


def set_skip(first):
    if skip_share:
        ((_, weight, bias),) = ridge(first, [skip_penalty])
        with torch.no_grad():
            model.skip.weight.copy_((weight * skip_share).T)
            model.skip.bias.copy_(bias * skip_share)


set_skip(starts["train"])
trained = [*model.{cell}.parameters(), *model.head.parameters()]"""


def _share(windows: Windows, numbers: int) -> str:
    """How much of its answer the validation windows support."""
    overlap = max(1.0, windows.output_steps / window_stride(len(windows.starts["valid"]), numbers))
    return f"""\
if skip_share:  # in full where it lowers the validation error by three standard errors
    gain = (targets.square() - (targets - best_answer).square()).nanmean(1)
    standard_error = gain.std(correction=0).item() / max(2.0, len(gain) / {overlap!r}) ** 0.5
    skip_share = float(gain[0] > 0)
    if standard_error:
        skip_share = min(1.0, max(0.0, gain.mean().item() / standard_error / {SUPPORTING_ERRORS!r}))
"""
