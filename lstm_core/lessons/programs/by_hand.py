"""The steps of the tutorial, first half: one LSTM unit written by hand, trained on two companies, resumed from a file.

Run it: python by_hand.py --seed 42. It needs torch alone. A line that begins with [n] is not the tutorial's: it is what
was measured for note n of this file.

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

parser = argparse.ArgumentParser(description="The tutorial: an LSTM unit by hand")
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--epochs", type=int, default=2000, help="before the break")
parser.add_argument("--resume-to", type=int, default=5000, help="the epoch at which the resumed training ends")
options = parser.parse_args()
LOG_EVERY_N_STEPS = 50  # Lightning's default
PRINTED_EVERY = 250  # epochs, in place of Lightning's progress bar

# [1] Tutorial: no seed.
#     Right: one start learns and another does not: say which one is shown. 42 is that of the video behind the tutorial.
torch.manual_seed(options.seed)
drawn = [
    torch.randn(3, generator=torch.Generator().manual_seed(s)).tolist()
    for s in (options.seed, options.seed, options.seed + 1)
]
once, again, other = (", ".join(f"{number:.4f}" for number in numbers) for numbers in drawn)
print(f"[1] Three numbers from seed {options.seed}: {once}; again: {again}; from seed {options.seed + 1}: {other}.")


class UnitByHand(nn.Module):
    """One LSTM unit with one input: eight weights, four biases."""

    def __init__(self):
        super().__init__()
        # [2] Tutorial: every weight is drawn from N(0, 1), every bias is 0.
        #     Right: as good a start as another, but not that of nn.LSTM, which draws all of them from U(-1, 1) for one
        #     unit: the two halves of the tutorial begin differently.
        #     See: initialisation
        for gate in ("forget", "input", "candidate", "output"):
            for source in ("h", "x"):
                setattr(self, f"{gate}_{source}", nn.Parameter(torch.normal(torch.tensor(0.0), torch.tensor(1.0))))
            setattr(self, f"{gate}_bias", nn.Parameter(torch.tensor(0.0)))

    def gate(self, name, x, h):
        """The sum that goes into a gate's sigmoid, or the candidate's tanh."""
        return h * getattr(self, f"{name}_h") + x * getattr(self, f"{name}_x") + getattr(self, f"{name}_bias")

    def step(self, x, c, h):
        f, i, o = (torch.sigmoid(self.gate(name, x, h)) for name in ("forget", "input", "output"))
        g = torch.tanh(self.gate("candidate", x, h))
        # [3] Tutorial: the cell state makes sure that information stays for long.
        #     Right: it offers a path. Of day 1, the product of the three later forget gates is left.
        #     See: last_hidden
        c = f * c + i * g
        # [4] Tutorial: h_t is the input of the next step.
        #     Right: the next step has an input of its own, x, and reads h and c as its state.
        #     See: next_state
        h = o * torch.tanh(c)
        return c, h, f

    def forward(self, days):  # (4,)
        c = h = 0.0
        self.kept = 1.0  # of day 1 in c
        for number, x in enumerate(days):
            c, h, f = self.step(x, c, h)
            self.kept = self.kept * f.item() if number else 1.0
        # [5] Tutorial: h is trained towards the target 1.
        #     Right: h = o * tanh(c), and both factors are below 1: the loss never reaches 0, and the weights can grow
        #     for ever.
        #     See: target_1
        return h


def training_step(model, batch, log):
    """The squared error of one company; log is kept from step to step, as Lightning keeps what an epoch logged."""
    days, target = batch
    output = model(days[0])
    loss = (output - target) ** 2
    log["train_loss"] = loss.item()
    log["out_0" if target == 0 else "out_1"] = output.item()
    return loss


def fit(model, dataloader, max_epochs, folder=None, resume_from=None):
    """Train, log and save as Lightning's Trainer.fit does; returns the checkpoint's path and the targets logged."""
    optimizer = torch.optim.Adam(model.parameters())
    first_epoch = step = 0
    if resume_from:
        checkpoint = torch.load(resume_from, weights_only=True)
        model.load_state_dict(checkpoint["state_dict"])
        optimizer.load_state_dict(checkpoint["optimizer_states"][0])
        first_epoch, step = checkpoint["epoch"] + 1, checkpoint["global_step"]
    logged_targets = []
    for epoch in range(first_epoch, max_epochs):
        log = {}
        for batch in dataloader:
            loss = training_step(model, batch, log)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            step += 1
            # [6] Tutorial: train_loss is read as the loss of the training. Lightning logs every 50th step.
            #     Right: of two companies in a fixed order, every 50th step is company B's: A's loss is never logged.
            if step % LOG_EVERY_N_STEPS == 0 and folder:
                write_log(folder / "metrics.csv", {"epoch": epoch, "step": step - 1, **log})
                logged_targets.append(batch[1].item())
        if folder and (epoch + 1) % PRINTED_EVERY == 0:
            print(f"Epoch {epoch}: out_0 {log['out_0']:.4f}, out_1 {log['out_1']:.4f}")
    path = Path("split.ckpt") if folder is None else folder / "checkpoints" / f"epoch={max_epochs - 1}-step={step}.ckpt"
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"state_dict": model.state_dict(), "optimizer_states": [optimizer.state_dict()]}
    torch.save({"epoch": max_epochs - 1, "global_step": step, **kept}, path)
    return path, logged_targets


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
        predicted = model(days).detach()
        print(f"Company {name}: Observed = {target:g}, Predicted = {predicted}")
        print(f"[3] {when}, company {name}: the forget gates leave {model.kept:.4f} of day 1 in c.")


inputs = torch.tensor([[0.0, 0.5, 0.25, 1.0], [1.0, 0.5, 0.25, 1.0]])  # (companies, days)
targets = torch.tensor([0.0, 1.0])
dataloader = DataLoader(TensorDataset(inputs, targets))  # one company a batch, always A before B
first_folder, second_folder = (Path("lightning_logs", f"version_{k}") for k in (0, 1))
for old in (first_folder, second_folder):
    (old / "metrics.csv").unlink(missing_ok=True)

model = UnitByHand()
start = [value.item() for value in model.parameters()]
outside = sum(abs(value) > 1 for value in start)
print(f"[2] {outside} of the {len(start)} numbers start outside of -1 to 1, where nn.LSTM(1, 1) draws all of its own.")
with torch.no_grad():
    of_x, of_h = (model.step(x, 0.0, h)[1] for x, h in ((1.0, 0.0), (0.0, 1.0)))
print(f"[4] One step from c = 0: x = 1 and h = 0 give {of_x:.4f}; x = 0 and h = 1 give {of_h:.4f}.")
compare(model, "Before training")

path, logged_targets = fit(model, dataloader, options.epochs, first_folder)
logged_a = logged_targets.count(0.0)
print(f"[6] Of {len(logged_targets)} logged losses, {logged_a} are company A's.")
compare(model, f"After {options.epochs:,} epochs")

# [7] Tutorial: best_model_path is where the best checkpoint is.
#     Right: a Trainer that is not told what to monitor keeps the last one, good or bad.
best_model_path = path
print(f"best_model_path: {best_model_path.as_posix()}")
print(f"[7] It is the checkpoint of epoch {options.epochs - 1}, the last of epochs 0 to {options.epochs - 1}.")

# [8] Tutorial: going on from the checkpoint is transfer learning.
#     Right: it is the same training, resumed. Transfer learning takes weights to another task.
#     See: resume
fit(model, dataloader, options.resume_to, second_folder, resume_from=best_model_path)
compare(model, f"Resumed, after {options.resume_to:,} epochs")
limit = torch.tensor(4.0).tanh().item()  # |g| < 1 and f < 1, so c stays below 4 after four steps
print(f"[5] h is now {model(inputs[1]).item():.4f} for company B. In four steps it stays below tanh(4) = {limit:.4f}.")

whole, parts = UnitByHand(), UnitByHand()
parts.load_state_dict(whole.state_dict())
fit(whole, dataloader, 20)
half, _ = fit(parts, dataloader, 10)
fit(parts, dataloader, 20, resume_from=half)
same = all(torch.equal(a, b) for a, b in zip(whole.parameters(), parts.parameters(), strict=True))
print(f"[8] 20 epochs, and 10 with a resume to 20, give {'the same' if same else 'OTHER'} weights, bit for bit.")
written = [write_events(folder) for folder in (first_folder, second_folder)]
print("tensorboard --logdir=lightning_logs/" if all(written) else "The scalars are in lightning_logs/*/metrics.csv")
