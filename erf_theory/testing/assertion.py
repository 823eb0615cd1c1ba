"""An assertion for tests: a theory agrees with a measurement."""

from __future__ import annotations

from erf_theory.empirical.measurement import Measurement
from erf_theory.erf import ERF
from erf_theory.verdict.agreement import crosscheck

__all__ = ["assert_agrees"]


def assert_agrees(theory: ERF, measurement: Measurement, *, false_alarm: float = 1e-3) -> None:
    """Assert that a predicted energy and a measured one agree.

    Parameters
    ----------
    theory : ERF
        Of kind "energy".
    measurement : Measurement
        Of the same network, 32 samples or more.
    false_alarm : float
        Rate at which a true theory fails. A test with a fixed seed always does the same.

    Raises
    ------
    AssertionError
        If `crosscheck` rejects the theory; the message has its numbers.
    ErfTheoryError
        If the two do not go together.

    Examples
    --------
    >>> from erf_theory import measure_erf, network_erf
    >>> from erf_theory.network import Activation, Chain, Conv
    >>> layers = [Conv(32, 32, 3), Activation("relu"), Conv(32, 32, 3)]
    >>> net = Chain(layers, ndim=1)
    >>> assert_agrees(network_erf(net), measure_erf(net, samples=200, rng=0))
    """
    verdict = crosscheck(theory, measurement, false_alarm=false_alarm)
    if not verdict.agrees:
        raise AssertionError(repr(verdict))
