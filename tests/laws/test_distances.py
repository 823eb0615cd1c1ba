"""Laws of distances on random stacks: inequalities between them, and what must not change them."""

from math import log1p, sqrt

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory.gaussian.distances import distance_to_normal, distance_to_sampled_normal
from erf_theory.kernel import Kernel
from erf_theory.testing.taps import kernels
from erf_theory.theory import theoretical_erf

TAPS = kernels(st.integers(0, 9) | st.just(0) | st.fractions(0, 3, max_denominator=9))
DEPTHS = st.integers(1, 30)
BOTH = [distance_to_normal, distance_to_sampled_normal]


def stack(kernel, n, **how):
    assume(sum(tap > 0 for tap in kernel.taps.tolist()) > 1)
    return theoretical_erf(None, n, kernel=kernel, **how)


def same(left, right):
    for metric, value in left.values.items():
        slack = left.errors[metric] + right.errors[metric]
        assert abs(value - right[metric]) <= slack, metric


@given(TAPS, DEPTHS)
def test_distances_bound_each_other(kernel, n):
    """[Gibbs02], with the slack that rounding needs."""
    found = distance_to_sampled_normal(stack(kernel, n))
    more, square = 1 + 1e-9, found.hellinger**2
    assert found.kolmogorov <= found.total_variation * more
    assert square <= found.total_variation * more
    assert found.total_variation <= found.hellinger * sqrt(2 - square) * more
    assert found.total_variation <= sqrt(found.kullback_leibler / 2) * more
    assert 2 * square <= found.kullback_leibler * more
    assert found.kullback_leibler <= log1p(found.chi_square) * more
    assert found.wasserstein1 <= found.wasserstein2 * more
    assert found.cramer_von_mises <= found.kolmogorov**2 * more


@given(TAPS, DEPTHS)
def test_continuous_distances_bound_each_other(kernel, n):
    found = distance_to_normal(stack(kernel, n))
    assert found.wasserstein1 <= found.wasserstein2 * (1 + 1e-9)
    assert found.cramer_von_mises <= found.kolmogorov**2 * (1 + 1e-9)


@pytest.mark.parametrize("compare", BOTH)
@given(kernel=TAPS, n=DEPTHS)
def test_a_mirrored_map_is_as_far(compare, kernel, n):
    mirrored = Kernel(kernel.taps[::-1].copy())
    same(compare(stack(kernel, n)), compare(stack(mirrored, n)))


@pytest.mark.parametrize("compare", BOTH)
@given(kernel=TAPS, n=DEPTHS, step=st.integers(2, 4))
def test_a_stretched_map_is_as_far(compare, kernel, n, step):
    near, far = compare(stack(kernel, n)), compare(stack(kernel, n, dilation=step))
    same(near, far)
    assert far.span == step * near.span


@pytest.mark.parametrize("compare", BOTH)
@given(kernel=TAPS, n=st.integers(1, 8))
def test_enclosures_hold_what_doubles_find(compare, kernel, n):
    erf = stack(kernel, n)
    found = compare(erf)
    for metric, enclosure in compare(erf, certified=True).items():
        off = max(enclosure.low - found[metric], found[metric] - enclosure.high, 0)
        assert off <= found.errors[metric] or found[metric] == enclosure.high, metric
