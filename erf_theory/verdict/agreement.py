"""Theory against measurement: whether they agree, and how surely this measurement could tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import combinations
from typing import TYPE_CHECKING, Any, final

import numpy as np

from erf_theory import measures, records
from erf_theory.display import Card
from erf_theory.empirical.measurement import Measurement
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.verdict.statistics import Hotelling, StudentHall

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Agreement", "crosscheck", "need_decidable"]

_DEGREES = 4
"""Moments of every axis that the shapes are compared by: mean, variance, skewness, tails."""
_FEWEST = 32
"""Blocks that the distributions of the statistics need to be near their limits."""
_LONGEST = 600.0
"""Logarithm of a mass whose every share is still far from the ends of doubles."""
_STRAY = 1e-6
"""Share of a measured energy that rounding may leave where the theory has none."""


def crosscheck(theory: ERF, measurement: Measurement, *, false_alarm: float = 0.01) -> Agreement:
    """Compare a predicted energy with a measured one.

    Two tests share the false-alarm rate. The shape's is Hotelling's T² of the moments of every
    axis up to the fourth, and of the pairs of axes, that should all be those of the theory; it
    does not see the mass. The mass's is a t test with Hall's correction for skewness.

    Parameters
    ----------
    theory : ERF
        Of kind "energy", of the same network.
    measurement : Measurement
        Of 32 samples or more.
    false_alarm : float
        Rate at which a true theory is rejected.

    Returns
    -------
    Agreement

    Raises
    ------
    ErfTheoryError
        If the two do not go together, or there are too few samples.

    Notes
    -----
    The statistics treat the means of the measurement's blocks as independent and nearly normal.
    Energies are heavy-tailed in narrow networks (8 channels or fewer, 10 layers): there more
    false alarms come from the mass, and wide limits hold up to terms of 1/channels.

    Energy that is measured where the theory has none rejects its shape at once.

    Examples
    --------
    >>> from erf_theory.empirical.measure import measure_erf
    >>> from erf_theory.network import Chain, Conv
    >>> from erf_theory.architectures import network_erf
    >>> net = Chain([Conv(16, 16, 3)] * 4, ndim=1)
    >>> found = measure_erf(net, samples=200, rng=0)
    >>> crosscheck(network_erf(net), found).agrees
    True
    >>> other = network_erf(Chain([Conv(16, 16, 5, padding=1)] * 4, ndim=1))
    >>> crosscheck(other, found).agrees
    False
    """
    need_decidable(theory, measurement.samples, false_alarm)
    if theory.ndim != measurement.mean.ndim:
        raise ErfTheoryError(
            f"a map of {theory.ndim} axes and a measurement of {measurement.mean.ndim} do not "
            "compare"
        )
    if not measurement.mass > 0:
        raise ErfTheoryError(
            f"none of {measurement.samples} gradients reached the input: take more channels"
        )
    call = f"crosscheck({theory.call}, {measurement.call}, false_alarm={false_alarm})"
    return Agreement(theory, measurement, false_alarm, call)


def need_decidable(theory: ERF, samples: int, false_alarm: float) -> None:
    """Refuse a comparison that cannot come to a verdict, before any work.

    Raises
    ------
    ErfTheoryError
        If the theory is no energy that doubles can hold, there are fewer than 32 samples, or the
        rate does not lie between 0 and 1.
    """
    if theory.kind != "energy":
        raise ErfTheoryError(f"a measured energy is compared with an energy, not {theory.kind}")
    if not abs(theory.log_mass) < _LONGEST:
        raise ErfTheoryError(
            f"a mass of e^{theory.log_mass:.6g} is none that doubles can measure: take fewer "
            "layers, or another variance of the weights"
        )
    if samples < _FEWEST:
        raise ErfTheoryError(
            f"{samples} samples are too few for a verdict: measure {_FEWEST} or more"
        )
    if not 0 < false_alarm < 1:
        raise ErfTheoryError(f"a false-alarm rate lies between 0 and 1, not {false_alarm}")


@final
@dataclass(frozen=True, eq=False, repr=False)
class Agreement(Card):
    """Whether a theory and a measurement agree.

    Result of `crosscheck`; not made by hand.

    Attributes
    ----------
    theory : ERF
        The prediction.
    measurement : Measurement
        The experiment.
    false_alarm : float
        Rate at which a true theory is rejected: half of it for the shape, half for the mass.
    call : str
        The call that made it.
    """

    theory: ERF
    measurement: Measurement
    false_alarm: float
    call: str

    kind = "energy"

    @property
    def agrees(self) -> bool:
        """Whether neither test rejects the theory."""
        return min(self.shape_p_value, self.mass_p_value) >= self.false_alarm / 2

    @cached_property
    def shape_p_value(self) -> float:
        """Probability of moments this far off, or farther, if the theory's shape is true."""
        if self._strays(self.measurement.mean / self.measurement.mass):
            return 0.0
        return self._shape_test.p_value(np.mean(self._shape_test.rows, axis=0))

    @property
    def mass_p_value(self) -> float:
        """Probability of a mass this far off, or farther, if the theory's mass is true."""
        return self._mass_test.p_value

    @property
    def mass_ratio(self) -> tuple[float, float, float]:
        """Measured mass over the theory's, and its 95 % confidence interval."""
        low, high = self._mass_test.interval(0.95)
        return self.measurement.mass / float(self.theory.mass), 1 + low, 1 + high

    @property
    def measured_std(self) -> float:
        """Measured standard deviation, the root of the mean variance of the axes, in pixels."""
        shares = self.measurement.mean / self.measurement.mass
        covariance = measures.moments(shares, self._grids)[1]
        return float(np.sqrt(np.trace(covariance) / self.theory.ndim))

    @property
    def total_variation(self) -> float:
        """Half of Σ|p - q|, the noise of the measurement included."""
        shares = self.measurement.mean / self.measurement.mass
        inside = self._on_grid(self.theory)
        rest = 1 - float(np.sum(inside))
        return float(np.sum(np.abs(shares - inside)) + rest) / 2

    def power(self, other: ERF) -> float:
        """Probability that an experiment like this one rejects the theory if ``other`` is true.

        That of the better one of the two tests, at its share of the false-alarm rate, with the
        spread that was measured.
        """
        level, shares = self.false_alarm / 2, self._on_grid(other)
        if self._strays(shares):
            return 1.0
        mass = float(other.mass)
        mean = mass / self.measurement.mass * shares.ravel() @ self._functions
        shape = self._shape_test.power(mean, level)
        return max(shape, self._mass_test.power(mass / float(self.theory.mass) - 1, level))

    def lines(self) -> Sequence[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""
        ratio, low, high = self.mass_ratio
        verdict = "agree" if self.agrees else "DISAGREE"
        return [
            ("", f"Theory and {self.measurement.samples} samples {verdict}"),
            ("theory", self.theory.call),
            ("false alarms", f"{100 * self.false_alarm:.3g} % of true theories"),
            ("mass of the theory", f"{float(self.theory.mass):.6g}"),
            ("measured / theory", f"{ratio:.4g} (95 %: {low:.4g} to {high:.4g})"),
            ("std of the theory", f"{self.theory.std:.4g} px"),
            ("measured", f"{self.measured_std:.4g} px"),
            ("total variation", f"{self.total_variation:.3g}"),
            ("p of the mass", f"{self.mass_p_value:.3g}"),
            ("p of the shape", f"{self.shape_p_value:.3g}"),
        ]

    def __repr__(self) -> str:
        title, *rows = self.lines()
        return f"{title[1]}\n  {', '.join(f'{name} {text}' for name, text in rows)}"

    def to_dict(self) -> dict[str, Any]:
        """The verdict and its numbers, with provenance, as JSON knows them."""
        ratio, low, high = self.mass_ratio
        return {
            "format": "erf_theory.Agreement/1",
            **records.provenance(self.kind, self.call),
            "agrees": self.agrees,
            "false_alarm": self.false_alarm,
            "samples": self.measurement.samples,
            "shape_p_value": self.shape_p_value,
            "mass_p_value": self.mass_p_value,
            "mass_ratio": ratio,
            "mass_ratio_interval": [low, high],
            "std": self.theory.std,
            "measured_std": self.measured_std,
            "total_variation": self.total_variation,
            "start": list(self.measurement.start),
            "measured": self.measurement.mean.tolist(),
            "standard_error": self.measurement.standard_error.tolist(),
            "theory": (float(self.theory.mass) * self._on_grid(self.theory)).tolist(),
        }

    def plot(self) -> Figure:
        """Draw the profile along the first axis: theory, measurement, and their difference."""
        from erf_theory import plotting

        others = tuple(range(1, self.theory.ndim))
        mass = float(self.theory.mass)
        blocks = self.measurement.blocks.sum(axis=tuple(a + 1 for a in others)) / mass
        line = Measurement(blocks, self.measurement.counts, self.measurement.start[:1], self.call)
        return plotting.agreement_figure(
            self._grids[0],
            self._on_grid(self.theory).sum(axis=others),
            line.mean,
            line.standard_error,
            title=self.lines()[0][1],
        )

    @property
    def _grids(self) -> list[FloatArray]:
        """Coordinates of the measurement's places."""
        spans = zip(self.measurement.start, self.measurement.mean.shape, strict=True)
        return [np.arange(a, a + m, dtype=np.float64) for a, m in spans]

    def _on_grid(self, erf: ERF) -> FloatArray:
        """The values of a map where the measurement has places."""
        grid = np.zeros(self.measurement.mean.shape)
        there: list[slice] = []
        here: list[slice] = []
        for axis, (a, b) in enumerate(zip(self.measurement.start, _start(erf), strict=True)):
            low = max(a, b)
            high = max(low, min(a + grid.shape[axis], b + erf.shape[axis]))
            there.append(slice(low - a, high - a))
            here.append(slice(low - b, high - b))
        grid[tuple(there)] = erf.values[tuple(here)]
        return grid

    def _strays(self, shares: FloatArray) -> bool:
        """Whether shares of an energy lie where the theory has none."""
        return bool(np.sum(shares[self._on_grid(self.theory) == 0]) > _STRAY)

    @cached_property
    def _functions(self) -> FloatArray:
        """Functions whose mean under the theory is 0: shape (places, functions)."""
        here, there, degrees = [], [], []
        for axis, start in enumerate(_start(self.theory)):
            own = start + np.arange(self.theory.shape[axis], dtype=np.float64)
            line = self.theory.profile(axis).values
            centre = float(line @ own)
            scale = float(np.sqrt(line @ (own - centre) ** 2)) or 1.0
            here.append((self._grids[axis] - centre) / scale)
            there.append((own - centre) / scale)
            degrees.append(min(_DEGREES, int(np.count_nonzero(line)) - 1))
        functions = [
            _monomial(here, powers) - np.sum(self.theory.values * _monomial(there, powers))
            for powers in _powers(degrees)
        ]
        return np.reshape(functions, (-1, self.measurement.mean.size)).T

    @property
    def _weights(self) -> FloatArray:
        """Of the blocks in the mean over all samples: 1 on average."""
        counts = self.measurement.counts
        return np.asarray(counts * len(counts) / self.measurement.samples)

    @cached_property
    def _shape_test(self) -> Hotelling:
        """Of the functions' sums over the blocks, relative to the measured mass."""
        weights = self._weights / self.measurement.mass
        rows = self.measurement.blocks.reshape(len(weights), -1)
        return Hotelling(weights[:, None] * (rows @ self._functions))

    @cached_property
    def _mass_test(self) -> StudentHall:
        """Of the blocks' deviations from the theory's mass, relative to it."""
        masses = self.measurement.blocks.reshape(len(self._weights), -1).sum(axis=1)
        return StudentHall(self._weights * (masses / float(self.theory.mass) - 1))


def _start(erf: ERF) -> tuple[int, ...]:
    """Input coordinate of the first place, for the output unit at 0."""
    return sum((tuple(factor.start) for factor in erf.factors), ())


def _powers(degrees: Sequence[int]) -> list[tuple[int, ...]]:
    """Powers of every axis up to its degree, first and second powers of every two axes."""
    unit = np.eye(len(degrees), dtype=int)
    single = [tuple(j * unit[i]) for i, most in enumerate(degrees) for j in range(1, most + 1)]
    double = [
        tuple(j * (unit[a] + unit[b]))
        for a, b in combinations(range(len(degrees)), 2)
        for j in (1, 2)
        if j <= min(degrees[a], degrees[b])
    ]
    return single + double


def _monomial(axes: Sequence[FloatArray], powers: tuple[int, ...]) -> FloatArray:
    """Product of powers of the coordinates, on the whole grid."""
    return reduce(np.multiply.outer, [z**p for z, p in zip(axes, powers, strict=True)])
