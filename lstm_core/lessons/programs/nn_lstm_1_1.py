"""The steps of the tutorial, second half: nn.LSTM(1, 1) in place of the unit written by hand, 300 epochs at 0.1.

Run it: python nn_lstm_1_1.py --seed 42. It needs torch alone. A line that begins with [n] is not the tutorial's: it is
what was measured for note n of this file.

The tutorial trains with Lightning, which is not installed with the playground. fit() below is an equivalent loop for
this model, with Lightning's names: it logs into lightning_logs/version_0/metrics.csv, as Lightning does without
TensorBoard (with TensorBoard installed, an event file as well), and saves checkpoints/epoch=…-step=….ckpt beside it.
"""

import argparse
import csv
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

parser = argparse.ArgumentParser(description="The tutorial: nn.LSTM(1, 1)")
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--epochs", type=int, default=300)
options = parser.parse_args()
LOG_EVERY_N_STEPS = 2  # as the tutorial sets it
PRINTED_EVERY = 25  # epochs, in place of Lightning's progress bar

# [1] Tutorial: no seed.
#     Right: at this learning rate some starts never learn to tell the two companies apart. Say which one is shown.
torch.manual_seed(options.seed)
drawn = [
    torch.randn(3, generator=torch.Generator().manual_seed(s)).tolist()
    for s in (options.seed, options.seed, options.seed + 1)
]
once, again, other = (", ".join(f"{number:.4f}" for number in numbers) for numbers in drawn)
print(f"[1] Three numbers from seed {options.seed}: {once}; again: {again}; from seed {options.seed + 1}: {other}.")


class BuiltInUnit(nn.Module):
    """nn.LSTM(1, 1), and its last h."""

    def __init__(self):
        super().__init__()
        # [2] Tutorial: the same network, built in.
        #     Right: it has two biases for each gate, so 16 parameters and not 12, and all are drawn from U(-1, 1), the
        #     biases as well.
        #     See: initialisation
        self.lstm = nn.LSTM(input_size=1, hidden_size=1)

    def biases(self):
        """The sums of both biases of i, f, g and o, (4,)."""
        return (self.lstm.bias_ih_l0 + self.lstm.bias_hh_l0).detach()

    def forward(self, days):  # (4,)
        # [3] Tutorial: the input of an LSTM in PyTorch is (batch_size, sequence_length, input_size).
        #     Right: only with batch_first=True. Without it the steps come first, and a tensor of two axes, as here, is
        #     one sequence without a batch: (4, 1) is 4 steps of 1 number.
        #     See: axes
        output, _ = self.lstm(days.view(len(days), 1))  # (4, 1)
        # [4] Tutorial: h is trained towards the target 1.
        #     Right: h = o * tanh(c), and both factors are below 1: the loss never reaches 0.
        #     See: target_1
        return output[-1]  # (1,)


def training_step(model, batch, log):
    """The squared error of one company; log is kept from step to step, as Lightning keeps what an epoch logged."""
    days, target = batch
    output = model(days[0])
    loss = (output - target) ** 2
    log["train_loss"] = loss.item()
    log["out_0" if target == 0 else "out_1"] = output.item()
    return loss


def fit(model, dataloader, max_epochs, folder):
    """Train, log and save as Lightning's Trainer.fit does; returns the targets logged."""
    # [5] Tutorial: nn.LSTM is done after 300 epochs, the unit by hand after 5,000.
    #     Right: what is faster is the learning rate, 0.1 instead of 0.001. Two biases of a gate move together, so that
    #     their sum moves twice as far.
    #     See: biases
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    step, logged_targets, before = 0, [], model.biases()
    for epoch in range(max_epochs):
        log = {}
        for batch in dataloader:
            loss = training_step(model, batch, log)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            if step == 1:
                moved = (model.biases() - before).abs().max().item()
                print(f"[5] The first step of Adam moved the sum of two biases by up to {moved:.4f}.")
            # [6] Tutorial: with log_every_n_steps=2 the curve shows the training's loss.
            #     Right: of two companies in a fixed order, every second step is company B's: A's is never logged.
            if step % LOG_EVERY_N_STEPS == 0:
                write_log(folder / "metrics.csv", {"epoch": epoch, "step": step - 1, **log})
                logged_targets.append(batch[1].item())
        if (epoch + 1) % PRINTED_EVERY == 0:
            print(f"Epoch {epoch}: out_0 {log['out_0']:.4f}, out_1 {log['out_1']:.4f}")
    path = folder / "checkpoints" / f"epoch={max_epochs - 1}-step={step}.ckpt"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()]}
    torch.save({"epoch": max_epochs - 1, "global_step": step, **kept}, path)
    return logged_targets


def write_log(path, row):
    """Add a row to metrics.csv, with Lightning's columns."""
    is_new = not path.exists()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, sorted(row))
        if is_new:
            writer.writeheader()
        writer.writerow(row)


def write_events(folder):
    """The same scalars as an event file beside metrics.csv, where TensorBoard is installed; whether it is."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return False
    with SummaryWriter(folder) as writer, (folder / "metrics.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for tag in ("train_loss", "out_0", "out_1"):
                writer.add_scalar(tag, float(row[tag]), int(row["step"]))
    return True


def compare(model, when):
    """Print what was observed and what the model predicts."""
    print(f"\n{when}, the observed and the predicted values:")
    for name, days, target in zip("AB", inputs, targets, strict=True):
        print(f"Company {name}: Observed = {target:g}, Predicted = {model(days).detach()}")


inputs = torch.tensor([[0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 1.0]])  # (companies, days)
targets = torch.tensor([0.0, 1.0])
dataloader = DataLoader(TensorDataset(inputs, targets))  # one company a batch, always A before B
folder = Path("lightning_logs", "version_0")
(folder / "metrics.csv").unlink(missing_ok=True)

model = BuiltInUnit()
start = torch.cat([value.detach().flatten() for value in model.parameters()])
print(f"[2] {len(start)} parameters, which start between {start.min():.4f} and {start.max():.4f}.")
with torch.no_grad():
    two, three = (model.lstm(inputs[1].view(shape))[0] for shape in ((4, 1), (4, 1, 1)))
    batch_first = model.lstm(inputs[1].view(1, 4, 1))[0]
print(f"[3] (4, 1) gives {tuple(two.shape)}, the same numbers as (4, 1, 1): {torch.equal(two, three[:, 0])}.")
print(f"[3] (1, 4, 1) is 4 sequences of one step: its last output is {batch_first[0, 3, 0]:.4f}, not {two[3, 0]:.4f}.")
compare(model, "Before training")
logged_targets = fit(model, dataloader, options.epochs, folder)
print(f"[6] Of {len(logged_targets)} logged losses, {logged_targets.count(0.0)} are company A's.")
compare(model, f"After {options.epochs:,} epochs")
limit = torch.tensor(4.0).tanh().item()  # |g| < 1 and f < 1, so c stays below 4 after four steps
print(f"[4] h is now {model(inputs[1]).item():.4f} for company B. In four steps it stays below tanh(4) = {limit:.4f}.")
print("tensorboard --logdir=lightning_logs/" if write_events(folder) else f"The scalars are in {folder}/metrics.csv")
