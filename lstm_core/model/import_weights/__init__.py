"""LSTMs that were trained elsewhere: `read_lstms(data, name)` reads them from safetensors, Keras and ONNX files.

A file is data: nothing of it is unpickled, run or followed to another file, and it is measured before it is read.
"""

from lstm_core.model.import_weights.parity import Parity, check_parity
from lstm_core.model.import_weights.read import import_lstms, read_lstms
from lstm_core.model.import_weights.weights import ImportedLstm

__all__ = ["ImportedLstm", "Parity", "check_parity", "import_lstms", "read_lstms"]
