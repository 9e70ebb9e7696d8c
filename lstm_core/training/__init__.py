"""Trainer, an iterator of plain records, and all that it is made of."""
