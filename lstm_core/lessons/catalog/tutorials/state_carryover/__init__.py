"""What h and c are at the start of a window: zeros, random, or carried over."""
