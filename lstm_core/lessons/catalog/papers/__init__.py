"""Published tasks, by the rules of their papers."""
