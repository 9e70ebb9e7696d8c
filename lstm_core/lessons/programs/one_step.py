"""The steps of the tutorial: nn.LSTM(10, 20, 2) from explicit zeros, a linear head, and one step of Adam.

Run it: python one_step.py --seed 42. It needs torch alone. A line that begins with [n] is not the tutorial's: it is
what was measured for note n of this file.

The tutorial's program prints nothing. Shapes and loss are printed here so that there is something to see.
"""

import argparse
import ast
import math

import torch
from torch import nn

parser = argparse.ArgumentParser(description="The tutorial, step by step")
parser.add_argument("--seed", type=int, default=42)
seed = parser.parse_args().seed

# [1] Tutorial: no seed.
#     Right: set one; here it also makes the losses before and after the step comparable.
torch.manual_seed(seed)
drawn = [torch.randn(3, generator=torch.Generator().manual_seed(s)).tolist() for s in (seed, seed, seed + 1)]
once, again, other = (", ".join(f"{number:.4f}" for number in numbers) for numbers in drawn)
print(f"[1] Three numbers from seed {seed}: {once}; again: {again}; from seed {seed + 1}: {other}.")

# [2] Tutorial: its program stands there without indentation.
#     Right: Python refuses it; the body of a class and of a function is indented.
try:
    ast.parse("class Model:\ndef forward(self, x):\nreturn x")
except IndentationError as error:
    print(f"[2] Without indentation: {type(error).__name__}: {error.msg}")


class SequenceRegressor(nn.Module):
    """Two LSTM layers from zeros, and a linear head on the last step's h."""

    def __init__(self, input_size, hidden_size, num_layers, output_size):
        super().__init__()
        self.hidden_size, self.num_layers = hidden_size, num_layers
        # [3] Tutorial: PyTorch initialises by Xavier's method.
        #     Right: nn.LSTM draws every weight and every bias from U(-k, k), k = 1 / sqrt(hidden_size), whatever the
        #     number of inputs.
        #     See: initialisation
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.head = nn.Linear(hidden_size, output_size)

    def forward(self, x):  # (batch, seq_len, input_size)
        # [4] Tutorial: h_0 and c_0 have to be initialised.
        #     Right: zeros are what they are anyway when they are left out. Passing them is for other states.
        #     See: clean_state
        h_0 = torch.zeros(self.num_layers, x.size(0), self.hidden_size, device=x.device)
        c_0 = torch.zeros_like(h_0)
        output, _ = self.lstm(x, (h_0, c_0))  # (batch, seq_len, hidden_size)
        # [5] Tutorial: the last hidden state is the output, and it contains the information of all steps.
        #     Right: the output is the head's. The last h can depend on every step; how much of each is left in it is a
        #     number that the gates decide.
        #     See: last_hidden
        return self.head(output[:, -1])  # (batch, output_size)


input_size, hidden_size, num_layers, output_size, batch_size, seq_len = 10, 20, 2, 1, 16, 5
x = torch.randn(batch_size, seq_len, input_size)
# [6] Tutorial: the targets are random numbers.
#     Right: then nothing can be learned from x. A falling loss would only be memorising.
y = torch.randn(batch_size, output_size)

model = SequenceRegressor(input_size, hidden_size, num_layers, output_size)
output = model(x)
print(f"x {tuple(x.shape)}, y {tuple(y.shape)}, output {tuple(output.shape)}")

# [7] Tutorial: MSELoss divides by the number of samples.
#     Right: by the number of elements. With one target a sample, the two are the same.
#     See: mse
loss_function = nn.MSELoss()
loss = loss_function(output, y)
print(f"Loss: {loss.item():.4f}")

weights = dict(model.lstm.named_parameters())
largest = max(weight.abs().max().item() for weight in weights.values())
rows, columns = weights["weight_ih_l0"].shape
xavier = math.sqrt(6 / (rows + columns))
print(f"[3] The largest of all is {largest:.4f}, and 1 / sqrt({hidden_size}) is {1 / math.sqrt(hidden_size):.4f}.")
print(f"[3] Xavier's bound would be {xavier:.4f} for weight_ih_l0, and another one for weight_hh_l0.")
left_out = model.head(model.lstm(x)[0][:, -1])
print(f"[4] With h_0 and c_0 left out, the output differs by {(output - left_out).abs().max().item():g}.")
probe = x.clone().requires_grad_()
model.lstm(probe)[0][:, -1].sum().backward()
by_step = probe.grad.norm(dim=(0, 2))
shares = ", ".join(f"{share:.2f}" for share in (by_step / by_step[-1]).tolist())
print(f"[5] How much the last h changes with the input of steps 1 to {seq_len}, the last = 1: {shares}.")
five = torch.arange(5.0).expand(batch_size, 5)
summed = five.square().sum().item()
by_elements, by_samples = summed / five.numel(), summed / batch_size
print(f"[7] Errors of shape {tuple(five.shape)}: by elements {by_elements:g}, by samples {by_samples:g}.")
print(f"[7] nn.MSELoss gives {loss_function(five, torch.zeros_like(five)).item():g}.")

# [8] Tutorial: after this one step the model is an optimised one.
#     Right: one step is one step. Training repeats it, and judges the result on data that it was not trained on.
#     See: one_step
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
optimizer.zero_grad()
loss.backward()
optimizer.step()

with torch.no_grad():
    after = loss_function(model(x), y).item()
    x_new, y_new = torch.randn(500, seq_len, input_size), torch.randn(500, output_size)
    on_new, always_zero = loss_function(model(x_new), y_new).item(), y_new.square().mean().item()
print(f"[8] The loss was {loss.item():.4f}, and is {after:.4f} after the step.")
print(f"[6] On 500 new sequences it is {on_new:.4f}; always predicting 0 scores {always_zero:.4f}.")
