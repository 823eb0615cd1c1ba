from fractions import Fraction
from itertools import product
from time import perf_counter

import mpmath
import pytest
import sympy

from erf_theory.errors import ErfTheoryError
from erf_theory.formulas import symbolic_erf
from erf_theory.kernel import Kernel

STACKS = [(1, 0), (1, 3), (2, 0), (2, 1), (2, 6), (3, 4), (3, 7), (4, 3), (5, 2), (7, 2)]
GENERAL = symbolic_erf()


def asked(k, n):
    """The four ways to ask for the formulas of one stack, with what is left to substitute."""
    return [
        (symbolic_erf(k, n), {}),
        (symbolic_erf(k=k), {GENERAL.n: n}),
        (symbolic_erf(n=n), {GENERAL.k: k}),
        (GENERAL, {GENERAL.k: k, GENERAL.n: n}),
    ]


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_coefficients_are_those_of_the_power(k, n):
    taps = (Kernel.uniform(k) ** n).taps.tolist()
    for stack, values in asked(k, n):
        formula = stack.coefficient.subs(values)
        row = [formula.subs(stack.t, t).doit() for t in range(len(taps) + 3)]
        assert row == [*taps, 0, 0, 0]


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_the_generating_function_is_the_polynomial(k, n):
    taps = (Kernel.uniform(k) ** n).taps.tolist()
    for stack, values in asked(k, n):
        polynomial = sympy.cancel(stack.generating_function.subs(values))
        assert sympy.Poly(polynomial, stack.z).all_coeffs()[::-1] == taps


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_the_transfer_function_is_the_dtft(k, n):
    kernel = Kernel.uniform(k) ** n
    for (stack, values), omega in product(asked(k, n), (0.1, 1.3, -2.9)):
        gain = stack.transfer_function.subs({**values, stack.omega: omega})
        assert complex(gain) == pytest.approx(complex(kernel.transfer(omega)), rel=1e-12)


@pytest.mark.parametrize(("k", "n"), STACKS)
def test_mass_and_cumulants_are_those_of_the_power(k, n):
    kernel = Kernel.uniform(k) ** n
    for stack, values in asked(k, n):
        named = [stack.mass, stack.mean, stack.variance, stack.cumulant(3), stack.cumulant(4)]
        expected = [kernel.mass, *(kernel.cumulant(r) for r in range(1, 5))]
        assert [formula.subs(values) for formula in named] == expected


@pytest.mark.parametrize("r", range(2, 11))
def test_cumulants_are_bernoulli_numbers(r):
    bernoulli = sympy.Rational(*mpmath.bernfrac(r))
    formula = GENERAL.n * bernoulli * (GENERAL.k**r - 1) / r
    assert sympy.expand(GENERAL.cumulant(r) - formula) == 0


def test_the_transfer_function_is_a_dirichlet_kernel():
    k, n, omega = GENERAL.k, GENERAL.n, GENERAL.omega
    dirichlet = sympy.sin(k * omega / 2) / sympy.sin(omega / 2)
    phase = sympy.exp(-sympy.I * n * (k - 1) * omega / 2)
    assert GENERAL.transfer_function == phase * dirichlet**n


def test_the_coefficient_is_the_alternating_sum():
    """Theory, section 2: Σ_{i ≤ t/k} (−1)^i C(n, i) C(n + t − 1 − ki, n − 1)."""
    k, n, t = GENERAL.k, GENERAL.n, GENERAL.t
    (i, low, high) = GENERAL.coefficient.limits[0]
    assert (low, high) == (0, sympy.floor(t / k))
    term = (-1) ** i * sympy.binomial(n, i) * sympy.binomial(n + t - 1 - k * i, n - 1)
    values = {k: 4, n: 9}
    for place, index in product(range(12), range(4)):
        at = {**values, t: place + 4 * index, i: index}
        assert GENERAL.coefficient.function.subs(at) == term.subs(at)


def test_long_polynomials_stay_powers():
    stack = symbolic_erf(5, 10_000)
    layer = sum(stack.z**m for m in range(5))
    assert stack.generating_function == sympy.Pow(layer, 10_000)
    wide = symbolic_erf(1000)
    layer = (1 - wide.z**1000) / (1 - wide.z)
    assert wide.generating_function == layer**wide.n
    assert stack.mass == 5**10_000
    assert "  mass: 5**10000\n" in repr(stack)
    assert stack.latex()["mass"] == "5^{10000}"
    assert stack.variance == 20_000


def test_symbols_of_the_user_appear_in_every_formula():
    layers, taps = sympy.symbols("L K")
    stack = symbolic_erf(taps, 2 * layers)
    assert stack.variance == layers * (taps - 1) * (taps + 1) / 6
    own = {*sympy.symbols("L K"), stack.z, stack.omega, stack.t}
    for _, formula in stack.lines():
        assert formula.free_symbols <= own | {sympy.Symbol("i", integer=True, nonnegative=True)}
    values = {taps: 3, layers: 2, stack.t: 4}
    assert stack.coefficient.subs(values).doit() == 19


def test_one_symbol_may_be_both():
    m = sympy.Symbol("m", integer=True, positive=True)
    assert symbolic_erf(m, m).mass == m**m


@pytest.mark.parametrize(
    ("k", "n", "message"),
    [
        (0, 3, "k = 0 .* 1 or more"),
        (2.5, 3, r"k = 2\.5 .* 1 or more"),
        ("3", 3, "k = 3 .* 1 or more"),
        (3, -1, "n = -1 .* 0 or more"),
        (3, sympy.Rational(1, 2), "n = 1/2 .* 0 or more"),
        (sympy.Symbol("q", integer=False), 2, "k = q .* 1 or more"),
        (sympy.Symbol("q", integer=True, nonpositive=True), 2, "k = q .* 1 or more"),
        (2, sympy.Symbol("q", negative=True), "n = q .* 0 or more"),
    ],
)
def test_what_does_not_count_is_refused(k, n, message):
    with pytest.raises(ErfTheoryError, match=message):
        symbolic_erf(k, n)


def test_a_number_of_layers_of_any_size_takes_no_time():
    start, stack = perf_counter(), symbolic_erf(3, 10**14)
    assert (stack.mean, stack.variance) == (10**14, sympy.Rational(2 * 10**14, 3))
    said = dict(stack.lines())
    assert str(said["mass"]) == "3**100000000000000"
    half = stack.omega / 2
    ratio = said["transfer function"] / sympy.exp(-2 * 10**14 * sympy.I * half)
    assert sympy.log(ratio).subs(stack.omega, 1).evalf() == pytest.approx(
        10**14 * sympy.log(sympy.sin(1.5) / sympy.sin(0.5)), rel=1e-12
    )
    with pytest.raises(ErfTheoryError, match="ask for log_mass"):
        _ = stack.mass
    assert perf_counter() - start < 10


def test_orders_that_do_not_count_are_refused():
    with pytest.raises(ErfTheoryError, match=r"a whole number, not 2\.5"):
        symbolic_erf(3, 5).cumulant(2.5)


def test_what_is_printed_is_what_was_derived():
    stack = symbolic_erf(k=3)
    names = ["generating function", "transfer function", "coefficient of z^t", "mass"]
    assert [name for name, _ in stack.lines()][:4] == names
    printed = dict(line.strip().split(": ", 1) for line in repr(stack).splitlines()[1:])
    local = {symbol.name: symbol for symbol in (stack.z, stack.omega, stack.t, stack.n)}
    local["i"] = sympy.Symbol("i", integer=True, nonnegative=True)
    for name, formula in stack.lines():
        assert sympy.sympify(printed[name], locals=local) == formula
        assert stack.latex()[name] == sympy.latex(formula)
        assert f"&= {stack.latex()[name]}" in stack._repr_latex_()
    assert repr(stack).startswith("SymbolicERF(k=3, n=n)\n")


def test_exact_integers_of_any_kind_are_numbers():
    stack = symbolic_erf(sympy.Integer(3), sympy.Integer(2))
    assert (stack.k, stack.n, stack.mass) == (3, 2, 9)
    assert Fraction(int(stack.mass), 9) == 1
