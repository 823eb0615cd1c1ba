"""Distances to the normal law by their definitions, in 30 digits: place by place, by quadrature."""

from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import gcd

import mpmath as mp

DIGITS = 30


class Twin:
    """A law of exact integers, places one pixel apart, beside its normal law."""

    def __init__(self, numerators):
        with mp.workdps(DIGITS):
            total = sum(numerators)
            shares = {x: Fraction(n, total) for x, n in enumerate(numerators) if n}
            mean = sum(x * p for x, p in shares.items())
            self.mean = real(mean)
            self.std = mp.sqrt(real(sum(x * x * p for x, p in shares.items()) - mean * mean))
            first = min(shares)
            self.span = gcd(*(x - first for x in shares))
            far = int(12 * self.std / self.span) + 2
            places = range(first - self.span * far, max(shares) + self.span * far, self.span)
            self.z = [(x - self.mean) / self.std for x in places]
            self.p = [real(shares.get(x, Fraction(0))) for x in places]
            weights = [mp.exp(-z * z / 2) for z in self.z]
            self.q = [w / mp.fsum(weights) for w in weights]
            self.step = self.span / self.std
            self.below, self.normal = running(self.p), running(self.q)

    @cache  # noqa: B019
    def distance(self, reference, metric):
        with mp.workdps(DIGITS):
            return getattr(self, f"{'sampled_' * (reference != 'normal')}{metric}")()

    def kolmogorov(self):
        before = [mp.mpf(0), *self.below[:-1]]
        both = zip(self.z, before, self.below, strict=True)
        return max(max(abs(a - mp.ncdf(z)), abs(b - mp.ncdf(z))) for z, a, b in both)

    def wasserstein1(self):
        """Every share is spread over the quantiles between values of F."""
        return self.transport(lambda x, z: abs(x - z))

    def wasserstein2(self):
        return mp.sqrt(self.transport(lambda x, z: (x - z) ** 2))

    def transport(self, cost):
        ends = [(-mp.inf), *(quantile(f) for f in self.below)]
        found = mp.mpf(0)
        for z, p, a, b in zip(self.z, self.p, ends, ends[1:], strict=False):
            if p:
                cuts = [max(a, -16), *([z] if a < z < b else []), min(b, 16)]
                found += mp.quad(lambda x, z=z: cost(x, z) * mp.npdf(x), fine(cuts))
        return found

    def cramer_von_mises(self):
        found = mp.quad(lambda x: mp.ncdf(x) ** 2 * mp.npdf(x), [-20, -12, self.z[0]])
        for a, b, f in zip(self.z, self.z[1:], self.below, strict=False):
            found += mp.quad(lambda x, f=f: (f - mp.ncdf(x)) ** 2 * mp.npdf(x), [a, b])
        return found

    def density_error(self):
        pairs = zip(self.p, self.z, strict=True)
        return max(abs(p / self.step - mp.npdf(z)) for p, z in pairs)

    def sampled_kolmogorov(self):
        return max(abs(f - g) for f, g in zip(self.below, self.normal, strict=True))

    def sampled_total_variation(self):
        return self.summed(lambda p, q: abs(p - q) / 2)

    def sampled_hellinger(self):
        return mp.sqrt(self.summed(lambda p, q: (mp.sqrt(p) - mp.sqrt(q)) ** 2 / 2))

    def sampled_kullback_leibler(self):
        return self.summed(lambda p, q: p * mp.log(p / q) if p else 0)

    def sampled_chi_square(self):
        return self.summed(lambda p, q: (p - q) ** 2 / q)

    def sampled_density_error(self):
        return max(abs(p - q) for p, q in zip(self.p, self.q, strict=True)) / self.step

    def sampled_wasserstein1(self):
        return self.moved(abs) * self.step

    def sampled_wasserstein2(self):
        return mp.sqrt(self.moved(lambda places: places**2)) * self.step

    def sampled_cramer_von_mises(self):
        rows = zip(self.q, [*self.q[1:], 0], self.below, self.normal, strict=True)
        return mp.fsum((q + after) / 2 * (f - g) ** 2 for q, after, f, g in rows)

    def summed(self, term):
        return mp.fsum(term(p, q) for p, q in zip(self.p, self.q, strict=True))

    def moved(self, cost):
        """Fill the places of q with what p has, from the left."""
        have, want = list(self.p), list(self.q)
        i = j = 0
        found = mp.mpf(0)
        while i < len(have) and j < len(want):
            share = min(have[i], want[j])
            found += share * cost(i - j)
            have[i] -= share
            want[j] -= share
            i, j = (i + 1, j) if have[i] == 0 else (i, j + 1)
        return found


def real(ratio):
    return mp.mpf(ratio.numerator) / ratio.denominator


def running(shares):
    found, total = [], mp.mpf(0)
    for share in shares:
        total += share
        found.append(total)
    return found


def quantile(share):
    """Φ⁻¹, by inverting the error function."""
    if share <= 0 or share >= 1 - mp.mpf(10) ** (5 - DIGITS):
        return mp.inf if share > 0.5 else -mp.inf
    return mp.sqrt(2) * mp.erfinv(2 * share - 1)


def fine(cuts):
    """Pieces that quadrature is sure of: none longer than 2."""
    found = [cuts[0]]
    for a, b in pairwise(cuts):
        count = int((b - a) / 2) + 1
        found += [a + (b - a) * i / count for i in range(1, count + 1)]
    return found
