"""The figures of each lesson's outcome from nothing but torch and NumPy: a notebook has the very source of these.

Each takes the trained models by their labels in the lesson, with what a notebook keeps of them (see notebook.py), and
returns what the lesson's own outcome has as metrics; tests hold the two side by side.
"""

from __future__ import annotations

import copy
import math

import numpy as np
import torch

from lstm_core.data.generators.reber import LEGAL, RECALL_STATE, STATE, SYMBOLS, _walk, decode_one_hot, states_after
from lstm_core.data.generators.symbols import COUNT_SYMBOLS, count_string, max_count
from lstm_core.data.samples.book import ALPHABET, encode
from lstm_core.lessons.catalog.characters.text import CHUNK_LENGTH, ngram_baselines, text_features
from lstm_core.lessons.catalog.papers.counting import MAX_TESTED


@torch.no_grad()
def outputs_of(run, split):  # of all windows of a split, as the head has them
    return torch.cat([run.model(run.batch_of(batch)[0]) for batch in run.starts[split].split(1024)])


def targets_of(run, split):
    return torch.cat([run.batch_of(batch)[1] for batch in run.starts[split].split(1024)])


def first_lstm_outcome(trained):
    run, errors, zero_errors = trained["lstm"], {}, {}
    for split in ("train", "valid"):
        targets = targets_of(run, split).flatten().double()
        errors[split] = (outputs_of(run, split).flatten() - targets).square().mean().item()
        zero_errors[split] = targets.square().mean().item()
    return {"error seen": errors["train"], "error new": errors["valid"], "zero new": zero_errors["valid"]}


def minibatches_outcome(trained):
    gains = {}
    for label, run in trained.items():
        rows = run.starts["test"] + run.seq_len  # the day after each window
        predictions = outputs_of(run, "test").numpy() * run.y_scale + run.y_center  # (days, 5)
        targets, yesterday = run.y[rows].numpy(), run.y[rows - 1].numpy()
        error, naive = (np.sqrt(((x - targets) ** 2).mean(0)) for x in (predictions, yesterday))
        gains[f"gain {label.upper()}"] = float(1 - (error / naive).mean())
    return gains


@torch.no_grad()
def companies(run):  # what the unit predicts for company A and B, and their targets; each (2,)
    inputs, targets = run.batch_of(run.starts["train"])
    return copy.deepcopy(run.model).double()(inputs.double()).flatten(), targets.flatten()


def by_hand_outcome(trained):
    out, targets = companies(trained["hand"])
    return {"out_0": out[0].item(), "out_1": out[1].item(), "loss": (out - targets).square().mean().item()}


def nn_lstm_1_1_outcome(trained):
    figures = {}
    for label, prefix in (("nn_lstm", ""), ("hand", "hand ")):
        figures |= {f"{prefix}out_{k}": value.item() for k, value in enumerate(companies(trained[label])[0])}
    kept = [one.weights for one in trained["nn_lstm"].snapshots]
    differences = torch.stack([weights["lstm.bias_ih_l0"] - weights["lstm.bias_hh_l0"] for weights in kept])
    return figures | {"bias drift": (differences - differences[0]).abs().max().item()}


def drawn_state(run, rows, index):  # h_0 and c_0 from a standard normal, of these rows and this batch alone
    rng, shape = (
        np.random.default_rng((run.seed, 1, index)),
        (run.model.lstm.num_layers, rows, run.model.lstm.hidden_size),
    )
    return tuple(torch.from_numpy(rng.standard_normal(shape, np.float32)) for _ in "hc")


@torch.no_grad()
def state_life_outcome(trained):
    errors = {}
    for label, run in trained.items():
        separate = run.starts["valid"][:: run.seq_len]  # windows that do not overlap, in 8 streams
        rows = max(1, min(8, len(separate) // 2))
        streams, state, found = separate[: len(separate) // rows * rows].view(rows, -1).T, None, []
        for index, batch in enumerate(streams):
            inputs, targets = run.batch_of(batch)
            before = {"zero": None, "random": drawn_state(run, rows, index), "carried": state}[label]
            output, state = run.model.lstm(inputs, before)
            if index:  # nothing comes before a stream's first window
                found.append((run.model.head(output) - targets.flatten(-2)).square().mean())
        errors[label] = torch.stack(found).mean().item()
    return errors | {"floor": min(3, run.seq_len) / run.seq_len}  # the variance, 1, on the first three steps


def gradient_left(run):  # at the first step, as a share of that at the last, with respect to h
    model = copy.deepcopy(run.model).double()
    recurrent, hidden, state = next(model.children()), [], None
    inputs, _ = run.batch_of(run.starts["valid"][:8])
    for x in inputs.double().split(1, dim=1):
        _, state = recurrent(x, state)
        h = state[0] if isinstance(state, tuple) else state
        h.retain_grad()
        hidden.append(h)
    model.head(h[-1]).sum().backward()
    first, last = (h.grad[0].norm(dim=-1).mean() for h in (hidden[0], hidden[-1]))
    return (first / last).item()


def vanishing_outcome(trained):
    errors = {f"{label} error": run.test_loss for label, run in trained.items()}
    return errors | {f"{label} gradient left": gradient_left(run) for label, run in trained.items()}


def exploding_outcome(trained):
    losses = trained["no_clip"].step_losses
    steps, largest = float(len(losses)), max(losses, default=0.0)
    return {"clip error": trained["clip"].test_loss, "no_clip steps": steps, "no_clip largest loss": largest}


def forget_bias_outcome(trained):
    return {f"{label} error": run.test_loss for label, run in trained.items()}


@torch.no_grad()
def parity_right(model, bits):  # (sequences, steps): after each bit, by the head at every step
    output, _ = next(model.children())(torch.from_numpy(bits[..., None].astype(np.float32)))
    return model.head(output).argmax(-1).numpy() == bits.cumsum(axis=1) % 2


def parity_outcome(trained):
    right, long = {}, {}
    for label, run in trained.items():
        bits = run.batch_of(run.starts["test"])[0][..., 0].numpy().astype(np.int64)
        right[f"{label} right"] = float(parity_right(run.model, bits).mean(axis=0)[-1])
        rng = np.random.default_rng((run.seed + 2**30) % 2**31)  # sequences that it was not trained on
        long[f"{label} right at 1000"] = float(parity_right(run.model, rng.integers(0, 2, (256, 1000)))[:, -1].mean())
    return right | long


def adding_problem_outcome(trained):
    run = trained["lstm"]
    errors = (outputs_of(run, "test").flatten() - targets_of(run, "test").flatten()).abs().double()
    wrong = (errors > 0.08).sum().item()  # 0.04 of the range of the sum, which goes from 0 to 2
    return {"error": errors.square().mean().item(), "wrong": float(wrong)}


def temporal_order_outcome(trained):
    run = trained["lstm"]
    probabilities, targets = outputs_of(run, "test").softmax(-1), targets_of(run, "test")
    one_hot = torch.nn.functional.one_hot(targets, 4)
    wrong = ((probabilities - one_hot).abs().amax(1) >= 0.3).sum().item()
    return {"wrong": float(wrong), "wrong class": float((probabilities.argmax(1) != targets).sum())}


def copy_memory_outcome(trained):
    run = trained["lstm"]
    outputs, targets = outputs_of(run, "test"), targets_of(run, "test")
    right = (outputs.argmax(-1) == targets)[:, -10:].double().mean().item()
    loss = torch.nn.functional.cross_entropy(outputs.double().flatten(0, 1), targets.flatten()).item()
    epochs = np.arange(1, len(run.step_losses) + 1) / run.steps_per_epoch
    early = np.array(run.step_losses)[(epochs > 0.1) & (epochs < 0.25)]
    return {"right": right, "loss": loss, "early loss": float(np.median(early))}


@torch.no_grad()
def legal_ranked_first(model, x):  # 1 where all legal symbols have higher outputs than all others, NaN in front
    symbols, logits = decode_one_hot(x.numpy()), model(x).numpy()  # (strings, steps), (strings, steps, 7)
    legal = LEGAL[states_after(symbols)]
    right = np.where(legal, logits, np.inf).min(-1) > np.where(legal, -np.inf, logits).max(-1)
    return np.where(symbols < 0, np.nan, right), symbols, logits


def all_right(model, x):  # (strings,)
    return np.nanmin(legal_ranked_first(model, x)[0], axis=1) == 1


def embedded_reber_outcome(trained):
    figures = {}
    for label, run in trained.items():
        test, train = (run.batch_of(run.starts[split])[0] for split in ("test", "train"))
        train = torch.from_numpy(np.unique(train.flatten(1).numpy(), axis=0)).view(-1, *train.shape[1:])
        model, shares, perfect = copy.deepcopy(run.model), [], math.inf
        for kept in run.snapshots:
            model.load_state_dict(kept.weights)
            shares.append(float(all_right(model, test).mean()))
            if math.isinf(perfect) and shares[-1] == 1 and all_right(model, train).all():
                perfect = kept.step / run.steps_per_epoch
        figures |= {f"{label}_best": max(shares), f"{label}_last": shares[-1], f"{label}_epoch": perfect}
    return figures


def continual_reber_outcome(trained):
    remembered, legal, lengths = {}, {}, {}
    for label, run in trained.items():
        rng = np.random.default_rng((run.seed + 2**30) % 2**31)  # streams that it was not trained on
        symbols = _walk(10, 8001, rng)[0][:, :-1]
        x = torch.from_numpy((symbols[..., None] == np.arange(len(SYMBOLS))).astype(np.float32))
        right, symbols, logits = legal_ranked_first(run.model, x)
        states = states_after(symbols)
        recalled = (logits.argmax(-1) == LEGAL[states].argmax(-1))[STATE[states] == RECALL_STATE]
        wrong = [np.flatnonzero(one != 1) for one in right]
        longest = [np.diff(at, prepend=-1, append=right.shape[1]).max() - 1 for at in wrong]
        remembered[f"{label}_remembered"], legal[f"{label}_legal"] = float(recalled.mean()), float(right.mean())
        lengths[f"{label}_symbols"] = float(np.mean(longest))
    return remembered | legal | lengths


@torch.no_grad()
def strings_right(model, most):  # whether S aⁿ bⁿ is right at every b and ends with S, for n = 1 … most
    strings = np.full((most, 2 * most + 1), COUNT_SYMBOLS.index("b"))
    for n in range(1, most + 1):
        strings[n - 1, : n + 1] = count_string(n)[: n + 1]
    x = np.eye(len(COUNT_SYMBOLS), dtype=np.float32)[strings]
    likeliest = np.array(COUNT_SYMBOLS)[model(torch.from_numpy(x)).argmax(-1).numpy()]
    rows = enumerate(likeliest, 1)
    return np.array([(row[n + 1 : 2 * n] == "b").all() and row[2 * n] == "S" for n, row in rows])


def counting_outcome(trained):
    up_to, share = {}, {}
    for label, run in trained.items():
        right = strings_right(run.model, MAX_TESTED)
        up_to[f"{label} up to"] = float(MAX_TESTED if right.all() else np.argmin(right))
        share[f"{label} of the trained"] = float(right[: max_count(run.seq_len)].mean())
    return up_to | share


def text_of(run, split):  # the pages that the sequences of a split hold
    codes = run.batch_of(run.starts[split])[0].argmax(-1).flatten().tolist()
    return "".join(ALPHABET[code] for code in codes)


@torch.no_grad()
def quote_correlation(model, text):  # of the unit whose c follows best whether the text is inside quotes
    text = text[: len(text) // CHUNK_LENGTH * CHUNK_LENGTH]
    strands, state, cells = torch.from_numpy(encode(text)).view(-1, CHUNK_LENGTH), None, []
    for codes in strands.T:
        x = torch.nn.functional.one_hot(codes.long(), len(ALPHABET)).float()[:, None]
        _, state = model.lstm(x, state)
        cells.append(state[1][-1])
    c = torch.stack(cells, 1).flatten(0, 1).double().numpy()  # (characters, units)
    inside = text_features(text)["inside quotes"].astype(np.float64)
    covariances = ((c - c.mean(0)) * (inside - inside.mean())[:, None]).mean(0)
    return float(np.abs(covariances / (c.std(0) * inside.std())).max())


def characters_outcome(trained):
    run = trained["lstm"]
    unigram, bigram = ngram_baselines(text_of(run, "train"), text_of(run, "test"))
    unseen, untrained = text_of(run, "valid") + text_of(run, "test"), copy.deepcopy(run.model)
    untrained.load_state_dict(run.first_weights)
    quotes = {"quotes": quote_correlation(run.model, unseen), "quotes untrained": quote_correlation(untrained, unseen)}
    return {"bits": run.test_loss / math.log(2), "unigram": unigram, "bigram": bigram} | quotes
