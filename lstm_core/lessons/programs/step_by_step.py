"""The steps of the tutorial: nn.LSTM(10, 20, 2) run once, and nn.LSTM(3, 3) run step by step and at once.

Run it: python step_by_step.py --seed 42. It needs torch alone. A line that begins with [n] is not the tutorial's: it is
what was measured for note n of this file.
"""

import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser(description="The tutorial, step by step")
parser.add_argument("--seed", type=int, default=42)
seed = parser.parse_args().seed

# [1] Tutorial: no seed.
#     Right: with one, every number below is printed again by the next run.
torch.manual_seed(seed)
drawn = [torch.randn(3, generator=torch.Generator().manual_seed(s)).tolist() for s in (seed, seed, seed + 1)]
once, again, other = (", ".join(f"{number:.4f}" for number in numbers) for numbers in drawn)
print(f"[1] Three numbers from seed {seed}: {once}; again: {again}; from seed {seed + 1}: {other}.")

# The first example: two layers, and a state that is passed.
rnn = nn.LSTM(10, 20, 2)
# [2] Tutorial: the second axis is the batch, which is how many words each unit reads at once.
#     Right: it is how many sequences stand side by side. Each is read step by step, and none affects another.
#     See: axes
input = torch.randn(5, 3, 10)  # (seq_len, batch, input_size)
h_0, c_0 = torch.randn(2, 3, 20), torch.randn(2, 3, 20)  # (num_layers * num_directions, batch, hidden_size)
# [3] Tutorial: its list of outputs calls the states that come out h0 and c0.
#     Right: h0 and c0 go in; h_n and c_n come out, after the last step.
#     See: states
output, (h_n, c_n) = rnn(input, (h_0, c_0))
print(f"output {tuple(output.shape)}, h_n {tuple(h_n.shape)}, c_n {tuple(c_n.shape)}")

other = input.clone()
other[:, 1:] += 1.0
with torch.no_grad():
    apart = (rnn(other, (h_0, c_0))[0] - output).abs().amax((0, 2))
changes = ", ".join(f"{value:.4f}" for value in apart.tolist())
print(f"[2] With the inputs of sequences 1 and 2 changed, outputs of sequences 0, 1, 2 change by up to {changes}.")
print(f"[3] h_n differs from h_0 by up to {(h_n - h_0).abs().max().item():.4f}.")

# The second example: one sentence of five words, each a vector of three numbers.
lstm = nn.LSTM(3, 3)
print(lstm.all_weights)
weights = [weight.detach().clone() for weight in lstm.parameters()]

inputs = [torch.randn(1, 3) for _ in range(5)]
print("Inputs:", inputs)

hidden = first = (torch.randn(1, 1, 3), torch.randn(1, 1, 3))
print("Hidden:", hidden)
outputs = []
for word in inputs:
    # [4] Tutorial: the input is read in one go, without an intermediate output.
    #     Right: out holds h of every step that was passed in. With one step a call, each call gives one, and the next
    #     one replaces it.
    out, hidden = lstm(word.view(1, 1, -1), hidden)  # (1, 1, 3)
    outputs.append(out.detach())
print("out1:", out)
print("hidden2:", hidden)
numbers = ", ".join(f"{value[0, 0, 0]:.4f}" for value in outputs)
print(f"[4] {len(outputs)} calls gave {len(outputs)} outputs, whose first numbers are {numbers}.")

# [5] Tutorial: the whole sequence can be trained at once.
#     Right: nothing is trained here. It is a forward pass, without loss or optimizer.
inputs = torch.cat(inputs).view(len(inputs), 1, -1)  # (5, 1, 3)
# [6] Tutorial: torch.randn cleans out the hidden state.
#     Right: it fills it with noise. Zeros are clean, and what is used when the state is left out. Since both runs draw
#     a state of their own, out2 is not comparable with out1.
#     See: clean_state
hidden = (torch.randn(1, 1, 3), torch.randn(1, 1, 3))
# [7] Tutorial: hidden is there for backpropagation, and the last value of out is hidden.
#     Right: it is the state that the next call goes on from; gradients need no hidden. The last value of out is its h,
#     and c is in hidden alone.
#     See: clean_state
out, hidden = lstm(inputs, hidden)
print("out2", out)
print("hidden3", hidden)

same = all(torch.equal(old, new) for old, new in zip(weights, lstm.parameters(), strict=True))
print(f"[5] The weights are {'the same' if same else 'OTHER ones'} as before both runs.")
with torch.no_grad():
    stepwise, from_first = torch.cat(outputs), lstm(inputs, first)[0]
    from_zeros, without = lstm(inputs, (torch.zeros(1, 1, 3), torch.zeros(1, 1, 3)))[0], lstm(inputs)[0]
print(f"[6] Step by step and at once differ by up to {(stepwise - out).abs().max().item():.4f} here.")
print(f"[6] From the same state they differ by {(stepwise - from_first).abs().max().item():.1g}.")
print(f"[6] Zeros and no state differ by {(from_zeros - without).abs().max().item():g}.")
out.sum().backward()
reached = sum(weight.grad is not None for weight in lstm.parameters())
print(f"[7] out[-1] equals h: {torch.equal(out[-1], hidden[0][0])}, and c: {torch.equal(out[-1], hidden[1][0])}.")
print(f"[7] A loss of out alone gives a gradient to {reached} of {len(weights)} weight tensors.")
