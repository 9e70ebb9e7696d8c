"""The command line, python -m lstm_core COMMAND: results on stdout; errors in one sentence on stderr, status 2."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import NoReturn

from pydantic import TypeAdapter

from lstm_core.experiment import PARTS, Experiment
from lstm_core.settings import FORMAT, PlaygroundError, Setting, settings


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    parser = _Parser("python -m lstm_core", description="LSTM Playground without a page.")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    schema = commands.add_parser("schema", help="every setting of an experiment's JSON, as JSON Schema")
    form = schema.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="on one line")
    form.add_argument("--markdown", action="store_true", help="as the README's table instead")
    schema.set_defaults(run=_schema)
    score = commands.add_parser("score", help="a saved model and its baselines on all windows of each split")
    score.add_argument("model", metavar="MODEL", help="the file that Save gives")
    score.add_argument("--data", metavar="FILE", help="the table, where the model was trained on a file of one's own")
    score.add_argument("--json", action="store_true", help="as one JSON object on one line")
    score.set_defaults(run=_score)
    try:
        chosen = parser.parse_args(arguments)
        chosen.run(chosen)
    except PlaygroundError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise PlaygroundError(f"{message[:1].upper()}{message[1:]}; {self.prog} --help lists what there is.")


def _schema(chosen: argparse.Namespace) -> None:
    if chosen.markdown:
        print(settings_table())
    else:
        print(json.dumps(experiment_schema(), indent=None if chosen.json else 1))


def _score(chosen: argparse.Namespace) -> None:
    from lstm_core.forecasting.scores import BASELINE_NAMES

    result = score_file(_read(chosen.model), chosen.data and Path(chosen.data))
    if chosen.json:
        print(json.dumps(result))
        return
    rows = {f"{split} split": result[split] for split in ("test", "valid")}
    rows |= {f"test split, {BASELINE_NAMES[name]}": score for name, score in result["baselines"].items()}
    for name, score in rows.items():
        values = (f"{key} {'undefined' if value is None else f'{value:g}'}" for key, value in score.items())
        print(f"{name}: {', '.join(values)}")


def score_file(model: bytes, data: Path | None) -> dict:
    """What `score --json` prints: all scored values of the test and validation splits pooled, None where undefined.

    Raises:
        PlaygroundError: the file is no model's, or its data is missing or does not fit.
    """
    from lstm_core.data import read_table
    from lstm_core.data.load import load_table
    from lstm_core.data.windows import make_windows
    from lstm_core.forecasting.scores import score_table
    from lstm_core.training.checkpoint import load_checkpoint, resume_trainer

    checkpoint = load_checkpoint(model)
    spec = checkpoint.experiment.data
    if (data is None) == (spec.source == "csv"):
        problem = (
            f"The model was trained on the file {spec.name!r}: give it with --data."
            if data is None
            else f"The model was trained on built-in data ({spec.name}): leave --data out."
        )
        raise PlaygroundError(problem)
    table = load_table(spec) if data is None else read_table(_read(str(data)), data.name)
    trainer = resume_trainer(checkpoint, make_windows(table, spec))
    return score_table(trainer.model, trainer.windows)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise PlaygroundError(f"{path!r} cannot be read ({error.strerror}): check the name.") from None


def experiment_schema() -> dict:
    """JSON Schema (2020-12) of what Experiment.to_json writes; it lacks conditions between two settings."""
    schema = TypeAdapter(Experiment).json_schema()
    version = {"const": FORMAT, "default": FORMAT, "description": "A file without it is of format 1 and is upgraded"}
    properties = {"format": version} | schema["properties"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema | {"properties": properties}


def settings_table() -> str:
    """All settings as a table in Markdown."""
    lines = ["| setting | default | values | on the screen, and what it does |", "|---|---|---|---|"]
    for part, kind in PARTS.items():
        for name, one in settings(kind).items():
            default = f"`{json.dumps(one.default)}`"
            lines.append(f"| `{part}.{name}` | {default} | {_values(one)} | **{one.label}**: {one.help} |")
    return "\n".join(lines)


def _values(one: Setting) -> str:
    if one.choices:
        return ("a list of " if one.is_list else "") + ", ".join(f"`{value}`" for value in one.choices)
    return one.allowed
