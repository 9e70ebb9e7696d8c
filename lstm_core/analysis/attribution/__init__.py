"""What a prediction is made of, step by step and input by input. `contributions` is the ledger that sums to it."""

from lstm_core.analysis.attribution.ledger import Contributions, contributions

__all__ = ["Contributions", "contributions"]
