from fractions import Fraction

import pytest

from erf_theory.propagation.interpolation import interpolation


@pytest.mark.parametrize("scale", range(1, 8))
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_outputs_are_what_the_input_is_multiplied_by(scale, mode):
    shares, last = interpolation(scale, mode)
    first = last + 1 - len(shares)
    for output in range(-2 * scale, 2 * scale):
        at = Fraction(2 * output + 1, 2 * scale) - Fraction(1, 2)
        near = output // scale == 0 if mode == "nearest" else max(0, 1 - abs(at))
        given = shares[output - first] if first <= output <= last else 0
        assert given == near


@pytest.mark.parametrize("scale", range(1, 8))
@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_every_output_has_shares_that_add_up_to_1(scale, mode):
    shares, last = interpolation(scale, mode)
    first = last + 1 - len(shares)
    for phase in range(scale):
        places = (phase - scale * x - first for x in range(-3, 4))
        assert sum(shares[place] for place in places if 0 <= place < len(shares)) == 1
