"""The text of a training script where a forecast has a start or inputs known ahead: both, from the rows of data.csv.

Plain pandas and NumPy, but for the recursion of "smooth", whose very source stands in the script.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np

from lstm_core.data.forecast_target import SEASONAL
from lstm_core.data.model_inputs import read_ahead
from lstm_core.data.start import DAMPING, STRIDE, smooth_filters, smooth_states
from lstm_core.data.transforms import CONSTANT
from lstm_core.data.windows import Windows, known_ahead

FITS = {"standard": "fit_scaler", "minmax": "fit_range"}
_CENTER_AND_SCALE = {
    "standard": (
        "np.nanmean(rows, axis=0, dtype=np.float64)",
        "np.nanstd(rows, axis=0, dtype=np.float64)",
        "center and scale, of the training split alone",
    ),
    "minmax": (
        "np.nanmin(rows, axis=0)",
        "np.nanmax(rows, axis=0) - center",
        "lowest value and range, of the training split alone",
    ),
}
BEFORE = """\
def before(values, rows):  # those of so many rows before in the same sequence, or behind where rows is negative
    return pd.DataFrame(values).groupby(sequence).shift(rows).to_numpy()"""


def reads_ahead(windows: Windows) -> list[str]:
    """The features that are read at the targets' time."""
    ahead = known_ahead(windows.table, windows.spec)
    return [name for name in windows.feature_names if name in ahead]


def scalers(windows: Windows) -> str:
    """The functions that fit a scaler, as far as the script needs them."""
    own = [column.own_zero for column in _columns(windows)]
    kinds = {windows.spec.scaling} if not all(own) else set()
    if any(own) or (windows.target is not None and windows.target.series is not None):
        kinds.add("standard")
    return "\n\n\n".join(_scaler(kind) for kind in FITS if kind in kinds)


def _scaler(kind: str) -> str:
    center, scale, what = _CENTER_AND_SCALE[kind]
    return f"""\
def {FITS[kind]}(rows):  # (rows, columns): {what}
    center = {center}
    scale = {scale}
    scale = np.where(scale > {CONSTANT} * np.maximum(np.abs(center), 1e-30), scale, 1)  # not of a constant column
    return np.nan_to_num(center), scale"""


def start(windows: Windows) -> str:
    """The simple answer that the model corrects, and what it leaves to learn."""
    spec, target = windows.spec, windows.target
    z = "np.log(y)" if spec.log else "y"
    lines = [
        f"# The model corrects a simple answer, {target.starts[0].describe()}, of each target"
        + ("'s logarithm" if spec.log else ""),
        f"z = {z}  # (rows, {len(spec.targets)})",
    ]
    if target.series is not None:
        lines += [
            "z_center, z_scale = np.zeros_like(z), np.ones_like(z)  # of each row's own sequence",
            "for one in np.unique(sequence):",
            "    train = z[is_train & (sequence == one)]",
            "    if np.isfinite(train).any(0).all():",
            "        z_center[sequence == one], z_scale[sequence == one] = fit_scaler(train)",
            "z = (z - z_center) / z_scale",
        ]
    filled = spec.missing == "forward_fill"
    lines += [
        f"known = {'pd.DataFrame(z).groupby(sequence).ffill().to_numpy()' if filled else 'z'}",
        *_start_function(windows),
        "base = np.stack([start(ahead) for ahead in range(1, HORIZON + 1)], axis=1)"
        f"  # (rows, {windows.output_steps}, {len(spec.targets)})",
        "",
        "# What it leaves, divided by its deviation on the training rows",
        "u_scale = np.ones(base.shape[1:])",
        "size = np.abs(np.where(np.isnan(z), 0, z))[is_train].max(0, initial=1e-30)",
        "for k, column in np.ndindex(u_scale.shape):",
        "    truth = before(np.where(is_train, z[:, column], np.nan), -k - 1)[:, 0]",
        "    left = (truth - base[:, k, column]).astype(np.float32)",
        "    deviation = left[np.isfinite(left)].std(dtype=np.float64)",
        f"    if deviation > {CONSTANT} * size[column]:  # else it is rounding",
        "        u_scale[k, column] = deviation",
        "u = np.stack([before(z, -ahead) for ahead in range(1, HORIZON + 1)], axis=1) - base",
        "u = (u / u_scale).astype(np.float32)",
    ]
    return "\n".join(lines)


def _start_function(windows: Windows) -> list[str]:
    starts = windows.target.starts
    kind, season = starts[0].kind, starts[0].season
    head = "def start(ahead):  # (rows, targets): as it is known so many rows before"
    if kind == "mean":
        means = [one.mean for one in starts]
        return [f"MEAN = {means!r}  # of the training rows", *_function(head, "return np.full_like(known, MEAN)")]
    if kind == "last":
        return _function(head, "return known")
    if kind == "smooth":
        lines = _smooth(windows)
        rise = "level + slope * (DAMPING ** np.arange(1, ahead + 1)).sum()"
        if not season:
            return [*lines, *_function(head, f"return {rise}")]
        body = f"return {rise} + before(season, back - ahead)"
    else:
        lines = []
        same_time = "before(known, back - ahead)"
        body = f"return {same_time}" if kind == "season" else f"return known + {same_time} - before(known, back)"
    back = "back = SEASON * -(-ahead // SEASON)  # whole seasons"
    return [f"SEASON = {season}  # rows", *lines, *_function(head, back, body)]


def _function(head: str, *body: str) -> list[str]:
    return ["", "", head, *(f"    {line}" for line in body), "", ""]


def _smooth(windows: Windows) -> list[str]:
    starts = windows.target.starts
    weights = [(one.level_weight, one.season_weight, one.slope_weight) for one in starts]
    return [
        "# How much level, season and slope take of the last error, of each target: fitted on the training rows",
        f"WEIGHTS = {weights!r}",
        f"STRIDE = {STRIDE}  # rows of the recursion that are computed at once",
        f"DAMPING = {DAMPING}  # of the slope from step to step",
        "",
        "",
        f"{inspect.getsource(smooth_filters)}\n\n{inspect.getsource(smooth_states)}",
        "",
        "bounds = np.flatnonzero(np.diff(sequence, prepend=-1, append=-1))  # of the sequences' rows",
        "level, season, slope = np.empty_like(known), np.empty_like(known), np.empty_like(known)",
        "for column, weights in enumerate(WEIGHTS):",
        f"    states = smooth_states(known[:, column], bounds, {'SEASON' if starts[0].season else '0'}, \
*np.array(weights)[:, None])",
        "    level[:, column], season[:, column], slope[:, column] = (state[:, 0] for state in states)",
    ]


@dataclass(frozen=True)
class _Column:
    """A piece of x: its code, how many columns it is, and whether their zero means something and is kept."""

    code: str
    width: int = 1
    own_zero: bool = False


def inputs(windows: Windows) -> str:
    """x, scaled: what the model reads of each row, in place of a target its start's error and its change."""
    spec, target, columns = windows.spec, windows.target, _columns(windows)
    filled = ".groupby(sequence).ffill()" if spec.missing == "forward_fill" else ""
    lines = ["# What the model reads of each row"]
    if any(column.own_zero for column in columns):
        lines.append("error = known - before(base[:, 0], 1)  # how wrong the start was one row ahead")
        if target.starts[0].kind != "last":
            lines.append("change = known - before(known, 1)")
    if not all(column.own_zero for column in columns):
        lines.append(f"features = table[FEATURES]{filled}.to_numpy(np.float64)  # (rows, {len(windows.feature_names)})")
    lines += ["columns = [", *(f"    {column.code}," for column in columns), "]"]
    lines += [
        f'x = np.array(np.column_stack(columns), order="C")  # (rows, {windows.input_size})',
        *_scaled(spec.scaling, columns),
        "x = ((x - x_center) * (1 / x_scale)).astype(np.float32)",
    ]
    return "\n".join(lines)


def _columns(windows: Windows) -> list[_Column]:
    """The pieces of x; features beside each other that are read as they are make one."""
    spec, target, ahead = windows.spec, windows.target, reads_ahead(windows)
    columns: list[_Column] = []
    plain = 0  # features that were read as they are, just before
    for k, name in enumerate(windows.feature_names):
        if name not in ahead and (target is None or name not in spec.targets):
            if plain:
                columns.pop()
            plain += 1
            columns.append(_Column(f"features[:, {k + 1 - plain}:{k + 1}]", plain))
            continue
        plain = 0
        if name in ahead:
            rows = read_ahead(windows.offsets).tolist()
            code = f"*(before(features[:, {k}], -ahead) for ahead in {_listed(rows)})"
            columns.append(_Column(code, len(rows)))
        else:
            columns += _derived(windows, spec.targets.index(name))
    return columns


def _derived(windows: Windows, target: int) -> list[_Column]:
    start, codes = windows.target.starts[target], [f"error[:, {target}]"]
    if start.kind != "last":
        codes.append(f"change[:, {target}]")
    if start.season > windows.spec.seq_len and start.kind in SEASONAL:
        codes.append(f"before(error[:, {target}], SEASON)")
    return [_Column(code, own_zero=True) for code in codes]


def _listed(numbers: list[int]) -> str:
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"range({numbers[0]}, {numbers[-1] + 1})"
    return repr(numbers)


def _scaled(scaling: str, columns: list[_Column]) -> list[str]:
    if all(column.own_zero for column in columns):
        return ["x_center, x_scale = 0.0, fit_scaler(x[is_train])[1]  # zero stays zero"]
    if scaling == "none":
        lines = ["x_center, x_scale = np.zeros(x.shape[1]), np.ones(x.shape[1])"]
    else:
        lines = [f"x_center, x_scale = {FITS[scaling]}(x[is_train])"]
    own = np.flatnonzero(np.repeat([c.own_zero for c in columns], [c.width for c in columns])).tolist()
    if own:
        lines += [f"own = {own}  # errors and changes: zero stays zero", "x_center[own] = 0"]
        if scaling != "standard":
            lines.append("x_scale[own] = fit_scaler(x[is_train])[1][own]")
    return lines
