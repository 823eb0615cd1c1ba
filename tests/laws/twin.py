"""The definition of every operation on a field, for the tests: all paths, one by one.

Slow, exact, and without a box, a transform or a scale of its own.
"""

from fractions import Fraction
from itertools import product

import numpy as np

from erf_theory.lattice import per_axis


class Paths:
    """A field as a dictionary from (channel, place) to exact numbers.

    Every number is a pair: the sum over all paths, and the sum of their magnitudes. Every
    operation but ``+`` is linear and says where a path goes on to, and with what factor. Factors
    per position are counted from place 0.
    """

    def __init__(self, samples, ndim, *, channels=False):
        self.samples, self.ndim, self.channels = samples, ndim, channels

    @classmethod
    def impulse(cls, ndim, channels=None):
        weights = [1] if channels is None else channels
        exact = {(c, (0,) * ndim): Fraction(weight) for c, weight in enumerate(weights)}
        samples = {at: (weight, abs(weight)) for at, weight in exact.items()}
        return cls(samples, ndim, channels=channels is not None)

    @property
    def values(self):
        """Every channel and place that paths reach, with the field there."""
        return {at: value for at, (value, _) in self.samples.items()}

    @property
    def sizes(self):
        """Every channel and place that paths reach, with the sum of their magnitudes."""
        return {at: size for at, (_, size) in self.samples.items()}

    @property
    def support(self):
        """The places of a field without channels where it is not 0."""
        return {x for (_, x), value in self.values.items() if value}

    def _along(self, moves):
        total = {}
        for at, (value, size) in self.samples.items():
            for to, factor in moves(*at):
                before, reached = total.get(to, (0, 0))
                total[to] = (before + value * factor, reached + size * abs(factor))
        return Paths(total, self.ndim, channels=self.channels)

    def convolve(self, kernel, step=1, times=1):
        steps = per_axis(step, self.ndim)
        taps = [(at, Fraction(tap)) for at, tap in np.ndenumerate(kernel.taps)]

        def moves(channel, x):
            for at, tap in taps:
                through, place = at[: -self.ndim], at[-self.ndim :]
                if not through or through[0] == channel:
                    shift = zip(x, place, kernel.origin, steps, strict=True)
                    end = tuple(i + (m + o) * d for i, m, o, d in shift)
                    yield (through[-1] if through else channel, end), tap

        field = self
        for _ in range(times):
            field = field._along(moves)
        return field

    def scale(self, factor):
        def moves(channel, x):
            if not isinstance(factor, np.ndarray):
                here = factor
            elif not self.channels:
                here = factor[x]
            else:
                here = factor[channel] if factor.ndim == 1 else factor[(channel, *x)]
            yield (channel, x), Fraction(here)

        return self._along(moves)

    def __add__(self, other):
        total = dict(self.samples)
        for at, (value, size) in other.samples.items():
            before, reached = total.get(at, (0, 0))
            total[at] = (before + value, reached + size)
        return Paths(total, self.ndim, channels=self.channels)

    def expand(self, s):
        steps = per_axis(s, self.ndim)

        def moves(channel, x):
            yield (channel, tuple(i * d for i, d in zip(x, steps, strict=True))), 1

        return self._along(moves)

    def decimate(self, s):
        steps = per_axis(s, self.ndim)

        def moves(channel, x):
            if all(i % d == 0 for i, d in zip(x, steps, strict=True)):
                yield (channel, tuple(i // d for i, d in zip(x, steps, strict=True))), 1

        return self._along(moves)

    def fold(self, size, border):
        sizes = per_axis(size, self.ndim)

        def moves(channel, x):
            to = tuple(_inside(i, m, border) for i, m in zip(x, sizes, strict=True))
            if None not in to:
                yield (channel, to), 1

        return self._along(moves)

    def take(self, a, b):
        return self._along(lambda c, x: [((c - a, x), 1)] if a <= c < b else [])


def _inside(x, size, border):
    """Where a pixel of the border comes from; None where it is a zero."""
    while not 0 <= x < size:
        if border == "zeros":
            return None
        if border == "circular":
            x += size if x < 0 else -size
        if border == "replicate":
            x += 1 if x < 0 else -1
        if border == "reflect":
            x = -x if x < 0 else 2 * (size - 1) - x
    return x


def by_place(array, start):
    """A dictionary of an array like those of `Paths`: (channel, place) to the number there."""
    lead = np.ndim(array) - len(start)
    found = {}
    for at, value in np.ndenumerate(array):
        place = tuple(m + a for m, a in zip(at[lead:], start, strict=True))
        found[at[0] if lead else 0, place] = value
    return found


def every_path(layers):
    """Ends and weights of all paths through layers (kernel, step): the product of all taps."""
    steps = [
        [(tuple(np.add(at, kernel.origin) * step), tap) for at, tap in np.ndenumerate(kernel.taps)]
        for kernel, step in layers
    ]
    for path in product(*steps):
        weight = 1
        for _, tap in path:
            weight = weight * tap
        yield tuple(int(sum(x)) for x in zip(*(place for place, _ in path), strict=True)), weight
