"""What tutorials claim, run and checked."""
