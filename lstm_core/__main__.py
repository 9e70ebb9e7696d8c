"""Entry point of python -m lstm_core."""

import sys
import warnings

from lstm_core.cli import main

warnings.simplefilter("ignore", UserWarning)  # PyTorch's, about its own kernels
for stream in (sys.stdout, sys.stderr):
    stream.reconfigure(errors="backslashreplace")  # a terminal that lacks a letter of a column's name
sys.exit(main())
