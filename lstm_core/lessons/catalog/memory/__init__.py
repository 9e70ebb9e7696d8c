"""Memory over many steps: what carries it, and what loses it."""
