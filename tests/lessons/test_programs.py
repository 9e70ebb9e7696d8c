"""The tutorials' programs as a student runs them: scripts in an empty folder; whether what they print is so."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import torch
from torch import nn

from lstm_core.lessons.program import PROGRAMS, load_program
from lstm_core.lessons.run_program import ProgramRun

pytestmark = pytest.mark.slow


@cache
def printed(name: str, *arguments: str) -> str:
    """What a program prints in a folder of its own; it must end well and without a word on stderr."""
    with TemporaryDirectory() as folder:
        return run_in(Path(folder), name, *arguments)


def run_in(folder: Path, name: str, *arguments: str) -> str:
    command = [sys.executable, str(PROGRAMS / f"{name}.py"), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def numbers(text: str, pattern: str) -> list[float]:
    """The numbers that the pattern's groups find, in order."""
    found = [float(one) for match in re.finditer(pattern, text) for one in match.groups()]
    assert found, pattern
    return found


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("first_lstm", ()),
        ("minibatches", ("--epochs", "3")),
        ("by_hand", ("--epochs", "40", "--resume-to", "60")),
        ("nn_lstm_1_1", ("--epochs", "20")),
        ("one_step", ()),
        ("step_by_step", ()),
    ],
)
def test_every_note_is_measured_and_the_seed_decides(name, arguments):
    text = printed(name, *arguments)
    shown = {int(number) for number in re.findall(r"^\[(\d+)\] ", text, re.MULTILINE)}
    left_out = {2} if name == "minibatches" else set()  # a matter of words
    assert shown == {note.number for note in load_program(name).notes} - left_out
    with TemporaryDirectory() as folder:
        assert run_in(Path(folder), name, *arguments) == text, "seed 42 is the default, and decides all"
    assert printed(name, *arguments, "--seed", "7") != text


def test_first_lstm_prints_every_ten_epochs_and_one_prediction():
    text = printed("first_lstm")
    assert numbers(text, r"(?m)^Epoch \[(\d+)/100\]") == list(range(10, 101, 10))
    losses = numbers(text, r"Loss: ([\d.]+)")
    assert len(losses) == 10 and losses == sorted(losses, reverse=True)
    assert text.count("Prediction: tensor([[") == 1
    parameters = sum(weight.numel() for weight in nn.LSTM(10, 50, 2).parameters())
    assert f"[2] This nn.LSTM has {parameters:,} parameters" in text
    assert f"[3] nn.LSTM(10, 50).batch_first is {nn.LSTM(10, 50).batch_first}." in text
    on_new, zero, ratio = numbers(
        text, r"sequences, ([\d.]+) on[^$]*predicting 0 scores ([\d.]+)[^$]*is ([\d.]+) times"
    )
    assert on_new / zero == pytest.approx(ratio, abs=0.01) and ratio > 1


def test_minibatches_prints_a_line_an_epoch_and_the_list_of_predict():
    text = printed("minibatches", "--epochs", "3")
    assert numbers(text, r"(?m)^Epoch (\d+), Loss: [\d.]+$") == [1, 2, 3]
    assert "300 windows, 5 batches an epoch, the last one of 44" in text
    (line,) = [line for line in text.split("\n") if line.startswith("[[")]
    predictions = torch.tensor([[float(x) for x in row.split(",")] for row in line.strip("[]").split("], [")])
    assert predictions.shape == (10, 5)


def test_minibatches_shows_the_real_errors_of_what_is_printed_in_the_tutorial():
    text = printed("minibatches", "--epochs", "3")
    with pytest.raises(RuntimeError) as scalar:
        torch.zeros(5).item()
    with pytest.raises((RuntimeError, ValueError)) as size:
        nn.LSTM(10, 20)(torch.zeros(64, 70))
    for error in (scalar, size):
        assert str(error.value) in text
    assert "NameError: name 'X' is not defined" in text and "NameError: name 'criterion' is not defined" in text
    assert "gives (5,)" in text and "torch.Size([64, 5])" in text and "gives (64, 5)" in text


def test_by_hand_logs_and_saves_as_lightning_does(tmp_path):
    text = run_in(tmp_path, "by_hand", "--epochs", "50", "--resume-to", "75")
    logs = tmp_path / "lightning_logs"
    first, second = (rows(logs / f"version_{k}/metrics.csv") for k in (0, 1))
    assert list(first[0]) == ["epoch", "out_0", "out_1", "step", "train_loss"]
    assert [(row["epoch"], row["step"]) for row in first + second] == [("24", "49"), ("49", "99"), ("74", "149")]
    for row in first + second:  # each logged loss is company B's, whose target is 1
        assert float(row["train_loss"]) == pytest.approx((1 - float(row["out_1"])) ** 2, rel=1e-5)
    kept = [path.name for k in (0, 1) for path in (logs / f"version_{k}/checkpoints").iterdir()]
    assert kept == ["epoch=49-step=100.ckpt", "epoch=74-step=150.ckpt"]
    assert "best_model_path: lightning_logs/version_0/checkpoints/epoch=49-step=100.ckpt" in text
    assert "[6] Of 2 logged losses, 0 are company A's." in text
    assert text.count("Observed = 0, Predicted = ") == text.count("Observed = 1, Predicted = ") == 3


def test_by_hand_resumed_is_by_hand_unbroken():
    resumed, whole = (printed("by_hand", "--epochs", epochs, "--resume-to", "60") for epochs in ("30", "60"))
    end = r"Company [AB]: Observed = \d, Predicted = ([-\d.e]+)"
    assert numbers(resumed, end)[-2:] == numbers(whole, end)[2:4] != numbers(resumed, end)[2:4]
    assert "give the same weights, bit for bit" in resumed


def test_by_hand_starts_as_the_tutorial_draws():
    """Twelve numbers in its order: for each gate the weight of h, that of x, both from N(0, 1), and a bias of 0."""
    generator = torch.Generator().manual_seed(42)
    f, i, g, o = (tuple(torch.normal(0.0, 1.0, (), generator=generator) for _ in "hx") for _ in range(4))
    expected = []
    for first_day in (0.0, 1.0):
        c = h = torch.tensor(0.0)
        for x in (first_day, 0.5, 0.25, 1.0):
            forget, write, output = (torch.sigmoid(h * w[0] + x * w[1]) for w in (f, i, o))
            c = forget * c + write * torch.tanh(h * g[0] + x * g[1])
            h = output * torch.tanh(c)
        expected.append(h.item())
    text = printed("by_hand", "--epochs", "40", "--resume-to", "60")
    before = numbers(text, r"Company [AB]: Observed = \d, Predicted = ([-\d.e]+)")[:2]
    assert before == pytest.approx(expected, abs=1e-6)


def test_nn_lstm_logs_every_second_step_and_moves_the_sum_of_two_biases_by_twice_the_learning_rate(tmp_path):
    text = run_in(tmp_path, "nn_lstm_1_1")
    logged = rows(tmp_path / "lightning_logs/version_0/metrics.csv")
    assert [int(row["step"]) for row in logged] == list(range(1, 600, 2))
    assert "sum of two biases by up to 0.2000" in text and "[2] 16 parameters" in text
    assert "[6] Of 300 logged losses, 0 are company A's." in text
    a, b = numbers(text, r"Company [AB]: Observed = \d, Predicted = tensor\(\[([-\d.e]+)\]\)")[2:]
    assert abs(a) < 0.05 and b > 0.9, "seed 42 learns it"


def test_one_step_is_one_step():
    text = printed("one_step")
    assert "x (16, 5, 10), y (16, 1), output (16, 1)" in text
    before, after = numbers(text, r"\[8\] The loss was ([\d.]+), and is ([\d.]+)")
    assert f"\nLoss: {before:.4f}\n" in text and 0.7 * before < after < before
    assert "[4] With h_0 and c_0 left out, the output differs by 0." in text
    assert "by elements 6, by samples 30" in text and "nn.MSELoss gives 6." in text
    assert "IndentationError: expected an indented block" in text
    largest, bound = numbers(text, r"largest of all is ([\d.]+), and 1 / sqrt\(20\) is ([\d.]+)\.\n")
    assert largest <= bound == pytest.approx(20**-0.5, abs=1e-4)


def test_step_by_step_prints_what_the_tutorial_does():
    text = printed("step_by_step")
    assert "output (5, 3, 20), h_n (2, 3, 20), c_n (2, 3, 20)" in text
    order = ["[[Parameter containing:", "Inputs: [tensor(", "Hidden: (tensor(", "out1: tensor(", "hidden2: (tensor("]
    places = [text.index(f"\n{start}") for start in [*order, "out2 tensor(", "hidden3 (tensor("]]
    assert places == sorted(places)
    assert text.count("Parameter containing:") == len(list(nn.LSTM(3, 3).parameters()))
    assert "[7] out[-1] equals h: True, and c: False." in text
    changed = numbers(text, r"change by up to ([\d.]+), ([\d.]+), ([\d.]+)\.\n")
    assert changed[0] == 0.0 < min(changed[1:])
    different, same = numbers(text, r"differ by up to ([\d.]+) here\.\n.*same state they differ by ([\d.e-]+)\.\n")
    assert same < 1e-5 < 0.01 < different


def test_the_page_is_given_what_the_plain_script_prints(tmp_path, monkeypatch):
    monkeypatch.setenv("LSTM_PLAYGROUND_HOME", str(tmp_path))
    for name in ("first_lstm", "step_by_step"):
        run = ProgramRun(load_program(name), 42)
        run.wait()
        assert run.status == "finished", run.error
        assert "".join(f"{one.text}\n" for one in run.printed()) == printed(name)
        lines = load_program(name).lines
        assert all("print(" in lines[one.line - 1] for one in run.printed())
