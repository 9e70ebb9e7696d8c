"""Values to come of features that are known ahead: a table to fill, or a file; kept for each series of this tab."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st

from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.forecast_table import time_texts
from lstm_core.forecasting.future import Forecast
from lstm_core.forecasting.known_values import read_known_values
from pages.shared.session import state
from pages.shared.session.messages import escape_markdown

DIGITS = 7  # of a last value in the table
_STATE, _FILE = "_known_values", "_known_file"


@dataclass(eq=False)
class KnownValues:
    """What a person has said of the rows to come; NaN: nothing, the last value stays."""

    windows: Windows
    base: np.ndarray  # (series, steps, features), under the edits of the table on the page
    now: np.ndarray  # the same with them
    shown: int = 0  # the series whose table is on the page
    version: int = 0  # another table on the page for each, which begins without edits
    said: str = field(default="")  # of the last file

    @property
    def by_feature(self) -> dict[str, np.ndarray]:
        """Feature → (series, steps), of those about which anything was said."""
        names = self.windows.spec.known_future
        return {name: self.now[..., k] for k, name in enumerate(names) if np.isfinite(self.now[..., k]).any()}

    def rebase(self, series: int) -> None:
        """A new table on the page, of this series, that holds all edits made so far."""
        self.base, self.shown, self.version = self.now.copy(), series, self.version + 1


def known_values(windows: Windows, forecast: Forecast, series: int) -> KnownValues:
    """Those of this tab; begun anew for other data, cut or lengthened for another number of steps."""
    shape = (len(forecast.series), forecast.steps, len(windows.spec.known_future))
    kept = state.get_state(_STATE)
    is_same = kept is not None and kept.windows.table is windows.table and kept.windows.spec == windows.spec
    if not is_same:
        kept = KnownValues(windows, np.full(shape, np.nan), np.full(shape, np.nan))
        state.set_state(_STATE, kept)
    if kept.now.shape != shape:
        steps = min(shape[1], kept.now.shape[1])
        now = np.full(shape, np.nan)
        now[:, :steps] = kept.now[:, :steps]
        kept.now = now
        kept.rebase(series)
    elif kept.shown != series:
        kept.rebase(series)
    return kept


def known_future_table(windows: Windows, forecast: Forecast, series: int) -> dict[str, np.ndarray]:
    """Draw the table of one series; feature → (series, steps) of all that is said, as forecast() takes it."""
    known, names = known_values(windows, forecast, series), windows.spec.known_future
    one = forecast.series[series]
    last = windows.features[one.last_row, [windows.feature_names.index(name) for name in names]]
    last = np.array([float(f"{value:.{DIGITS}g}") for value in last])
    base = known.base[series]
    filled = np.where(np.isnan(base), last, base)
    times = [f"+{k + 1}" for k in range(forecast.steps)] if one.times is None else time_texts(one.times)
    frame = pd.DataFrame({"time": times} | {f"feature {k}": filled[:, k] for k in range(len(names))})
    columns = {"time": st.column_config.TextColumn(windows.spec.time or "step", disabled=True)}
    columns |= {f"feature {k}": st.column_config.NumberColumn(name) for k, name in enumerate(names)}
    with st.container(key="known_future"):
        edited = st.data_editor(
            frame,
            key=f"known_future_{known.version}",
            column_config=columns,
            hide_index=True,
            num_rows="fixed",
            height=250,
        )
    values = edited[[f"feature {k}" for k in range(len(names))]].to_numpy(np.float64, na_value=np.nan)
    is_untouched = np.isnan(values) | ((values == filled) & np.isnan(base))
    known.now[series] = np.where(is_untouched, np.nan, values)
    _upload(known, forecast, series)
    return known.by_feature


def _upload(known: KnownValues, forecast: Forecast, series: int) -> None:
    windows = known.windows
    file = st.file_uploader(
        "or from a CSV file",
        ["csv", "txt", "tsv"],
        key="known_csv",
        help="Its first line names the columns exactly as here; rows find their place by their time",
    )
    if file is not None and state.get_state(_FILE) != file.file_id:
        state.set_state(_FILE, file.file_id)
        names = [one.series for one in forecast.series]
        times = [one.times for one in forecast.series]
        try:
            read, known.said = read_known_values(file.getvalue(), file.name, windows.spec, names, times, forecast.steps)
        except PlaygroundError as error:
            known.said = str(error)
        else:
            for k, name in enumerate(windows.spec.known_future):
                if name in read:
                    known.now[..., k] = np.where(np.isnan(read[name]), known.now[..., k], read[name])
            known.rebase(series)
            st.rerun()
    if known.said:
        st.caption(escape_markdown(known.said))
    if known.by_feature:
        st.button(
            "Back to the last values", key="forget_known", on_click=_forget, args=(known,), icon=":material/undo:"
        )


def _forget(known: KnownValues) -> None:
    known.now[:] = np.nan
    known.said = ""
    known.rebase(known.shown)
