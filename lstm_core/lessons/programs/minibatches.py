"""The steps of the tutorial: a Dataset that returns dicts, a DataLoader, an LSTM, a line for every epoch, a prediction.

Run it: python minibatches.py --seed 42. It needs torch alone. A line that begins with [n] is not the tutorial's: it is
what was measured for note n of this file.

What cannot run as the tutorial prints it is run all the same: the real error is caught and printed, and the mend
follows.
"""

import argparse
import warnings

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

parser = argparse.ArgumentParser(description="The tutorial, step by step")
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--epochs", type=int, default=1000)
options = parser.parse_args()

# [1] Tutorial: no seed.
#     Right: with one, weights, batches and every printed line come out the same again.
torch.manual_seed(options.seed)
drawn = [
    torch.randn(3, generator=torch.Generator().manual_seed(s)).tolist()
    for s in (options.seed, options.seed, options.seed + 1)
]
once, again, other = (", ".join(f"{number:.4f}" for number in numbers) for numbers in drawn)
print(f"[1] Three numbers from seed {options.seed}: {once}; again: {again}; from seed {options.seed + 1}: {other}.")


# [2] Tutorial: an RNN is called a recursive network, and the LSTM better than the GRU.
#     Right: RNN is short for recurrent; a recursive network is applied over a tree. Neither cell is better in general.
#     See: gru
class WindowRegressor(nn.Module):
    """An LSTM, and a linear head on the last step's h."""

    def __init__(self, input_dim, hidden_dim, output_dim):
        super().__init__()
        # [3] Tutorial: one bias for each gate in its equations, and no batch_first here.
        #     Right: nn.LSTM adds two bias vectors. A DataLoader puts the batch first, so batch_first=True belongs
        #     here.
        #     See: biases
        self.lstm = nn.LSTM(input_dim, hidden_dim, num_layers=1, batch_first=True)
        self.head = nn.Linear(hidden_dim, output_dim)

    def forward(self, x):  # (batch, seq_len, input_dim)
        # [4] Tutorial: seq.view(len(seq), -1) goes into the LSTM, and lstm_out[-1] into the head.
        #     Right: leave the shape alone, and take the last step of every sequence, output[:, -1].
        #     See: view
        output, _ = self.lstm(x)  # (batch, seq_len, hidden_dim)
        return self.head(output[:, -1])  # (batch, output_dim)


def as_printed(model, seq):
    """The forward pass that the tutorial prints, on this model's layers."""
    output, _ = model.lstm(seq.view(len(seq), -1))
    return model.head(output[-1])


model = WindowRegressor(input_dim=10, hidden_dim=20, output_dim=5)
names = [name for name, _ in model.lstm.named_parameters()]
print(f"[3] The parameters of this nn.LSTM: {', '.join(names)}.")

loss_function = nn.MSELoss()
flat_batch, flat_targets, window_batch = torch.randn(64, 10), torch.randn(64, 5), torch.randn(64, 7, 10)
with warnings.catch_warnings(record=True) as caught, torch.no_grad():
    warnings.simplefilter("always")
    output = as_printed(model, flat_batch)
    loss = loss_function(output, flat_targets)
print(f"[4] As printed, a batch of (64, 10) gives {tuple(output.shape)}: it was read as one sequence of 64 steps.")
print(
    f"[4] Its loss against the (64, 5) targets is {loss.item():.4f}, with a warning: {caught[0].message}".split("\n")[0]
)
try:
    as_printed(model, window_batch)
except (RuntimeError, ValueError) as error:
    print(f"[4] As printed, a batch of windows (64, 7, 10): {type(error).__name__}: {error}")
print(f"[4] Mended, the same batch gives {tuple(model(window_batch).shape)}.")


class WindowDataset(Dataset):
    """Windows and their targets; an item is a dict."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        # [5] Tutorial: torch.tensor(...).float() around each item.
        #     Right: of what is a tensor already, torch.tensor makes a copy and warns: convert once, before.
        return {"X": self.X[index], "y": self.y[index]}


with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    torch.tensor(window_batch[0]).float()
print(f"[5] {caught[0].category.__name__}: {caught[0].message}")

# [6] Tutorial: X, y, criterion and X_test are used and never defined.
#     Right: define them. Theirs are not known; here a window is 7 steps of 10 random numbers, and its targets are the
#     means of the first five over the steps, with some noise.
try:
    WindowDataset(X, y)
except NameError as error:
    print(f"[6] As printed, the dataset: {type(error).__name__}: {error}")
try:
    criterion(flat_targets, flat_targets)
except NameError as error:
    print(f"[6] As printed, the loss: {type(error).__name__}: {error}")


def made_up_windows(count):
    """(count, 7, 10) inputs and (count, 5) targets."""
    X = torch.randn(count, 7, 10)
    return X, X[:, :, :5].mean(1) + 0.1 * torch.randn(count, 5)


X, y = made_up_windows(300)
X_test, y_test = made_up_windows(10)
batch_size, learning_rate = 64, 0.001
dataset = WindowDataset(X, y)
dataloader = DataLoader(dataset, batch_size=batch_size, shuffle=True)
print(f"{len(dataset)} windows, {len(dataloader)} batches an epoch, the last one of {len(dataset) % batch_size}")

optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
largest_gap = 0.0
for epoch in range(1, options.epochs + 1):
    total = 0.0
    for batch in dataloader:
        inputs, targets = batch["X"], batch["y"]
        optimizer.zero_grad()
        loss = loss_function(model(inputs), targets)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(inputs)
    # [7] Tutorial: the loss that is left from the last batch is printed as the epoch's.
    #     Right: the mean over all windows of the epoch.
    #     See: epoch_loss
    print(f"Epoch {epoch}, Loss: {loss.item():.4f}")
    mean = total / len(dataset)
    largest_gap = max(largest_gap, abs(loss.item() / mean - 1))
print(f"[7] The last epoch's mean is {mean:.4f}. The printed loss was off by up to {100 * largest_gap:.0f} % of it.")


def predict(model, windows):
    """The model's outputs, a list for each window."""
    predictions = []
    with torch.no_grad():
        for window in windows:
            output = model(window.unsqueeze(0))  # (1, 5)
            # [8] Tutorial: output.item() is appended.
            #     Right: item() takes a tensor of one element. Of five, take tolist().
            predictions.append([round(value, 4) for value in output[0].tolist()])
    return predictions


try:
    model(X_test[:1]).item()
except (RuntimeError, ValueError) as error:
    print(f"[8] As printed: {type(error).__name__}: {error}")

# [9] Tutorial: the predictions are printed, and no error of them.
#     Right: compare them with targets, and with a naive prediction: here the mean of the training targets.
predictions = predict(model, X_test)
print(predictions)
scores = [loss_function(values.expand(10, 5), y_test).item() for values in (torch.tensor(predictions), y.mean(0))]
print(f"[9] Mean squared error on the {len(X_test)} test windows: {scores[0]:.4f}; the mean scores {scores[1]:.4f}.")
