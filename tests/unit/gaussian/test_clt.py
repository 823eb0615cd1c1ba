"""The limit theorem's formulas, each beside the exact engine or by its definition."""

from itertools import accumulate

import numpy as np
import pytest
import sympy
from scipy.stats import norm

from erf_theory import theoretical_erf
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.clt import clt_formulas
from erf_theory.gaussian.edgeworth import edgeworth

LIMIT = clt_formulas()


def at(formula, k, n):
    return formula.subs({LIMIT.k: k, LIMIT.n: n})


@pytest.mark.parametrize("k", [2, 3, 5, 7])
@pytest.mark.parametrize("n", [1, 12])
def test_moments_and_cumulants_are_the_exact_ones(k, n):
    erf = theoretical_erf(k, n)
    assert [at(LIMIT.cumulant(r), k, n) for r in range(2, 9)] == [
        sympy.Rational(str(erf.cumulant(r))) for r in range(2, 9)
    ]
    assert at(LIMIT.mean, k, n) == sympy.Rational(n * (k - 1), 2)
    assert float(at(LIMIT.std, k, n)) == pytest.approx(erf.std, rel=1e-15)
    kurtosis = sympy.Rational(str(erf.cumulant(4))) / sympy.Rational(str(erf.cumulant(2))) ** 2
    assert at(LIMIT.excess_kurtosis, k, n) == kurtosis
    assert at(LIMIT.theoretical_rf, k, n) == erf.theoretical_rf[0]


@pytest.mark.parametrize("k", [2, 3, 8])
def test_terms_are_those_of_the_expansion(k):
    n, z = 30, np.linspace(-4, 4, 9)
    expansion = edgeworth(theoretical_erf(k, n), 6)
    density, cdf = (sum(terms) for terms in (LIMIT.density_terms(6), LIMIT.cdf_terms(6)))
    for formula, series, sign in (
        (density, expansion.density_series, 1),
        (cdf, expansion.cdf_series, -1),
    ):
        found = sympy.lambdify(LIMIT.z, at(formula, k, n))(z)
        assert found == pytest.approx(sign * series(z), rel=1e-9, abs=1e-12)


def test_the_theorem_is_the_limit_of_the_exact_map():
    """The characteristic function at the deepest n, from the values of the map itself."""
    theorem = clt_formulas(k=3).theorem
    (standardised, n, *_) = theorem.lhs.args
    for omega in (0.3, 1.0, 2.5):
        erf = theoretical_erf(3, 400)
        by_values = erf.values @ np.cos(omega * erf.offsets[0] / erf.std)
        by_formula = standardised.subs({n: 400, LIMIT.omega: omega})
        assert float(by_formula) == pytest.approx(by_values, rel=1e-10)
        assert by_values == pytest.approx(float(theorem.rhs.subs(LIMIT.omega, omega)), rel=0.01)


@pytest.mark.parametrize("k", [2, 3, 5, 7])
def test_leading_terms_of_distances_are_reached(k):
    n = 1000
    erf = theoretical_erf(k, n)
    (t,), p, s = erf.offsets, erf.values, erf.std
    q = norm.pdf(t, scale=s)
    q /= q.sum()
    inside = np.abs(t) < 8 * s
    ratio = np.log1p((p[inside] - q[inside]) / q[inside])
    below = np.array(list(accumulate(p)))
    exact = {
        "kolmogorov": np.max(np.maximum(below, 1 - below) - norm.cdf(np.abs(t) / s)),
        "density": s * np.max(np.abs(p - q)),
        "total variation": np.abs(p - q).sum() / 2,
        "chi-squared": ((p - q)[inside] ** 2 / q[inside]).sum(),
        "kullback-leibler": (p[inside] * ratio - p[inside] + q[inside]).sum(),
    }
    for name, formula in LIMIT.distances().items():
        assert float(at(formula, k, n)) == pytest.approx(exact[name], rel=0.01), name


def test_the_share_is_the_limit_of_std_over_field():
    erf = theoretical_erf(5, 10_000)
    share = erf.std / erf.theoretical_rf[0]
    assert float(at(LIMIT.share, 5, 10_000)) == pytest.approx(share, rel=1e-4)


def test_numbers_and_symbols_say_the_same():
    general, numbers = (dict(found.lines()[1:]) for found in (LIMIT, clt_formulas(3, 20)))
    for name, formula in numbers.items():
        wanted = float(at(general[name], 3, 20).subs(LIMIT.z, 1.3))
        assert float(formula.subs(LIMIT.z, 1.3)) == pytest.approx(wanted, rel=1e-13), name
    depth = sympy.Symbol("m", positive=True, integer=True)
    assert clt_formulas(3, depth).variance == 2 * depth / 3
    assert clt_formulas(sympy.Symbol("q")).excess_kurtosis.has(sympy.Symbol("q"))


def test_how_it_shows_itself():
    found = clt_formulas(k=3)
    assert repr(found).splitlines()[0] == "CLTFormulas(k=3, n=n)"
    assert "  excess kurtosis: -3/(2*n)" in repr(found).splitlines()
    latex = found._repr_latex_()
    assert latex.startswith("$$\\begin{aligned}")
    for text in found.latex().values():
        assert text in latex
    assert "\\sigma &= \\frac{\\sqrt{6} \\sqrt{n}}{3}" in latex
    assert latex.count("&") == len(found.lines()) == latex.count("\\\\\n") + 1


@pytest.mark.parametrize(("k", "n"), [(1, None), (1, 5), (3, 0), (None, 0)])
def test_points_have_no_limit(k, n):
    with pytest.raises(ErfTheoryError, match="lie on one point"):
        clt_formulas(k, n)


def test_orders_count_terms():
    with pytest.raises(ErfTheoryError, match="the order of an expansion is 0 or more"):
        LIMIT.density_terms(-1)
    assert LIMIT.density_terms(0) == (1,)
    assert LIMIT.cdf_terms(0) == (0,)
