"""Values to come of features that are known ahead: drawn, typed into a table or read from a file; kept for each series
of this tab."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lstm_core.data.windows import Windows
from lstm_core.experiment import PlaygroundError
from lstm_core.forecasting.forecast_table import time_texts
from lstm_core.forecasting.future import Forecast
from lstm_core.forecasting.known_values import read_known_values
from pages.shared.components.future_strips import Strip, future_strips
from pages.shared.session import state
from pages.shared.session.fields import widget_value
from pages.shared.session.messages import escape_markdown

DIGITS = 7  # of a last value in the table
MIN_PAST, PAST_SHARE = 24, 2  # known rows on a strip: so many, or so many times those to come
MAX_STRIPS = 4  # of more inputs, the table has all
STRIPS = "future_strips"
_STATE, _FILE = "_known_values", "_known_file"


@dataclass(eq=False)
class KnownValues:
    """What a person has said of the rows to come; NaN: nothing, the last value stays."""

    windows: Windows
    base: np.ndarray  # (series, steps, features), under the edits of the table on the page
    now: np.ndarray  # the same with them
    drawn: np.ndarray  # the same, of a hand that has not let go yet: over the edits
    answer: int = 0  # the count of the last answer of the strips that was taken
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
        self.drawn = np.full_like(self.now, np.nan)

    def take_drawn(self, answer: dict | None) -> None:
        """Take what the strips send, each answer once; it joins the table's edits when the hand lets go."""
        if not answer or answer["count"] == self.answer:
            return
        self.answer, series = answer["count"], answer["series"]
        if series != self.shown:  # another series has been chosen since
            return
        _, steps, features = self.drawn.shape
        for one in answer["changes"]:
            if 0 <= one["step"] < steps and 0 <= one["feature"] < features and np.isfinite(one["value"]):
                self.drawn[series, one["step"], one["feature"]] = one["value"]
        if answer["done"]:
            self.now[series] = self.with_drawn(series)
            self.rebase(series)

    def with_drawn(self, series: int) -> np.ndarray:
        """(steps, features) of one series: the edits, and over them what is being drawn."""
        return np.where(np.isnan(self.drawn[series]), self.now[series], self.drawn[series])


def known_values(windows: Windows, forecast: Forecast, series: int) -> KnownValues:
    """Those of this tab; begun anew for other data, cut or lengthened for another number of steps."""
    shape = (len(forecast.series), forecast.steps, len(windows.spec.known_future))
    kept = state.get_state(_STATE)
    is_same = kept is not None and kept.windows.table is windows.table and kept.windows.spec == windows.spec
    if not is_same:
        kept = KnownValues(
            windows, *(np.full(shape, np.nan) for _ in range(3)), answer=(_answer() or {}).get("count", 0)
        )
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


def _answer() -> dict | None:
    """What the strips of this tab have sent last."""
    return (widget_value(STRIPS) or {}).get("drawn")


def known_future_controls(
    windows: Windows, forecast: Forecast, series: int, place: DeltaGenerator
) -> dict[str, np.ndarray]:
    """Draw the strips of one series into `place`, and here its table; feature → (series, steps) of all that is said, as
    forecast() takes it."""
    known, one = known_values(windows, forecast, series), forecast.series[series]
    known.take_drawn(_answer())
    columns = [windows.feature_names.index(name) for name in windows.spec.known_future]
    last = np.array([float(f"{value:.{DIGITS}g}") for value in windows.features[one.last_row, columns]])
    times = [f"+{k + 1}" for k in range(forecast.steps)] if one.times is None else time_texts(one.times)
    _table(known, series, last, times)
    _upload(known, forecast, series)
    known.now[series] = known.with_drawn(series)
    first = max(int(windows.groups[series]), one.last_row + 1 - max(MIN_PAST, PAST_SHARE * forecast.steps))
    past = windows.features[first : one.last_row + 1, columns]
    ahead = np.where(np.isnan(known.now[series]), last, known.now[series])
    strips = [Strip(name, past[:, k], ahead[:, k]) for k, name in enumerate(windows.spec.known_future[:MAX_STRIPS])]
    with place:
        future_strips(STRIPS, strips, times, series, known.answer)
    return known.by_feature


def _table(known: KnownValues, series: int, last: np.ndarray, times: list[str]) -> None:
    windows, names, base = known.windows, known.windows.spec.known_future, known.base[series]
    filled = np.where(np.isnan(base), last, base)
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
