"""Signed kernels: what their convolution powers tend to, by their transfer function.

A kernel with signs is the law of nothing, and its powers need not tend to a Gaussian. Where
``|V|`` is largest, at ω₀, let log V(ω₀ + θ)/V(ω₀) = −iμθ + cθᵐ + …; the n-th power is, uniformly,

    v*ⁿ(t) ≈ Σ V(ω₀)ⁿ exp(iω₀t) n^(−1/m) H((t − nμ) n^(−1/m)),  H(ξ) = (1/2π) ∫ exp(iξθ + cθᵐ) dθ,

the sum over all maxima of ``|V|`` (Randles and Saloff-Coste 2015, "On the convolution powers of
complex functions on Z"; Diaconis and Saloff-Coste 2014, "Convolution powers of complex functions on
Z").
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from math import log
from os import PathLike
from typing import TYPE_CHECKING, Any, final

import numpy as np
import numpy.typing as npt

from erf_theory import records
from erf_theory.display import Card
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, whole
from erf_theory.gaussian.heat import damped_kernel, heat_kernel
from erf_theory.gaussian.layers import reduced
from erf_theory.gaussian.peaks import Peak, peaks_of
from erf_theory.gaussian.powerlaw import PowerLaw, fit_power_law
from erf_theory.kernel import Kernel
from erf_theory.theory import theoretical_erf

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from erf_theory.gaussian.symbolicpeaks import SymbolicPeak

__all__ = ["Attractor", "attractor"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Attractor(Card):
    """What the powers of a kernel tend to: the result of `attractor`, not made by hand.

    Powers are divided by the n-th power of the largest ``|V|``.

    Attributes
    ----------
    kernel : Kernel
        The kernel.
    span : int
        Distance of the places of its powers.
    peaks : tuple of Peak
        The maxima of ``|V|`` in [0, π], of the taps on this lattice, the first of them at 0.

    Examples
    --------
    >>> found = attractor([3, 6, -1])
    >>> found.name, found.decay, round(found.fitted([500, 1000, 2000]).exponent, 3)
    ('Airy', Fraction(-1, 3), -0.327)
    """

    kernel: Kernel
    span: int
    peaks: tuple[Peak, ...]
    call: str

    kind = "amplitude"

    @property
    def modulus(self) -> float:
        """Largest ``|V|``: the powers grow or fall as its n-th power, but for `decay`."""
        return self.peaks[0].modulus

    @property
    def order(self) -> int:
        """The largest m of the maxima: those of lower order fall faster."""
        return max(peak.order for peak in self.peaks)

    @property
    def decay(self) -> Fraction:
        """The power of n with which the sup norm falls: −1/m."""
        return Fraction(-1, self.order)

    @property
    def is_gaussian(self) -> bool:
        """Whether the limit is the Gaussian: one maximum, at ω = 0, with a quadratic term."""
        return [(p.frequency, p.shape) for p in self.peaks] == [(0.0, "Gaussian")]

    @property
    def name(self) -> str:
        """Which limit holds, in words."""
        texts = [_name(peak) for peak in self.peaks]
        return texts[0] if len(texts) == 1 else f"beats of {' and '.join(texts)}"

    def approximate(self, n: int, t: npt.ArrayLike, *, damped: bool = True) -> FloatArray:
        """The attractor at lattice points: what the n-th power tends to, over the largest ``|V|ⁿ``.

        Parameters
        ----------
        n : int
            Power, 1 or more.
        t : array_like of int
            Places, in the coordinates of the kernel's taps.
        damped : bool
            Whether H also has the terms up to the first that damps, c_r n^(1 − r/m) θʳ with m < r ≤
            k; nothing to do where c has a real part. Without them the far waves of Airy's function
            die out as slowly as n^(−1/24).

        Returns
        -------
        ndarray
            The sum over all maxima; 0 off the lattice of the powers.
        """
        layers, places = whole("n", n, 1), np.asarray(t)
        steps = (places - layers * self.kernel.trim().origin[0]) / self.span
        total = np.zeros(steps.shape)
        for peak in self.peaks:
            total += _wave(peak, layers, steps, damped=damped)
        return np.where(steps == np.rint(steps), total, 0.0)

    def exact(self, n: int) -> tuple[npt.NDArray[np.int64], FloatArray]:
        """Places and values of the n-th power itself, over the largest ``|V|ⁿ``."""
        layers, line = whole("n", n, 1), self.kernel.trim()
        erf = theoretical_erf(None, layers, kernel=reduced(line)[0])
        values = erf.values * np.exp(erf.log_norm - layers * log(self.modulus))
        return layers * line.origin[0] + self.span * np.arange(len(values)), values

    def sup_norm(self, n: int) -> float:
        """Largest magnitude of the n-th power, over the largest ``|V|ⁿ``."""
        return float(np.max(np.abs(self.exact(n)[1])))

    def error(self, n: int, *, damped: bool = True) -> float:
        """Largest difference of the n-th power and its attractor, over the former's sup norm."""
        places, values = self.exact(n)
        difference = np.max(np.abs(values - self.approximate(n, places, damped=damped)))
        return float(difference / np.max(np.abs(values)))

    def fitted(self, depths: Iterable[int]) -> PowerLaw:
        """The power of n that fits the sup norm best at some depths; `decay` is the prediction."""
        layers = list(depths)
        return fit_power_law(layers, [self.sup_norm(n) for n in layers])

    def symbolic(self) -> tuple[SymbolicPeak, ...]:
        """The maxima and their attractors as sympy expressions, exact for rational taps.

        They count places of the powers' lattice, the first one as 0, as `peaks` does.
        """
        from erf_theory.gaussian.symbolicpeaks import symbolic_peak

        return tuple(symbolic_peak(reduced(self.kernel)[0], peak) for peak in self.peaks)

    def lines(self) -> list[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""
        return [
            ("", f"limit of the powers of {self.kernel}"),
            ("attractor", self.name),
            ("largest |V|", f"{self.modulus:.6g}"),
            ("sup norm falls as", f"n^({self.decay})"),
            *_span_rows(self.span),
            *((f"near {peak.frequency:.4g} rad", _expansion(peak)) for peak in self.peaks),
        ]

    def __repr__(self) -> str:
        title, *rows = self.lines()
        return f"{title[1]}\n  {', '.join(f'{name} {text}' for name, text in rows)}"

    def plot(self, n: int = 100) -> Figure:
        """Draw the n-th power beside its attractor."""
        from erf_theory import plotting

        places, values = self.exact(n)
        limit = self.approximate(n, places)
        names = ("n-th power", self.name)
        kept = np.flatnonzero(np.abs(values) > 1e-3 * np.max(np.abs(values)))
        box = slice(kept[0], kept[-1] + 1)
        title = f"{self.kernel}, n = {n}"
        return plotting.limit_figure(places[box], values[box], limit[box], names, title=title)

    def to_dict(self) -> dict[str, Any]:
        """What it is, with provenance, as JSON knows it."""
        return {
            "format": "erf_theory.Attractor/1",
            **records.provenance(self.kind, self.call),
            "attractor": self.name,
            "is_gaussian": self.is_gaussian,
            "span": self.span,
            "modulus": self.modulus,
            "decay": float(self.decay),
            "peaks": [_peak_to_dict(peak) for peak in self.peaks],
        }

    def save(self, path: str | PathLike[str]) -> None:
        """Save as JSON: `to_dict` in a file."""
        records.write(self.to_dict(), path)


def attractor(kernel: Kernel | npt.ArrayLike) -> Attractor:
    """The limit of the convolution powers of a kernel, with signs or without.

    Parameters
    ----------
    kernel : Kernel or array_like
        1-D taps, two or more of them not 0. Float taps count as the fractions with denominators up
        to a million that they round, where there are such.

    Returns
    -------
    Attractor

    Raises
    ------
    ErfTheoryError
        If the kernel is not 1-D, has a single tap or channels, or more than 128 places.

    Notes
    -----
    A maximum with quadratic term gives a Gaussian, of complex variance where c is complex and
    oscillating at its frequency where this is not 0; several maxima beat. Without a quadratic term
    come Airy's function (m = 3, c imaginary) and the kernel with the transform exp(−|c|θ⁴), both
    with real taps. c imaginary and m = 2, Fresnel's kernel, does not fall off in ξ: then the
    approximation holds uniformly for bounded ξ only (Randles and Saloff-Coste 2015).

    Examples
    --------
    >>> attractor([1, 4, 1]).name
    'Gaussian'
    >>> attractor([-1, 2, -1]).name
    'Gaussian oscillating at 3.142 rad'
    >>> attractor([-1, 4, 10, 4, -1]).name
    'exp(-xi^4)'
    >>> attractor([2, 4, -3, 4, 2]).name
    'beats of Gaussian and Gaussian oscillating at 2.094 rad'
    """
    taps = kernel if isinstance(kernel, Kernel) else Kernel(kernel)
    if taps.ndim > 1 or taps.channels:
        raise ErfTheoryError(
            f"an attractor is that of a 1-D kernel, not of taps of shape {taps.taps.shape}: give "
            "one of its factors, see Kernel.factors, or one channel"
        )
    line, span = reduced(taps)
    return Attractor(taps, span, peaks_of(line), f"attractor({taps})")


def _wave(peak: Peak, n: int, steps: FloatArray, *, damped: bool) -> FloatArray:
    """What one maximum, with its mirror image, adds."""
    m, scale = peak.order, n ** (1 / peak.order)
    xi = (steps - n * peak.drift) / scale
    if damped and peak.dissipation > m:
        terms = {m + i: c * n ** (-i / m) for i, c in enumerate(peak.coefficients)}
        kernel = damped_kernel(xi, terms) / scale
    else:
        kernel = heat_kernel(xi, m, peak.coefficient) / scale
    carrier = np.exp(1j * (n * peak.phase + peak.frequency * steps))
    return np.asarray((1 + peak.is_inner) * (carrier * kernel).real)


def _name(peak: Peak) -> str:
    return f"{peak.shape} oscillating at {peak.frequency:.4g} rad" if peak.frequency else peak.shape


def _span_rows(span: int) -> list[tuple[str, ...]]:
    return [("lattice", f"places {span} apart, 0 between")] if span > 1 else []


def _expansion(peak: Peak) -> str:
    """The first terms of log V, u the distance from the maximum."""
    m, k = peak.order, peak.dissipation
    text = f"log V/V0 = -{peak.drift:.4g}iu + {_text(peak.coefficient)} u^{m} + …"
    return text if k == m else f"{text} + {_text(peak.coefficients[-1])} u^{k}"


def _text(c: complex) -> str:
    real, imaginary = f"{c.real:.4g}", f"{c.imag:.4g}i"
    if c.real and c.imag:
        return f"({real} + {imaginary})"
    return f"({real if c.real else imaginary})"


def _peak_to_dict(peak: Peak) -> dict[str, Any]:
    return {
        "frequency": peak.frequency,
        "modulus": peak.modulus,
        "phase": peak.phase,
        "drift": peak.drift,
        "order": peak.order,
        "coefficients": [[c.real, c.imag] for c in peak.coefficients],
        "dissipation": peak.dissipation,
        "shape": peak.shape,
    }
