"""Random kernels, drawn by Hypothesis."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from erf_theory.exact import Number
from erf_theory.kernel import Kernel
from erf_theory.testing.windows import LARGEST

__all__ = ["kernels"]


@st.composite
def kernels(draw: DrawFn, taps: SearchStrategy[Number] | None = None, ndim: int = 1) -> Kernel:
    """Kernels of two taps or more: asymmetric, with holes and zero rims, anywhere, never all 0.

    Parameters
    ----------
    taps : SearchStrategy, optional
        Of the taps. Default: integers, fractions and floats of both signs, and zeros.
    ndim : int
        Spatial axes.

    Examples
    --------
    >>> from hypothesis import given, strategies as st
    >>> @given(kernels(st.integers(-5, 9)), kernels(st.integers(-5, 9)))
    ... def test_masses_multiply(a, b):
    ...     assert (a @ b).mass == a.mass * b.mass
    >>> test_masses_multiply()
    """
    chosen = _numbers() if taps is None else taps
    sizes = st.tuples(*[st.integers(1, LARGEST[ndim])] * ndim)
    shape = draw(sizes.filter(lambda sizes: prod(sizes) > 1))
    count = prod(shape)
    values = draw(st.lists(chosen, min_size=count, max_size=count).filter(any))
    array = np.empty(count, dtype=object)
    array[:] = values
    return Kernel(array.reshape(shape), draw(st.tuples(*[st.integers(-3, 2)] * ndim)))


def _numbers() -> SearchStrategy[Number]:
    """Exact numbers, and floats of 0 or between 1e-4 and 4 in size."""
    exact = st.integers(-5, 9) | st.fractions(-2, 3, max_denominator=9)
    return exact | st.just(0.0) | st.floats(-4, -1e-4) | st.floats(1e-4, 4)
