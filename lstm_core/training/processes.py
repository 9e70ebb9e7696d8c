"""Processes: what the processes of one training tell each other: sums of their gradients, and the first one's word.

Over torch.distributed: gloo between CPUs, NCCL between graphics cards. Imported only by what is started by torchrun.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import psutil
import torch
import torch.distributed as dist
from torch import Tensor

LOOPBACK = "127.0.0.1"
PATIENCE = timedelta(minutes=30)  # with one that is silent: the first one evaluates while the others wait


class ProcessLostError(BaseException):
    """Another process of this training is gone, or silent for too long.

    Not an Exception: the run has not failed, it is interrupted, as if this process had been killed, too.
    """


class Processes:
    """This process among those of its training, as torchrun numbers them; rank 0 is the first."""

    def __init__(self) -> None:
        """Meet the others, as RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT say. Raises ProcessLostError."""
        self.local_rank = int(os.environ.get("LOCAL_RANK", "0"))  # among those on this machine
        self.on_this_machine = int(os.environ.get("LOCAL_WORLD_SIZE", os.environ["WORLD_SIZE"]))
        if os.environ.get("LOCAL_WORLD_SIZE") == os.environ["WORLD_SIZE"] or os.environ["MASTER_ADDR"] == LOOPBACK:
            os.environ.setdefault("GLOO_SOCKET_IFNAME", _loopback_name())  # gloo listens where nobody else can reach it
        with_cards = torch.cuda.is_available() and dist.is_nccl_available()
        with _others():
            dist.init_process_group("cpu:gloo,cuda:nccl" if with_cards else "gloo", timeout=PATIENCE)
        self.rank, self.world = dist.get_rank(), dist.get_world_size()
        self.is_in_step = False  # set by who leads: the others are, too, and would hear no word

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def share(self) -> slice:
        """This process's windows of a batch."""
        return slice(self.rank, None, self.world)

    def sum(self, tensor: Tensor) -> None:
        """Set it to the sum of all processes' tensors, to the same bits in each. Raises ProcessLostError."""
        with _others():
            dist.all_reduce(tensor)

    def agree(self, value: float) -> float:
        """The first process's value. Raises ProcessLostError."""
        said = torch.tensor(value, dtype=torch.float64)
        with _others():
            dist.broadcast(said, 0)
        return said.item()

    def tell(self, data: bytes = b"") -> bytes:
        """The first process's bytes; b"" costs one message. Raises ProcessLostError."""
        size = torch.tensor(len(data))
        with _others():
            dist.broadcast(size, 0)
            if not size:
                return b""
            buffer = (
                torch.frombuffer(bytearray(data), dtype=torch.uint8)
                if data
                else torch.empty(int(size), dtype=torch.uint8)
            )
            dist.broadcast(buffer, 0)
        return buffer.numpy().tobytes()

    def close(self) -> None:
        """Leave, once all are there: one that is still speaking would find the connection gone."""
        with suppress(ProcessLostError):  # another has ended already
            self.sum(torch.zeros(1))
        dist.destroy_process_group()


@contextmanager
def _others() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # DistBackendError and DistNetworkError among them
        raise ProcessLostError(str(error)) from error


def _loopback_name() -> str:
    """Of this machine's network interface, such as lo."""
    addresses = psutil.net_if_addrs().items()
    return next((name for name, of in addresses if any(one.address == LOOPBACK for one in of)), "lo")
