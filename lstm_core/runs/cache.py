"""ResultCache: what was computed from a run, by kind and key, shared by all tabs that watch the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

CACHE_SIZE = 4  # results of each kind that are kept
REST_FACTOR = 4  # a result that took a second of this thread's time is not computed again for four


class ResultCache(dict[str, Any]):
    """kind → its latest results by key."""

    def __init__(self) -> None:
        super().__init__()
        self._renew_at: dict[str, float] = {}  # kind → when its latest result may be replaced, by time.monotonic

    def cached(
        self, kind: str, key: tuple, make: Callable[[], Any], every: float | None = None, rest: float = REST_FACTOR
    ) -> Any:
        """The result of this kind and key, computed by make() unless it is in the cache.

        every: seconds for which the kind's latest result is returned although the key has changed, at least
        `rest` times the thread time that computing it took; None: never. What the training changes belongs in
        the key then, and what a person chooses in the kind. make never returns None.
        """
        results = self.setdefault(kind, {})
        value = results.get(key)
        if value is None and every is not None and time.monotonic() < self._renew_at.get(kind, 0.0):
            value = next(reversed(list(results.values())), None)
        if value is None:
            started = time.thread_time()
            value = results[key] = make()
            cost = time.thread_time() - started
            self._renew_at[kind] = time.monotonic() + max(every or 0.0, rest * cost)
            for old in list(results)[:-CACHE_SIZE]:  # another tab may drop it at the same time
                results.pop(old, None)
        return value
