"""Sweeps: many runs of one experiment with other settings, which Optuna proposes; the runs are trained as any others.

study.Study says what is searched, dispatcher.Sweep trains it, files.SweepFolder has it on disk. A page reads summaries
(shelf.py), and has a process of its own train it (detached.py). Only history.py knows Optuna.
"""
