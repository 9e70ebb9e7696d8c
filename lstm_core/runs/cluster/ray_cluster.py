"""RayCluster: a Ray cluster whose actors train runs. Ray is loaded here, once there is an address.

https://docs.ray.io/en/latest/ray-security/token-auth.html describes the tokens. Their absence is refused: whoever
reaches a cluster without may run any program on it.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.runs.cluster.address import check_address, host_and_port
from lstm_core.runs.cluster.mirrored_session import LostError
from lstm_core.runs.cluster.remote_run import LEAVE_SECONDS, News, RemoteRun

REACH_SECONDS = 5.0  # Ray itself tries for a minute and more where nobody listens
CONNECT_SECONDS = 60.0
SLOTS_SECONDS = 10.0  # between two looks at how many CPUs there are


class RayCluster:
    """A cluster that this process is connected to."""

    def __init__(self, address: str) -> None:
        """Connect, which takes seconds.

        Raises:
            PlaygroundError: nobody answers, the token is refused, or the cluster asks for none.
        """
        check_address(address)
        host, port = host_and_port(address)
        if address != "auto":
            try:
                socket.create_connection((host, port), REACH_SECONDS).close()
            except OSError as error:
                raise PlaygroundError(
                    f"The Ray cluster {address} cannot be reached ({error}): is it started?"
                ) from None
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"}
        import ray

        root = Path(__file__).parents[3]
        environment = {
            "py_modules": [str(root / "lstm_core")],
            "excludes": ["**/__pycache__"],
            "env_vars": {"OMP_NUM_THREADS": "1"},
        }
        try:
            ray.init(address, runtime_env=environment, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise PlaygroundError(
                f"The Ray cluster {address} lets nobody in with this token, or is none ({_first_line(error)})."
            ) from None
        self._ray = ray
        self._slots, self._ask_at = 1, 0.0
        self._actors = ray.remote(max_restarts=0)(RemoteRun)
        if not self._is_guarded():
            ray.shutdown()
            raise PlaygroundError(
                f"The Ray cluster {address} asks for no token, so that anybody who reaches it may run programs on it: "
                "start it with RAY_AUTH_MODE=token."
            )

    @property
    def slots(self) -> int:
        """Runs at once: one a CPU of the cluster, which may grow; asked of it now and then."""
        if time.monotonic() >= self._ask_at:
            self._slots = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
            self._ask_at = time.monotonic() + SLOTS_SECONDS
        return self._slots

    def start(self, id: str, experiment: Experiment, files: dict[str, bytes]) -> RayRemote:
        """Let a node train it as soon as one has a CPU free, and a card where the run asks for one."""
        needs = {"num_cpus": experiment.train.threads, "num_gpus": int(experiment.train.device.startswith("cuda"))}
        return RayRemote(self._ray, self._actors.options(**needs).remote(id, files))

    def _is_guarded(self) -> bool:
        """Whether the nodes themselves ask for tokens."""

        def mode() -> str:
            return os.environ.get("RAY_AUTH_MODE", "")

        return self._ray.get(self._ray.remote(mode).remote(), timeout=CONNECT_SECONDS) == "token"


class RayRemote:
    """A RemoteRun that is an actor."""

    def __init__(self, ray: Any, actor: Any) -> None:
        self._ray, self._actor = ray, actor
        self._answer: Any = None

    def exchange(self, commands: bytes, should_yield: bool) -> None:
        self._answer = self._actor.exchange.remote(commands, should_yield)

    def score(self) -> None:
        self._actor.score.remote()

    def news(self, seconds: float) -> News | None:
        try:
            return self._ray.get(self._answer, timeout=seconds)
        except self._ray.exceptions.GetTimeoutError:
            return None
        except self._ray.exceptions.RayError as error:
            raise LostError(_first_line(error)) from None

    def end(self) -> None:
        with suppress(self._ray.exceptions.RayError):
            if self._answer is not None:  # else it may still wait for a node
                self._ray.get(self._actor.leave.remote(), timeout=2 * LEAVE_SECONDS)
        self._ray.kill(self._actor)


def _first_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
