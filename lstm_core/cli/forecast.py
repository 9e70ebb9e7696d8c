"""forecast: a file in, a trained model of the recommended settings, the rows past its end out."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, Any

from lstm_core.architecture.memory import check_memory
from lstm_core.cli.output import add_json, note, print_json, write_file
from lstm_core.cli.table import add_file, read_data
from lstm_core.data.number_format import format_significant
from lstm_core.data.series_rows import listed
from lstm_core.data.table import Table
from lstm_core.data.windows import Windows, make_windows
from lstm_core.experiment import SPLITS, DataSpec, Experiment, PlaygroundError
from lstm_core.model.devices import free_memory

if TYPE_CHECKING:
    from lstm_core.forecasting.future import Forecast
    from lstm_core.forecasting.scores import Evaluation, Score
    from lstm_core.training.trainer import Trainer

ABOUT = """\
Forecast the rows past the end of a table. Roles of its columns, season, start and sizes are chosen as the page
chooses them, an LSTM is trained here (seed 0, one thread), and its forecast is printed as CSV: time, step, forecast,
lower_80, upper_80, lower_95, upper_95, and the series' id where the file has several. What was chosen, and how good
it is on the test rows, goes to stderr.
"""
EXAMPLES = """\
examples:
  python -m lstm_core forecast demand.csv --horizon 12 --out forecast.csv
  python -m lstm_core forecast demand.csv --horizon 24 --target load --json
"""


def add_commands(commands: Any) -> None:
    forecast = commands.add_parser(
        "forecast",
        help="the rows past the end of a file, with bands",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_file(forecast)
    forecast.add_argument("--horizon", metavar="N", type=int, required=True, help="how many rows to come")
    forecast.add_argument("--out", metavar="FORECAST.csv", help="where to write; else the CSV is printed")
    add_json(forecast)
    forecast.set_defaults(run=_forecast)


def _forecast(chosen: argparse.Namespace) -> None:
    from lstm_core.forecasting.contest import train_seed
    from lstm_core.forecasting.forecast_table import forecast_columns, forecast_csv
    from lstm_core.forecasting.future import MAX_STEPS

    if not 1 <= chosen.horizon <= MAX_STEPS:
        raise PlaygroundError(f"--horizon is {chosen.horizon:,}: give 1 to {MAX_STEPS:,} rows.")
    table, data = read_data(chosen.file, chosen.target)
    experiment, windows = _longest_horizon(table, data, chosen.horizon)
    check_memory(experiment, windows, free_memory())
    trainer = train_seed(windows, experiment, experiment.model.seed)
    evaluation, forecast = _results(trainer, chosen.horizon)
    for sentence in _about(trainer, evaluation, forecast):
        note(sentence)
    columns = forecast_columns(forecast, experiment.data.group if len(windows.groups) > 2 else None)
    if chosen.out is not None:
        write_file(chosen.out, forecast_csv(columns))
    if chosen.json:
        print_json(_as_json(trainer, evaluation, forecast, columns))
    elif chosen.out is None:
        print(forecast_csv(columns).decode(), end="", flush=True)


def _longest_horizon(table: Table, data: DataSpec, steps: int) -> tuple[Experiment, Windows]:
    """The experiment and windows of this many steps at once; where the table is too short for that, of half, and so on.

    Past its horizon a model reads its own forecasts.
    """
    from lstm_core.forecasting.recipe import recommended_experiment

    refusal, horizon = None, steps
    while horizon:
        experiment = recommended_experiment(table, dataclasses.replace(data, horizon=horizon))
        experiment = dataclasses.replace(experiment, train=dataclasses.replace(experiment.train, device="cpu"))
        try:
            windows = make_windows(table, experiment.data)
        except PlaygroundError as error:
            refusal = refusal or error
        else:
            if all(len(windows.starts[split]) for split in SPLITS):
                return experiment, windows
            refusal = refusal or PlaygroundError(
                f"{table.name!r} has {table.rows:,} rows, too few to train, validate and test on: give more."
            )
        horizon //= 2
    raise refusal


def _results(trainer: Trainer, steps: int) -> tuple[Evaluation, Forecast]:
    from lstm_core.forecasting.future import forecast, measure_bands
    from lstm_core.forecasting.scores import evaluate

    windows, models = trainer.windows, trainer.scored_models()
    evaluation = evaluate(models[windows.last_split], windows, windows.last_split)
    return evaluation, forecast(models["test"], windows, steps, measure_bands(models["valid"], windows))


def _about(trainer: Trainer, evaluation: Evaluation, forecast: Forecast) -> list[str]:
    from lstm_core.forecasting.verdict import start_sentence, verdict

    spec, model = trainer.windows.spec, trainer.experiment.model
    season = f"a season of {spec.season:,} rows" if spec.season else "no season"
    series = len(forecast.series)
    past_horizon, held = forecast.steps > forecast.horizon, listed(list(forecast.held), 6)
    sentences = [
        f"Forecast of {', '.join(map(repr, spec.targets))} from {', '.join(map(repr, spec.features))}"
        + (f", {series:,} series" if series > 1 else "")
        + f": {season}, start {spec.start}{', of the logarithm' * spec.log}, seq_len {spec.seq_len}, "
        f"{model.hidden_size} units.",
        f"The table is too short for {forecast.steps:,} rows at once: past step {forecast.horizon:,} the model reads "
        "its own forecasts."
        if past_horizon
        else "",
        f"Kept at the last value, as what is to come is not known: {held}." if forecast.held else "",
        f"On {evaluation.coverage}: RMSE {format_significant(evaluation.model.rmse, 4)}.",
        start_sentence(trainer.windows, evaluation, trainer.early_stopping.adds_nothing, model.linear_skip),
        verdict(evaluation),
        *(forecast.bands.sentence(level) for level in forecast.bands.coverage),
    ]
    return list(filter(None, sentences))


def _as_json(trainer: Trainer, evaluation: Evaluation, forecast: Forecast, columns: dict) -> dict[str, Any]:
    spec = trainer.windows.spec
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return {
        "targets": list(spec.targets),
        "features": list(spec.features),
        "start": spec.start,
        "season": spec.season,
        "log": spec.log,
        "seq_len": spec.seq_len,
        "horizon": spec.horizon,
        evaluation.split: {"windows": evaluation.windows, **_score(evaluation.model)},
        "baselines": {name: _score(score) for name, score in evaluation.baselines.items()},
        "coverage": {
            f"{level * 100:.0f}": {"share": share, "windows": windows}
            for level, (share, windows) in forecast.bands.coverage.items()
        },
        "held": list(forecast.held),
        "forecast": [dict(zip(columns, row, strict=True)) for row in rows],
    }


def _score(score: Score) -> dict[str, float | None]:
    return {name: getattr(score, name) for name in ("rmse", "mae", "mase")}
