"""The parser of all commands. Results go to stdout; progress, and errors in one sentence, to stderr.

Exit status: 0; 1 where a training failed or the disk refused; 2 for bad input; 130 for Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from lstm_core.cli import backtest, contest, control, forecast, listing, models, read, schema, sweep, train
from lstm_core.cli.output import BAD_INPUT, FAILED, INTERRUPTED, note
from lstm_core.experiment import PlaygroundError

ABOUT = """\
LSTM Playground without a page: train, watch, stop, score and trace, from a terminal or a script.

A run is a folder. Worker processes train it, and go on when this command, the terminal or the page that started it
ends. Wherever it was started, the Runs page and every command here know it by its id or by its folder.
"""
EXAMPLES = """\
examples:
  python -m lstm_core train experiment.json --set train.lr=0.01 --out runs/first
  python -m lstm_core runs
  python -m lstm_core score runs/first --json

With --json a command prints exactly one JSON object on one line (undefined: null). COMMAND --help tells more.
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; the exit status."""
    try:
        chosen = make_parser().parse_args(arguments)
        return chosen.run(chosen) or 0
    except PlaygroundError as error:
        note(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        note("Interrupted.")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as error:
        note(f"{error.filename or 'A file'} cannot be read or written ({error.strerror or error}).")
        return FAILED


def make_parser() -> argparse.ArgumentParser:
    """The parser of all commands; raises PlaygroundError at bad input."""
    form = argparse.RawDescriptionHelpFormatter
    parser = _Parser("python -m lstm_core", description=ABOUT, epilog=EXAMPLES, formatter_class=form)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (train, sweep, control, listing, models, read, forecast, contest, backtest, schema):
        module.add_commands(commands)
    return parser


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise PlaygroundError(f"{message[:1].upper()}{message[1:]}; {self.prog} --help lists what there is.")
