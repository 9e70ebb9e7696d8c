"""Shapes, memory, advice and PyTorch code of a configuration, without building the model. No torch here."""
