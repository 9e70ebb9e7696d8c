"""The lesson on exploding gradients, and the cliff that they come from."""
