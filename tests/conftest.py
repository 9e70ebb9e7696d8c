"""How the tests run: quickly, or with --thorough all of them and every property on as many examples as it names."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest
from hypothesis import settings

from lstm_core.model.devices import limit_to_one_thread

# Before PyTorch loads, here and in what a test starts: the two workers have a core each.
os.environ.setdefault("OMP_NUM_THREADS", "1")

QUICK = 4  # without --thorough, so much less of the examples
settings.register_profile("thorough", max_examples=100, deadline=None)
settings.register_profile("quick", max_examples=100 // QUICK, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--thorough", action="store_true", help="all tests, and all examples of each property")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported: `examples` asks for the profile."""
    thorough = config.getoption("--thorough")
    settings.load_profile("thorough" if thorough else "quick")
    if not thorough and not config.option.markexpr:
        config.option.markexpr = "not slow"


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """A training before this test may have taken all cores, which the other worker needs too."""
    limit_to_one_thread()


def quick(values: Iterable[object], *kept: object) -> list:
    """All values of a parametrised test; those that are not kept, for which these stand, are slow."""
    assert {*kept} <= {*values}
    return [value if value in kept else pytest.param(value, marks=pytest.mark.slow) for value in values]


def examples(full: int) -> settings:
    """Decorator of a property: it is tried on `full` examples with --thorough, on a quarter, but five, without."""
    thorough = settings.get_current_profile_name() == "thorough"
    return settings(max_examples=full if thorough else max(5, full // QUICK))
