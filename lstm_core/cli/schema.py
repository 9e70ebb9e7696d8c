"""schema: every setting of an experiment, as JSON Schema or as the README's table."""

from __future__ import annotations

import argparse
import json
from typing import Any

from pydantic import TypeAdapter

from lstm_core.experiment import LIVE_FIELDS, PARTS, Experiment, PlaygroundError
from lstm_core.runs.sweeps.study import Study
from lstm_core.settings import FORMAT, Setting, settings

CHANGE = {
    "type": "object",
    "properties": {
        "step": {"type": "integer", "minimum": 0},
        "field": {"enum": list(LIVE_FIELDS)},
        "value": {"type": "number"},
    },
    "required": ["step", "field", "value"],
    "additionalProperties": False,
}
OF_A_RUN = {  # what export adds
    "changes": {
        "type": "array",
        "items": CHANGE,
        "description": "Settings of train changed while a run trained, each after so many steps: made again by train",
    },
    "table_sha256": {"type": "string", "description": "Of the data's values and columns: train refuses others"},
    "read_options": {"type": "object", "description": "How the file is to be read, where detecting it would be wrong"},
    "versions": {"type": "object", "description": "Of the libraries that the run began with; not read"},
}


def add_commands(commands: Any) -> None:
    schema = commands.add_parser(
        "schema",
        help="every setting of an experiment's JSON",
        description="Print every setting of an experiment's JSON as JSON Schema (2020-12).",
    )
    form = schema.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="on one line")
    form.add_argument("--markdown", action="store_true", help="as the README's table instead")
    schema.add_argument("--study", action="store_true", help="of the study that sweep takes instead")
    schema.set_defaults(run=_schema)


def _schema(chosen: argparse.Namespace) -> None:
    if chosen.study:
        if chosen.markdown:
            raise PlaygroundError("The README has no table of a study: leave --markdown or --study out.")
        print(json.dumps(study_schema(), indent=None if chosen.json else 1))
    elif chosen.markdown:
        print(settings_table())
    else:
        print(json.dumps(experiment_schema(), indent=None if chosen.json else 1))


def experiment_schema() -> dict:
    """JSON Schema (2020-12) of what Experiment.to_json writes; it lacks conditions between two settings."""
    schema = TypeAdapter(Experiment).json_schema()
    version = {"const": FORMAT, "default": FORMAT, "description": "A file without it is of format 1 and is upgraded"}
    properties = {"format": version} | schema["properties"] | OF_A_RUN
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema | {"properties": properties}


def study_schema() -> dict:
    """JSON Schema (2020-12) of what sweep takes; which values a setting takes stands at the experiment's own."""
    schema, experiment = TypeAdapter(Study).json_schema(), experiment_schema()
    definitions = schema.pop("$defs") | experiment.pop("$defs")
    version = experiment.pop("$schema")
    definitions["Experiment"] = experiment
    return {"$schema": version, "$defs": definitions} | schema


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
