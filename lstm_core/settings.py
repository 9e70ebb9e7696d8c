"""Settings: label, help, choices and limits, declared once at the field, and the message that refuses a value.

The dataclasses of experiment/ are declared with `validated` and `setting`; widgets, the JSON schema and the table in
the README read the declarations with `settings`. Their JSON is read here, in the current format and in format 1.
"""

from __future__ import annotations

import functools
import json
import reprlib
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, dataclass_transform, get_args, get_origin

import pydantic.dataclasses
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

FORMAT = 2  # of an experiment's JSON
_STRICT = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)  # a bool is not a number, 3.5 not an integer


class PlaygroundError(ValueError):
    """One sentence for the user: what is wrong, where, and what to do. The only error that pages catch."""


@dataclass(frozen=True)
class Setting:
    """One field of a validated dataclass, as widgets, sentences and tables need it."""

    name: str
    label: str  # on the screen
    help: str  # one or more sentences without a final full stop
    default: Any
    type: type  # bool, int, float or str; of each item, if is_list
    is_list: bool
    choices: dict[str, str]  # value → label; empty: any text, or a number within the limits
    minimum: float | None
    maximum: float | None
    examples: tuple[str, ...]  # of a text that follows a pattern

    @property
    def allowed(self) -> str:
        """What a value must be, to follow "choose": "a whole number from 1 to 64"."""
        if self.choices:
            return f"{'a list of values from' if self.is_list else 'one of'} {', '.join(self.choices)}"
        if self.examples:
            return f"{', '.join(self.examples[:-1])} or {self.examples[-1]}"
        if self.type is str:
            return "a list of texts" if self.is_list else "a text"
        if self.type is bool:
            return "true or false"
        if self.type is int:
            return f"a whole number from {self.minimum} to {self.maximum}"
        return f"a number from {self.minimum:g} to {self.maximum:g}"


def setting(
    default: Any,
    label: str,
    help: str,
    minimum: float | None = None,
    maximum: float | None = None,
    *,
    labels: dict[str, str] | None = None,
    **more: Any,
) -> Any:
    """A field with its label, help and limits; labels: of its choices; more: arguments of pydantic.Field."""
    extra = {"labels": labels} if labels else None
    return Field(default, title=label, description=help, ge=minimum, le=maximum, json_schema_extra=extra, **more)


@dataclass_transform(frozen_default=True, field_specifiers=(setting, Field))
def validated(kind: type) -> type:
    """A frozen pydantic dataclass that refuses a value with a PlaygroundError, also in dataclasses.replace.

    A PlaygroundError raised in its __post_init__ is passed on unchanged.
    """
    kind = pydantic.dataclasses.dataclass(frozen=True, config=_STRICT)(kind)
    construct = kind.__init__

    @functools.wraps(construct)
    def __init__(self: Any, *args: Any, **values: Any) -> None:
        try:
            construct(self, *args, **values)
        except ValidationError as error:
            raise PlaygroundError(_refusal(kind, error)) from None

    kind.__init__ = __init__
    return kind


@functools.cache
def settings(kind: type) -> dict[str, Setting]:
    """The settings of a validated dataclass by name, in order."""
    fields = kind.__pydantic_fields__.items()
    return {name: _described(name, field) for name, field in fields if field.title is not None}


def _described(name: str, field: FieldInfo) -> Setting:
    kind = field.annotation
    if get_origin(kind) is UnionType:  # an optional value
        kind = next(one for one in get_args(kind) if one is not NoneType)
    is_list = get_origin(kind) is tuple
    kind = get_args(kind)[0] if is_list else kind
    values = get_args(kind) if get_origin(kind) is Literal else ()
    labels = (field.json_schema_extra or {}).get("labels", {})
    limits = {limit: getattr(part, limit) for part in field.metadata for limit in ("ge", "le") if hasattr(part, limit)}
    return Setting(
        name=name,
        label=field.title,
        help=field.description,
        default=field.default,
        type=str if values else kind,
        is_list=is_list,
        choices={value: labels.get(value, value) for value in values},
        minimum=limits.get("ge"),
        maximum=limits.get("le"),
        examples=tuple(field.examples or ()),
    )


def checked(kind: type, name: str, value: Any) -> Any:
    """The value as the setting of this name takes it; conditions between two settings are not asked.

    Raises:
        PlaygroundError: the setting refuses it.
    """
    field = kind.__pydantic_fields__[name]
    try:
        return TypeAdapter(Annotated[field.annotation, field], config=_STRICT).validate_python(value)
    except ValidationError:
        raise PlaygroundError(f"{name} is {_shown(value)}: choose {settings(kind)[name].allowed}.") from None


def _refusal(kind: type, error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "value_error":  # of __post_init__
        return str(first["ctx"]["error"])
    name, names = first["loc"][0], list(kind.__pydantic_fields__)
    if isinstance(name, int) and name < len(names):  # the argument was positional
        name = names[name]
    if name not in settings(kind):
        return f"{kind.__name__} cannot take {reprlib.repr(name)}: {first['msg'].lower()}."
    return f"{name} is {_shown(first['input'])}: choose {settings(kind)[name].allowed}."


def _shown(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else reprlib.repr(value)


# Format 1 (the first version; its files name no format) → 2: old name → new name, old value → new value.
_RENAMED_FIELDS = {
    "model": {"hold": "frozen", "chrono": "chrono_t_max"},
    "train": {"clip": "max_grad_norm", "state": "initial_state"},
}
_RENAMED_VALUES = {
    "data": {"missing": {"fill": "forward_fill"}},
    "model": {"head": {"every": "per_step"}},
    "train": {"initial_state": {"carried": "stateful"}},
}


def parts_from_json(text: str, kinds: dict[str, type], others: tuple[str, ...] = ()) -> dict[str, Any]:
    """Read a JSON object of validated dataclasses by name, in this format or in format 1; others: names to pass over.

    Raises:
        PlaygroundError: not JSON, another format, an unknown field, a value of the wrong type or out of range.
    """
    try:
        parts = json.loads(text, parse_float=json_number)
    except (ValueError, RecursionError) as error:
        raise PlaygroundError(f"The experiment is not valid JSON ({error}).") from None
    if not isinstance(parts, dict):
        raise PlaygroundError("The experiment must be a JSON object.")
    parts = _upgrade({name: values for name, values in parts.items() if name not in others})
    _refuse_unknown("The experiment", parts, kinds)
    return {name: _part(kinds[name], name, values) for name, values in parts.items()}


def _upgrade(parts: dict) -> dict:
    """An experiment's JSON in the names of format 2, without its "format"."""
    version = parts.get("format", 1)
    if type(version) is not int or version not in (1, FORMAT):
        shown = json.dumps(version)[:20]
        raise PlaygroundError(f"The experiment's format is {shown}: this version reads formats 1 and {FORMAT}.")
    parts = {part: values for part, values in parts.items() if part != "format"}
    if version == FORMAT:
        return parts
    for part, values in parts.items():
        if not isinstance(values, dict):
            continue  # refused later, with its name
        names = {old: new for old, new in _RENAMED_FIELDS.get(part, {}).items() if new not in values}
        values = parts[part] = {names.get(name, name): value for name, value in values.items()}
        for name, renamed in _RENAMED_VALUES.get(part, {}).items():
            if isinstance(values.get(name), str):
                values[name] = renamed.get(values[name], values[name])
    return parts


def _part(kind: type, part: str, values: Any) -> Any:
    if not isinstance(values, dict):
        raise PlaygroundError(f"{part} must be a JSON object.")
    _refuse_unknown(part, values, settings(kind))
    try:
        return kind(**values)
    except PlaygroundError as error:  # its sentence begins with the field's name
        raise PlaygroundError(f"{part}.{error}") from None


def _refuse_unknown(owner: str, names: dict, known: dict) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise PlaygroundError(f"{owner} has unknown fields: {', '.join(map(repr, unknown))}.")


def json_number(text: str) -> int | float:
    """A number of JSON, which has one type of them: 3.0 is an integer."""
    value = float(text)
    return int(value) if value.is_integer() else value
