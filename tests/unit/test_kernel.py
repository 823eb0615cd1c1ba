from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.errors import ErfTheoryError
from erf_theory.kernel import Kernel

TAPS = {
    "integers": st.integers(-5, 9),
    "fractions": st.fractions(-2, 3, max_denominator=9),
    "floats": st.floats(-4, 4, allow_subnormal=False),
    "mixed": st.one_of(st.integers(-5, 9), st.sampled_from([0.5, -0.25])),
}


@st.composite
def kernels(draw, taps, ndim):
    """A kernel anywhere, signed, with holes and zero rims."""
    shape = draw(st.tuples(*[st.integers(1, 3)] * ndim))
    flat = draw(st.lists(taps, min_size=prod(shape), max_size=prod(shape)))
    values = np.empty(prod(shape), dtype=object)
    values[:] = flat
    return Kernel(values.reshape(shape), draw(st.tuples(*[st.integers(-3, 2)] * ndim)))


def measure(kernel):
    """The definition: a weight for every lattice point that has one."""
    places = (
        tuple(o + i for o, i in zip(kernel.origin, at, strict=True))
        for at in np.ndindex(kernel.shape)
    )
    weights = zip(places, kernel.taps.flat, strict=True)
    return {at: Fraction(w) for at, w in weights if w != 0}


def close(left, right, slack):
    """Whether two measures agree to ``slack`` at every point."""
    return all(abs(left.get(at, 0) - right.get(at, 0)) <= slack for at in left | right)


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("taps", TAPS.values(), ids=TAPS)
def test_the_algebra_is_that_of_measures(taps, ndim):
    @given(kernels(taps, ndim), kernels(taps, ndim), st.tuples(*[st.integers(1, 3)] * ndim))
    def look(a, b, step):
        left, right = measure(a), measure(b)
        exact = a.is_exact and b.is_exact
        slack = 0 if exact else 1e-13 * (1 + abs(a).mass) * (1 + abs(b).mass)
        both = {}
        for (x, v), (y, w) in product(left.items(), right.items()):
            at = tuple(i + j for i, j in zip(x, y, strict=True))
            both[at] = both.get(at, 0) + v * w
        mixed = {at: left.get(at, 0) + right.get(at, 0) for at in left | right}
        spread = {tuple(i * d for i, d in zip(x, step, strict=True)): v for x, v in left.items()}
        assert close(measure(a @ b), both, slack)
        assert close(measure(a + b), mixed, slack)
        assert measure(a.dilate(step)) == spread
        assert measure(a.trim()) == left
        assert close(measure(a * Fraction(1, 4)), {x: v / 4 for x, v in left.items()}, slack)
        assert measure(abs(a)) == {x: abs(v) for x, v in left.items()}
        assert (a @ b).is_exact == (a + b).is_exact == exact
        assert a.is_nonnegative == all(v >= 0 for v in left.values())
        assert a.mass == pytest.approx(sum(left.values()), abs=slack)

    look()


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("taps", TAPS.values(), ids=TAPS)
def test_moments_marginals_and_transfer_functions_are_sums_over_places(taps, ndim):
    @given(kernels(taps, ndim), st.lists(st.integers(0, 3), min_size=ndim, max_size=ndim))
    def look(kernel, orders):
        places = measure(kernel)
        slack = 1e-12 * (1 + abs(kernel).mass) * 3 ** sum(orders)
        raw = sum(
            v * prod(x**r for x, r in zip(at, orders, strict=True)) for at, v in places.items()
        )
        assert kernel.moment(orders) == pytest.approx(raw, abs=0 if kernel.is_exact else slack)
        for axis in range(ndim):
            line = {}
            for at, v in places.items():
                line[(at[axis],)] = line.get((at[axis],), 0) + v
            found = measure(kernel.marginal(axis))
            assert close(found, line, 0 if kernel.is_exact else slack)
        omega = np.array([[0.3], [-1.7], [2.2]][:ndim]) + np.array([0.0, 0.1])
        waves = sum(float(v) * np.exp(-1j * (np.array(at) @ omega)) for at, v in places.items())
        assert kernel.transfer(*omega) == pytest.approx(waves * np.ones(2), abs=slack)

    look()


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_cumulants_are_central_moments_of_the_normalised_measure(ndim):
    @given(kernels(TAPS["integers"], ndim).filter(lambda kernel: kernel.mass != 0))
    def look(kernel):
        places, mass = measure(kernel), kernel.mass
        mean = [Fraction(kernel.moment(unit), mass) for unit in np.eye(ndim, dtype=int)]
        assert kernel.mean == tuple(mean)

        def central(*axes):
            return sum(v * prod(at[i] - mean[i] for i in axes) for at, v in places.items()) / mass

        for i, j in product(range(ndim), repeat=2):
            assert kernel.covariance[i][j] == central(i, j)
        for axis in range(ndim):
            second, third, fourth = (central(*[axis] * r) for r in (2, 3, 4))
            found = [kernel.cumulant(r, axis) for r in (1, 2, 3, 4)]
            assert found == [mean[axis], second, third, fourth - 3 * second**2]

    look()


@pytest.mark.parametrize("taps", TAPS.values(), ids=TAPS)
def test_factors_of_a_product_multiply_to_it(taps):
    @given(st.lists(kernels(taps, 1), min_size=2, max_size=3), kernels(taps, 2))
    def look(lines, plane):
        array = lines[0].taps
        for line in lines[1:]:
            array = np.multiply.outer(array, line.taps)
        solid = Kernel(array, sum((line.origin for line in lines), ()))
        found = solid.factors()
        if not np.any(solid.taps != 0):
            assert found is None
        elif solid.is_exact:
            again = found[0].taps
            for line in found[1:]:
                again = np.multiply.outer(again, line.taps)
            assert Kernel(again, solid.origin) == solid
        if plane.is_exact:
            rank = np.linalg.matrix_rank(plane.taps.astype(float))
            assert plane.is_separable == (rank == 1)

    look()


@pytest.mark.parametrize(("padding", "first"), [(0, 0), (1, -1), (2, -2)])
def test_gradients_carry_the_weights_in_their_order(padding, first):
    """theory.md, section 2: w = (1, 2, 5), p = 1 puts gradient 1, 2, 5 at offsets −1, 0, 1."""
    weights = [1, 2, 5]
    kernel = Kernel.from_weights([[weights]], padding)
    assert kernel.channels == (1, 1)

    def output(image):
        return sum(w * image.get(a - padding, 0) for a, w in enumerate(weights))

    gradient = {at: output({at: 1}) for at in range(-4, 5)}
    assert kernel[0, 0].origin == (first,)
    assert measure(kernel[0, 0]) == {(at,): g for at, g in gradient.items() if g}
    plane = Kernel.from_weights(np.ones((4, 2, 3, 5)), (padding, 2))
    assert (plane.channels, plane.shape, plane.origin) == ((4, 2), (3, 5), (first, -2))


def test_the_identity_and_the_box():
    kernel = Kernel([[1, 2], [3, 5]], (-4, 7))
    assert kernel @ Kernel.delta(2) == kernel == Kernel.delta(2) @ kernel
    assert kernel**0 == Kernel.delta(2)
    assert kernel**3 == kernel @ kernel @ kernel
    assert Kernel.uniform(3, 2) == Kernel(np.ones((3, 3), dtype=int))
    assert 2 * kernel == kernel * 2 == kernel + kernel


def test_equal_measures_have_equal_hashes():
    @given(kernels(TAPS["mixed"], 2), st.integers(0, 2))
    def look(kernel, rim):
        origin = tuple(o - rim for o in kernel.origin)
        wider = Kernel(np.pad(kernel.taps, rim), origin)
        assert wider == kernel
        assert hash(wider) == hash(kernel)
        moved = Kernel(kernel.taps, tuple(o + 1 for o in kernel.origin))
        assert (moved == kernel) == (not np.any(kernel.taps != 0))

    look()


def test_exact_and_float_taps_of_one_value_are_equal():
    assert Kernel([1, 0.5]) == Kernel([1, Fraction(1, 2)])
    assert hash(Kernel([1, 0.5])) == hash(Kernel([1, Fraction(1, 2)]))


@pytest.mark.parametrize(
    "mix",
    [
        lambda huge: huge * 0.5,
        lambda huge: huge @ Kernel([0.5]),
        lambda huge: huge + Kernel([0.5]),
        lambda huge: huge.transfer(0.1),
    ],
)
def test_integers_that_no_double_holds_do_not_mix_with_floats(mix):
    with pytest.raises(ErfTheoryError, match="double"):
        mix(Kernel([10**400, 1]))


def test_taps_are_shown_and_long_ones_are_shortened():
    assert repr(Kernel([1, Fraction(1, 2)], (-1,))) == "Kernel([1, 1/2], origin=(-1,))"
    assert eval(repr(Kernel([[1, 2], [3, 4]])), {"Kernel": Kernel}) == Kernel([[1, 2], [3, 4]])  # noqa: S307
    assert len(repr(Kernel(np.arange(10_000)))) < 120


def test_numbers_stay_exact():
    kernel = Kernel([1, Fraction(1, 3), np.int64(2)])
    assert kernel.is_exact
    assert kernel.mass == Fraction(10, 3)
    assert (kernel @ kernel).taps.tolist() == [
        1,
        Fraction(2, 3),
        Fraction(37, 9),
        Fraction(4, 3),
        4,
    ]


def test_floats_are_doubles():
    kernel = Kernel([0.1, 0.2])
    assert not kernel.is_exact
    assert (kernel @ Kernel([1, 1])).taps.tolist() == [0.1, 0.1 + 0.2, 0.2]


def test_huge_integers_have_a_scale():
    taps, exponent = Kernel([10**400, 3 * 10**400]).scaled
    assert 0.5 <= taps[1] < 1
    assert taps[0] / taps[1] == pytest.approx(1 / 3, rel=1e-15)
    assert float(Fraction(3 * 10**400) / Fraction(2) ** exponent) == taps[1]


def test_taps_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        Kernel([1, 2]).taps[0] = 5


def test_matrices_of_kernels_multiply():
    weights = np.arange(12).reshape(2, 3, 2)
    left, right = Kernel(weights, (0,)), Kernel(weights.swapaxes(0, 1), (0,))
    both = left @ right
    assert both.channels == (2, 2)
    paths = sum((left[0, c] @ right[c, 1] for c in range(1, 3)), left[0, 0] @ right[0, 1])
    assert both[0, 1] == paths
    depthwise = Kernel([[1, 2], [3, 4], [5, 6]], (0,))
    assert (left @ depthwise)[1, 2] == left[1, 2] @ depthwise[2]
    assert (depthwise @ right)[2, 1] == depthwise[2] @ right[2, 1]


def test_measures_are_sifted_of_zeros():
    assert Kernel([0, 1, 2, 0], (-1,)) == Kernel([1, 2])
    assert hash(Kernel([0, 1, 2, 0], (-1,))) == hash(Kernel([1, 2]))
    assert Kernel([0, 0]).trim().taps.tolist() == [0]
    assert Kernel([1, 2]) != [1, 2]


def test_covariance_of_a_plane():
    kernel = Kernel([[1, 0], [0, 1]])
    quarter = Fraction(1, 4)
    assert kernel.mean == (Fraction(1, 2), Fraction(1, 2))
    assert kernel.covariance == ((quarter, quarter), (quarter, quarter))


@pytest.mark.parametrize(
    "combine",
    [
        lambda kernel: kernel + 1,
        lambda kernel: kernel * "x",
        lambda kernel: kernel @ np.array([1, 2]),
        lambda kernel: np.array([1, 2]) @ kernel,
        lambda kernel: np.array([1, 2]) * kernel,
    ],
)
def test_what_is_no_kernel_does_not_combine(combine):
    with pytest.raises(TypeError):
        combine(Kernel([1, 2]))


def test_numbers_of_numpy_scale_a_kernel():
    assert np.float64(2) * Kernel([1, 2]) == Kernel([1, 2]) * np.int64(2) == Kernel([2, 4])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Kernel([]), "at least one tap"),
        (lambda: Kernel(3), "at least one tap"),
        (lambda: Kernel([1, np.nan]), "finite"),
        (lambda: Kernel([1, "x"]), "finite real numbers"),
        (lambda: Kernel(np.ones((1, 1, 1, 1))), "1, 2 or 3 spatial axes"),
        (lambda: Kernel(np.ones((2, 2, 2, 2)), (0,)), "channel axes"),
        (lambda: Kernel.uniform(0), "at least one tap per axis"),
        (lambda: Kernel([1, 1]) @ Kernel.uniform(2, 2), "do not combine"),
        (lambda: Kernel(np.ones((2, 3)), (0,)) + Kernel([1]), "cannot be added"),
        (lambda: Kernel(np.ones((2, 3, 1)), (0,)) @ Kernel(np.ones((2, 3, 1)), (0,)), "multiply"),
        (lambda: Kernel([1, 1]) ** -1, "no power -1"),
        (lambda: Kernel(np.ones((2, 3)), (0,)) ** 2, "without channels"),
        (lambda: Kernel([1, 1]).dilate(0), "dilation is 1 or more"),
        (lambda: Kernel([1, -1]).mean, "add up to 0"),
        (lambda: Kernel([1, 1]).cumulant(0), "start at order 1"),
        (lambda: Kernel([1, 1]).transfer(0, 0), "one array of frequencies per axis"),
        (lambda: Kernel(np.ones((2, 3)), (0,)).mass, "choose one"),
        (lambda: Kernel(np.ones((2, 3)), (0,))[0, 0], "does not fit"),
        (lambda: Kernel(np.ones((2, 2, 2)), (0,))[3, 0], r"channel \(3, 0\) does not fit"),
        (lambda: Kernel.uniform(2.5), r"k is a whole number, not 2\.5"),
        (lambda: Kernel.uniform([3]), "k is a whole number"),
        (lambda: Kernel.uniform(3, -1), "1, 2 or 3 spatial axes, not -1"),
        (lambda: Kernel.uniform(10**9), "too large for a map"),
        (lambda: Kernel([1, 2]) ** 1.5, r"a whole number, not 1\.5"),
        (lambda: Kernel([1, 2]).dilate(1.5), r"1\.5 is no whole number"),
        (lambda: Kernel.from_weights([1, 2, 3]), r"shape \(C_out, C_in, taps...\), not \(3,\)"),
        (lambda: Kernel.from_weights([[[1, 2]]], padding=1.5), r"1\.5 is no whole number"),
        (lambda: Kernel([1, 2]).marginal(1), "axes 0 to 0, not 1"),
        (lambda: 1e308 * Kernel([100.0]), "above the largest double"),
        (lambda: Kernel([1e200]) ** 2, "above the largest double"),
        (lambda: Kernel([1e308]) + Kernel([1e308]), "above the largest double"),
        (lambda: Kernel([[1e308], [1e308]]).marginal(1), "above the largest double"),
        (lambda: 10**400 * Kernel([0.5]), "above the largest double"),
        (lambda: Fraction(1, 10**400) * Kernel([0.5]), "below the smallest double"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ErfTheoryError, match=message):
        make()
