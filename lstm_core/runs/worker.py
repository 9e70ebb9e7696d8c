"""A worker: python -m lstm_core.runs.worker trains wanted runs, one after the other, until it has long been idle."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from lstm_core.runs import pool
from lstm_core.runs.home import home

if TYPE_CHECKING:
    from lstm_core.runs.cluster.mirrored_session import MirroredSession
    from lstm_core.runs.session import Session

POLL_SECONDS = 0.02  # between two looks for a wanted run
IDLE_SECONDS, ABSENT_SECONDS = 600.0, 30.0  # an idle worker ends then; the latter where no server is there

log = logging.getLogger(__name__)


def work(should_end: Callable[[], bool]) -> None:
    """Train wanted runs until should_end() or an idle time is over; ends at once where all places are taken."""
    root = home()
    with pool.worker_place() as has_place:
        if not has_place:
            return
        from lstm_core.runs.session import Session
        from lstm_core.training.optimizer import preload_optimizer

        preload_optimizer()
        idle_since, seen, look_again = time.monotonic(), 0, 0.0
        while not should_end() and root.is_dir():
            now = time.monotonic()
            changed = _changed(root / "wanted")
            if changed != seen or now >= look_again:  # a slot or a lock may have become free without a sign
                seen, look_again = changed, now + 0.25
                claim = pool.claim()
                if claim is not None:
                    train(claim, Session(claim.folder, partial(_is_over, claim, should_end)), should_end)
                    idle_since, look_again = time.monotonic(), 0.0
                    continue
            idle = now - idle_since
            if idle > IDLE_SECONDS or (idle > ABSENT_SECONDS and not pool.is_anybody_present()):
                return
            time.sleep(POLL_SECONDS)


def train(claim: pool.Claim, session: Session | MirroredSession, should_end: Callable[[], bool]) -> None:
    """Train a run until it ends or its turn is over; then it is another's."""
    folder = claim.folder
    try:
        end = session.run()
        if end == "waiting":
            if not should_end():
                pool.want(folder)  # at the queue's end
            return
        if session.has_obeyed_all:
            pool.unwant(folder)
        if not session.has_obeyed_all:  # a command came in the last moment, and its mark may have just been removed
            pool.want(folder)
        elif end in ("finished", "stopped"):
            session.score()
    finally:
        claim.release()


def _is_over(claim: pool.Claim, should_end: Callable[[], bool]) -> bool:
    return should_end() or claim.is_over()


def _changed(path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def main() -> None:
    logging.basicConfig(filename=home() / "log.txt", format="%(asctime)s %(levelname)s %(message)s")
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal that the server was started in
    try:
        work(ending.is_set)
    except FileNotFoundError:  # the home was removed, as at the end of a test
        return


if __name__ == "__main__":
    main()
