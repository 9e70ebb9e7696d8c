"""The command line, python -m lstm_core COMMAND: `main(arguments)` runs one command and returns its exit status."""

from lstm_core.cli.main import main
from lstm_core.cli.schema import experiment_schema, settings_table

__all__ = ["experiment_schema", "main", "settings_table"]
