"""What the figures of several lessons need."""

from __future__ import annotations

import torch


@torch.no_grad()
def outputs_of(run, split):  # of all windows of a split, as the head has them
    return torch.cat([run.model(run.batch_of(batch)[0]) for batch in run.starts[split].split(1024)])


def targets_of(run, split):
    return torch.cat([run.batch_of(batch)[1] for batch in run.starts[split].split(1024)])
