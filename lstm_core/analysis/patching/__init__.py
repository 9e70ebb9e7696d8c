"""What carries the difference between two runs: `patch_effects` puts one run's values into the other, cell by cell."""

from lstm_core.analysis.patching.effects import patch_effects

__all__ = ["patch_effects"]
