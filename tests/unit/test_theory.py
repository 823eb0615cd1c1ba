"""The two questions against their definition: every path from the output unit is enumerated."""

from fractions import Fraction
from itertools import product
from math import lcm, log, prod
from time import perf_counter

import numpy as np
import pytest

from erf_theory.errors import EngineError, ErfTheoryError, MapTooLargeError
from erf_theory.kernel import Kernel
from erf_theory.maps import ENGINES
from erf_theory.theory import theoretical_erf, variance_erf

BOX, CROSS = [1, 1, 1], [[0, 1, 0], [1, 2, 1], [0, 1, 0]]
STACKS = {
    "impulse": (BOX, 0, 1, 1, 1),
    "no width": ([-3], 4, 1, 1, 1),
    "uniform": (BOX, 6, 1, 1, 1),
    "asymmetric": ([1, 2, 5], 5, 1, 1, 1),
    "holes": ([1, 0, 0, 2], 4, 1, 1, 1),
    "fractions": ([Fraction(1, 3), Fraction(1, 7)], 7, 1, 1, 1),
    "floats": ([0.1, 0.7, 0.25], 4, 1, 1, 1),
    "signed": ([1, -2, 3], 5, 1, 1, 1),
    "no mass": ([1, -1], 7, 1, 1, 1),
    "dilated": ([1, 2, 5], 4, 1, 3, 1),
    "strided": ([1, 2, 5], 5, 1, 1, 2),
    "strided and dilated": ([2, 0, 1, 1], 4, 1, 2, 3),
    "gridding": ([1, 1], 4, 1, 2, 2),
    "plane": ([1, 2, 5], 3, 2, 1, 1),
    "plane of one's own": (CROSS, 3, 2, 1, 1),
    "signed plane": ([[1, -2], [0, 3]], 4, 2, 1, 1),
    "plane with axes of its own": ([[1, 2], [3, 4]], 3, 2, (2, 1), (1, 2)),
    "separable plane": ([[1, 2], [3, 6]], 3, 2, (1, 3), (2, 1)),
    "volume": ([1, 2], 3, 3, 1, 1),
    "volume of its own": (np.arange(8).reshape(2, 2, 2), 2, 3, (1, 2, 1), 2),
}


def every_path(kernel, n, ndim, dilation, stride):
    """The map as it is defined: n tap choices, the weight of each path at the place it ends."""
    taps = np.array(kernel, dtype=object)
    if taps.ndim < ndim:
        taps = np.multiply.outer(taps, np.multiply.outer(taps, taps) if ndim == 3 else taps)
    steps, strides = (v if isinstance(v, tuple) else (v,) * ndim for v in (dilation, stride))
    jumps = [[s**p * d for s, d in zip(strides, steps, strict=True)] for p in range(n)]
    reach = [sum((m - 1) * row[i] for row in jumps) for i, m in enumerate(taps.shape)]
    found = np.full([m + 1 for m in reach], Fraction(0), dtype=object)
    for path in product(np.ndindex(taps.shape), repeat=n):
        place = [sum(a[i] * j[i] for a, j in zip(path, jumps, strict=True)) for i in range(ndim)]
        found[tuple(place)] += prod((Fraction(taps[a]) for a in path), start=Fraction(1))
    return found


def shares_of(found):
    return found / sum(abs(found).flat)


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
def test_the_map_is_the_sum_over_all_paths(stack):
    kernel, n, ndim, dilation, stride = stack
    paths = every_path(*stack)
    erf = theoretical_erf(None, n, kernel=kernel, ndim=ndim, dilation=dilation, stride=stride)
    numerators, denominator = erf.exact()
    shares = shares_of(paths)
    assert erf.shape == shares.shape
    assert np.array_equal(numerators, shares * denominator)
    assert all(type(v) is int for v in numerators.flat)
    assert lcm(*(v.denominator for v in shares.flat)) <= denominator
    exact, sign = shares.astype(float), np.sign(shares).astype(int)
    assert np.max(np.abs(erf.values - exact)) <= 4 * np.finfo(float).eps + erf.error
    if erf.is_nonnegative and not erf.error:
        assert erf.values == pytest.approx(exact, rel=1e-13, abs=0)
    assert np.array_equal(erf.sign, sign)
    logs = [log(abs(v)) if v else -np.inf for v in shares.flat]
    assert erf.log_values.ravel().tolist() == pytest.approx(logs, abs=1e-12)
    assert erf.mass == pytest.approx(paths.sum(), rel=1e-13)
    assert erf.log_norm == pytest.approx(log(abs(paths).sum()), abs=1e-12)


@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same_values_or_says_why_not(stack, engine):
    kernel, n, ndim, dilation, stride = stack
    options = {"ndim": ndim, "dilation": dilation, "stride": stride, "engine": engine}
    erf = theoretical_erf(None, n, kernel=kernel, **options)
    exact = shares_of(every_path(*stack)).astype(float)
    if engine == "contour" and (not erf.is_nonnegative or len(erf.factors) < ndim):
        with pytest.raises(EngineError, match="contour engine"):
            _ = erf.values
        return
    assert np.max(np.abs(erf.values - exact)) < 1e-14


@pytest.mark.parametrize(("kernel", "origin"), [(BOX, (0,)), ([1, 2, 5], (-1,)), ([1, 2], (3,))])
def test_where_the_first_tap_lies_does_not_move_the_centre(kernel, origin):
    erf = theoretical_erf(None, 4, kernel=Kernel(kernel, origin))
    assert np.array_equal(erf.values, theoretical_erf(None, 4, kernel=kernel).values)
    assert erf.offsets[0][[0, -1]].tolist() == [-2.0 * (len(kernel) - 1), 2.0 * (len(kernel) - 1)]


def test_taps_appear_in_the_order_of_a_framework():
    """theory.md, section 2: w = (1, 2, 5), p = 1 puts gradient 1, 2, 5 at offsets −1, 0, 1."""
    erf = theoretical_erf(3, 1, kernel=[1, 2, 5])
    assert erf.offsets[0].tolist() == [-1, 0, 1]
    assert (erf.values * 8).tolist() == [1, 2, 5]


@pytest.mark.parametrize("variance", [1, 2, 0.5, 0.1, Fraction(2, 9), np.float64(3)])
@pytest.mark.parametrize("ndim", [1, 2])
def test_one_variance_scales_the_uniform_map(variance, ndim):
    erf, uniform = (
        variance_erf(3, 5, weight_variance=variance, ndim=ndim),
        theoretical_erf(3, 5, ndim=ndim),
    )
    assert np.array_equal(erf.values, uniform.values)
    assert erf.mass == pytest.approx((Fraction(variance) * 3**ndim) ** 5, rel=1e-14)
    assert erf.log_mass == pytest.approx(5 * log(variance * 3**ndim), abs=1e-13)
    assert erf.log_norm == pytest.approx(erf.log_mass, abs=1e-13)
    assert (erf.kind, uniform.kind) == ("energy", "amplitude")


@pytest.mark.parametrize("variances", [[1, 2, 1], CROSS, np.array([0.5, 0.25, 0.125])])
def test_a_variance_per_tap_is_a_kernel(variances):
    ndim = np.ndim(variances)
    erf = variance_erf(3, 4, weight_variance=variances, ndim=ndim)
    fixed = theoretical_erf(3, 4, kernel=variances, ndim=ndim)
    assert np.array_equal(erf.values, fixed.values)
    assert erf.mass == fixed.mass


@pytest.mark.parametrize(("variance", "n"), [(10, 10_000), (1e-20, 100_000), (1e20, 100_000)])
@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_log_mass_has_no_limits(variance, n, ndim):
    erf = variance_erf(3, n, weight_variance=variance, ndim=ndim)
    assert erf.log_mass == pytest.approx(n * log(variance * 3**ndim), rel=1e-13)


@pytest.mark.parametrize("variance", [1e-5, 1e5 + 0.5])
def test_a_mass_that_no_double_holds_is_refused(variance):
    with pytest.raises(ErfTheoryError, match="ask for log_mass"):
        _ = variance_erf(3, 1000, weight_variance=variance).mass


@pytest.mark.parametrize(("k", "n"), [(2, 9), (3, 20), (4, 7), (5, 11)])
def test_participation_is_a_ratio_of_binomials(k, n):
    """theory.md, section 1: k²ⁿ / T(2n, k, n(k−1)), T the middle coefficient of 2n layers."""
    middle = (Kernel.uniform(k) ** (2 * n)).taps[n * (k - 1)]
    erf = theoretical_erf(k, n)
    assert erf.participation() == pytest.approx(Fraction(k ** (2 * n), middle), rel=1e-13)
    assert theoretical_erf(k, n, ndim=2).participation() == pytest.approx(erf.participation() ** 2)


@pytest.mark.parametrize(("ndim", "shape"), [(1, (41,)), (2, (41, 41)), (3, (41, 41, 41))])
def test_cubes_of_equal_layers_have_the_width_of_the_formula(ndim, shape):
    erf = theoretical_erf(3, 20, ndim=ndim)
    assert erf.theoretical_rf == erf.shape == shape
    assert erf.std == pytest.approx((20 * 8 / 12) ** 0.5, rel=1e-14)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"k": 0}, "k is 1 or more, not 0"),
        ({"k": 2.5}, r"k is a whole number, not 2\.5"),
        ({"k": "3"}, "k is a whole number, not '3'"),
        ({"k": None}, "give k"),
        ({"n": -1}, "n is 0 or more, not -1"),
        ({"n": 1.5}, r"n is a whole number, not 1\.5"),
        ({"ndim": 0}, "ndim is 1 or more, not 0"),
        ({"ndim": 4}, "ndim is 1, 2 or 3, not 4"),
        ({"dilation": 0}, "dilation is 1 or more, not 0"),
        ({"dilation": (1, 1)}, r"\(1, 1\) has 2 entries for 1 axes"),
        ({"stride": 1.5}, r"stride is a whole number, not 1\.5"),
        ({"stride": -2}, "stride is 1 or more, not -2"),
        ({"kernel": [1, 2]}, r"k = 3 and a kernel of shape \(2,\) disagree"),
        ({"kernel": [1, 2], "ndim": 2}, r"its shape is \(3,\) or \(3, 3\)"),
        ({"kernel": CROSS}, r"shape \(3, 3\) has 2 axes and ndim is 1: give ndim 2 \(--ndim 2\)"),
        ({"kernel": [0, 0, 0]}, "a kernel of zeros"),
        ({"k": 10**9}, "too large for a map"),
        ({"k": 10**8}, "too large for a map"),
        ({"k": None, "kernel": np.ones(200_000)}, "too large for a map"),
        ({"dilation": [1, 2.5], "ndim": 2}, r"dilation is a whole number, not 2\.5"),
        ({"engine": ["auto"]}, r"no engine \['auto'\]"),
        ({"n": 10**6, "stride": 2}, "smaller n or stride"),
        ({"k": None, "kernel": [[1, 2]], "ndim": 2}, r"k = 2 and a kernel of shape \(1, 2\)"),
        ({"kernel": Kernel(np.ones((2, 3)), (0,))}, "without channels"),
        ({"kernel": []}, "at least one tap"),
        ({"kernel": 3}, "at least one tap"),
        ({"kernel": [1, np.nan, 1]}, "finite"),
        ({"kernel": [1, np.inf, 1]}, "finite"),
        ({"kernel": [1, 1j, 1]}, "finite real numbers"),
        ({"kernel": ["a", "b", "c"]}, "finite real numbers"),
        ({"kernel": [1, None, 1]}, "finite real numbers, not None"),
        ({"kernel": [[1, 2], [3]]}, "do not form an array"),
        ({"kernel": [10**400, 0.5, 1]}, "taps"),
        ({"engine": "fast"}, "no engine 'fast': choose one of auto, convolution, dtft"),
        ({"engine": "cumulants"}, "cumulants engine gives no map"),
    ],
)
def test_bad_input_is_refused_when_it_is_given(given, message):
    with pytest.raises(ErfTheoryError, match=message):
        theoretical_erf(**{"k": 3, "n": 2, **given})


@pytest.mark.parametrize(
    ("variance", "message"),
    [
        (0, "above 0, not 0"),
        (-1.5, r"above 0, not -1\.5"),
        (np.nan, "variance.*nan"),
        (np.inf, "variance.*inf"),
        ("2", "variance.*'2'"),
        ([1, -1, 1], r"not negative: \[1, -1, 1\]"),
        ([1, 1], "disagree"),
        ([0, 0, 0], "a kernel of zeros"),
    ],
)
def test_what_is_no_variance_is_refused(variance, message):
    with pytest.raises(ErfTheoryError, match=message):
        variance_erf(3, 2, weight_variance=variance)


@pytest.mark.parametrize("steps", [[1, 2], np.array([1, 2]), (1, 2)])
def test_steps_per_axis_are_any_sequence(steps):
    assert theoretical_erf(3, 3, ndim=2, dilation=steps, stride=1).shape == (7, 13)


HUGE = 10**400


@pytest.mark.parametrize("variance", [HUGE, Fraction(1, HUGE), Fraction(HUGE, 3)])
@pytest.mark.parametrize("ndim", [1, 2])
def test_variances_that_no_double_holds_stay_exact(variance, ndim):
    erf = variance_erf(3, 2, weight_variance=variance, ndim=ndim)
    assert erf.mass == (variance * 3**ndim) ** 2
    log_variance = log(Fraction(variance).numerator) - log(Fraction(variance).denominator)
    assert erf.log_norm == pytest.approx(2 * (log_variance + ndim * log(3)), rel=1e-14)
    assert np.array_equal(erf.values, theoretical_erf(3, 2, ndim=ndim).values)


def test_numbers_of_thousands_of_digits_are_said_in_words():
    for erf in (
        variance_erf(3, 2, weight_variance=10**5000),
        theoretical_erf(None, 2, kernel=[10**5000, 1]),
        theoretical_erf(3, 2, dilation=10**5000),
    ):
        assert "thousands of digits" in repr(erf)
    with pytest.raises(ErfTheoryError, match="above 0, not a number of thousands of digits"):
        variance_erf(3, 2, weight_variance=-(10**5000))


@pytest.mark.parametrize("taps", [[1], [-2], [0.5], [[3]]])
def test_single_taps_take_no_time(taps):
    start = perf_counter()
    erf = theoretical_erf(None, 10**6, kernel=taps, ndim=np.ndim(taps), stride=2)
    assert (erf.shape, erf.std, set(erf.mean)) == ((1,) * erf.ndim, 0, {0})
    assert np.abs(erf.values).ravel().tolist() == [1]
    assert perf_counter() - start < 1


TOO_LARGE = {
    "line": {"k": 3, "n": 10**12},
    "plane": {"k": 3, "n": 10**6, "ndim": 2},
    "plane of its own": {"k": 2, "n": 10**6, "ndim": 2, "kernel": [[1, 1], [1, 0]]},
    "strided": {"k": 3, "n": 60, "stride": 2},
    "strided beyond all doubles": {"k": 3, "n": 1500, "stride": 2},
}
ASK = {
    "values": lambda erf: erf.values,
    "log_values": lambda erf: erf.log_values,
    "sign": lambda erf: erf.sign,
    "exact": lambda erf: erf.exact(),
    "array": np.asarray,
}


@pytest.mark.parametrize("options", TOO_LARGE.values(), ids=TOO_LARGE)
@pytest.mark.parametrize("ask", ASK.values(), ids=ASK)
def test_a_map_that_does_not_fit_is_refused_before_any_work(options, ask):
    erf, start = theoretical_erf(**options), perf_counter()
    with pytest.raises(MapTooLargeError, match="GiB"):
        ask(erf)
    assert perf_counter() - start < 1


@pytest.mark.parametrize(
    "ask", [lambda erf: erf.size(), lambda erf: erf.offsets, lambda erf: erf.frame]
)
def test_what_needs_a_line_that_does_not_fit_is_refused_too(ask):
    with pytest.raises(MapTooLargeError):
        ask(theoretical_erf(3, 10**12))


def test_moments_of_ten_million_layers_need_no_time():
    erf, start = theoretical_erf(3, 10**7, ndim=2), perf_counter()
    assert erf.std == pytest.approx((10**7 * 2 / 3) ** 0.5, rel=1e-14)
    assert erf.log_mass == pytest.approx(2 * 10**7 * log(3), rel=1e-14)
    assert perf_counter() - start < 1


@pytest.mark.parametrize("kernel", [None, np.ones((3, 3)), [1.0, 1.0, 1.0]])
def test_equal_axes_share_one_map(kernel):
    erf = theoretical_erf(3, 7, ndim=2, kernel=kernel)
    first, second = erf.factors
    assert first is second
    line = theoretical_erf(3, 7).values
    np.testing.assert_allclose(erf.values, np.multiply.outer(line, line), rtol=1e-14)
    assert erf.call.startswith("theoretical_erf(3, 7, ndim=2")
