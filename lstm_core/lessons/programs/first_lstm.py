"""The steps of the tutorial: an LSTM of two layers and a linear head, trained on random sequences with random targets.

Run it: python first_lstm.py --seed 42. It needs torch alone. A line that begins with [n] is not the tutorial's: it is
what was measured for note n of this file.
"""

import argparse

import torch
from torch import nn

parser = argparse.ArgumentParser(description="The tutorial, step by step")
parser.add_argument("--seed", type=int, default=42)
seed = parser.parse_args().seed

# [1] Tutorial: no seed; weights, inputs and targets are other ones in every run.
#     Right: set one, so that what is printed can be printed again and compared.
torch.manual_seed(seed)
drawn = [torch.randn(3, generator=torch.Generator().manual_seed(s)).tolist() for s in (seed, seed, seed + 1)]
once, again, other = (", ".join(f"{number:.4f}" for number in numbers) for numbers in drawn)
print(f"[1] Three numbers from seed {seed}: {once}; again: {again}; from seed {seed + 1}: {other}.")


class SequenceRegressor(nn.Module):
    """Two LSTM layers, and a linear head on the last step's h."""

    def __init__(self, input_size, hidden_size, output_size, num_layers):
        super().__init__()
        # [2] Tutorial: nn.LSTM has four parameters.
        #     Right: these are four of its arguments. Others are bias, dropout, bidirectional and proj_size. Its
        #     parameters are the weights.
        # [3] Tutorial: batch_first=True is the default.
        #     Right: the default is False, and then time is the first axis.
        #     See: batch_first
        self.lstm = nn.LSTM(input_size, hidden_size, num_layers, batch_first=True)
        self.head = nn.Linear(hidden_size, output_size)

    def forward(self, x):  # (batch, seq_len, input_size)
        output, _ = self.lstm(x)  # (batch, seq_len, hidden_size)
        return self.head(output[:, -1])  # (batch, output_size)


input_size, hidden_size, output_size, num_layers = 10, 50, 1, 2
model = SequenceRegressor(input_size, hidden_size, output_size, num_layers)
loss_function = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.001)

# [4] Tutorial: inputs and targets are drawn independently, and the falling loss ends the story.
#     Right: there is nothing to learn. What falls is the error on 100 targets that are learned by heart.
x_train = torch.randn(100, 5, input_size)
y_train = torch.randn(100, output_size)

weights = list(model.lstm.parameters())
print(f"[2] This nn.LSTM has {sum(w.numel() for w in weights):,} parameters in {len(weights)} tensors.")
print(f"[3] nn.LSTM({input_size}, {hidden_size}).batch_first is {nn.LSTM(input_size, hidden_size).batch_first}.")

epochs = 100
for epoch in range(1, epochs + 1):
    model.train()
    loss = loss_function(model(x_train), y_train)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if epoch % 10 == 0:
        print(f"Epoch [{epoch}/{epochs}], Loss: {loss.item():.4f}")

# [5] Tutorial: this is called evaluation: one new random sequence, which has no target.
#     Right: the error on many sequences that were not trained on, beside what a naive prediction scores there.
model.eval()
with torch.no_grad():
    test_input = torch.randn(1, 5, input_size)
    print(f"Prediction: {model(test_input)}")

    x_new, y_new = torch.randn(1000, 5, input_size), torch.randn(1000, output_size)
    trained_on, on_new = (loss_function(model(x), y).item() for x, y in ((x_train, y_train), (x_new, y_new)))
    always_zero = y_new.square().mean().item()
print(f"[4] Mean squared error after training: {trained_on:.4f} on the 100 sequences, {on_new:.4f} on 1,000 new ones.")
ratio = on_new / always_zero
print(f"[5] Always predicting 0 scores {always_zero:.4f} there: the model's error is {ratio:.2f} times that.")
