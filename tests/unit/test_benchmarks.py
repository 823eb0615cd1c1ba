"""The table says what was found, and which rows fall short."""

import numpy as np
import pytest

from benchmarks import gpu, process, stack, truth
from benchmarks.row import SMOKE, Outcome, Ratio
from benchmarks.table import page, verdict
from erf_theory.errors import ErfTheoryError

FAST = Outcome("`fast()`", "a loop", "1 ms", "2 ms", "0.50×", "≤ 1×", reached=True)
SLOW = Outcome("`slow()`", "a loop", "3 ms", "2 ms", "1.50×", "≤ 1×", reached=False)


def equal(ours, theirs):
    assert ours == theirs


def unequal(ours, theirs):
    assert ours != theirs


def ratio(reach, size=1000, check=equal):
    """A row whose two ways add numbers up, ours ``size`` of them."""
    return Ratio("work", "beside", reach, lambda: sum(range(size)), lambda: sum(range(1000)), check)


def test_rows_that_fall_short_are_said_plainly():
    assert verdict([FAST, SLOW]) == "1 of 2 rows fall short: `slow()`: 1.50×, the goal is ≤ 1×."
    assert verdict([FAST]) == "All 1 goals are reached."
    assert "| `slow()` | a loop | 3 ms | 2 ms | 1.50× | ≤ 1× | **no** |" in page([FAST, SLOW])
    assert "| `fast()` | a loop | 1 ms | 2 ms | 0.50× | ≤ 1× | yes |" in page([FAST, SLOW])
    assert page([FAST, SLOW]).rstrip().endswith(verdict([FAST, SLOW]))


def test_a_ratio_is_ours_over_theirs():
    found = ratio(1, size=100_000, check=unequal).outcome(SMOKE)
    assert not found.reached
    assert float(found.found.rstrip("×")) > 10
    assert ratio(1000).outcome(SMOKE).reached


def test_a_wrong_answer_is_not_timed():
    with pytest.raises(AssertionError):
        ratio(1000, size=999).outcome(SMOKE)


def test_a_row_with_one_wrong_value_is_found_out():
    row = next(row for row in stack.rows(smoke=True) if "log_values" in row.work)
    spoilt = row.ours().copy()
    spoilt[7] += 1e-8
    row.check(row.ours(), row.theirs())
    with pytest.raises(AssertionError):
        row.check(spoilt, row.theirs())


def test_a_start_that_loads_too_much_is_found_out():
    with pytest.raises(AssertionError):
        process.Start("import scipy", "pass", 10.0).outcome(SMOKE)


def growth(number):
    """A row about a process that keeps 40 MB of ones for every number."""
    made = "numpy.ones(5_000_000 * {})"
    return process.Growth(made, (1, number), 20, "import numpy", "found[0] == 1").outcome(SMOKE)


def test_memory_that_grows_is_found_out():
    parent = np.ones(40_000_000)
    assert growth(1).reached
    assert not growth(3).reached
    assert parent[-1] == 1, "a parent's memory does not count"


def test_without_a_gpu_its_benchmarks_say_so(monkeypatch):
    def missing():
        raise ErfTheoryError("no GPU")

    monkeypatch.setattr(gpu, "import_cupy", missing)
    with pytest.raises(SystemExit, match="nothing to run on: no GPU") as ended:
        gpu.main()
    assert ended.value.code != 0


def test_the_truths_agree_with_each_other():
    exact = np.array([c / 3**40 for c in truth.integers(3, 40)])
    np.testing.assert_allclose(truth.shares(40), exact, rtol=1e-15)
    np.testing.assert_allclose(truth.logarithms(40), np.log(exact), rtol=1e-14)
