"""What a model predicts, and whether that beats a naive baseline."""
