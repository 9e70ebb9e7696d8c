"""What a trained model does, as numbers. No figures here."""
