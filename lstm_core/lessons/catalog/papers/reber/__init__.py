"""The Reber grammars: one symbol remembered, and the stream that needs forget gates."""
