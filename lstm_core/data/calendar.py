"""Calendar inputs: hour, weekday, month and the like of a time column, as numbers that are known ahead.

A cycle is written as sine and cosine, so that its end is next to its beginning: 23:00 to 0:00, December to January.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lstm_core.data.time_step import DAY, Step
from lstm_core.experiment import PlaygroundError

_INSTALL = "pip install holidays"


def _hour(times: np.ndarray) -> np.ndarray:
    return (times - times.astype("M8[D]")).astype("m8[ns]").astype(np.int64) / DAY


def _weekday(times: np.ndarray) -> np.ndarray:
    return _day_of_week(times) / 7


def _month(times: np.ndarray) -> np.ndarray:
    return times.astype("M8[M]").astype(np.int64) % 12 / 12


def _day_of_year(times: np.ndarray) -> np.ndarray:
    years = times.astype("M8[Y]")
    return _days_since(times, years) / _days_since((years + 1).astype("M8[D]"), years)


def _week(times: np.ndarray) -> np.ndarray:
    """ISO weeks: that of a year's first Thursday is the first."""
    thursday = times.astype("M8[D]") + (3 - _day_of_week(times)).astype("m8[D]")
    years = thursday.astype("M8[Y]")
    weeks_of_year = _days_since(_last_thursday(years), years) // 7 + 1
    return (_days_since(thursday, years) // 7) / weeks_of_year


def _last_thursday(years: np.ndarray) -> np.ndarray:
    last_day = (years + 1).astype("M8[D]") - 1
    return last_day - ((_day_of_week(last_day) - 3) % 7).astype("m8[D]")


def _days_since(times: np.ndarray, years: np.ndarray) -> np.ndarray:
    return (times.astype("M8[D]") - years.astype("M8[D]")).astype(np.int64)


def _day_of_week(times: np.ndarray) -> np.ndarray:
    """0: Monday; 1970 began on a Thursday."""
    return (times.astype("M8[D]").astype(np.int64) + 3) % 7


# Name → (share of its cycle that has passed, the longest step with which it still changes).
CYCLES: dict[str, tuple[Callable[[np.ndarray], np.ndarray], float]] = {
    "hour": (_hour, 0.9 * DAY),
    "weekday": (_weekday, 6 * DAY),
    "week": (_week, 8 * DAY),
    "month": (_month, 300 * DAY),
    "day_of_year": (_day_of_year, 8 * DAY),
}


def calendar_values(times: np.ndarray, inputs: tuple[str, ...], country: str | None = None) -> dict[str, np.ndarray]:
    """Column → (rows,) float64 of these times, also of times to come: "hour sin", "hour cos", "weekend", "holiday".

    times: (rows,) datetime64[ns]; where one is missing, so are its values. inputs: names of CYCLES,
    and "weekend". country: as is_holiday has it.

    Raises:
        PlaygroundError: the package holidays is not installed, or knows no such country.
    """
    missing = np.isnat(times)
    known = np.where(missing, np.datetime64(0, "ns"), times)
    columns = {}
    for name in inputs:
        if name == "weekend":
            columns["weekend"] = (_day_of_week(known) >= 5).astype(np.float64)
            continue
        angle, label = 2 * np.pi * CYCLES[name][0](known), name.replace("_", " ")
        columns[f"{label} sin"], columns[f"{label} cos"] = np.sin(angle), np.cos(angle)
    if country:
        columns["holiday"] = is_holiday(known, country).astype(np.float64)
    for values in columns.values():
        values[missing] = np.nan
    return columns


def is_holiday(times: np.ndarray, country: str) -> np.ndarray:
    """(rows,) bool: public holidays by the package holidays.

    times: (rows,) datetime64, none missing. country: an ISO code such as "DE" or "US", or with a region: "DE-BY".

    Raises:
        PlaygroundError: the package is not installed, or knows no such country or region.
    """
    try:
        import holidays  # an extra: it is large, and most series do without
    except ImportError:
        raise PlaygroundError(
            f"Holidays need a package that is not installed: run {_INSTALL}, or leave them empty."
        ) from None
    code, _, region = country.partition("-")
    days, of_row = np.unique(times.astype("M8[D]"), return_inverse=True)
    years = np.unique(days.astype("M8[Y]").astype(int) + 1970).tolist()
    try:
        calendar = holidays.country_holidays(code, subdiv=region or None, years=years)
    except NotImplementedError:
        raise PlaygroundError(
            f"holidays is {country!r}: no holidays of that country or region are known. Give a country's code, such as "
            "DE or US, or one of its regions: DE-BY or US-CA."
        ) from None
    return np.isin(days, np.array(sorted(calendar), "M8[D]"))[of_row]


def changing_inputs(step: Step | None) -> list[str]:
    """The calendar inputs, as calendar_values has them, that change from row to row at this step."""
    length = 0 if step is None else step.nanoseconds
    names = [name for name, (_, longest) in CYCLES.items() if length <= longest]
    return names + ["weekend"] * (length <= 1.5 * DAY)
