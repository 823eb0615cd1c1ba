"""Powers of signed kernels beside their attractors."""

import json
from fractions import Fraction
from math import pi, prod

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import attractor
from erf_theory.errors import ErfTheoryError
from erf_theory.gaussian.peaks import Peak
from erf_theory.kernel import Kernel

TAPS = st.lists(st.integers(-6, 6), min_size=2, max_size=5).filter(lambda t: sum(map(bool, t)) > 1)
NAMED = [
    ([1, 4, 1], "Gaussian", 2),
    ([-1, 8, 1, 8, 1], "Gaussian", 2),
    ([-1, 2, -1], "Gaussian oscillating at 3.142 rad", 2),
    ([1, -1], "Gaussian oscillating at 3.142 rad", 2),
    ([1, -3, 1, 2], "Gaussian of complex variance oscillating at 1.93 rad", 2),
    ([2, 4, -3, 4, 2], "beats of Gaussian and Gaussian oscillating at 2.094 rad", 2),
    ([3, 6, -1], "Airy", 3),
    ([-1, 6, 3], "Airy", 3),
    ([-1, 4, 10, 4, -1], "exp(-xi^4)", 4),
]


@given(TAPS, st.integers(1, 12), st.integers(-3, 3))
def test_the_power_by_its_definition(taps, n, origin):
    found = attractor(Kernel(taps, origin=(origin,)))
    power = np.ones(1)
    for _ in range(n):
        power = np.convolve(power, np.array(taps, dtype=float) / found.modulus)
    places, values = found.exact(n)
    dense = dict(zip(range(n * origin, n * origin + len(power)), power, strict=True))
    assert all(
        dense.pop(place) == pytest.approx(value, abs=1e-12)
        for place, value in zip(places.tolist(), values, strict=True)
    )
    assert not np.any(list(dense.values()))


@pytest.mark.parametrize(("taps", "name", "order"), NAMED)
def test_the_attractor_is_reached_and_the_decay_is_the_predicted_one(taps, name, order):
    found = attractor(taps)
    assert (found.name, found.order, found.decay) == (name, order, Fraction(-1, order))
    assert found.is_gaussian == (name == "Gaussian")
    near, far = found.error(100), found.error(800)
    assert far < 0.04
    assert far < 0.65 * near
    fit = found.fitted([800, 1131, 1600])
    assert fit.exponent == pytest.approx(float(found.decay), abs=0.01)


@pytest.mark.parametrize(("taps", "false"), [([3, 6, -1], -0.5), ([-1, 4, 10, 4, -1], -1 / 3)])
def test_another_decay_is_rejected(taps, false):
    assert attractor(taps).fitted([800, 1131, 1600]).exponent != pytest.approx(false, abs=0.05)


def test_airys_function_is_reached_near_its_front_as_the_cube_root():
    """Undamped, where ξ is bounded; uniformly as slowly as n^(−1/24)."""
    found, errors = attractor([3, 6, -1]), []
    for n in (4000, 32_000):
        places, values = found.exact(n)
        front = abs(places - n / 2) < 2 * n ** (1 / 3)
        airy = found.approximate(n, places[front], damped=False)
        errors.append(np.max(abs(values[front] - airy)) / np.max(abs(values)))
    assert errors[1] < 0.07
    assert errors[1] / errors[0] == pytest.approx(0.5, abs=0.05)
    assert found.error(2000, damped=False) > 0.3
    assert found.error(2000) < 0.035


def test_the_wrong_attractor_is_far():
    n = 400
    places, values = attractor([3, 6, -1]).exact(n)
    false = attractor([3, 9, -1]).approximate(n, places)
    assert np.max(abs(values - false)) > 0.5 * np.max(abs(values))


@given(TAPS, st.integers(2, 5), st.integers(-2, 2))
def test_a_dilated_kernel_is_the_same_on_a_coarser_lattice(taps, span, origin):
    line = Kernel(taps, origin=(origin,))
    found, spread = attractor(line), attractor(line.dilate(span))
    assert spread.span == span * found.span
    assert spread.peaks == found.peaks
    places = np.arange(-20, 21)
    near = spread.approximate(7, span * places)
    assert near == pytest.approx(found.approximate(7, places), abs=1e-9)
    assert not np.any(spread.approximate(7, span * places + 1))


def test_kernels_without_mass_have_attractors():
    found = attractor([1, 0, -1])
    assert (found.span, found.name) == (2, "Gaussian oscillating at 3.142 rad")
    assert found.error(400) < 1e-3


def test_what_it_says():
    found = attractor([3, 6, -1])
    text = repr(found)
    assert text.startswith("limit of the powers of Kernel([3, 6, -1], origin=(0,))")
    assert "attractor Airy" in text
    assert "(-0.0625i) u^3" in text
    assert "(-0.02344) u^4" in text
    assert "places 2 apart" in repr(attractor([1, 0, 1]))
    assert "(-0.5598 + 0.3218i)" in repr(attractor([1, -3, 1, 2]))


def test_record_and_picture(tmp_path):
    found = attractor([2, 4, -3, 4, 2])
    found.save(tmp_path / "a.json")
    record = json.loads((tmp_path / "a.json").read_text())
    assert record["attractor"] == found.name
    assert record["call"] == found.call
    assert [peak["frequency"] for peak in record["peaks"]] == pytest.approx([0, 2 * pi / 3])
    found.save_figure(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    [above, _] = found.plot(50).axes
    assert [line.get_label() for line in above.lines] == ["n-th power", found.name]


@pytest.mark.parametrize("kernel", [[[1, 2], [3, 4]], Kernel([[1, 2]], origin=(0,))])
def test_kernels_of_more_axes_or_channels_are_refused(kernel):
    with pytest.raises(ErfTheoryError, match="that of a 1-D kernel"):
        attractor(kernel)


def test_a_single_tap_is_refused():
    with pytest.raises(ErfTheoryError, match="a single tap"):
        attractor([5])


def test_strangs_scheme_has_an_attractor_of_order_5():
    """Interpolation through five places, half a place off: moments 2 to 4 are 0, not the fifth."""
    half = Fraction(1, 2)
    taps = [prod((half - m) / (j - m) for m in range(-2, 3) if m != j) for j in range(-2, 3)]
    found = attractor(taps)
    assert (found.name, found.decay) == ("oscillatory of order 5", Fraction(-1, 5))
    assert found.error(800) < 0.06
    assert found.error(100) > 0.08
    assert found.fitted([100, 800, 6400]).exponent == pytest.approx(-0.2, abs=0.02)


def test_an_imaginary_quadratic_term_is_fresnels():
    peak = Peak(1.0, 2.0, 0.3, 0.5, (0.2j, 0j, -0.1 + 0j), 4)
    assert (peak.order, peak.shape) == (2, "Fresnel")
