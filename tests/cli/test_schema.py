"""python -m lstm_core schema; and what all commands share: --help, one sentence for bad input, no torch at first."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given

from lstm_core.cli import experiment_schema, main
from lstm_core.cli.main import make_parser
from lstm_core.data.ingest.options import CsvOptions
from lstm_core.experiment import OF_A_RUN, PARTS, Experiment
from tests.factories import NEW, experiments

ROOT = Path(__file__).parents[2]
COMMANDS = make_parser()._subparsers._group_actions[0].choices
VALIDATOR = jsonschema.Draft202012Validator(experiment_schema())


def test_schema_is_one_json_object_on_one_line_and_takes_no_torch():
    code = "import sys, lstm_core.cli as c; c.main(['schema', '--json']); print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    line, torch, end = done.stdout.split("\n")
    assert json.loads(line) == experiment_schema()
    assert (torch, end, done.stderr) == ("False", "", "")


def test_the_module_runs_as_a_command():
    done = subprocess.run([sys.executable, "-m", "lstm_core", "nonsense"], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1 and "nonsense" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["train"], ["schema", "--jsn"], ["schema", "--json", "--markdown"]])
def test_bad_input_is_one_sentence(arguments, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.endswith(".\n") and said.err.count("\n") == 1


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_whole_sentences_about_every_argument(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as done:
        main([command, "--help"] if command else ["--help"])
    text = capsys.readouterr().out
    assert done.value.code == 0 and text.startswith("usage: python -m lstm_core")
    assert max(map(len, text.splitlines())) <= 120
    parser = COMMANDS[command] if command else make_parser()
    assert parser.description.strip().endswith(".")
    assert all(action.help for action in parser._actions if command)


@given(experiments())
def test_the_schema_takes_what_an_experiment_writes(experiment):
    VALIDATOR.validate(json.loads(experiment.to_json()))


@pytest.mark.parametrize(
    "parts",
    [
        {"format": 3},
        {"modell": {}},
        {"data": {"missing": "fill"}},
        {"model": {"hidden_size": 0}},
        {"model": {"frozen": ["h"]}},
        {"train": {"device": "tpu"}},
        {"train": {"momentum": 1}},
    ],
)
def test_the_schema_refuses_what_from_json_refuses(parts):
    assert not VALIDATOR.is_valid(parts | {"format": parts.get("format", 2)})
    with pytest.raises(ValueError, match=r"\.$"):
        Experiment.from_json(json.dumps({"format": 2} | parts))


def test_the_schema_takes_what_is_written_by_hand_and_what_export_adds():
    VALIDATOR.validate(NEW)
    VALIDATOR.validate({})
    added = {"table_sha256": "ab", "versions": {}, "changes": [{"step": 1, "field": "lr", "value": 0.1}]}
    VALIDATOR.validate(added | {"read_options": CsvOptions(decimal=",").to_json()})
    assert {"format", *PARTS, *OF_A_RUN} == experiment_schema()["properties"].keys()
    assert not VALIDATOR.is_valid({"changes": [{"step": 1, "field": "seed", "value": 1}]})
