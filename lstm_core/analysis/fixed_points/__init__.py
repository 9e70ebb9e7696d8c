"""Where an LSTM's state comes to rest at a constant input, and what leads there. No figures here."""

from lstm_core.analysis.fixed_points.connections import Connection, saddle_connections
from lstm_core.analysis.fixed_points.projection import StateProjection, project_states
from lstm_core.analysis.fixed_points.retention import Retention, measure_retention
from lstm_core.analysis.fixed_points.search import FixedPoint, find_fixed_points

__all__ = [
    "Connection",
    "FixedPoint",
    "Retention",
    "StateProjection",
    "find_fixed_points",
    "measure_retention",
    "project_states",
    "saddle_connections",
]
