"""The effective receptive field: the result, and every measure of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, reduce
from math import exp, inf, isfinite, prod
from numbers import Real
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from erf_theory import archive, measures
from erf_theory.derived import Marginal, Profile, Root, mass_of, measurable
from erf_theory.display import Shown
from erf_theory.engines.extent import need_memory
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray, Number, NumberArray, number, root_of, to_double, whole
from erf_theory.lattice import Steps, per_axis
from erf_theory.maps import Map
from erf_theory.measures import LUO_LEVEL

__all__ = ["ERF"]


@dataclass(frozen=True, eq=False, repr=False)
class ERF(archive.Archived, Shown):
    """An effective receptive field: a normalised map of influence, and its measures.

    Results of `theoretical_erf`, `variance_erf` and their like; not made by hand. Arrays cover the
    nominal box of the kernels; lengths are input pixels; offsets count from the centre of that box,
    the unit's centre. Everything is computed when it is first asked for.

    Parameters
    ----------
    factors : tuple of Map
        One map, or one 1-D map per axis whose outer product is the map.
    kind : str
        "amplitude" (E g), "energy" (E g²) or "rms" (√E g²); measured ones also "magnitude",
        "relu" and "log10", see `measured_erf`.
    call : str
        The call that made it.
    reasons : tuple of str
        Why the theory is only approximate here; empty where it is exact.
    unfactored : Map, optional
        The map in one piece, where the factors of its kernel are right to rounding only.

    Notes
    -----
    A map with signs is normalised to Σ|g| = 1 and its measures are those of its magnitudes.
    Shares of the mass in radii and areas, and values in sizes, that differ by less than 1e-13
    count as equal.

    Examples
    --------
    >>> from erf_theory.theory import theoretical_erf
    >>> erf = theoretical_erf(3, 20)
    >>> erf.theoretical_rf, round(erf.std, 3), erf.size()
    ((41,), 3.651, 19.0)
    """

    factors: tuple[Map, ...]
    kind: str
    call: str
    reasons: tuple[str, ...] = ()
    unfactored: Map | None = None

    @property
    def ndim(self) -> int:
        """Number of spatial axes."""
        return sum(len(factor.start) for factor in self.factors)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the arrays: the nominal box of the kernels."""
        return sum((tuple(factor.shape) for factor in self.factors), ())

    @cached_property
    def offsets(self) -> tuple[FloatArray, ...]:
        """Per axis, distances of the samples from the unit's centre in input pixels."""
        need_memory(max(self.shape), 2)
        return tuple(_read_only(np.arange(m, dtype=np.float64) - (m - 1) / 2) for m in self.shape)

    @property
    def is_nonnegative(self) -> bool:
        """Whether the map is known to have no negative sample."""
        return all(factor.nonnegative for factor in self.factors)

    @cached_property
    def values(self) -> FloatArray:
        """The map g/Σ|g|, float64; where `error` is 0, every normal double is right to 1e-10.

        Raises
        ------
        MapTooLargeError
            If it would not fit into memory.
        """
        need_memory(prod(self.shape), 2)
        return _read_only(np.asarray(measures.outer(self._profiles), dtype=np.float64))

    @cached_property
    def log_values(self) -> FloatArray:
        """Natural logarithms of the magnitudes of the map; -inf exactly where it is 0."""
        need_memory(prod(self.shape), 2)
        return _read_only(reduce(np.add.outer, (factor.logs.values for factor in self.factors)))

    @cached_property
    def sign(self) -> npt.NDArray[np.int8]:
        """Sign of every sample, exact: 1, 0 or -1."""
        need_memory(prod(self.shape))
        sign = reduce(np.multiply.outer, (factor.logs.sign for factor in self.factors))
        sign.flags.writeable = False
        return sign

    def exact(self) -> tuple[NumberArray, int]:
        """Numerators (an array of Python integers) and their denominator, equal to `values`.

        Float taps count as the binary fractions that they are.

        Examples
        --------
        >>> from erf_theory.theory import theoretical_erf
        >>> numerators, denominator = theoretical_erf(3, 2).exact()
        >>> numerators.tolist(), denominator
        ([1, 2, 3, 2, 1], 9)
        """
        need_memory(prod(self.shape), 8)
        if self.unfactored:
            return self.unfactored.exact
        parts = [factor.exact for factor in self.factors]
        return measures.outer([p[0] for p in parts]), prod(p[1] for p in parts)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:  # noqa: FBT001
        return np.array(self.values, dtype=dtype, copy=copy)

    @property
    def mass(self) -> Number:
        """Sum of the map before normalisation: exact for exact taps, signed.

        Raises
        ------
        ErfTheoryError
            If it is not exact and no double can hold it, or has more than a million digits;
            `log_mass` can.
        """
        total = mass_of(self.factors)
        if isinstance(total, int | Fraction):
            return number(total)
        if total is None and not self.is_nonnegative:
            raise ErfTheoryError("the mass was too long to be saved: ask for log_mass")
        if total is None:
            value = exp(self.log_mass) if self.log_mass < 709.7 else inf
        else:
            value = float(total)
        if not isfinite(value) or (value == 0 and self.log_mass > -inf):
            raise ErfTheoryError(
                f"no double holds a mass of e^{self.log_mass:.6g}: ask for log_mass, or give the "
                "taps as integers or fractions for an exact mass"
            )
        return value

    @property
    def log_mass(self) -> float:
        """Natural logarithm of the mass's magnitude; -inf for mass 0."""
        return float(sum(factor.log_mass for factor in self.factors))

    @property
    def log_norm(self) -> float:
        """Natural logarithm of Σ|g|: `log_mass`, if no sample is negative."""
        return float(sum(factor.shares.log_norm for factor in self.factors))

    @property
    def error(self) -> float:
        """Estimate of the largest absolute rounding error of `values`.

        0 where normal doubles are right to 1e-10 of themselves; maps with signs and large planes
        that are not separable have an absolute error only.
        """
        peaks = [float(np.max(np.abs(line))) for line in self._profiles]
        errors = [factor.shares.error for factor in self.factors]
        return float(sum(e * prod(peaks) / p for e, p in zip(errors, peaks, strict=True)))

    @property
    def exactness(self) -> Literal["exact", "approximate"]:
        """Whether the theory is exact for this network; `reasons` says why not."""
        return "approximate" if self.reasons else "exact"

    @property
    def theoretical_rf(self) -> tuple[int, ...]:
        """Theoretical receptive field: shape of the smallest box that holds the support."""
        return sum((factor.support_box[1] for factor in self.factors), ())

    @property
    def frame(self) -> tuple[tuple[float, float], ...]:
        """Edges of the theoretical receptive field per axis, in pixels from the unit's centre."""
        first = sum((factor.support_box[0] for factor in self.factors), ())
        corners = zip(self.offsets, first, self.theoretical_rf, strict=True)
        return tuple((x[0] + a - 0.5, x[0] + a + m - 0.5) for x, a, m in corners)

    def cumulant(self, r: int, axis: int = 0) -> Number:
        """Cumulant of order r ≥ 1 along an axis, in pixels to the power r, from the unit's centre.

        Exact (an integer or a fraction) for exact taps, and for all taps of a map with signs, if
        its integers fit into memory. Of a root, or a map from a file, it is a difference of sums
        over samples, right to about 1e-12 of E|x - mean|^r.

        Examples
        --------
        >>> from erf_theory.theory import theoretical_erf
        >>> theoretical_erf(3, 20).cumulant(2)
        Fraction(40, 3)
        """
        if (order := whole("the order of a cumulant", r)) < 1:
            raise ErfTheoryError(f"cumulants start at order 1, not {r}; order 0 is log_mass")
        factor, along = self._factor(axis)
        value = measurable(factor).cumulant(order, along)
        if order > 1:
            return number(value)
        middle = Fraction(2 * factor.start[along] + factor.shape[along] - 1, 2)
        mean = number(Fraction(value) - middle)
        return to_double(mean, "the mean") if isinstance(value, float) else mean

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean per axis, in pixels from the unit's centre."""
        means = (self.cumulant(1, axis) for axis in range(self.ndim))
        return tuple(to_double(m, "the mean", "ask for cumulant(1), which is exact") for m in means)

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance matrix, shape (ndim, ndim), in pixels squared."""
        blocks = [measurable(factor).covariance for factor in self.factors]
        return _read_only(measures.block_diagonal(blocks))

    @property
    def std(self) -> float:
        """Standard deviation per axis in pixels: the root of the mean variance of the axes."""
        variances = (Fraction(self.cumulant(2, axis)) for axis in range(self.ndim))
        try:
            return root_of(sum(variances) / self.ndim)
        except OverflowError:
            raise ErfTheoryError(
                "the standard deviation is above the largest double: ask for cumulant(2), which "
                "is exact"
            ) from None

    def size(self, level: float = LUO_LEVEL) -> float:
        """Size of [Luo16]: the number of pixels above (1 - level)·max, to the power 1/ndim.

        Examples
        --------
        >>> from erf_theory.theory import theoretical_erf
        >>> round(theoretical_erf(3, 20, ndim=2).size(), 2)
        16.16
        """
        if not 0 < _real("a level", level) < 1:
            raise ErfTheoryError(f"a level lies between 0 and 1, not {level}")
        return float(measures.count_above(self._profiles, 1 - level) ** (1 / self.ndim))

    def radius(
        self,
        mass: float,
        shape: Literal["square", "disc"] = "square",
        centre: Literal["unit", "mean"] = "unit",
    ) -> float:
        """Radius in pixels of the smallest centred square (interval, cube) or disc with a share.

        Parameters
        ----------
        mass : float
            The share of the mass, above 0 and at most 1.
        shape : {"square", "disc"}
            A square's radius is half the distance between its outermost pixel centres.
        centre : {"unit", "mean"}
            Around the unit's centre, or around the map's mean.
        """
        if not 0 < _real("a share of the mass", mass) <= 1:
            raise ErfTheoryError(f"a share of the mass is above 0 and at most 1, not {mass}")
        _one_of("shape", shape, ("square", "disc"))
        _one_of("centre", centre, ("unit", "mean"))
        shift = self.mean if centre == "mean" else (0.0,) * self.ndim
        axes = [axis - by for axis, by in zip(self.offsets, shift, strict=True)]
        return measures.radius([np.abs(p) for p in self._profiles], axes, mass, shape)

    def area_ratio(self, t: float, image_size: Steps | None = None, *, log: bool = False) -> float:
        """RepLKNet's r(t): area of the smallest centred square with mass > t, over the image's.

        Parameters
        ----------
        t : float
            Share of the mass, from 0 to below 1.
        image_size : int or sequence of int, optional
            The image's size per axis. Default: the theoretical receptive field.
        log : bool
            As RepLKNet's script has it: log10(A + 1) in place of the map A = mass·values. The
            ratio then depends on the scale of the weights.
        """
        if not 0 <= _real("a share of the mass", t) < 1:
            raise ErfTheoryError(f"a share of the mass is at least 0 and below 1, not {t}")
        sizes = self.theoretical_rf if image_size is None else per_axis(image_size, self.ndim)
        if min(sizes) < 1:
            raise ErfTheoryError(f"an image has at least one pixel per axis, not {image_size}")
        profiles = [np.abs(p) for p in self._profiles]
        if log:
            profiles = [np.logaddexp(self.log_norm + self.log_values, 0.0)]
        side = measures.central_square(profiles, self.offsets, t)
        return float(side**self.ndim / prod(sizes))

    def participation(self) -> float:
        """Participation (Σp)²/Σp²: pixels of a flat map that is as spread."""
        return measures.participation([np.abs(p) for p in self._profiles])

    def half_width(self, axis: int = 0) -> float:
        """Half width at half maximum of the profile along an axis, in pixels."""
        line = self.profile(axis)
        return measures.half_width(np.abs(line.values), line.offsets[0])

    def profile(self, axis: int = 0) -> ERF:
        """The 1-D ERF along an axis: a separable map's own factor, else magnitudes summed.

        Its mass and `log_norm` are those of the whole map.
        """
        factor, along = self._factor(axis)
        line = factor if len(factor.start) == 1 else Marginal(factor, along)
        exact = self.unfactored and Marginal(self.unfactored, range(self.ndim)[axis])
        call = f"{self.call}.profile({axis})"
        return replace(self, factors=(Profile(line, self.factors),), call=call, unfactored=exact)

    def rms(self) -> ERF:
        """The root-mean-square map √(E g²) of an energy, normalised; it looks √2 wider.

        Raises
        ------
        ErfTheoryError
            If the map is no energy.
        """
        if self.kind != "energy":
            raise ErfTheoryError(
                f"rms is the root of an energy E g², and this map is of kind {self.kind}: ask "
                "variance_erf for the energy of random weights"
            )
        roots = {id(factor): Root(factor) for factor in self.factors}
        factors = tuple(roots[id(factor)] for factor in self.factors)
        call = f"{self.call}.rms()"
        return replace(self, factors=factors, kind="rms", call=call, unfactored=None)

    def summary(self) -> dict[str, Any]:
        """The measures at a glance, as plain numbers; the logarithm of a mass of 0 is None."""
        return {name: ask() for name, ask in self._measures().items()}

    def _measures(self) -> Mapping[str, Callable[[], Any]]:
        """The measures at a glance, each to be asked for."""
        return {
            "theoretical_rf": lambda: list(self.theoretical_rf),
            "mean": lambda: list(self.mean),
            "std": lambda: self.std,
            "size": self.size,
            "half_width": self.half_width,
            "participation": self.participation,
            "log_mass": lambda: self.log_mass if self.log_mass > -inf else None,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> ERF:
        """The ERF of `to_dict`: the same values, logarithms and measures, known by its samples."""
        return cls(*archive.parts_from_dict(record))

    @cached_property
    def _profiles(self) -> list[FloatArray]:
        """The factors' normalised samples."""
        return [factor.shares.values for factor in self.factors]

    def _factor(self, axis: int) -> tuple[Map, int]:
        """The factor that holds an axis, and the axis in it."""
        if not -self.ndim <= whole("an axis", axis) < self.ndim:
            raise ErfTheoryError(f"a {self.ndim}-D map has axes 0 to {self.ndim - 1}, not {axis}")
        owners = [(f, i) for f in self.factors for i in range(len(f.start))]
        return owners[axis]


def _read_only(array: FloatArray) -> FloatArray:
    array.flags.writeable = False
    return array


def _real(name: str, value: float) -> float:
    if not isinstance(value, Real):
        raise ErfTheoryError(f"{name} is a number, not {value!r}")
    return value


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ErfTheoryError(f"{name} is one of {', '.join(choices)}, not {value!r}")
