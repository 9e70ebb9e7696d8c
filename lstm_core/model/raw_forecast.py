"""RawForecast: a trained model from raw rows to a forecast in the target's units, as one module for export.

What the app does around a model in NumPy (logarithm, start, derived inputs, scaling, and all of it undone) is here in
PyTorch, of a few last rows at once. In float64 until the inputs are centred.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from lstm_core.data.forecast_target import SEASONAL
from lstm_core.data.model_inputs import read_ahead
from lstm_core.data.start import DAMPING, Start
from lstm_core.data.windows import Windows, known_ahead
from lstm_core.model.recurrent import SequenceModel


class RawForecast(nn.Module):
    """forward takes and returns what `input_names` and `output_names` list, every tensor with the batch first.

    - rows (batch, history, columns) float64: the last rows, the latest one last, none missing; `columns` names them
    - ahead (batch, ahead_rows, known) float64: the rows to come of the columns `known`, which are known ahead
    - series (batch,) int64: which series a row of the batch is of, where each is scaled by itself
    - level, slope (batch, targets), season, error (batch, season, targets) float64, of the start "smooth": its state
      before the first of these rows, and of the last season the smoothed season and the start's errors, oldest first

    Returns the forecast (batch, output_steps, targets) float64, or probabilities (batch, classes) float32; and of
    "smooth" the state after the first of these rows: the next call, whose rows begin one row later, takes it.
    """

    def __init__(self, model: SequenceModel, windows: Windows) -> None:
        super().__init__()
        spec, target = windows.spec, windows.target
        self.model, self.windows = model, windows
        self.starts = target.starts if target is not None else ()
        self.kind = self.starts[0].kind if self.starts else ""
        season = self.starts[0].season if self.starts else 0
        self.season = season if self.kind in SEASONAL else 0
        self.columns = tuple(dict.fromkeys((*windows.feature_names, *(spec.targets if self.starts else ()))))
        ahead = known_ahead(windows.table, spec)
        self.known = tuple(name for name in windows.feature_names if name in ahead)
        self.ahead_rows = int(windows.offsets[-1]) if self.known else 0
        self.reads_target = bool(self.starts) and bool(set(spec.targets) & set(windows.feature_names))
        self.reads_old_error = self.reads_target and self.season > spec.seq_len
        self.history = spec.seq_len + self._rows_before_window()
        self._add("x_center", windows.x_center)
        self._add("x_scale", windows.x_scale)
        if not windows.classes:
            self._add("scale", target.scale if target is not None else windows.y_scale)
        if target is None and not windows.classes:
            self._add("center", windows.y_center)
        if self.kind == "mean":
            self._add("means", [start.mean for start in self.starts])
        self.per_series = target is not None and target.series is not None
        if self.per_series:
            first = windows.groups[:-1]
            self._add("series_center", target.series.center[first])
            self._add("series_scale", target.series.scale[first])
        if self.kind == "smooth":
            weights = [_smooth_weights(start, self.season, self.history, windows) for start in self.starts]
            self._add("smooth", np.stack(weights))  # (targets, history + 2 + season, what is computed)

    def _add(self, name: str, values) -> None:
        self.register_buffer(name, torch.tensor(np.asarray(values), dtype=torch.float64))

    def _rows_before_window(self) -> int:
        """How many rows before the window the start and the derived inputs need."""
        length, m = self.windows.spec.seq_len, self.season
        if not self.starts:
            return 0
        change = self.kind == "season_change"
        inputs = 1 if self.kind in ("last", "mean", "smooth") else m + change
        if self.reads_old_error and self.kind != "smooth":
            inputs += m
        base = {"season": m, "season_change": m * -(-int(self.windows.offsets[-1]) // max(m, 1)) + 1}.get(self.kind, 1)
        return max(inputs if self.reads_target else 0, base - length, int(self.kind == "smooth"))

    @property
    def input_names(self) -> list[str]:
        state = ["level", "slope", *(["season"] if self.season else []), *(["error"] if self.reads_old_error else [])]
        optional = {"ahead": self.ahead_rows, "series": self.per_series}
        names = ["rows", *(name for name, wanted in optional.items() if wanted)]
        return names + state if self.kind == "smooth" else names

    @property
    def output_names(self) -> list[str]:
        if self.windows.classes:
            return ["probabilities"]
        return ["forecast", *(f"next_{n}" for n in self.input_names if n in ("level", "slope", "season", "error"))]

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        given = dict(zip(self.input_names, inputs, strict=True))
        rows, spec = given["rows"], self.windows.spec
        z = state = computed = None
        if self.starts:
            z = rows[:, :, [self.columns.index(name) for name in spec.targets]]  # (batch, history, targets)
            z = z.log() if spec.log else z
            if self.per_series:
                center = self.series_center[given["series"]][:, None]
                scale = self.series_scale[given["series"]][:, None]
                z = (z - center) / scale
        if self.kind == "smooth":
            parts = [z, given["level"][:, None], given["slope"][:, None]]
            state = torch.cat([*parts, given["season"]] if self.season else parts, 1)
            computed = torch.einsum("bst,tsk->bkt", state, self.smooth)  # (batch, what is computed, targets)
        x = torch.stack(self._inputs(given, z, computed), -1)  # (batch, seq_len, input_size)
        outputs = self.model(((x - self.x_center) * (1 / self.x_scale)).float())
        outputs = outputs[:, -1] if self.model.spec.head == "per_step" else outputs
        if self.windows.classes:
            return (outputs.softmax(-1),)
        outputs = outputs.view(-1, self.windows.output_steps, len(spec.targets)).double() * self.scale
        if not self.starts:
            return (outputs + self.center,)
        forecast = outputs + self._base(z, computed)
        forecast = forecast * scale + center if self.per_series else forecast
        forecast = forecast.exp() if spec.log else forecast
        return (forecast, *(self._next_state(given, computed) if self.kind == "smooth" else ()))

    def _inputs(self, given: dict[str, Tensor], z: Tensor | None, computed: Tensor | None) -> list[Tensor]:
        """Each (batch, seq_len) float64, as Windows.x has them."""
        rows, spec = given["rows"], self.windows.spec
        first, columns = self.history - spec.seq_len, []
        for name in self.windows.feature_names:
            values = rows[:, :, self.columns.index(name)]
            if name in self.known:
                if self.ahead_rows:
                    values = torch.cat([values, given["ahead"][:, :, self.known.index(name)]], 1)
                offsets = read_ahead(self.windows.offsets).tolist()
                columns += [values[:, first + k : self.history + k] for k in offsets]
            elif self.starts and name in spec.targets:
                columns += self._derived(given, z, computed, spec.targets.index(name))
            else:
                columns.append(values[:, first:])
        return columns

    def _derived(self, given: dict[str, Tensor], z: Tensor, computed: Tensor | None, target: int) -> list[Tensor]:
        length, m = self.windows.spec.seq_len, self.season
        first, z = self.history - length, z[..., target]

        def errors(back: int) -> Tensor:
            """Of the window's rows, each so many rows before: z less the start that was known a row earlier."""
            here = slice(first - back, self.history - back)
            row = {n: z[:, slice(here.start - n, here.stop - n)] for n in (1, m, m + 1) if n <= here.start}
            if self.kind == "mean":
                return z[:, here] - self.means[target]
            if self.kind == "last":
                return z[:, here] - row[1]
            return z[:, here] - (row[m] if self.kind == "season" else row[1] + row[m] - row[m + 1])

        if self.kind == "smooth":
            steps = self.windows.output_steps
            derived = [computed[:, steps : steps + length, target]]
        else:
            derived = [errors(0)]
        if self.kind != "last":
            derived.append(z[:, first:] - z[:, first - 1 : -1])
        if self.reads_old_error:
            # of "smooth" the window's first row has one row before it, and its error is one season back
            old = given["error"][:, 1 : 1 + length, target] if self.kind == "smooth" else errors(m)
            derived.append(old)
        return derived

    def _base(self, z: Tensor, computed: Tensor | None) -> Tensor:
        """The start of the rows to come: (batch, output_steps, targets), or without the batch."""
        steps, m, last = self.windows.offsets.tolist(), self.season, self.history - 1
        if self.kind == "mean":
            return self.means
        if self.kind == "last":
            return z[:, -1:]
        if self.kind == "smooth":
            return computed[:, : len(steps)]
        back = [m * -(-k // m) for k in steps]
        same_time = z[:, [last + k - far for k, far in zip(steps, back, strict=True)]]
        return same_time if self.kind == "season" else z[:, -1:] + same_time - z[:, [last - far for far in back]]

    def _next_state(self, given: dict[str, Tensor], computed: Tensor) -> list[Tensor]:
        level, slope, season, error = computed[:, -4:].unbind(1)
        following = [level, slope]
        if self.season:
            following.append(torch.cat([given["season"][:, 1:], season[:, None]], 1))
        if self.reads_old_error:
            following.append(torch.cat([given["error"][:, 1:], error[:, None]], 1))
        return following


def _smooth_weights(start: Start, season: int, history: int, windows: Windows) -> np.ndarray:
    """(history + 2 + season, output_steps + seq_len + 4): what the smoothed start is of the rows' z, level and slope
    before them, and the season before them: its steps after the last row, its errors in the window, and level, slope,
    season and error after the first row. The recursion of Start.values, each of its numbers a row of weights."""
    unit = np.eye(history + 2 + season)
    level, slope = unit[history], unit[history + 1]
    seasons = list(unit[history + 2 :])  # of the rows from one season before the first
    errors, after_first = [], None
    for row in range(history):
        expected = level + DAMPING * slope
        error = unit[row] - expected - (seasons[row] if season else 0.0)
        level = expected + start.level_weight * error
        slope = DAMPING * slope + start.slope_weight * error
        if season:
            seasons.append(seasons[row] + start.season_weight * error)
        errors.append(error)
        if row == 0:
            after_first = [level, slope, seasons[-1] if season else np.zeros_like(level), error]
    base = []
    for ahead in windows.offsets.tolist():
        value = level + slope * (DAMPING ** np.arange(1, ahead + 1)).sum()
        if season:
            value = value + seasons[history - 1 + season + ahead - season * -(-ahead // season)]
        base.append(value)
    return np.stack([*base, *errors[history - windows.spec.seq_len :], *after_first], axis=1)
