"""The cliff of the lesson on exploding gradients, on many seeds: what one step does at the last good one.

    python -m tests.benchmarks.cliffs [--seeds 10 | --seeds 2000:2030]

Trains the run without clipping from every seed until it breaks off, and prints of the moment that the lesson draws the
gradient's norm, and the batch's loss before a plain gradient step, after a clipped one and after a whole one; then on
how many seeds each of the two lowers it.
"""

from __future__ import annotations

import argparse
import sys

import torch

from lstm_core.lessons import get_lesson
from lstm_core.lessons.catalog.memory.exploding.cliff import slices
from lstm_core.lessons.catalog.memory.exploding.lesson import CLIP
from lstm_core.lessons.runs import new_runs
from tests.benchmarks.papers import markdown, seed_range

HEAD = ("seed", "steps", "drawn step", "gradient norm", "loss before", "after a clipped step", "after a whole step")


def losses(seed: int) -> tuple[int, int, float, float, float, float] | None:
    """Steps of the run, the drawn step, norm, and the three losses; None: it did not break off."""
    run = new_runs(get_lesson("exploding"), seed)["no_clip"]
    run.train_here()
    if run.status != "failed":
        return None
    now = slices(run, CLIP, max_replayed=run.step)[0]
    return run.step, now.step, now.norm, *now.marked_losses


def main(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.cliffs")
    parser.add_argument("--seeds", type=seed_range, default=range(10), help="10, or 2000:2030, end excluded")
    seeds = parser.parse_args(words).seeds
    torch.set_num_threads(1)
    found = {seed: found for seed in seeds if (found := losses(seed)) is not None}
    cells = [(*map(str, (seed, *one[:2])), *(f"{value:.3g}" for value in one[2:])) for seed, one in found.items()]
    print(markdown(cells, HEAD))
    lowered = {name: sum(one[at] < one[3] for one in found.values()) for name, at in (("clipped", 4), ("whole", 5))}
    print(f"\n{len(found)} of {len(seeds)} seeds break off. The loss is lower after a clipped step on ", end="")
    print(f"{lowered['clipped']}, after a whole one on {lowered['whole']}.")


if __name__ == "__main__":
    main(sys.argv[1:])
