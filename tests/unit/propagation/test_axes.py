from fractions import Fraction

import numpy as np
import pytest

from erf_theory.engines import multinomial
from erf_theory.errors import ErfTheoryError
from erf_theory.kernel import Kernel
from erf_theory.propagation.axes import Axes, NoMarginalError

CROSS = Kernel([[0, 1, 0], [1, 2, 1], [0, 1, 0]], (-1, -1))
OUTER = Kernel([[1, 2, 3], [2, 4, 6]], (0, -1))


def test_steps_are_those_of_the_field_s_axes():
    assert Axes(3).steps((5, 6, 7)) == (5, 6, 7)
    assert Axes(3, 1, "marginal").steps((5, 6, 7)) == (6,)
    assert Axes(2, 1, "factor").steps(4) == (4,)
    assert (Axes(3).kept, Axes(3, 2, "factor").kept) == ((0, 1, 2), (2,))


def test_a_kernel_whole_summed_and_as_a_factor():
    assert Axes(2).kernel(CROSS) is CROSS
    assert Axes(2, 0, "marginal").kernel(CROSS) == Kernel([1, 4, 1], (-1,))
    lines = [Axes(2, axis, "factor").kernel(OUTER) for axis in (0, 1)]
    assert Kernel(np.multiply.outer(*(line.taps for line in lines)), OUTER.origin) == OUTER
    with pytest.raises(NoMarginalError, match="no outer product"):
        Axes(2, 0, "factor").kernel(CROSS)


def test_a_marginal_behind_an_upsampling_is_the_mean_over_the_phases_that_are_summed():
    even = Kernel(np.ones((2, 4), dtype=object))
    assert Axes(2, 0, "marginal").kernel(even, (2, 2)) == Kernel([2, 2])
    assert Axes(2, 1, "marginal").kernel(even, (2, 2)) == Kernel([1, 1, 1, 1])
    third = Axes(2, 1, "marginal").kernel(Kernel([[1], [1], [1]]), (3, 1))
    assert third == Kernel([1])
    with pytest.raises(NoMarginalError, match="phases of an upsampling have other sums"):
        Axes(2, 1, "marginal").kernel(Kernel([[1], [2]]), (2, 1))


def test_factors_of_products_do_not_add():
    fields = [multinomial.impulse(1)] * 2
    assert Axes(2, 1, "marginal").total(fields).numerators.tolist() == [2]
    assert Axes(2, 1, "factor").total(fields[:1]) is fields[0]
    with pytest.raises(NoMarginalError, match="no outer product together"):
        Axes(2, 1, "factor").total(fields)
    with pytest.raises(ErfTheoryError, match="the energy is 0 everywhere"):
        Axes(2).total([])


def test_phases_count_places_that_a_dilation_leaves():
    column = Kernel([[1], [1], [1], [1]])
    axes = Axes(2, 1, "marginal")
    assert axes.kernel(column, (2, 1), (1, 1)) == Kernel([2])
    with pytest.raises(NoMarginalError):
        axes.kernel(column, (2, 1), (2, 1))
    assert axes.kernel(column, (2, 1), (3, 1)) == Kernel([2])


def test_one_dimension_has_nothing_to_sum():
    kernel = Kernel([1, 2])
    assert Axes(1, 0, "marginal").kernel(kernel, (2,)) is kernel


def test_moves_are_those_of_the_axes_that_are_kept():
    field = multinomial.impulse(1).convolve(Kernel.uniform(3))
    assert Axes(2, 1, "marginal").moved(field, (5, -2)).start == (-2,)
    assert Axes(2, 1, "marginal").moved(field, (5, 0)) is field


@pytest.mark.parametrize("factor", [2, 2.0, Fraction(1, 2), 0.1])
def test_one_factor_of_a_product_carries_the_numbers_of_all(factor):
    field = multinomial.impulse(1)
    scaled = Axes(2, 0, "factor").scaled(field, factor)
    assert Fraction(int(scaled.numerators[0]), int(scaled.denominator)) == Fraction(factor)
    assert Axes(2, 1, "factor").scaled(field, factor) is field
    assert Axes(2, 1, "marginal").scaled(field, 1) is field
