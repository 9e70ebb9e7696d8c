"""Entry point of python -m lstm_core."""

import os
import sys
import warnings

from lstm_core.cli import main
from lstm_core.cli.torchrun import is_launched

warnings.simplefilter("ignore", UserWarning)  # PyTorch's, about its own kernels
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter of a column's name
status = main()
if is_launched():  # all is said and saved: threads of the connections have been seen to abort the interpreter's end
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status or 0)
sys.exit(status)
