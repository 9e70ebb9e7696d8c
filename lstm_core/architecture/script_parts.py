"""The text of a training script, part by part; training_script.py puts them together.

Every part is plain code as one would write it by hand for this experiment alone, at most 120 columns wide.
"""

from __future__ import annotations

from dataclasses import dataclass

from lstm_core.data.transforms import CONSTANT
from lstm_core.data.windows import Windows
from lstm_core.experiment import SPLITS, Experiment, resolve_loss

DATA_FILE = "data.csv"
EVALUATION = 8192, 2048  # as in training: windows of a validation loss, and of one of its batches
_LOSSES = {"mse": "F.mse_loss", "mae": "F.l1_loss", "huber": "F.huber_loss", "cross_entropy": "F.cross_entropy"}
_TITLES = {"train": "training", "valid": "validation", "test": "test"}
_WIDTH = 120


@dataclass(frozen=True)
class Columns:
    """Names in data.csv."""

    features: list[str]
    targets: list[str]
    time: str
    sequence: str
    split: str
    classes: list[str]


def read_data(experiment: Experiment, windows: Windows, names: Columns) -> str:
    spec, is_class = windows.spec, bool(windows.classes)
    dtype = "dtype={TARGET: str}, " if is_class else ""
    lines = [
        f'"""Train an {experiment.model.module_name} as LSTM Playground does, from the same seeds; print its score.',
        "",
        f"Needs {DATA_FILE} in the folder it is started in, numpy, pandas and torch.",
        '"""',
        "",
        *(["import copy", ""] if experiment.train.patience else []),
        "import numpy as np",
        "import pandas as pd",
        "import torch",
        "import torch.nn.functional as F",
        "from torch import nn",
        "",
        "torch.set_num_threads(1)  # more threads round differently",
        "",
        _assignment("FEATURES", names.features),
        f"TARGET = {names.targets[0]!r}" if is_class else _assignment("TARGETS", names.targets),
        *([_assignment("CLASSES", names.classes)] if is_class else []),
        "",
        "# One row a step, in order of time, one sequence below the other; its split is train, valid or test",
        f'table = pd.read_csv("{DATA_FILE}", {dtype}keep_default_na=False, na_values=[""])',
        f"sequence, split = table[{names.sequence!r}].to_numpy(), table[{names.split!r}].to_numpy()",
    ]
    filled = ".groupby(sequence).ffill()" if spec.missing == "forward_fill" else ""
    why = ", gaps filled with the last value before" if filled else ""
    lines.append(f"x = table[FEATURES]{filled}.to_numpy(np.float64)  # (rows, {windows.input_size}){why}")
    if is_class:
        lines.append("y = pd.Categorical(table[TARGET], CLASSES).codes.astype(np.int64)  # (rows,), -1 where missing")
    else:
        lines.append(f"y = table[TARGETS].to_numpy(np.float64)  # (rows, {windows.y.shape[1]})")
    return "\n".join([*lines, _scaler(spec.scaling, is_class)])


def _scaler(scaling: str, is_class: bool) -> str:
    target = "" if is_class else "u = ((y - y_center) * (1 / y_scale)).astype(np.float32)  # y in scaled units\n"
    if scaling == "none":
        return "x = x.astype(np.float32)\n" + ("y_center, y_scale = 0.0, 1.0\n" + target if target else "")
    center, scale = "np.nanmean(rows, axis=0, dtype=np.float64)", "np.nanstd(rows, axis=0, dtype=np.float64)"
    if scaling == "minmax":
        center, scale = "np.nanmin(rows, axis=0)", "np.nanmax(rows, axis=0) - center"
    if target:
        target = f'y_center, y_scale = fit_scaler(y[split == "train"])\n{target}'
    return f"""

def fit_scaler(rows):  # (rows, columns), of the training split alone
    center = {center}
    scale = {scale}
    scale = np.where(scale > {CONSTANT} * np.maximum(np.abs(center), 1e-30), scale, 1)  # not of a constant column
    return np.nan_to_num(center), scale


x_center, x_scale = fit_scaler(x[split == "train"])
x = ((x - x_center) * (1 / x_scale)).astype(np.float32)
{target}"""


def cut_windows(experiment: Experiment, windows: Windows) -> str:
    spec = windows.spec
    offsets = windows.offsets.tolist()
    ahead = offsets if len(offsets) <= 8 else f"range({offsets[0]}, {offsets[-1] + 1})"
    scaled = "" if windows.classes else "u = torch.from_numpy(u)\n"
    missing = "(y < 0)" if windows.classes else "np.isnan(y).any(1)"
    return f"""\
SEQ_LEN = {spec.seq_len}  # rows that the model reads
AHEAD = torch.tensor({ahead})  # how many rows after a step its targets lie

first = np.arange(len(table) - {spec.seq_len + spec.horizon - 1})  # the first row of each window
rows = first[:, None] + np.arange(SEQ_LEN)  # (windows, seq_len)
target_rows = rows[:, -1:] + AHEAD.numpy()  # (windows, {windows.output_steps})
usable = sequence[first] == sequence[target_rows[:, -1]]
usable &= split[target_rows[:, 0]] == split[target_rows[:, -1]]  # a window belongs to the split of its targets
usable &= ~np.isnan(x).any(1)[rows].any(1) & ~{missing}[target_rows].any(1)
split_of_window = np.where(usable, split[target_rows[:, -1]], "")
starts = {{name: torch.from_numpy(first[split_of_window == name]) for name in {SPLITS!r}}}

x, y, steps = torch.from_numpy(x), torch.from_numpy(y), torch.arange(SEQ_LEN)
{scaled}{_batch(experiment, windows)}"""


def _batch(experiment: Experiment, windows: Windows) -> str:
    count, number = windows.output_steps, "" if windows.classes else f", {windows.y.shape[1]}"
    shape = "" if windows.classes else f", {count}"
    if experiment.model.head == "last":
        targets = "y[rows[:, -1] + AHEAD]" if windows.classes else "u[rows[:, -1:] + AHEAD]"
        return f"""

def batch_of(first):  # (batch,) first rows
    rows = first[:, None] + steps
    return x[rows], {targets}  # (batch, seq_len, {windows.input_size}), (batch{shape}{number})

"""
    targets = "y[target_rows[..., 0]].masked_fill(other[..., 0], -1)"
    if not windows.classes:
        targets = 'u[target_rows].masked_fill(other[..., None], float("nan"))'
    return f"""split_of_row = torch.from_numpy(pd.Categorical(split).codes.astype(np.int64))


def batch_of(first):  # (batch,) first rows
    rows = first[:, None] + steps
    target_rows = rows[..., None] + AHEAD  # (batch, seq_len, {count})
    other = split_of_row[target_rows] != split_of_row[target_rows[:, -1:, -1:]]  # an earlier split: not scored
    return x[rows], {targets}  # (batch, seq_len{shape}{number})

"""


def loss(experiment: Experiment, windows: Windows) -> str:
    name = _LOSSES[resolve_loss(experiment.train.loss, windows.task)]
    if windows.classes:
        body = "    return F.cross_entropy(outputs.flatten(0, -2), targets.flatten(), ignore_index=-1)"
        scored = "(targets >= 0).sum().item()"
    else:
        body = "    targets = targets.flatten(-2)\n"
        scored = "targets.isfinite().sum().item()"
        if experiment.model.head == "per_step":
            body += "    scored = targets.isfinite()\n    return " + f"{name}(outputs[scored], targets[scored])"
        else:
            body += f"    return {name}(outputs, targets)"
    random = experiment.train.initial_state == "random"
    enumerated = "index, batch in enumerate(" if random else "batch in "
    state = f", random_state(len(batch), {experiment.train.seed}, 1, index)" if random else ""
    most, size = EVALUATION
    return f"""
def loss_of(outputs, targets):
{body}

{_random_state(experiment) if random else ""}
@torch.no_grad()
def mean_loss(first):
    if not len(first):
        return float("nan")
    model.eval()
    total = count = 0
    first = first[:: -(-len(first) // {most})]  # so many windows at most, evenly spread
    for {enumerated}first.split({size}){")" * random}:
        inputs, targets = batch_of(batch)
        loss = loss_of(model(inputs{state}), targets)
        scored = {scored}
        total, count = total + loss.item() * scored, count + scored
    model.train()
    return total / count
"""


def _random_state(experiment: Experiment) -> str:
    spec = experiment.model
    layers = spec.num_layers * spec.num_directions
    draws = [f"torch.from_numpy(rng.standard_normal(({layers}, batch, {spec.h_size}), np.float32))"]
    if spec.cell == "lstm":
        draws.append(f"torch.from_numpy(rng.standard_normal(({layers}, batch, {spec.hidden_size}), np.float32))")
    names = ("h_0", "c_0")[: len(draws)]
    lines = "\n".join(f"    {name} = {draw}" for name, draw in zip(names, draws, strict=True))
    return f"""
def random_state(batch, *seed):  # before the first step of each window
    rng = np.random.default_rng(seed)
{lines}
    return {", ".join(names)}

"""


def loop(experiment: Experiment, windows: Windows) -> str:
    model, train = experiment.model, experiment.train
    random, drops = train.initial_state == "random", model.dropout > 0 and model.num_layers > 1
    state = f", random_state(len(batch), {train.seed}, 0, step)" if random else ""
    monitored = "valid_loss" if len(windows.starts["valid"]) else "train_loss"
    begin = 'mean_loss(starts["valid"])' if monitored == "valid_loss" else 'float("inf")'
    copied = "copy.deepcopy(model.state_dict())"
    lines = [
        "",
        *([f"torch.manual_seed({train.seed})  # what dropout zeroes"] if drops else []),
        f"generator = torch.Generator().manual_seed({train.seed})  # the order of the windows",
        f"optimizer = torch.optim.{train.optimizer}(model.parameters(), {_optimizer_arguments(experiment)})",
        *(["step = 0"] if random else []),
        *([f"best_epoch, best_loss, best = 0, {begin}, {copied}"] if train.patience else []),
        f"for epoch in range(1, {train.epochs + 1}):",
        '    order = torch.randperm(len(starts["train"]), generator=generator)',
        "    losses, sizes = [], []",
        f'    for batch in starts["train"][order].split({train.batch_size}):',
        "        inputs, targets = batch_of(batch)",
        f"        loss = loss_of(model(inputs{state}), targets)",
        "        optimizer.zero_grad()",
        "        loss.backward()",
    ]
    if train.max_grad_norm:
        lines.append(f"        nn.utils.clip_grad_norm_(model.parameters(), {train.max_grad_norm!r})")
    lines += [
        "        optimizer.step()",
        *(["        step += 1"] if random else []),
        "        losses.append(loss.item())",
        "        sizes.append(len(batch))",
        '    train_loss, valid_loss = np.average(losses, weights=sizes), mean_loss(starts["valid"])',
        '    print(f"epoch {epoch}: training loss {train_loss:.4g}, validation loss {valid_loss:.4g}")',
    ]
    if train.patience:
        lines += [
            f"    if {monitored} < best_loss:",
            f"        best_epoch, best_loss, best = epoch, {monitored}, {copied}",
            f"    elif epoch - best_epoch >= {train.patience}:",
            "        break  # early stopping",
            "model.load_state_dict(best)",
        ]
    return "\n".join([*lines, ""])


def _optimizer_arguments(experiment: Experiment) -> str:
    train = experiment.train
    arguments = {"lr": train.lr, "weight_decay": train.weight_decay}
    if train.optimizer == "SGD":
        arguments["momentum"] = train.momentum
    if train.optimizer != "RMSprop":
        arguments["fused"] = True
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def score(experiment: Experiment, windows: Windows) -> str:
    split = windows.last_split
    head = f"""model.eval()
errors = []
with torch.no_grad():
    for batch in starts["{split}"].split(1024):
        inputs, targets = batch_of(batch)
        outputs = model(inputs)"""
    title, count = _TITLES[split], f"{{len(starts[{split!r}]):,}} windows"
    if windows.classes:
        return f"""{head}
        errors.append((outputs.argmax(-1) != targets)[targets >= 0])
accuracy = 1 - torch.cat(errors).double().mean().item()
print(f"{title} accuracy {{accuracy:.4f}} ({count})")"""
    return f"""{head}
        predictions = outputs.view(targets.shape) * torch.tensor(y_scale) + torch.tensor(y_center)  # in its own units
        last = batch{"[:, None] + steps" if experiment.model.head == "per_step" else " + SEQ_LEN - 1"}
        errors.append((predictions - y[last[..., None] + AHEAD])[targets.isfinite()])
errors = torch.cat(errors)
rmse, mae = errors.square().mean().sqrt().item(), errors.abs().mean().item()
print(f"{title} RMSE {{rmse:.4g}}, MAE {{mae:.4g}} ({count})")"""


def _assignment(name: str, texts: list[str]) -> str:
    """name = [...], the texts as repr(), on as many lines as 120 columns need."""
    line = f"{name} = {texts!r}"
    if len(line) <= _WIDTH:
        return line
    lines = [""]
    for text in texts:
        item = f"{text!r}, "
        if len(lines[-1]) + len(item) > _WIDTH - 4:
            lines.append("")
        lines[-1] += item
    return "\n".join([f"{name} = [", *(f"    {line.rstrip()}" for line in lines if line), "]"])
