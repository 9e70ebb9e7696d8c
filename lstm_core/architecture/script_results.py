"""The text of a training script behind its training: the test score, and the forecast of the rows to come."""

from __future__ import annotations

from lstm_core.architecture import script_starts
from lstm_core.architecture.script_parts import DATA_FILE, Columns
from lstm_core.data.spreadsheet import unique_texts
from lstm_core.data.windows import Windows
from lstm_core.experiment import Experiment

FORECAST_FILE = "forecast.csv"
_TITLES = {"train": "training", "valid": "validation", "test": "test"}


def score(experiment: Experiment, windows: Windows) -> str:
    split, per_step = windows.last_split, experiment.model.head == "per_step"
    head = f"""model.eval()
errors = []
with torch.no_grad():
    for batch in starts["{split}"].split(1024):
        inputs, targets = batch_of(batch)
        outputs = model(inputs)"""
    of_refit = experiment.train.refit and split == "valid"
    if of_refit:
        head = f"""\
refitted = copy.deepcopy(model.state_dict())
model.load_state_dict(best)  # the refit has learned the validation rows
{head}"""
    title, count = _TITLES[split], f"{{len(starts[{split!r}]):,}} windows"
    if windows.classes:
        text = f"""{head}
        errors.append((outputs.argmax(-1) != targets)[targets >= 0])
accuracy = 1 - torch.cat(errors).double().mean().item()
print(f"{title} accuracy {{accuracy:.4f}} ({count})")"""
    else:
        text = f"""{_in_own_units(windows)}{head}
        last = batch{"[:, None] + steps" if per_step else " + SEQ_LEN - 1"}
        predictions = in_own_units(outputs.view(targets.shape), last)
        errors.append((predictions - y[last[..., None] + AHEAD])[targets.isfinite()])
errors = torch.cat(errors)
rmse, mae = errors.square().mean().sqrt().item(), errors.abs().mean().item()
print(f"{title} RMSE {{rmse:.4g}}, MAE {{mae:.4g}} ({count})")"""
    return f"{text}\nmodel.load_state_dict(refitted)" if of_refit else text


def _in_own_units(windows: Windows) -> str:
    if windows.target is None:
        body = "return outputs * torch.tensor(y_scale) + torch.tensor(y_center)"
    else:
        lines = ["z = outputs * u_scale + base[last]"]
        if windows.target.series is not None:
            lines.append("z = z * z_scale[last][..., None, :] + z_center[last][..., None, :]")
        body = "\n    ".join([*lines, "return z.exp()" if windows.target.log else "return z"])
    return f"""
def in_own_units(outputs, last):  # (..., {windows.output_steps}, {windows.y.shape[1]}), predicted after these rows
    {body}


"""


def forecast(experiment: Experiment, windows: Windows, names: Columns) -> str:
    """Empty where nothing lies ahead: horizon 0."""
    horizon, ahead = windows.spec.horizon, script_starts.reads_ahead(windows)
    if not horizon:
        return ""
    has_start = " & base.isfinite().all(-1).all(-1).numpy()" if windows.target is not None else ""
    text = f"""\
# The forecast, after the last row of each sequence that has a target and ends SEQ_LEN rows without a gap
known = ~x.isnan().any(1).numpy()
run = pd.Series(known).groupby([sequence, (~known).cumsum()]).cumsum().to_numpy()  # rows without a gap, up to each
has_target = {"(y >= 0)" if windows.classes else "(~y.isnan()).any(1)"}.numpy()
able = (run >= SEQ_LEN) & has_target{has_start}
last = torch.tensor(pd.Series(np.flatnonzero(able)).groupby(sequence[able]).max().to_numpy())
with torch.no_grad():
    outputs = model(x[last[:, None] - SEQ_LEN + 1 + steps]){"[:, -1]" * (experiment.model.head == "per_step")}
"""
    step, after, of = unique_texts([*names.targets, "step", f"after {names.time}", names.sequence])[-3:]
    if windows.classes:
        rows = "last.numpy()"
        text += f"""\
probabilities = outputs.softmax(-1)
forecast = pd.DataFrame({{TARGET: np.array(CLASSES)[outputs.argmax(-1)], "probability": probabilities.amax(-1)}})
forecast.insert(0, {step!r}, {horizon})  # rows after the last one
"""
    else:
        rows = "last.repeat_interleave(HORIZON).numpy()"
        text += f"""\
values = in_own_units(outputs.view(len(last), HORIZON, len(TARGETS)), last)
forecast = pd.DataFrame(values.flatten(0, 1).numpy(), columns=TARGETS)
forecast.insert(0, {step!r}, np.tile(AHEAD.numpy(), len(last)))  # rows after the last one
"""
    if windows.time is not None:
        text += f"forecast.insert(0, {after!r}, table[{names.time!r}].to_numpy()[{rows}])\n"
    if len(windows.groups) > 2:
        text += f"forecast.insert(0, {of!r}, sequence[{rows}])\n"
    text += f'forecast.to_csv("{FORECAST_FILE}", index=False)\nprint(forecast.head(20).to_string(index=False))'
    if ahead:
        text += f"""
if has_target[last + 1].any():
    print("These rows are in {DATA_FILE}, where the inputs known ahead end. For rows to come, add {horizon:,} or more")
    print("below each sequence, these inputs filled in, target and split empty, and start again.")"""
    return text
