"""Data types → figures."""
