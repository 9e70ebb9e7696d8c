"""The command line, python -m lstm_core COMMAND: results on stdout; errors in one sentence on stderr, status 2."""

from __future__ import annotations

import argparse
import json
import sys
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
