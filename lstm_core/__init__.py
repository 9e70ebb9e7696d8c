"""LSTM Playground's engine: data in, a trained and fully traced LSTM out. Knows nothing of Streamlit."""
