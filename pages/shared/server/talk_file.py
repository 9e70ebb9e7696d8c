"""A shipped talk's file: built of the lessons' trained models, and kept in the home folder until models or code change.

`python -m pages.shared.server.talk_file NAME` builds it, if it is not there, and prints how many moments are done.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from lstm_core.experiment import PlaygroundError
from lstm_core.runs.home import home
from pages.shared.components.wire import pack

FORMAT, VERSION = "lstm-stage-talk", 1  # as stage/talk/talk_file.js has them
_CORE = Path(__file__).parents[3] / "lstm_core"
_NICER = 5  # than who looks at the app now; more, and it would take a minute beside trainings on all cores
_building = threading.Lock()  # two visitors who ask at once wait for one building


def talk_file(name: str, report: Callable[[int, int], None] = lambda done, of: None) -> bytes:
    """The talk's file, built or as it was kept. report: told the moments done and their number, as it is built.

    Raises:
        PlaygroundError: there is no talk of that name, or one of its models is missing.
    """
    check_name(name)
    with _building:
        kept = place_of(name)
        if not kept.is_file():
            content = _build(name, report)
            _keep(kept, content)
            return content
        return kept.read_bytes()


def check_name(name: str) -> None:
    """Raises PlaygroundError: there is no talk of that name."""
    from lstm_core.lessons.talks import TALKS

    if name not in TALKS:
        raise PlaygroundError("There is no talk of that name.")


def place_of(name: str) -> Path:
    """Where the talk of the present models and code is kept, once it is built."""
    return home() / "talks" / f"{name}-{_fingerprint()}.json"


def _build(name: str, report: Callable[[int, int], None]) -> bytes:
    from lstm_core.lessons.talks import TALKS
    from lstm_core.lessons.talks.build import build_talk
    from lstm_core.model.devices import limit_to_one_thread

    limit_to_one_thread()
    built = build_talk(TALKS[name], report)
    scenes = {key: gzip.compress(pack(*scene), 5, mtime=0) for key, scene in built.scenes.items()}
    file = {
        "format": FORMAT,
        "version": VERSION,
        "title": built.title,
        "moments": built.moments,
        "scenes": {key: base64.b64encode(packed).decode() for key, packed in scenes.items()},
    }
    return json.dumps(file, ensure_ascii=False, allow_nan=False).encode()


def _keep(place: Path, content: bytes) -> None:
    """Older ones of the same talk are removed; on a full disk it is built anew each time."""
    part = place.with_suffix(f".{os.getpid()}")
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        for old in place.parent.glob(f"{place.name.partition('-')[0]}-*"):
            old.unlink()
        part.write_bytes(content)
        part.replace(place)
    except OSError:
        part.unlink(missing_ok=True)  # it is only a copy


@cache
def _fingerprint() -> str:
    """Of the code that makes a talk and of the models that it shows, as this process found them: 17 MB to read."""
    found = hashlib.blake2b(digest_size=12)
    for path in sorted([*_CORE.rglob("*.py"), *_CORE.glob("lessons/pretrained/**/*.safetensors")]):
        found.update(path.relative_to(_CORE).as_posix().encode())
        found.update(path.read_bytes())
    return found.hexdigest()


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(_NICER)
    talk_file(sys.argv[1], lambda done, of: print(done, of, flush=True))
