"""The five tutorials: what they build, and where they err."""
