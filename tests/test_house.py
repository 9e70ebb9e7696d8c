"""The house's own rules: imports point one way, the core knows no page, and nothing unpickles or evaluates."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A room of lstm_core imports from the rooms before it, never from one beside or after it.
ROOMS = (
    ("settings",),
    ("experiment",),
    ("data",),
    ("architecture",),
    ("model",),
    ("trace", "training"),
    ("forecasting",),
    ("runs",),
    ("analysis",),
    ("figures",),
    ("workspace",),
    ("lessons",),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: floor for floor, rooms in enumerate(ROOMS) for room in rooms}
# What only configures, reads files or draws a diagram opens before torch has loaded.
WITHOUT_TORCH = (
    "cli",
    "model.devices",
    "training.checkpoint",
    "training.history",
    "figures.theme",
    "figures.diagram",
    "figures.windows",
    "figures.lines",
    "figures.network_diagram",
    "workspace",
    "lessons",
)
STATE_OWNERS = sorted((ROOT / "pages/shared/session").glob("*.py"))
DOTTED = re.compile(r"(lstm_core|pages)(\.[a-z_]\w*)+\.?")


def sources(*folders: str) -> list[Path]:
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert files
    return files


CORE = sources("lstm_core")
PAGES = [*sources("pages"), ROOT / "app.py"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path: Path) -> str:
    """lstm_core/trace/__init__.py → lstm_core.trace."""
    return ".".join(part for part in path.relative_to(ROOT).with_suffix("").parts if part != "__init__")


def room_of(module: str) -> str:
    """lstm_core.data.windows → data; lstm_core itself → "" """
    return module.partition(".")[2].partition(".")[0]


def imports_in(node: ast.AST) -> Iterator[str]:
    """Full names of all that is imported, inside functions too; of `from a import b`, both a and a.b."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, "relative imports hide where a module stands"
            yield child.module
            yield from (f"{child.module}.{alias.name}" for alias in child.names)
        elif isinstance(child, ast.Constant) and isinstance(child.value, str) and DOTTED.fullmatch(child.value):
            yield child.value.rstrip(".")  # importlib.import_module, also of the fixed part of an f-string


@cache
def imported(path: Path) -> frozenset[str]:
    return frozenset(imports_in(tree(path)))


def for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_every_room_of_the_core_has_its_floor():
    assert {room_of(module_of(path)) for path in CORE} - {""} == FLOOR.keys()


def test_imports_of_the_core_point_one_way():
    for path in CORE:
        room = room_of(module_of(path))
        for name in imported(path):
            other = room_of(name) if name.startswith("lstm_core.") else ""
            if other and other != room:
                assert FLOOR[other] < FLOOR.get(room, -1), f"{module_of(path)} imports {name}"


def test_no_modules_import_one_another_in_a_circle():
    modules = {module_of(path): path for path in [*CORE, *PAGES]}
    runtime = {
        name: {other for node in tree(path).body if not for_types_only(node) for other in imports_in(node)}
        for name, path in modules.items()
    }
    packages = {name for name, path in modules.items() if path.name == "__init__.py"}
    graph = {name: (others & modules.keys()) - packages - {name} for name, others in runtime.items()}
    sorter = TopologicalSorter(graph)
    sorter.prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_the_core_knows_no_page(path):
    assert not {name.partition(".")[0] for name in imported(path)} & {"streamlit", "pages", "app"}


@pytest.mark.parametrize("path", [*CORE, *PAGES], ids=lambda path: path.name)
def test_nothing_knows_the_tests(path):
    assert "tests" not in {name.partition(".")[0] for name in imported(path)}


def state_words(path: Path) -> set[str]:
    words = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    words |= {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    return words | {name.rpartition(".")[2] for name in imported(path)}


@pytest.mark.parametrize("path", [path for path in PAGES if path not in STATE_OWNERS], ids=lambda path: path.name)
def test_only_session_touches_the_sessions_state_and_the_url(path):
    assert not state_words(path) & {"session_state", "query_params", "experimental_get_query_params"}


def test_session_is_where_they_are_touched():
    words = set().union(*(state_words(path) for path in STATE_OWNERS))
    assert words >= {"session_state", "query_params"}


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {
    "eval",
    "exec",
    "compile",
    "__import__",
    "torch.load",
    "torch.save",
    "pd.read_pickle",
    "pd.eval",
    "os.system",
}


PROGRAMS = ROOT / "lstm_core/lessons/programs"  # scripts that run in a process of their own, as a student's do
ALLOWED_TO_PROGRAMS = {"torch.save", "torch.load"}  # of weights only


def called(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", [*CORE, *PAGES], ids=lambda path: path.name)
def test_nothing_is_unpickled_or_evaluated(path):
    assert not {name.partition(".")[0] for name in imported(path)} & FORBIDDEN_MODULES
    allowed = ALLOWED_TO_PROGRAMS if path.parent == PROGRAMS else set()
    for call in called(path):
        assert ast.unparse(call.func) not in FORBIDDEN_CALLS - allowed, f"line {call.lineno}"
        if ast.unparse(call.func) == "torch.load":
            assert ("weights_only", "True") in {(word.arg, ast.unparse(word.value)) for word in call.keywords}
        for word in call.keywords:
            unsafe = (word.arg, ast.unparse(word.value)) in {("allow_pickle", "True"), ("shell", "True")}
            assert not unsafe, f"line {call.lineno}"


@pytest.mark.parametrize("path", [path for path in CORE if path.parent != PROGRAMS], ids=lambda path: path.name)
def test_nothing_seeds_the_worlds_random_numbers(path):
    for call in called(path):
        assert ast.unparse(call.func) not in {"torch.manual_seed", "np.random.seed", "random.seed"}, (
            f"line {call.lineno}"
        )


@pytest.mark.parametrize("path", [*CORE, *PAGES], ids=lambda path: path.name)
def test_no_exception_is_swallowed_without_a_word(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except"
            lines = path.read_text(encoding="utf-8").splitlines()[node.lineno - 1 : node.end_lineno]
            why = any("#" in line for line in lines)
            assert why or not all(isinstance(line, ast.Pass) for line in node.body), f"line {node.lineno}"


def test_programs_stand_alone():
    for path in PROGRAMS.glob("*.py"):
        roots = {name.partition(".")[0] for name in imported(path)}
        assert roots <= {"torch"} | sys.stdlib_module_names, f"{path.name} imports {roots}"


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_a_module_says_what_lives_in_it(path):
    assert ast.get_docstring(tree(path))


ROOMS_WITHOUT_TORCH = ("settings", "experiment", "data", "architecture")  # all their modules


def test_what_only_configures_or_draws_opens_without_torch():
    modules = {module_of(path) for path in CORE}
    single = {f"lstm_core.{name}" for name in WITHOUT_TORCH}
    assert single <= modules
    chosen = sorted(single | {module for module in modules if room_of(module) in ROOMS_WITHOUT_TORCH})
    code = f"import sys, {', '.join(chosen)}; lstm_core.lessons.lessons(); "
    code += "print(*sorted({'torch', 'streamlit'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
