"""An Experiment as text that fits into an address, and back: what a link carries to any server.

The text is the experiment's JSON, deflated, in base64url; with its default values, which another version may change.
Whoever reads it takes it from a stranger.
"""

from __future__ import annotations

import base64
import dataclasses
import functools
import json
import zlib
from dataclasses import dataclass

from lstm_core.experiment import Experiment, PlaygroundError
from lstm_core.settings import FORMAT

MAX_LINK = 6000  # characters: servers and mail programs cut addresses that are much longer
MAX_JSON = 100_000  # bytes of the inflated text: a link of 6 kB could otherwise inflate to 6 MB


@dataclass(frozen=True)
class Link:
    """What an address brings: an experiment, and the digest of the CSV file that it needs, "" if it is not known."""

    experiment: Experiment
    sha256: str = ""

    @property
    def file(self) -> str:
        """The file in a sentence: demand.csv (sha256 ab12cd34ef56…)."""
        digest = f" (sha256 {self.sha256[:12]}…)" if self.sha256 else ""
        return f"{self.experiment.data.name}{digest}"


@functools.lru_cache(256)  # every run of a page asks for its experiment's
def experiment_to_link(experiment: Experiment) -> str | None:
    """The experiment in letters, digits, "-" and "_"; None if it takes more than MAX_LINK of them."""
    text = json.dumps({"format": FORMAT} | dataclasses.asdict(experiment), separators=(",", ":"))
    data = zlib.compress(text.encode(), 9)
    link = base64.urlsafe_b64encode(data).decode().rstrip("=")
    return link if len(link) <= MAX_LINK and len(text) <= MAX_JSON else None


def experiment_from_link(link: str) -> Experiment:
    """The inverse of experiment_to_link.

    Raises:
        PlaygroundError: the text is damaged, too long, or no experiment that this version knows.
    """
    text = _inflate(link)
    try:
        experiment = Experiment.from_json(text)
        json.dumps(dataclasses.asdict(experiment), ensure_ascii=False).encode()  # half a character, "\ud800", fails
    except PlaygroundError as error:
        raise PlaygroundError(f"This link's settings cannot be used: {error}") from None
    except UnicodeEncodeError:
        raise PlaygroundError(_DAMAGED) from None
    return experiment


_DAMAGED = "This link is damaged, its settings cannot be read: ask for it again, whole."


def _inflate(link: str) -> str:
    if len(link) > MAX_LINK:
        raise PlaygroundError(_DAMAGED)
    try:
        data = base64.b64decode(link + "=" * (-len(link) % 4), altchars=b"-_", validate=True)
        inflater = zlib.decompressobj()
        text = inflater.decompress(data, MAX_JSON).decode()
    except (zlib.error, ValueError):  # of base64 and of UTF-8 too
        raise PlaygroundError(_DAMAGED) from None
    if not inflater.eof:  # it is cut off, or inflates to more
        raise PlaygroundError(_DAMAGED)
    return text
