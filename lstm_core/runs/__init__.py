"""Training runs: their threads, their queue, and the comparison of cells."""
