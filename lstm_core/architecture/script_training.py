"""The text of a training script from its loss to the end of its training: the loop, and the refit."""

from __future__ import annotations

from collections.abc import Sequence

from lstm_core.architecture import script_skip
from lstm_core.data.windows import Windows
from lstm_core.experiment import SUPPORTING_ERRORS, Experiment, resolve_loss

EVALUATION = 8192, 2048  # as in training: windows of a validation loss, and of one of its batches
_LOSSES = {"mse": "F.mse_loss", "mae": "F.l1_loss", "huber": "F.huber_loss", "cross_entropy": "F.cross_entropy"}
_COPIED = "copy.deepcopy(model.state_dict())"


def keeps_weights(experiment: Experiment) -> bool:
    """Whether weights are copied: those of the best epoch, or the first ones for a refit."""
    return bool(experiment.train.patience or experiment.train.refit)


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


def loop(
    experiment: Experiment,
    windows: Windows,
    each_step: Sequence[str] = (),
    each_epoch: Sequence[str] = (),
    print_every: int = 1,
) -> str:
    """take_step, and the epochs, of which every print_every-th prints its losses.

    each_step, each_epoch: lines to run after a step, with its loss in losses[-1], and after an epoch.
    """
    model, train = experiment.model, experiment.train
    drops = model.dropout > 0 and model.num_layers > 1
    monitored = "valid_loss" if len(windows.starts["valid"]) else "train_loss"
    begin = 'mean_loss(starts["valid"])' if monitored == "valid_loss" else 'float("inf")'
    lines = [
        *_take_step(experiment),
        *([f"torch.manual_seed({train.seed})  # what dropout zeroes"] if drops else []),
        f"generator = torch.Generator().manual_seed({train.seed})  # the order of the windows",
        f"optimizer = torch.optim.{train.optimizer}({_optimizer_arguments(experiment)})",
        *(["step = 0"] if train.initial_state == "random" else []),
        *([f"first_weights = {_COPIED}"] if train.refit else []),
        *([f"best_epoch, best_loss, best = 0, {begin}, {_COPIED}"] if _keeps_best(experiment, windows) else []),
        f"for epoch in range(1, {train.epochs + 1}):",
        '    order = torch.randperm(len(starts["train"]), generator=generator)',
        "    losses, sizes = [], []",
        f'    for batch in starts["train"][order].split({train.batch_size}):',
        f"        losses.append(take_step(batch{_numbered(experiment)}))",
        "        sizes.append(len(batch))",
        *(f"        {line}" for line in each_step),
        *(["        step += 1"] if train.initial_state == "random" else []),
        '    train_loss, valid_loss = np.average(losses, weights=sizes), mean_loss(starts["valid"])',
        *([f"    if epoch % {print_every} == 0:"] if print_every > 1 else []),
        "    " * (print_every > 1)
        + '    print(f"epoch {epoch}: training loss {train_loss:.4g}, validation loss {valid_loss:.4g}")',
        *(f"    {line}" for line in each_epoch),
    ]
    if _keeps_best(experiment, windows):
        lines += [
            f"    if {monitored} < best_loss:",
            f"        best_epoch, best_loss, best = epoch, {monitored}, {_COPIED}",
        ]
    if train.patience:
        lines += [
            f"    elif epoch - best_epoch >= {train.patience}:",
            "        break  # early stopping",
            "model.load_state_dict(best)",
        ]
    shrinks = bool(train.shrink and train.patience and not windows.classes and len(windows.starts["valid"]))
    shrinks = shrinks and "head" not in model.frozen
    lines += _shrink(experiment, windows) if shrinks else []
    return "\n".join([*lines, *(_refit(experiment, drops, shrinks) if train.refit else []), ""])


def stream_loop(experiment: Experiment) -> str:
    """The same of stateful batches, for one sequence without a gap, and without early stopping."""
    train = experiment.train
    clip = f"\n    nn.utils.clip_grad_norm_(model.parameters(), {train.max_grad_norm!r})" if train.max_grad_norm else ""
    return f"""\
def take_step(batch, state):  # (batch,) first rows; the loss before the step, and the state after the windows
    inputs, targets = batch_of(batch)
    output, state = model.lstm(inputs, state)
    loss = loss_of(model.head(output), targets)
    optimizer.zero_grad()
    loss.backward(){clip}
    optimizer.step()
    return loss.item(), tuple(tensor.detach() for tensor in state)


# Windows that do not overlap, in {train.batch_size} streams: each goes on where its window of the batch before ended
separate = starts["train"][::SEQ_LEN]
streams = separate[: len(separate) // {train.batch_size} * {train.batch_size}].view({train.batch_size}, -1).T
optimizer = torch.optim.{train.optimizer}({_optimizer_arguments(experiment)})
for epoch in range(1, {train.epochs + 1}):
    losses, state = [], None
    for batch in streams:
        loss, state = take_step(batch, state)
        losses.append(loss)
    print(f"epoch {{epoch}}: training loss {{np.mean(losses):.4g}}")
"""


def _shrink(experiment: Experiment, windows: Windows) -> list[str]:
    """What shrinkage() and scale_head() do (lstm_core/training)."""
    most, size = EVALUATION
    stride = -(-len(windows.starts["valid"]) // most)
    span = windows.output_steps + (windows.spec.seq_len - 1 if experiment.model.head == "per_step" else 0)
    random, model = experiment.train.initial_state == "random", experiment.model
    batches = f'starts["valid"][::{stride}].split({size})'
    state = f", random_state(len(batch), {experiment.train.seed}, 1, index)" if random else ""
    return [
        "",
        "# Scale the head by 0 to 1: in full where it lowers the validation error by three standard errors",
        "gains = []",
        "model.eval()",
        "with torch.no_grad():",
        f"    for {f'index, batch in enumerate({batches})' if random else f'batch in {batches}'}:",
        "        inputs, targets = batch_of(batch)",
        f"        outputs, targets = model(inputs{state}).double(), targets.flatten(-2).double()",
        *(script_skip.LEFT if model.linear_skip else []),
        "        gains.append((targets.square() - (targets - outputs).square()).flatten(1).nanmean(1))",
        "model.train()",
        "gain = torch.cat(gains)",
        "gain = gain[~gain.isnan()]",
        f"standard_error = gain.std(correction=0).item() / max(2.0, len(gain) / {max(1.0, span / stride)!r}) ** 0.5",
        "share = float(gain[0] > 0)",
        "if standard_error:",
        f"    share = min(1.0, max(0.0, gain.mean().item() / standard_error / {SUPPORTING_ERRORS!r}))",
        *_scale_head(""),
        *([f"best = {_COPIED}"] if experiment.train.refit and windows.last_split == "valid" else []),
    ]


def _scale_head(indent: str) -> list[str]:
    return [
        f"{indent}with torch.no_grad():",
        f"{indent}    for parameter in model.head.parameters():",
        f"{indent}        parameter.mul_(share)",
    ]


def _keeps_best(experiment: Experiment, windows: Windows) -> bool:
    """The model of the best epoch is the result, or, after a refit, what scores the rows that the refit has learned."""
    return bool(experiment.train.patience) or (experiment.train.refit and windows.last_split == "valid")


def _take_step(experiment: Experiment) -> list[str]:
    train = experiment.train
    state = f", random_state(len(batch), {train.seed}, 0, step)" if train.initial_state == "random" else ""
    lines = [
        "",
        f"def take_step(batch{_numbered(experiment)}):  # (batch,) first rows; the loss before the step",
        "    inputs, targets = batch_of(batch)",
        f"    loss = loss_of(model(inputs{state}), targets)",
        "    optimizer.zero_grad()",
        "    loss.backward()",
    ]
    if train.max_grad_norm:
        lines.append(f"    nn.utils.clip_grad_norm_(model.parameters(), {train.max_grad_norm!r})")
    return [*lines, "    optimizer.step()", "    return loss.item()", "", ""]


def _numbered(experiment: Experiment) -> str:
    """What else take_step takes: random states are drawn by the step's number."""
    return ", step" if experiment.train.initial_state == "random" else ""


def _refit(experiment: Experiment, drops: bool, shrinks: bool) -> list[str]:
    train = experiment.train
    count = "step" if train.initial_state == "random" else "done"
    best = "best_epoch" if train.patience else "epoch"
    return [
        "",
        "# Refit: again from the first weights, on training and validation windows, as many passes as were best",
        'both = torch.cat([starts["train"], starts["valid"]]).sort().values',
        f'best_steps = {best} * -(-len(starts["train"]) // {train.batch_size})',
        'refit_steps = round(best_steps * len(both) / len(starts["train"]))',
        *_first_weights(experiment),
        *([f"    torch.manual_seed({train.seed})"] if drops else []),
        f"    generator = torch.Generator().manual_seed({train.seed})",
        f"    optimizer = torch.optim.{train.optimizer}({_optimizer_arguments(experiment)})",
        f"    {count} = 0",
        f"    while {count} < refit_steps:",
        "        order = torch.randperm(len(both), generator=generator)",
        f"        for batch in both[order].split({train.batch_size})[: refit_steps - {count}]:",
        f"            take_step(batch{_numbered(experiment)})",
        f"            {count} += 1",
        *(_scale_head("" if experiment.model.linear_skip else "    ") if shrinks else []),
    ]


def _first_weights(experiment: Experiment) -> list[str]:
    if not experiment.model.linear_skip:
        return ["if refit_steps:  # else the untrained model was the best", "    model.load_state_dict(first_weights)"]
    return [
        "model.load_state_dict(first_weights)",
        "set_skip(both)",
        "if refit_steps:  # else the untrained model was the best",
    ]


def _optimizer_arguments(experiment: Experiment) -> str:
    train = experiment.train
    arguments = {"lr": train.lr, "weight_decay": train.weight_decay}
    if train.optimizer == "SGD":
        arguments["momentum"] = train.momentum
    if train.optimizer != "RMSprop":
        arguments["fused"] = True
    parameters = "trained" if experiment.model.linear_skip else "model.parameters()"
    return ", ".join([parameters, *(f"{name}={value!r}" for name, value in arguments.items())])
