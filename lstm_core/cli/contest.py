"""contest: the LSTM of a file's recommended settings beside every baseline, one step and H steps ahead."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from lstm_core.cli.output import add_json, note, print_json, print_table
from lstm_core.cli.table import add_file, check_count, noting, read_data
from lstm_core.data.number_format import format_significant

if TYPE_CHECKING:
    from lstm_core.forecasting.contest import Contest

ABOUT = """\
Train the LSTM with the settings that are recommended for a file, from several seeds, and score it beside persistence,
the seasonal naive forecast, drift, the training mean, ridge regression on the same window, AutoETS and AutoARIMA on
exactly the same test windows: RMSE in the target's own units, one step ahead and over H steps. Of several series each
has baselines of its own. AutoETS and AutoARIMA need the package statsforecast (requirements-extras.txt).
"""


def add_commands(commands: Any) -> None:
    contest = commands.add_parser(
        "contest",
        help="the LSTM beside ARIMA, ridge and the simple forecasts of a file",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_file(contest)
    contest.add_argument("--horizon", metavar="H", type=int, help="rows ahead (default: a season, 48 at most, or 12)")
    contest.add_argument("--seeds", metavar="N", type=int, default=3, help="LSTMs that are trained (default: 3)")
    add_json(contest)
    contest.set_defaults(run=_contest)


def _contest(chosen: argparse.Namespace) -> None:
    check_count("--seeds", chosen.seeds)
    check_count("--horizon", chosen.horizon)
    table, data = read_data(chosen.file, chosen.target)

    from lstm_core.forecasting.contest import QUICK, available, run_contest
    from lstm_core.forecasting.recipe import default_horizon

    ahead = default_horizon(table, data) if chosen.horizon is None else chosen.horizon
    if available() == QUICK:
        note("AutoETS and AutoARIMA are left out: they need the package statsforecast (requirements-extras.txt).")
    contests = []
    for steps in dict.fromkeys((1, ahead)):
        note(f"{steps:,} row{'s' * (steps > 1)} ahead:")
        contests.append(run_contest(table, dataclasses.replace(data, horizon=steps), chosen.seeds, progress=noting()))
    first, last = contests[0], contests[-1]
    if chosen.json:
        print_json({"rmse": first.rmse, "rmse_h": last.rmse, "start": first.start, "season": first.season})
        return
    for contest in contests:
        _print(contest)


def _print(contest: Contest) -> None:
    from lstm_core.forecasting.contest import LSTM, available

    print(contest.sentence())
    print(contest.about())
    rows = []
    for name, rmse in sorted(contest.rmse.items(), key=lambda pair: (pair[1] is None, pair[1])):
        if name not in (LSTM, *available()):
            continue
        value = "does not apply" if rmse is None else format_significant(rmse, 4)
        rows.append((contest.name_of(name), value, "best" if name == contest.best else ""))
    print_table(("method", "RMSE", ""), rows)
    print()
