"""Ten SIGKILLs at random moments, of workers and of the process that watches over them; the benchmark does 200."""

import pytest

from tests.benchmarks.kills import measure


@pytest.mark.slow
def test_no_kill_changes_a_number():
    results, tracebacks = measure(10, seed=77)
    assert [one.kills for one in results] == [2, 2, 2, 2, 2]
    assert not any(one.stuck for one in results) and tracebacks == 0
    assert all(one.exact for one in results)
