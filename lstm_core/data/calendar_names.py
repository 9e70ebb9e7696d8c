"""What a column's name says: that it holds times, parts of the calendar, or what one would predict."""

from __future__ import annotations

import re

_TIME = re.compile(
    r"(^|[^a-z])(time|times|timestamp|datetime|date|year|years|month|week|day|days|hour|minute|second|seconds|t|ts|"
    r"epoch|unix|step|steps|cycle|index|frame|no|nr|datum|zeit|jahr|fecha)([^a-z]|$)|(date|time|stamp)$"
)
_CALENDAR = re.compile(
    r"(^|[^a-z])(year|yr|month|week|weekday|weekend|day|dow|doy|day.?of.?(week|year|month)|hour|minute|second|season|"
    r"quarter|holiday|isholiday|schoolholiday|stateholiday|workingday)s?([^a-z]|$)|dayofweek|weekofyear|isholiday|"
    r"isweekend|holiday$"
)
_MINOR = re.compile(
    r"(^|[^a-z])(change|chg|pct|percent|vol|volume|open|high|low|std|stdev|stderr|error|err|flag|quality|direction|dir|"
    r"angle|wd|lat|latitude|lon|lng|long|longitude|altitude|elevation|id|ids|code|zip|index|version|count of|sin|cos|"
    r"promo|is|has)([^a-z]|$)|%|^(is|has)[A-Z_]"
)
_WANTED = (  # a few words that tell what a file is about, the surest first
    re.compile(r"^(y|target|label|output|response)$"),
    re.compile(r"^(adj[ ._]?close|close|price|last|settle|last price|closing price|schlusskurs)$"),
    re.compile(r"^(num_sold|sales|weekly_sales|unit_?sales|sold|revenue|demand|load|value|wert|valeur|valor|values?)$"),
    re.compile(r"(^|[^a-z])(sales|demand|load|price|close|revenue|consumption|production|generation)([^a-z]|$)"),
    re.compile(
        r"^(cnt|count|qty|quantity|visits|visitors|passengers|trips|rides|users|orders|calls|ot|pm2\.?5|state|n)$"
    ),
    re.compile(r"(^|[^a-z])(power|energy|electricity|kwh|mwh|kw|mw|passengers|pm2\.?5)([^a-z]|$)"),
)


def is_time_name(name: str) -> bool:
    """Whether a column of this name may hold times or count them."""
    return _TIME.search(name.lower()) is not None


def is_calendar_name(name: str) -> bool:
    """Whether it is known ahead, like a weekday or a holiday: an input, and nothing to predict."""
    return _CALENDAR.search(name.lower()) is not None


def is_minor_name(name: str) -> bool:
    """Whether it rarely is what a file is about, such as Change %, Volume, an id or a direction."""
    return _MINOR.search(name.lower()) is not None or re.search(r"^(is|has)[A-Z_]", name) is not None


def wanted(name: str, file: str) -> int:
    """How surely a column of this name is what one would predict; 0: its name does not tell.

    file: the name of the file, which may say what it is about.
    """
    name = name.strip().lower()
    for rank, words in enumerate(_WANTED[:2]):
        if words.search(name):
            return 10 - rank
    said = {word for word in re.split(r"[^a-z0-9]+", file.lower().rsplit("/")[-1].split(".")[0]) if len(word) > 3}
    own = {word for word in re.split(r"[^a-z0-9]+", name) if len(word) > 3}
    if said & own:
        return 8
    for rank, words in enumerate(_WANTED[2:]):
        if words.search(name):
            return 7 - rank
    return 0
