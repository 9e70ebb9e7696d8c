"""The house's own rules: imports point one way, the core knows no page, and nothing unpickles or evaluates."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# A module imports from the lines above its own, never from beside or below it.
LAYERS = (
    ("settings",),
    ("experiment", "curves", "csv_cells"),
    (
        "losses",
        "model",
        "optimiser",
        "snapshots",
        "shapes",
        "advice",
        "code_export",
        "stack_drawing",
        "trace_inputs",
        "csv_text",
        "replay",
    ),
    ("csv_records", "shape_setup", "trace"),
    ("anatomy", "equations", "shape_errors", "columns", "csv_layout", "export", "saturation", "weights", "interventions"),
    ("shape_lab", "table_roles",),
    ("csv_columns",),
    ("tables",),
    ("letters",),
    ("sequence_sets", "samples", "windows"),
    ("echo", "memory_tasks", "reber", "recall_tasks"),
    ("generators",),
    ("batches", "figures", "machine"),
    ("shape_drawing", "streams",),
    ("demonstrations", "predictions", "state_life", "training", "characters", "units"),
    ("checkpoint", "runs", "horizon", "importance"),
    ("by_hand", "demonstrations_trained", "lessons", "learning", "scene", "rivals", "reber_runs", "samples.train_example"),
    ("claims", "lesson_runs",),
    ("workspaces", "train_lessons", "lessons.*"),  # a lesson is one file: none is listed by name
    ("open_lesson", "cli"),
    ("__main__",),
)
LAYER = {name: k for k, names in enumerate(LAYERS) for name in names}
WITHOUT_TORCH = (
    "advice", "by_hand", "machine", "checkpoint", "code_export", "csv_columns", "curves", "experiment", "figures", "generators", "letters", "samples",
    "cli", "settings", "shape_errors", "shape_setup", "shapes", "stack_drawing", "tables", "windows",
)  # fmt: skip
STATE_OWNER = ROOT / "pages/shared/session.py"


def sources(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


CORE = sources("lstm_core")
PAGES = [*sources("pages"), ROOT / "app.py"]


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    """lstm_core/samples/__init__.py → samples; lstm_core/trace.py → trace; any lesson → lessons.*."""
    parts = path.relative_to(ROOT / "lstm_core").with_suffix("").parts
    name = ".".join(part for part in parts if part != "__init__")
    return "lessons.*" if name.startswith("lessons.") else name


def imported(path: Path) -> Iterator[str]:
    """Full names of all that a file imports, inside functions too; of `from a import b`, both a and a.b."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a module stands"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def own(path: Path) -> set[str]:
    """The core's modules that a file imports, as LAYERS names them."""
    names = {name.removeprefix("lstm_core.") for name in imported(path) if name.startswith("lstm_core.")}
    return names & LAYER.keys()


def ids(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_every_module_of_the_core_has_its_layer_and_no_layer_names_a_ghost():
    assert {name_of(path) for path in CORE} - {""} == LAYER.keys()


@pytest.mark.parametrize("path", CORE, ids=ids)
def test_imports_point_one_way(path):
    here = LAYER.get(name_of(path), -1)
    for name in own(path):
        assert LAYER[name] < here, f"{name_of(path)} imports {name}, which is not in a layer above its own"


@pytest.mark.parametrize("path", CORE, ids=ids)
def test_the_core_knows_no_page(path):
    assert not {name.partition(".")[0] for name in imported(path)} & {"streamlit", "pages", "app"}


@pytest.mark.parametrize("path", [*CORE, *PAGES], ids=ids)
def test_nothing_knows_the_tests(path):
    assert "tests" not in {name.partition(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", [path for path in PAGES if path != STATE_OWNER], ids=ids)
def test_only_session_touches_the_sessions_state_and_the_url(path):
    touched = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
    touched |= {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    touched |= {name.rpartition(".")[2] for name in imported(path)}
    assert not touched & {"session_state", "query_params", "experimental_get_query_params"}


def test_session_is_where_they_are_touched():
    touched = {node.attr for node in ast.walk(tree(STATE_OWNER)) if isinstance(node, ast.Attribute)}
    assert touched >= {"session_state", "query_params"}


FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN_CALLS = {
    "eval", "exec", "compile", "__import__", "torch.load", "torch.save", "pd.read_pickle", "pd.eval", "os.system",
}  # fmt: skip


def called(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.Call))


@pytest.mark.parametrize("path", [*CORE, *PAGES], ids=ids)
def test_nothing_is_unpickled_or_evaluated(path):
    assert not {name.partition(".")[0] for name in imported(path)} & FORBIDDEN_MODULES
    for call in called(path):
        assert ast.unparse(call.func) not in FORBIDDEN_CALLS, f"line {call.lineno}"
        for word in call.keywords:
            unsafe = (word.arg, ast.unparse(word.value)) in {("allow_pickle", "True"), ("shell", "True")}
            assert not unsafe, f"line {call.lineno}"


@pytest.mark.parametrize("path", CORE, ids=ids)
def test_nothing_seeds_the_worlds_random_numbers(path):
    for call in called(path):
        assert ast.unparse(call.func) not in {"torch.manual_seed", "np.random.seed", "random.seed"}, (
            f"line {call.lineno}"
        )


@pytest.mark.parametrize("path", [*CORE, *PAGES], ids=ids)
def test_no_exception_is_swallowed_without_a_word(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            assert node.type is not None, f"line {node.lineno}: a bare except"
            lines = path.read_text(encoding="utf-8").splitlines()[node.lineno - 1 : node.end_lineno]
            why = any("#" in line for line in lines)
            assert why or not all(isinstance(line, ast.Pass) for line in node.body), f"line {node.lineno}"


@pytest.mark.parametrize("path", CORE, ids=ids)
def test_a_module_says_what_lives_in_it(path):
    assert ast.get_docstring(tree(path))


def test_what_only_configures_or_draws_opens_without_torch():
    modules = ", ".join(f"lstm_core.{name}" for name in WITHOUT_TORCH)
    code = f"import sys, {modules}; print(*sorted({{'torch', 'streamlit'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
