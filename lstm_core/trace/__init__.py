"""Every gate of any nn.LSTM: `trace_lstm(lstm, x, hx)` returns a `GateTrace`."""

from lstm_core.trace.gate_trace import GateTrace, trace_lstm

__all__ = ["GateTrace", "trace_lstm"]
