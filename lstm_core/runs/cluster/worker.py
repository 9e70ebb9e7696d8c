"""python -m lstm_core.runs.cluster.worker ADDRESS: takes the runs that are wanted there, and trains them there."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress

from lstm_core.experiment import PlaygroundError
from lstm_core.runs import pool
from lstm_core.runs.cluster.address import said_path
from lstm_core.runs.cluster.mirrored_session import MirroredSession
from lstm_core.runs.cluster.ray_cluster import RayCluster
from lstm_core.runs.folder import replace_file
from lstm_core.runs.home import home
from lstm_core.runs.worker import ABSENT_SECONDS, IDLE_SECONDS, train

POLL_SECONDS = 0.1  # between two looks for a wanted run
END_SECONDS = 10.0  # for the runs to be saved, as it ends

log = logging.getLogger(__name__)


def work(address: str, cluster: RayCluster, ending: threading.Event) -> None:
    """Train wanted runs until `ending`, or until it has long been idle."""
    root, threads = home(), []
    idle_since = time.monotonic()
    while not ending.is_set() and root.is_dir():
        threads = [thread for thread in threads if thread.is_alive()]
        claim = pool.claim(address) if len(threads) < cluster.slots else None
        if claim is not None:
            threads.append(threading.Thread(target=_train, args=(claim, cluster, ending), daemon=True))
            threads[-1].start()
            continue
        if threads:
            idle_since = time.monotonic()
        idle = time.monotonic() - idle_since
        if idle > IDLE_SECONDS or (idle > ABSENT_SECONDS and not pool.is_anybody_present()):
            break
        time.sleep(POLL_SECONDS)
    give_up = time.monotonic() + END_SECONDS
    for thread in threads:
        thread.join(max(0.0, give_up - time.monotonic()))


def _train(claim: pool.Claim, cluster: RayCluster, ending: threading.Event) -> None:
    session = MirroredSession(claim.folder, ending.is_set, cluster.start)
    try:
        train(claim, session, ending.is_set)
    except Exception:
        log.exception("the run %s could not be trained on the cluster", claim.folder.id)
    finally:
        session.close()


def main() -> None:
    address = sys.argv[1]
    logging.basicConfig(filename=home() / "log.txt", format="%(asctime)s %(levelname)s %(message)s")
    ending = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal that the command was given in
    with pool.manned(address) as is_mine:
        if not is_mine:
            return
        try:
            cluster = RayCluster(address)
        except PlaygroundError as error:
            replace_file(said_path(address), json.dumps({"refused": str(error)}).encode())
            return
        signal.signal(signal.SIGTERM, lambda *_: ending.set())  # after Ray has set its own
        replace_file(said_path(address), json.dumps({"slots": cluster.slots}).encode())
        with suppress(FileNotFoundError):  # the home was removed, as at the end of a test
            work(address, cluster, ending)
    os._exit(0)  # Ray's own threads may wait for what has gone


if __name__ == "__main__":
    main()
