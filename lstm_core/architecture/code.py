"""A ModelSpec as PyTorch code that runs on its own: the model, its seed and its initialisation.

Only numbers and booleans enter the code, never a name from a user's file.
"""

from __future__ import annotations

from lstm_core.experiment import GATES, OPEN_GATES, SATURATING_BIAS, ModelSpec

MODULE_DEFAULTS = {  # of nn.LSTM's arguments after input_size and hidden_size
    "num_layers": 1,
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
    "proj_size": 0,
}
_BATCH, _SEQ_LEN = 32, 24  # of the example call; the model takes any


def model_code(spec: ModelSpec, input_size: int, output_size: int, seq_len: int = 0) -> str:
    """Complete code of build_model(spec, input_size, output_size, seq_len): same names, same seed, same weights.

    The recurrent module's arguments are input_size, hidden_size and those that differ from its defaults.
    """
    steps = seq_len if spec.linear_skip else _SEQ_LEN
    output_shape = f"({_BATCH}, {steps}, {output_size})" if spec.head == "per_step" else f"({_BATCH}, {output_size})"
    return f"""\
import torch
from torch import nn


{model_definition(spec, input_size, output_size, seq_len)}
x = torch.randn({_BATCH}, {steps}, {input_size})  # (batch, seq_len, input_size)
y = model(x)
print(tuple(y.shape))  # {output_shape}
"""


def model_definition(
    spec: ModelSpec, input_size: int, output_size: int, seq_len: int = 0, with_state: bool = False
) -> str:
    """The part of model_code behind its imports, up to the model with its weights.

    with_state: forward also takes the state before the first step, None for zeros.
    """
    head_size = spec.num_directions * spec.h_size
    state = ", state=None" if with_state else ""
    return f"""\
class Sequence{spec.module_name}(nn.Module):
    def __init__(self):
        super().__init__()
{_module(spec, input_size)}
        self.head = nn.Linear({head_size}, {output_size})
{_skip(spec, input_size, output_size, seq_len)}
    def forward(self, x{state}):  # (batch, seq_len, {input_size})
{_forward(spec, with_state)}


torch.manual_seed({spec.seed})
model = Sequence{spec.module_name}()
{_zero_head(spec)}{_zero_skip(spec)}{_forget_bias(spec)}{_chrono(spec)}{_frozen(spec)}"""


def _skip(spec: ModelSpec, input_size: int, output_size: int, seq_len: int) -> str:
    if not spec.linear_skip:
        return ""
    arguments = f"nn.Linear, {seq_len * input_size}, {output_size}"
    return f"        self.skip = nn.utils.skip_init({arguments})  # of the whole window; draws no weights\n"


def _module(spec: ModelSpec, input_size: int) -> str:
    begin, arguments = f"        self.{spec.cell} = nn.{spec.module_name}(", _arguments(spec, input_size)
    if len(begin) + len(arguments) < 120:
        return f"{begin}{arguments})"
    return f"{begin}\n            {arguments}\n        )"


def _arguments(spec: ModelSpec, input_size: int) -> str:
    values = {name: getattr(spec, name) for name in MODULE_DEFAULTS}
    if spec.num_layers == 1:
        values["dropout"] = 0.0  # as in build_model: it would have no effect
    non_defaults = {name: value for name, value in values.items() if value != MODULE_DEFAULTS[name]}
    sizes = {"input_size": input_size, "hidden_size": spec.hidden_size}
    return ", ".join(f"{name}={value!r}" for name, value in {**sizes, **non_defaults}.items())


def _forward(spec: ModelSpec, with_state: bool) -> str:
    width = spec.num_directions * spec.h_size
    skip = " + self.skip(x.flatten(1))" if spec.linear_skip else ""
    order = "batch, seq_len" if spec.batch_first else "seq_len, batch"
    x = ("x" if spec.batch_first else "x.transpose(0, 1)") + (", state" if with_state else "")
    state = "(h_n, c_n)" if spec.cell == "lstm" else "h_n"
    lines = [f"output, {state} = self.{spec.cell}({x})  # output: ({order}, {width})"]
    if spec.head == "per_step":
        lines.append(f"return self.head(output{'' if spec.batch_first else '.transpose(0, 1)'})")
    elif spec.bidirectional:
        lines += [
            "# h_n, not output: the reverse half of the last output has processed that step only",
            f"last = torch.cat([h_n[-2], h_n[-1]], dim=1)  # (batch, {width}): forward, reverse",
            f"return self.head(last){skip}",
        ]
    else:
        lines.append(f"return self.head(h_n[-1]){skip}  # the top layer's last h: (batch, {width})")
    return "\n".join(" " * 8 + line for line in lines)


def _zero_head(spec: ModelSpec) -> str:
    if not spec.zero_head:
        return ""
    return "nn.init.zeros_(model.head.weight)  # the untrained model predicts 0\nnn.init.zeros_(model.head.bias)\n"


def _zero_skip(spec: ModelSpec) -> str:
    if not spec.linear_skip:
        return ""
    return """\
for parameter in model.skip.parameters():
    nn.init.zeros_(parameter)  # until it is fitted
    parameter.register_hook(torch.zeros_like)  # it never trains
"""


def _forget_bias(spec: ModelSpec) -> str:
    if spec.forget_bias is None:
        return ""
    first, end = spec.hidden_size, 2 * spec.hidden_size
    return f"""\
with torch.no_grad():  # forget gates; nn.LSTM adds bias_ih and bias_hh, so the value goes into one
    for name, parameter in model.lstm.named_parameters():
        if name.startswith("bias"):
            parameter[{first}:{end}] = {float(spec.forget_bias)!r} if name.startswith("bias_ih") else 0.0
"""


def _chrono(spec: ModelSpec) -> str:
    if spec.chrono_t_max is None:
        return ""
    hidden = spec.hidden_size
    return f"""\
with torch.no_grad():  # forget gates for memories of up to {spec.chrono_t_max} steps (Tallec & Ollivier 2018)
    for name, parameter in model.lstm.named_parameters():
        if name.startswith("bias_ih"):
            forget = torch.empty({hidden}).uniform_(1, {spec.chrono_t_max - 1}).log()
            parameter[:{2 * hidden}] = torch.cat([-forget, forget])
        elif name.startswith("bias_hh"):
            parameter[:{2 * hidden}] = 0.0
"""


def _frozen(spec: ModelSpec) -> str:
    """Frozen parameters: their values are set and their gradients zeroed."""
    if not spec.frozen:
        return ""
    lines = []
    for part, gate in OPEN_GATES.items():
        if part in spec.frozen:
            first = GATES.index(gate) * spec.hidden_size
            rows = f"{first or ''}:{first + spec.hidden_size}"
            lines += [
                f'if name.startswith("lstm.") and "weight_hr" not in name:  # {gate} = 1 at every step',
                f'    value[{rows}] = {SATURATING_BIAS!r} if "bias_ih" in name else 0.0',
                f"    trainable[{rows}] = 0",
            ]
    if "bias_hh" in spec.frozen:
        lines += ['if "bias_hh" in name:  # one bias per gate', "    value.zero_()", "    trainable.zero_()"]
    if "head" in spec.frozen:
        lines += [
            'if name.startswith("head."):  # the prediction is h itself',
            "    value.copy_(torch.eye(len(value)) if value.dim() == 2 else torch.zeros(len(value)))",
            "    trainable.zero_()",
        ]
    statements = "\n".join(" " * 4 + line for line in lines)
    return f"""\
for name, parameter in model.named_parameters():
    value, trainable = parameter.data, torch.ones_like(parameter)
{statements}
    parameter.register_hook(lambda gradient, trainable=trainable: gradient * trainable)  # frozen values never train
"""
