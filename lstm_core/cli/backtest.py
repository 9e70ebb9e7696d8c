"""backtest: a file's recommended LSTM at rolling origins over its test rows, beside what came."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from lstm_core.cli.output import add_json, note, print_json, print_table
from lstm_core.cli.table import add_file, check_count, noting, read_data
from lstm_core.data.number_format import format_significant
from lstm_core.data.windows import Windows, make_windows

if TYPE_CHECKING:
    from lstm_core.forecasting.backtest import Backtest

ABOUT = """\
Train the LSTM with the settings that are recommended for a file, forecast H rows from origin after origin of its test
rows, and compare with what came: RMSE by step ahead and by month, weekday, hour, block of rows or series. With --refit
it is trained again at every origin, from the same first weights, on all that is known there.
"""


def add_commands(commands: Any) -> None:
    backtest = commands.add_parser(
        "backtest",
        help="a file's forecasts from rolling origins beside what came",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_file(backtest)
    backtest.add_argument("--horizon", metavar="H", type=int, help="rows ahead (default: a season, 48 at most, or 12)")
    backtest.add_argument("--origins", metavar="N", type=int, help="at most (default: 200, or 12 with --refit)")
    backtest.add_argument("--spacing", metavar="ROWS", type=int, help="between origins (default: spread over the test)")
    backtest.add_argument("--refit", action="store_true", help="train again at every origin")
    add_json(backtest)
    backtest.set_defaults(run=_backtest)


def _backtest(chosen: argparse.Namespace) -> None:
    for name in ("horizon", "origins", "spacing"):
        check_count(f"--{name}", getattr(chosen, name))
    table, data = read_data(chosen.file, chosen.target)

    from lstm_core.forecasting.backtest import backtest, refit_of
    from lstm_core.forecasting.contest import train_seed
    from lstm_core.forecasting.recipe import default_horizon, recommended_experiment

    ahead = default_horizon(table, data) if chosen.horizon is None else chosen.horizon
    experiment = recommended_experiment(table, dataclasses.replace(data, horizon=ahead))
    windows = make_windows(table, experiment.data)
    note("Training the LSTM …")
    trainer = train_seed(windows, experiment, experiment.model.seed)
    refit = refit_of(trainer) if chosen.refit else None
    result = backtest(trainer.model, windows, chosen.origins, chosen.spacing, refit, noting())
    (_print_json if chosen.json else _print)(result, windows)


def _print_json(result: Backtest, windows: Windows) -> None:
    from lstm_core.forecasting.backtest import periods_of

    origins = [
        {"origin": windows.label(int(row)), "row": int(row), "forecast": forecast.tolist(), "truth": truth.tolist()}
        for row, forecast, truth in zip(result.origins, result.forecasts, result.truth, strict=True)
    ]
    periods = {
        period: {
            label: {"rmse": rmse, "values": values}
            for label, (rmse, values) in result.by_period(windows, period).items()
        }
        for period in periods_of(windows)
    }
    about = {"target": result.target, "horizon": result.truth.shape[1], "spacing": result.spacing}
    about |= {"refitted": result.refitted, "rmse": result.rmse, "by_step": result.by_step().tolist()}
    print_json(about | {"by_period": periods, "origins": origins})


def _print(result: Backtest, windows: Windows) -> None:
    from lstm_core.forecasting.backtest import periods_of

    print(result.sentence())
    steps = [(f"{step:,}", format_significant(rmse, 4)) for step, rmse in enumerate(result.by_step(), 1)]
    print_table(("step", "RMSE"), steps)
    for period in periods_of(windows):
        print()
        rows = [
            (label, format_significant(rmse, 4), f"{values:,}")
            for label, (rmse, values) in result.by_period(windows, period).items()
        ]
        print_table((period, "RMSE", "values"), rows)
