"""What a configuration means, worked out without building it. No torch here."""
