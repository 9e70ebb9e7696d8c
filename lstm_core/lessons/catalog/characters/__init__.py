"""A character model that writes."""
