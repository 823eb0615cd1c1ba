"""The independent steps whose sum is a map, on one axis: what limit theorems speak about."""

from __future__ import annotations

from dataclasses import replace

from erf_theory.derived import Marginal, Profile
from erf_theory.engines import summands
from erf_theory.engines.summands import Summand
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.maps import Map, ProgramMap

__all__ = ["need_map", "steps_of"]


def need_map(erf: object) -> None:
    """Refuse what is no map of gradients.

    Raises
    ------
    ErfTheoryError
        If it is no ERF.
    """
    if not isinstance(erf, ERF):
        raise ErfTheoryError(
            f"this is asked of one ERF, not of {type(erf).__name__}: theoretical_erf, variance_erf "
            "and network_erf make one"
        )


def steps_of(erf: ERF, axis: int = 0) -> tuple[Summand, ...]:
    """The independent steps on one axis whose sum has the map for its law, from the output on.

    Equal layers in a row are one entry, and so are branches between two places where all paths
    meet. Kernels are normalised by nothing: their masses are the layers'.

    Parameters
    ----------
    erf : ERF
        An amplitude or an energy of known layers.
    axis : int
        The axis; on the others the steps are summed over.

    Returns
    -------
    tuple of Summand
        Kernels on one axis, their distances in pixels, and how often each occurs.

    Raises
    ------
    ErfTheoryError
        If the map is no sum of independent steps (a root, borders, upsamplings, channels), or
        comes from a file.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> [(step.kernel.taps.tolist(), step.step, step.times) for step in
    ...  steps_of(theoretical_erf(3, 2, stride=2))]
    [([1, 1, 1], (2,), 1), ([1, 1, 1], (1,), 1)]
    """
    need_map(erf)
    if not isinstance(axis, int) or not -erf.ndim <= axis < erf.ndim:
        raise ErfTheoryError(f"a {erf.ndim}-D map has axes 0 to {erf.ndim - 1}, not {axis!r}")
    owners = [(part, i) for part in erf.factors for i in range(len(part.start))]
    source, along = owners[axis]
    program, along = _programmed(source, along)
    found = program.program(summands.impulse(program.ndim))
    return tuple(
        replace(part, kernel=part.kernel.marginal(along), step=(part.step[along],))
        for part in found.parts
    )


def _programmed(source: Map, axis: int) -> tuple[ProgramMap, int]:
    """The map with a program, and the axis in it."""
    if isinstance(source, ProgramMap):
        return source, axis
    if isinstance(source, Profile):
        return _programmed(source.line, 0)
    if isinstance(source, Marginal) and source.source.nonnegative:
        return _programmed(source.source, source.axis)
    raise ErfTheoryError(
        f"this map is known by its samples ({type(source).__name__}), not as a sum of independent "
        "steps: ask the amplitude or the energy that it was made from"
    )
