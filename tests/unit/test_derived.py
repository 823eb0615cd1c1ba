"""Roots, marginals, magnitudes and stored samples, against the same done to the whole map."""

from fractions import Fraction

import numpy as np
import pytest

from erf_theory.derived import (
    Magnitudes,
    Marginal,
    Profile,
    Root,
    Stored,
    mass_of,
    measurable,
)
from erf_theory.engines.extent import extent_of
from erf_theory.errors import EngineError
from erf_theory.kernel import Kernel
from erf_theory.maps import ProgramMap
from erf_theory.routes import integers

TURNED = Kernel([[0, 1, 0], [2, 1, 3], [0, 5, 0]], (-1, -1))
SIGNED = Kernel([[1, -2], [0, 3]], (0, -3))
CUBE = Kernel(np.arange(8).reshape(2, 2, 2), (1, 0, -1))


def run(kernel, times):
    return ProgramMap(lambda field: field.convolve(kernel, 1, times), kernel.ndim)


def exact(source):
    """The map before normalisation, as fractions."""
    numerators, total, log_norm = integers(source.program, extent_of(source.program, source.ndim))
    shares = np.array([Fraction(n, total) for n in numerators.flat], dtype=object)
    return shares.reshape(numerators.shape), np.exp(log_norm)


LINES = [run(Kernel([1, 4, 1]), 9), run(Kernel([1, 0, 2], (5,)), 4)]
PLANES = [run(TURNED, 3), run(CUBE, 2)]
SIGNS = [run(Kernel([1, -3, 1]), 5), run(SIGNED, 3)]


@pytest.mark.parametrize("source", LINES + PLANES)
def test_roots_are_roots_of_the_whole_map(source):
    shares, norm = exact(source)
    roots = np.sqrt((shares * Fraction(norm)).astype(float))
    found = Root(source)
    assert found.shares.values == pytest.approx(roots / roots.sum(), rel=1e-13)
    assert np.exp(found.shares.log_norm) == pytest.approx(roots.sum(), rel=1e-12)
    assert np.exp(found.logs.values) == pytest.approx(roots / roots.sum(), rel=1e-12)
    assert np.array_equal(found.logs.sign, (roots > 0).astype(int))
    assert (found.start, found.shape) == (source.start, source.shape)
    assert found.nonnegative


def test_roots_of_what_underflows_are_there():
    """3^-700 is no double, its root is: a value that is a normal double is right to 1e-10."""
    roots = Root(run(Kernel.uniform(3), 700))
    values, logs = roots.shares.values, roots.logs.values
    assert logs[0] > np.log(np.finfo(float).tiny)
    assert values == pytest.approx(np.exp(logs), rel=1e-10, abs=0)


@pytest.mark.parametrize("source", PLANES + SIGNS[1:])
def test_marginals_are_sums_of_magnitudes(source):
    magnitudes = abs(exact(source)[0])
    for axis in range(source.ndim):
        others = tuple(i for i in range(source.ndim) if i != axis)
        line = magnitudes.sum(axis=others).astype(float)
        found = Marginal(source, axis)
        assert found.shares.values == pytest.approx(line, rel=1e-13, abs=1e-15)
        assert np.exp(found.logs.values) == pytest.approx(line, rel=1e-12)
        assert found.shares.log_norm == source.shares.log_norm
        assert np.array_equal(found.logs.sign, (line > 0).astype(int))
        assert (found.start, found.shape) == ((source.start[axis],), (source.shape[axis],))


@pytest.mark.parametrize("source", SIGNS)
def test_magnitudes_lose_their_signs_only(source):
    magnitudes, found = abs(exact(source)[0]).astype(float), Magnitudes(source)
    assert found.nonnegative
    assert found.shares.values == pytest.approx(magnitudes, abs=1e-15)
    assert np.array_equal(found.logs.values, source.logs.values)
    assert np.array_equal(found.logs.sign, np.abs(source.logs.sign))
    assert found.log_mass == source.shares.log_norm
    assert found.mass is None


@pytest.mark.parametrize("make", [Magnitudes, Root, lambda source: Marginal(source, 0)])
def test_measures_are_those_of_the_samples(make):
    derived = make(PLANES[0])
    values = derived.shares.values
    places = [a + np.arange(m) for a, m in zip(derived.start, derived.shape, strict=True)]
    grids = np.meshgrid(*places, indexing="ij")
    mean = [float(np.sum(values * g)) for g in grids]
    for i, g in enumerate(grids):
        assert derived.cumulant(1, i) == pytest.approx(mean[i], rel=1e-12)
        assert derived.cumulant(3, i) == pytest.approx(np.sum(values * (g - mean[i]) ** 3))
        for j, h in enumerate(grids):
            both = np.sum(values * (g - mean[i]) * (h - mean[j]))
            assert derived.covariance[i, j] == pytest.approx(both, abs=1e-13)
    inside = np.argwhere(values > 0)
    low, shape = derived.support_box
    assert (low, shape) == (tuple(inside.min(axis=0)), tuple(np.ptp(inside, axis=0) + 1))


def test_samples_are_not_exact():
    source = LINES[0]
    stored = Stored((0,), source.shares, source.logs, source.mass, source.log_mass)
    for derived in (stored, Root(source), Magnitudes(source)):
        with pytest.raises(EngineError, match="known by its samples"):
            _ = derived.exact
    assert stored.cumulant(2, 0) == pytest.approx(float(source.cumulant(2, 0)), rel=1e-13)
    assert stored.mass == source.mass


def test_only_maps_with_signs_are_measured_by_their_magnitudes():
    assert measurable(LINES[0]) is LINES[0]
    assert measurable(SIGNS[0]) == Magnitudes(SIGNS[0])


@pytest.mark.parametrize("source", SIGNS)
def test_magnitudes_have_exact_cumulants(source):
    shares = abs(exact(source)[0])
    for axis, start in enumerate(source.start):
        line = np.moveaxis(shares, axis, 0).reshape(shares.shape[axis], -1).sum(axis=1)
        mean = sum(p * (start + x) for x, p in enumerate(line))
        third = sum(p * (start + x - mean) ** 3 for x, p in enumerate(line))
        found = Magnitudes(source)
        assert (found.cumulant(1, axis), found.cumulant(3, axis)) == (mean, third)
        line_of = Marginal(source, axis)
        assert (line_of.cumulant(1, 0), line_of.cumulant(3, 0)) == (mean, third)
        assert line_of.covariance[0, 0] == found.covariance[axis, axis]


def test_magnitudes_too_long_for_integers_are_measured_by_logarithms(monkeypatch):
    expected = [Magnitudes(SIGNS[0]).cumulant(r, 0) for r in (1, 2)]

    def refuse(*_):
        raise EngineError("too long")

    monkeypatch.setattr("erf_theory.maps.integers", refuse)
    found = Magnitudes(run(Kernel([1, -3, 1]), 5))
    assert [found.cumulant(r, 0) for r in (1, 2)] == pytest.approx(expected, rel=1e-13)
    assert found.covariance[0, 0] == pytest.approx(float(expected[1]), rel=1e-13)


def test_profiles_have_the_mass_of_the_whole():
    first, second = LINES
    line = Profile(first, (first, second))
    assert line.mass == first.mass * second.mass == mass_of((first, second))
    assert line.log_mass == first.log_mass + second.log_mass
    assert line.shares.log_norm == pytest.approx(line.log_mass, rel=1e-14)
    assert np.array_equal(line.shares.values, first.shares.values)
    assert (line.logs, line.exact, line.start) == (first.logs, first.exact, first.start)
    assert line.cumulant(3, 0) == first.cumulant(3, 0)


def test_one_mass_that_is_not_known_leaves_the_product_unknown():
    assert mass_of((LINES[0], Root(LINES[1]))) is None
