"""What people plot as an ERF: one measurement under every convention."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from erf_theory.derived import Stored
from erf_theory.empirical.measurement import Measurement
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.records import DEFINITIONS
from erf_theory.routes import Logs, Shares

__all__ = ["Convention", "measured_erf"]

Convention = Literal["energy", "rms", "magnitude", "relu", "log10"]


def measured_erf(measurement: Measurement, convention: Convention = "energy") -> ERF:
    """A measurement as an ERF, with its sizes, pictures and JSON, under a convention.

    Parameters
    ----------
    measurement : Measurement
        Of `measure_erf`.
    convention : {"energy", "rms", "magnitude", "relu", "log10"}
        E g², √(E g²), E|g|, E max(g, 0) as in RepLKNet's script, or log10(1 + E max(g, 0)), whose
        shape depends on the scale of the gradients. All are averages over samples and the
        input's channels.

    Returns
    -------
    ERF
        Approximate: its reason says how many samples it is from, and its error.

    Raises
    ------
    ErfTheoryError
        If there is no such convention, the map is 0, or the measurement does not hold it.

    Notes
    -----
    In the wide limit a gradient is normal at every place, so that E|g| and E max(g, 0) have the
    shape of √(E g²), which looks √2 wider than E g².

    Examples
    --------
    >>> from erf_theory import measure_erf
    >>> from erf_theory.network import Chain, Conv
    >>> net = Chain([Conv(1, 32, 3), *[Conv(32, 32, 3)] * 7], ndim=1)
    >>> found = measure_erf(net, samples=400, rng=0)
    >>> [round(measured_erf(found, name).std, 2) for name in ("energy", "rms", "relu")]
    [2.31, 3.08, 3.15]
    """
    if not isinstance(measurement, Measurement):
        raise ErfTheoryError(
            f"a Measurement of measure_erf is asked for, not {type(measurement).__name__}"
        )
    if convention not in _MAPS:
        raise ErfTheoryError(
            f"there is no convention {convention!r}: choose one of {', '.join(_MAPS)}"
        )
    values = _MAPS[convention](measurement)
    total = float(np.sum(values))
    if not total > 0:
        raise ErfTheoryError(f"the measured {DEFINITIONS[convention]} is 0 everywhere")
    shares = Shares(values / total, float(np.log(total)), 0.0, "measurement")
    with np.errstate(divide="ignore"):
        logs = Logs(np.log(shares.values), np.sign(values).astype(np.int8), 1e-13, "measurement")
    stored = Stored(measurement.start, shares, logs, None, shares.log_norm)
    reason = (
        f"measured: {measurement.samples} samples, relative error of the energy's profiles "
        f"{measurement.relative_error:.2g}"
    )
    call = f"measured_erf({measurement.call}, {convention!r})"
    return ERF((stored,), convention, call, (reason,))


def _positive(found: Measurement) -> FloatArray:
    """E max(g, 0) = (E|g| + E g)/2, above 0 but for rounding."""
    return np.maximum(found.magnitude.mean + found.amplitude.mean, 0.0) / 2


_MAPS: Mapping[str, Callable[[Measurement], FloatArray]] = {
    "energy": lambda found: found.energy.mean,
    "rms": lambda found: np.sqrt(found.energy.mean),
    "magnitude": lambda found: found.magnitude.mean,
    "relu": _positive,
    "log10": lambda found: np.log10(1 + _positive(found)),
}
