"""What the JSON of a Keras model says of its layers: which there are, and what an LSTM among them is like."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from lstm_core.experiment import PlaygroundError
from lstm_core.model.import_weights.weights import quoted

MAX_DEPTH = 12
MERGED = "Keras merges its two directions by {mode}: here they stand side by side, as nn.LSTM has them."
_FIXED = {"activation": "tanh", "recurrent_activation": "sigmoid"}
_HEADS = ("linear", "softmax", "sigmoid")  # activations whose input, the head's linear output, is what training sees
_OTHER_CELLS = ("GRU", "SimpleRNN", "GRUCell", "SimpleRNNCell")


@dataclass(frozen=True)
class Config:
    """The layers in the model's order, by the address of their weights; empty where the file says nothing."""

    layers: dict[str, dict] = field(default_factory=dict)

    def knows(self, address: str) -> bool:
        return address in self.layers

    def order(self, address: str) -> int:
        return list(self.layers).index(address) if self.knows(address) else len(self.layers)

    def notes(self, address: str) -> tuple[str, ...]:
        """Of a layer that is known: how it differs from nn.LSTM outside its cells."""
        mode = _settings(self.layers[address]).get("merge_mode", "concat")
        return () if mode == "concat" else (MERGED.format(mode=quoted(str(mode))),)

    def is_linear(self, address: str) -> bool:
        """Whether this is a dense layer whose linear output is known; True where nothing is said."""
        if not self.layers:
            return True
        layer = self.layers.get(address, {})
        return layer.get("class_name") == "Dense" and _activation(layer, "activation", "linear") in _HEADS

    def check(self, with_weights: Collection[str]) -> None:
        """Refuse what nn.LSTM cannot repeat.

        with_weights: the addresses of the recurrent layers whose weights the file holds.

        Raises:
            PlaygroundError: a custom layer, another activation, go_backwards, or an LSTM without its weights.
        """
        for address, layer in self.layers.items():
            name, lstms = quoted(str(_settings(layer).get("name") or address)), _lstms_of(layer)
            _refuse_custom(layer, name)
            for direction, lstm in enumerate(lstms):
                _check_lstm(lstm, name, backwards=direction == 1)
            if lstms and address not in with_weights:
                raise PlaygroundError(f"the weights of its layer {name} are missing: save the whole model again.")
            if address in with_weights and not lstms and _cell_class(layer) not in _OTHER_CELLS:
                raise PlaygroundError(
                    f"its layer {name} has cells of the class {quoted(str(_cell_class(layer)))}, not LSTM: import a "
                    "model with keras.layers.LSTM."
                )


def read_config(text: str, by_name: bool) -> Config:
    """The JSON of a model: config.json, or with by_name the attribute model_config of an .h5 file.

    Raises:
        PlaygroundError: it is not valid JSON, or not of a model.
    """
    try:
        model = json.loads(text)
    except (ValueError, RecursionError):
        model = None
    if not isinstance(model, dict):
        raise PlaygroundError("its description of the model is not valid JSON: save it again.")
    layers: dict[str, dict] = {}
    _walk(model, "", layers, by_name, 0)
    return Config(layers)


def _walk(model: dict, prefix: str, into: dict[str, dict], by_name: bool, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise PlaygroundError("its description has models in one another without end: save it again.")
    used: dict[str, int] = {}
    for layer in _layers(model) or ():
        if not isinstance(layer, dict):
            continue
        kind = _snake_case(str(layer.get("class_name")))
        number = used[kind] = used.get(kind, -1) + 1  # as Keras numbers the layers of a class
        path = f"{prefix}layers/{kind}" + f"_{number}" * (number > 0)
        if _layers(layer) is not None:
            _walk(layer, f"{path}/", into, by_name, depth + 1)
        else:
            into[str(_settings(layer).get("name")) if by_name else path] = layer


def _layers(model: dict) -> list | None:
    """Those of a model; of an old Sequential the config is the list itself."""
    config = model.get("config")
    layers = config.get("layers") if isinstance(config, dict) else config
    return layers if isinstance(layers, list) else None


def _snake_case(name: str) -> str:
    """As Keras makes a group's name of a class's."""
    parted = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", parted).lower()


def _settings(layer: Any) -> dict:
    config = layer.get("config") if isinstance(layer, dict) else None
    return config if isinstance(config, dict) else {}


def _class(layer: Any) -> Any:
    return layer.get("class_name") if isinstance(layer, dict) else None


def _cell_class(layer: dict) -> Any:
    """The class of a recurrent layer, or of what it wraps."""
    inner = _settings(layer).get("layer") or _settings(layer).get("cell")
    return _class(inner) if inner else _class(layer)


def _lstms_of(layer: dict) -> list[dict]:
    """The LSTM that a layer is, or those of its directions."""
    config = _settings(layer)
    if _class(layer) == "Bidirectional":
        return [one for one in (config.get("layer"), config.get("backward_layer")) if _class(one) == "LSTM"]
    if _class(layer) == "RNN" and _class(config.get("cell")) == "LSTMCell":
        return [{"class_name": "LSTM", "config": config | _settings(config["cell"])}]
    return [layer] if _class(layer) == "LSTM" else []


def _refuse_custom(layer: dict, name: str) -> None:
    module, registered = layer.get("module", "keras"), layer.get("registered_name")
    elsewhere = isinstance(registered, str) and ">" in registered and not registered.startswith("keras")
    if elsewhere or not str(module).startswith("keras"):
        raise PlaygroundError(
            f"its layer {name} is a custom one ({quoted(str(_class(layer)))}), which may compute anything: import a "
            "model of Keras' own layers."
        )


def _check_lstm(layer: dict, name: str, backwards: bool) -> None:
    _refuse_custom(layer, name)
    for setting, needed in _FIXED.items():
        value = _activation(layer, setting, needed)
        if value != needed:
            raise PlaygroundError(
                f"its layer {name} has {setting} {quoted(value)}, and nn.LSTM has {needed}: train it with {needed}."
            )
    if bool(_settings(layer).get("go_backwards", backwards)) != backwards:
        raise PlaygroundError(
            f"its layer {name} reads its input backwards (go_backwards), which nn.LSTM alone cannot: reverse the rows "
            "of its data, and train it forwards."
        )


def _activation(layer: dict, setting: str, default: str) -> str:
    """An activation's name, whether it stands as a text or as a serialised function."""
    value = _settings(layer).get(setting, default)
    if isinstance(value, dict):
        value = _settings(value).get("name") or value.get("config")
    return str(value)
