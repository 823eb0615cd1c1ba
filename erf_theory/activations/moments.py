"""A nonlinearity: σ, σ' and their moments under the normal law."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf, isfinite
from typing import Any, NamedTuple

import numpy as np

from erf_theory.activations.closed import NONE, Closed, Pair
from erf_theory.activations.expectations import Curve, Normal, expectation, joint_expectation
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["Moment", "Nonlinearity"]

_ROUNDING = 4 * float(np.finfo(np.float64).eps)

_Both = float | tuple[float, float]


class Moment(NamedTuple):
    """An expectation, and what it may be off by.

    Attributes
    ----------
    value : float
        The expectation.
    error : float
        What quadrature may be off by; 0 for a closed form, which is right up to rounding.
    """

    value: float
    error: float


@dataclass(frozen=True)
class Nonlinearity:
    """A function of one variable, its derivative, and their Gaussian moments.

    Made by ``nonlinearity``. All moments take the variance q of z ~ N(mean, q). With q = 0 they
    are those of the one point, where a derivative at a kink is what ``slope`` gives.

    Parameters
    ----------
    name : str
        What the function is called; ``nonlinearity(name)`` gives a named one back.
    function, derivative : callable
        ``σ(z, xp, *parameters)`` and ``σ'(z, xp, *parameters)``; the derivative may be None.
    parameters : tuple of float
        What makes the function one of its family, such as the slope of a leaky ReLU.
    kinks : tuple of float
        Where σ or σ' is not smooth, if it is known.
    closed : Closed
        Moments in closed form.

    Notes
    -----
    What has no closed form is integrated with an error estimate. A function with unknown kinks
    and jumps is split around them where they are found; structure that is narrower than about a
    twentieth of a standard deviation, and than a tenth of its distance from z = 0, may stay
    unseen.

    Examples
    --------
    >>> from erf_theory.activations import nonlinearity
    >>> nonlinearity("relu").slope_second_moment(1.0)
    Moment(value=0.5, error=0.0)
    >>> value, error = nonlinearity("tanh").slope_second_moment(1.0)
    >>> round(value, 10), error < 1e-12
    (0.4644029024, True)
    """

    name: str
    function: Callable[..., Any]
    derivative: Callable[..., Any] | None
    parameters: tuple[float, ...] = ()
    kinks: tuple[float, ...] = field(default=(), compare=False)
    closed: Closed = field(default=NONE, compare=False)

    def __hash__(self) -> int:
        return hash(self.name)

    def value(self, z: Any, xp: Any) -> Any:
        """σ(z), element by element, for an array of the Array-API namespace ``xp``.

        Parameters
        ----------
        z : array
            Floating-point numbers, any shape.
        xp : module
            The namespace of z: ``numpy``, ``array_api_compat.torch``, …

        Examples
        --------
        >>> from erf_theory.activations import nonlinearity
        >>> nonlinearity("relu6").value(np.array([-1.0, 2.0, 9.0]), np).tolist()
        [0.0, 2.0, 6.0]
        """
        return self.function(z, xp, *self.parameters)

    def slope(self, z: Any, xp: Any) -> Any:
        """σ'(z), element by element; at a kink as frameworks have it: relu'(0) = 0.

        Raises
        ------
        ErfTheoryError
            If the function came without its derivative.

        Examples
        --------
        >>> from erf_theory.activations import nonlinearity
        >>> nonlinearity("relu").slope(np.array([-1.0, 0.0, 2.0]), np).tolist()
        [0.0, 0.0, 1.0]
        """
        if self.derivative is None:
            raise ErfTheoryError(
                f"the activation {self.name!r} has no derivative: give it as "
                "nonlinearity(function, derivative)"
            )
        return self.derivative(z, xp, *self.parameters)

    def mean(self, q: float, *, mean: float = 0.0) -> Moment:
        """E σ(z) for z ~ N(mean, q).

        Examples
        --------
        >>> from erf_theory.activations import nonlinearity
        >>> nonlinearity("abs").mean(np.pi / 2)
        Moment(value=1.0, error=0.0)
        """
        return _moment(self, "mean", q, mean)

    def second_moment(self, q: float, *, mean: float = 0.0) -> Moment:
        """E σ(z)² for z ~ N(mean, q).

        Examples
        --------
        >>> from erf_theory.activations import nonlinearity
        >>> nonlinearity("identity").second_moment(4.0, mean=1.0).value
        5.0
        """
        return _moment(self, "second_moment", q, mean)

    def slope_second_moment(self, q: float, *, mean: float = 0.0) -> Moment:
        """E σ'(z)² for z ~ N(mean, q): the factor on the energy of a gradient.

        Examples
        --------
        >>> from erf_theory.activations import nonlinearity
        >>> nonlinearity("leaky_relu(0.5)").slope_second_moment(7.0).value
        0.625
        """
        return _moment(self, "slope_second_moment", q, mean)

    def product(self, q: _Both, c: float, *, mean: _Both = 0.0) -> Moment:
        """E σ(z₁)σ(z₂) for two normal variables with correlation c.

        Parameters
        ----------
        q, mean : float or pair of floats
            Variance and mean, of both or of each.
        c : float
            Correlation, from −1 to 1.

        Examples
        --------
        >>> from erf_theory.activations import nonlinearity
        >>> round(nonlinearity("identity").product((4.0, 9.0), 0.5).value, 12)
        3.0
        """
        return _pair_moment(self, "product", q, c, mean)

    def slope_product(self, q: _Both, c: float, *, mean: _Both = 0.0) -> Moment:
        """E σ'(z₁)σ'(z₂) for two normal variables with correlation c; see ``product``.

        Examples
        --------
        >>> from erf_theory.activations import nonlinearity
        >>> round(nonlinearity("relu").slope_product(1.0, 0.5).value, 12)
        0.333333333333
        """
        return _pair_moment(self, "slope_product", q, c, mean)


@lru_cache(maxsize=4096)
def _moment(activation: Nonlinearity, kind: str, q: float, mean: float) -> Moment:
    law = _law(q, mean)
    curve = _curve(activation, slope=kind == "slope_second_moment")
    value = getattr(activation.closed, kind)(law, *activation.parameters) if law.q else None
    if value is not None:
        return Moment(value, 0.0)
    if kind == "mean":
        return _expected(curve, law)
    return _expected(Curve(lambda z: curve.function(z) ** 2, curve.kinks), law)


@lru_cache(maxsize=4096)
def _pair_moment(activation: Nonlinearity, kind: str, q: _Both, c: float, mean: _Both) -> Moment:
    pair = _pair(q, c, mean)
    if pair.c == 1 and pair.first == pair.second:
        square = "second_moment" if kind == "product" else "slope_second_moment"
        return _moment(activation, square, pair.first.q, pair.first.mean)
    curve = _curve(activation, slope=kind == "slope_product")
    if pair.first.q == 0 or pair.second.q == 0:
        return _independent(_expected(curve, pair.first), _expected(curve, pair.second))
    value = getattr(activation.closed, kind)(pair, *activation.parameters)
    if value is not None:
        return Moment(value, 0.0)
    found = joint_expectation(curve, pair.first, pair.second, pair.c)
    return Moment(found.value, found.error)


def _law(q: float, mean: float) -> Normal:
    if not (0 <= q < inf and isfinite(mean)):
        raise ErfTheoryError(
            f"a normal law has a finite mean and a finite variance of 0 or more, not {mean} and {q}"
        )
    return Normal(float(mean), float(q))


def _pair(q: _Both, c: float, mean: _Both) -> Pair:
    variances = q if isinstance(q, tuple) else (q, q)
    means = mean if isinstance(mean, tuple) else (mean, mean)
    if not abs(c) <= 1 + _ROUNDING:
        raise ErfTheoryError(f"a correlation lies between -1 and 1, unlike {c}")
    first, second = (_law(*law) for law in zip(variances, means, strict=True))
    return Pair(first, second, min(1.0, max(-1.0, float(c))))


def _expected(curve: Curve, law: Normal) -> Moment:
    """E f(z), at the one point where the variance is 0."""
    if law.q == 0:
        return Moment(float(curve(np.array([law.mean]))[0]), 0.0)
    found = expectation(curve, law)
    return Moment(found.value, found.error)


def _independent(a: Moment, b: Moment) -> Moment:
    error = abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error
    return Moment(a.value * b.value, error)


def _curve(activation: Nonlinearity, *, slope: bool) -> Curve:
    """σ or σ' as NumPy sees it, with its results checked."""
    part = activation.slope if slope else activation.value

    def sampled(z: FloatArray) -> FloatArray:
        try:
            values = np.asarray(part(z, np))
        except ErfTheoryError:
            raise
        except (TypeError, ValueError) as error:
            raise _not_elementwise(activation, str(error)) from error
        if values.dtype.kind not in "biuf" or values.shape not in {(), z.shape}:
            got = f"it returned {values.dtype} of shape {values.shape} for shape {z.shape}"
            raise _not_elementwise(activation, got)
        return np.broadcast_to(values.astype(np.float64), z.shape)

    return Curve(sampled, tuple((k, k) for k in activation.kinks))


def _not_elementwise(activation: Nonlinearity, reason: str) -> ErfTheoryError:
    return ErfTheoryError(
        f"the activation {activation.name!r} must take a NumPy array and return real numbers, "
        f"element by element: {reason}"
    )
