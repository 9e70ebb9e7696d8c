"""Sweeps: many runs of one experiment with other settings, which Optuna proposes; the runs are trained as any others.

A page needs three names of this folder: files.SweepFolder (which sweeps there are, and how far each is), study.Study
(what is searched) and dispatcher.Sweep (trains it). Only history.py knows Optuna.
"""
