"""Of the lessons on papers, and of the one on a book's characters."""

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
from lstm_core.lessons.take_along.outcomes.common import outputs_of, targets_of


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


@torch.no_grad()
def rollout_outcome(trained):
    one, direct, ahead = trained["one_step"], trained["direct"], 84
    starts = np.arange(one.starts["test"][0].item(), len(one.y) - one.seq_len - ahead + 1, 4)
    rows = torch.from_numpy(starts)[:, None] + torch.arange(one.seq_len + ahead)
    values = one.x[rows]  # (windows, steps, 1)
    truth = values[:, one.seq_len :, 0]
    output, state = one.model.lstm(values[:, : one.seq_len])
    predictions = [one.model.head(output[:, -1:])]
    for _ in range(ahead - 1):  # each one is the next input
        output, state = one.model.lstm(predictions[-1], state)
        predictions.append(one.model.head(output))
    forced = one.model(values)[:, one.seq_len - 1 : -1, 0]
    at_once = direct.model(direct.x[rows[:, : one.seq_len]]).numpy() * direct.y_scale + direct.y_center
    at_once = torch.from_numpy((at_once - one.y_center) / one.y_scale)  # in the other run's scale
    forecasts = {"rollout": torch.cat(predictions, 1)[..., 0], "forced": forced, "direct": at_once}
    figures = {}
    for name, forecast in forecasts.items():
        errors = (forecast - truth).double().square().mean(0).sqrt() / truth.double().std(correction=0)
        figures |= {f"{name} {k}": errors[k - 1].item() for k in (1, 10, 20, 50, 84)}
    return figures
