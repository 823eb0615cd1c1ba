"""Theory against measurement: whether they agree, and how surely this measurement could tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np

from erf_theory import records
from erf_theory.display import Card
from erf_theory.empirical.measurement import BlockMeans, Measurement
from erf_theory.erf import ERF
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.verdict.doubts import Power, doubts, need_decidable
from erf_theory.verdict.shapes import Grid, shape_functions, start_of
from erf_theory.verdict.statistics import Hotelling, StudentHall, p_of_least, random_signs
from erf_theory.verdict.variation import TotalVariation, total_variation
from erf_theory.verdict.widths import MeasuredStd, wider

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Agreement", "crosscheck"]

_STRAY = 1e-6
"""Share of a measured energy that rounding may leave where the theory has none."""
_TESTS = 3
_MORE, _WIDER = 0.1, 0.05
"""The alternatives whose power is always told: relative changes of the mass and of the std."""


def crosscheck(theory: ERF, measurement: Measurement, *, false_alarm: float = 0.01) -> Agreement:
    """Compare a predicted energy with a measured one.

    Three tests make one p-value. The shape's is Hotelling's T² of bounded functions of the place,
    whose means should all be those of the theory; the total variation's sees whatever is left,
    pixel by pixel; neither sees the mass. The mass's is a t test with Hall's correction for
    skewness. The least of their p-values is calibrated by giving the blocks of samples random
    signs, 999 times, and asking all three again.

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
    Pixels may depend on each other in any way: the means of the measurement's blocks alone are
    taken as independent. Energies are heavy-tailed in narrow and deep networks: there more false
    alarms come from the mass, and wide limits hold up to terms of 1/channels. `Agreement.warnings`
    says where a measurement cannot decide.

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
    if not isinstance(theory, ERF) or not isinstance(measurement, Measurement):
        raise ErfTheoryError(
            "an ERF is compared with a Measurement, as crosscheck(network_erf(net), "
            f"measure_erf(net)), not {type(theory).__name__} with {type(measurement).__name__}"
        )
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
        Rate at which a true theory is rejected.
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
        """Whether the p-value of the map does not reject the theory."""
        return self.p_value >= self.false_alarm

    @cached_property
    def p_value(self) -> float:
        """Of the whole map: how likely so small a p-value is, of any test, if the theory is true.

        Uniform between 0 and 1 over experiments on a true theory.
        """
        least = min(self.shape_p_value, self.mass_p_value, self.variation.p_value)
        resampled = (
            self._shape_test.resampled(self._signs),
            self._mass_test.resampled(self._signs),
            self.variation.resampled_p_values,
        )
        return p_of_least(least, np.min(resampled, axis=0))

    @cached_property
    def shape_p_value(self) -> float:
        """Probability of a shape this far off, or farther, if the theory's is true."""
        if self._strays(self._shares):
            return 0.0
        return self._shape_test.p_value(np.mean(self._shape_test.rows, axis=0))

    @property
    def mass_p_value(self) -> float:
        """Probability of a mass this far off, or farther, if the theory's mass is true."""
        return self._mass_test.p_value

    @property
    def z_scores(self) -> FloatArray:
        """Difference of every pixel in its standard errors; NaN where that error is 0.

        Neighbours depend on each other, and those of rare energy have heavy tails.
        """
        error = self.measurement.standard_error
        off = self.measurement.mean - self._predicted
        nothing = np.full(off.shape, np.nan)
        return np.asarray(np.divide(off, error, out=nothing, where=error > 0))

    @property
    def mass_ratio(self) -> tuple[float, float, float]:
        """Measured mass over the theory's, and its 95 % confidence interval."""
        low, high = self._mass_test.interval(0.95)
        return self.measurement.mass / float(self.theory.mass), 1 + low, 1 + high

    @property
    def std_ratio(self) -> tuple[float, float, float] | None:
        """Measured std over the theory's, and its 95 % confidence interval; None without width."""
        if not self.theory.std > 0:
            return None
        low, high = self._measured_std.interval(0.95)
        std = self.theory.std
        return self.measured_std / std, low / std, high / std

    @property
    def measured_std(self) -> float:
        """Measured standard deviation, the root of the mean variance of the axes, in pixels."""
        return self._measured_std.value

    @property
    def total_variation(self) -> float:
        """Half of Σ|p - q|, the noise of the measurement included: see `variation`."""
        return self.variation.value

    @cached_property
    def variation(self) -> TotalVariation:
        """The total variation, and its distribution if the theory is true."""
        inside = self._grid.values_of(self.theory)
        masses = self._rows.sum(axis=1)
        off = self._rows - masses[:, None] * inside.ravel()
        weights = self._weights[:, None] / self.measurement.mass
        return total_variation(weights * off, 1 - float(np.sum(inside)), self._signs)

    def power(self, other: ERF) -> float:
        """Probability that an experiment like this one rejects the theory if ``other`` is true.

        That of the better one of the tests of shape and mass, at its share of the false-alarm
        rate, with the spread that was measured: all three together reject more often.
        """
        shares = self._grid.values_of(other)
        if self._strays(shares):
            return 1.0
        mass = float(other.mass)
        mean = mass / self.measurement.mass * shares.ravel() @ self._functions
        more = mass / float(self.theory.mass) - 1
        return max(self._shape_power(mean), self._mass_power(more))

    @cached_property
    def powers(self) -> Mapping[str, Power]:
        """Power against 10 % more mass, and a std that is 5 % wider, where there is a width."""
        level, samples = self.false_alarm / _TESTS, self.measurement.samples
        far = (_MORE / error) ** 2 if (error := self._mass_test.error) > 0 else np.inf
        found = {"10 % more mass": Power.of(self._mass_power(_MORE), samples, far, 1, level)}
        if (more := wider(self.theory, _WIDER)) is not None:
            own = Grid(start_of(self.theory), self.theory.shape)
            off = more.ravel() @ shape_functions(self.theory, own)
            if size := self._shape_test.noncentrality(off)[1]:
                far = self._shape_test.noncentrality(off)[0]
                found["5 % wider std"] = Power.of(self._shape_power(off), samples, far, size, level)
        return found

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """Why this measurement may not decide, or a verdict may mislead; empty if all is well."""
        return doubts(self.theory, self.measurement, self.powers)

    def lines(self) -> Sequence[tuple[str, ...]]:
        """Names and texts of what there is to say, the title first."""
        verdict = "agree" if self.agrees else "DISAGREE"
        far = self.variation
        return [
            ("", f"Theory and {self.measurement.samples} samples {verdict}"),
            ("theory", self.theory.call),
            ("false alarms", f"{100 * self.false_alarm:.3g} % of true theories"),
            ("p of the map", f"{self.p_value:.3g}"),
            ("p of the mass", f"{self.mass_p_value:.3g}"),
            ("p of the shape", f"{self.shape_p_value:.3g}"),
            ("p of the total variation", f"{far.p_value:.3g}"),
            ("mass of the theory", f"{float(self.theory.mass):.6g}"),
            ("measured / theory", _with_interval(self.mass_ratio)),
            ("std of the theory", f"{self.theory.std:.4g} px"),
            ("measured std / theory", _with_interval(self.std_ratio)),
            (
                "total variation",
                f"{far.value:.3g} (if true: {far.expected:.3g}, 95 % below {far.bound:.3g})",
            ),
            *((f"power: {claim}", f"{power.value:.4f}") for claim, power in self.powers.items()),
            *(("warning", text) for text in self.warnings),
        ]

    def __repr__(self) -> str:
        title, *rows = self.lines()
        return f"{title[1]}\n  {', '.join(f'{name} {text}' for name, text in rows)}"

    def to_dict(self) -> dict[str, Any]:
        """The verdict and its numbers, with provenance, as JSON knows them."""
        ratio, *interval = self.mass_ratio
        widths, far = self.std_ratio, self.variation
        return {
            "format": "erf_theory.Agreement/1",
            **records.provenance(self.kind, self.call),
            "agrees": self.agrees,
            "false_alarm": self.false_alarm,
            "samples": self.measurement.samples,
            "p_value": self.p_value,
            "shape_p_value": self.shape_p_value,
            "mass_p_value": self.mass_p_value,
            "mass_ratio": ratio,
            "mass_ratio_interval": interval,
            "std": self.theory.std,
            "measured_std": self.measured_std,
            "std_ratio": None if widths is None else widths[0],
            "std_ratio_interval": None if widths is None else list(widths[1:]),
            "total_variation": far.value,
            "total_variation_expected": far.expected,
            "total_variation_bound": far.bound,
            "total_variation_p_value": far.p_value,
            "powers": {claim: power.value for claim, power in self.powers.items()},
            "warnings": list(self.warnings),
            "start": list(self.measurement.start),
            "measured": self.measurement.mean.tolist(),
            "standard_error": self.measurement.standard_error.tolist(),
            "theory": self._predicted.tolist(),
        }

    def plot(self) -> Figure:
        """Draw theory, measurement and their difference in standard errors.

        A profile with error bars (1-D), or three maps (2-D; of a volume, summed over z).
        """
        from erf_theory import plotting

        others = tuple(range(self.theory.ndim - 2))
        blocks = self.measurement.blocks.sum(axis=tuple(a + 1 for a in others))
        shown = BlockMeans(blocks / float(self.theory.mass), self.measurement.counts)
        inside = self._grid.values_of(self.theory).sum(axis=others)
        draw = plotting.agreement_figure if self.theory.ndim == 1 else plotting.agreement_maps
        places: Any = self._grid.coordinates[len(others) :]
        return draw(
            places[0] if self.theory.ndim == 1 else places,
            inside,
            shown.mean,
            shown.standard_error,
            title=self.lines()[0][1],
        )

    @property
    def _grid(self) -> Grid:
        """The measurement's places."""
        return Grid(self.measurement.start, self.measurement.mean.shape)

    @property
    def _predicted(self) -> FloatArray:
        """The theory's energy there."""
        return float(self.theory.mass) * self._grid.values_of(self.theory)

    @property
    def _shares(self) -> FloatArray:
        return np.asarray(self.measurement.mean / self.measurement.mass)

    def _strays(self, shares: FloatArray) -> bool:
        """Whether shares of an energy lie where the theory has none."""
        return bool(np.sum(shares[self._grid.values_of(self.theory) == 0]) > _STRAY)

    @cached_property
    def _functions(self) -> FloatArray:
        return shape_functions(self.theory, self._grid)

    @property
    def _rows(self) -> FloatArray:
        """The measured energy, one row per block."""
        return self.measurement.blocks.reshape(len(self.measurement.counts), -1)

    @property
    def _weights(self) -> FloatArray:
        """Of the blocks in the mean over all samples: 1 on average."""
        counts = self.measurement.counts
        return np.asarray(counts * len(counts) / self.measurement.samples)

    @cached_property
    def _signs(self) -> FloatArray:
        return random_signs(len(self.measurement.counts))

    @cached_property
    def _shape_test(self) -> Hotelling:
        """Of the functions' sums over the blocks, relative to the measured mass."""
        weights = self._weights / self.measurement.mass
        return Hotelling(weights[:, None] * (self._rows @ self._functions))

    def _shape_power(self, mean: FloatArray) -> float:
        return self._shape_test.power(mean, self.false_alarm / _TESTS)

    @cached_property
    def _mass_test(self) -> StudentHall:
        """Of the blocks' deviations from the theory's mass, relative to it."""
        masses = self._rows.sum(axis=1)
        return StudentHall(self._weights * (masses / float(self.theory.mass) - 1))

    def _mass_power(self, more: float) -> float:
        return self._mass_test.power(more, self.false_alarm / _TESTS)

    @cached_property
    def _measured_std(self) -> MeasuredStd:
        return MeasuredStd.of(self.measurement.blocks, self.measurement.counts)


def _with_interval(ratio: tuple[float, float, float] | None) -> str:
    """A ratio and its interval."""
    if ratio is None:
        return "no width"
    return "{:.4g} (95 %: {:.4g} to {:.4g})".format(*ratio)
