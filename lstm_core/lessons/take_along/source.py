"""The source of functions with all that they need, for a notebook: no module of LSTM Playground is imported there."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Collection, Iterable
from functools import cache
from types import ModuleType

_OURS = "lstm_core."


def source_of(functions: Iterable[object], known: Collection[str] = ()) -> tuple[str, set[str]]:
    """The functions' own text, below that of every constant and function of ours that they use, in the files' order.

    known: names that are there already, and are not looked up. Returns the text, whose annotations are not evaluated,
    and the names that it defines.
    """
    found: dict[str, set[str]] = {}  # module → names
    order: list[str] = []  # of modules: what is used before what uses it

    def add(module: str, name: str) -> None:
        if name in found.get(module, ()) or name in known:
            return
        definitions, imports = _read(module)
        if name in imports:
            add(*imports[name])
        elif name in definitions:
            found.setdefault(module, set()).add(name)
            for used in _names_in(definitions[name]):
                add(module, used)
            if module not in order:
                order.append(module)

    for function in functions:
        add(function.__module__, function.__name__)
    parts = [_text(module, found[module]) for module in order]
    return "\n\n\n".join(["from __future__ import annotations", *parts]), set().union(
        *found.values()
    ) if found else set()


def _text(module: str, names: set[str]) -> str:
    """The definitions of these names, functions with two empty lines around them."""
    definitions, _ = _read(module)
    lines = _source(module).splitlines()
    nodes = sorted({id(node): node for name, node in definitions.items() if name in names}.values(), key=_first_line)
    text, before = "", None
    for node in nodes:
        is_block = isinstance(node, ast.FunctionDef | ast.ClassDef)
        gap = "\n\n\n" if is_block or isinstance(before, ast.FunctionDef | ast.ClassDef) else "\n"
        text += (gap if before else "") + "\n".join(lines[_first_line(node) - 1 : node.end_lineno])
        before = node
    return text


def _first_line(node: ast.stmt) -> int:
    return min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", []))])


def _names_in(node: ast.AST) -> set[str]:
    """All names but those of annotations, which nothing evaluates."""
    parts = (
        part
        for name, value in ast.iter_fields(node)
        if name not in ("annotation", "returns")
        for part in _listed(value)
    )
    own = {node.id} if isinstance(node, ast.Name) else set()
    return own.union(*(_names_in(part) for part in parts))


def _listed(value: object) -> list[ast.AST]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, ast.AST)]


@cache
def _source(module: str) -> str:
    found: ModuleType = importlib.import_module(module)
    return inspect.getsource(found)


@cache
def _read(module: str) -> tuple[dict[str, ast.stmt], dict[str, tuple[str, str]]]:
    """What a module defines, name → statement; and what it has from modules of ours, name → (module, name there)."""
    definitions: dict[str, ast.stmt] = {}
    imports: dict[str, tuple[str, str]] = {}
    for node in ast.parse(_source(module)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            definitions[node.name] = node
        elif isinstance(node, ast.Assign):
            targets = {child.id for target in node.targets for child in ast.walk(target) if isinstance(child, ast.Name)}
            definitions |= dict.fromkeys(targets, node)
        elif isinstance(node, ast.ImportFrom) and node.module.startswith(_OURS):
            imports |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
    return definitions, imports
