"""What the designs are compared with: widths of every depth in turn, and spaces listed in full."""

from itertools import combinations_with_replacement, product

import numpy as np

from erf_theory import network_erf
from erf_theory.design.plans import Plan, Step

LEVEL = 1 - 0.9545


def centred_maps(k, reach):
    """Maps of 1, 2, 3, … layers of k taps on the places within a reach, and their first place.

    The first place is a half for even maps.
    """
    line, start = np.zeros(2 * reach + 1), -float(reach)
    line[reach] = 1.0
    while True:
        sums = np.concatenate([[0.0], np.cumsum(line)])
        wide = np.concatenate([sums, np.full(k - 1, sums[-1])])
        wide -= np.concatenate([np.zeros(k), sums[: len(wide) - k]])
        line, start = wide[1:] / k, start - (k - 1) / 2
        cut = int(np.ceil(-reach - start))
        line, start = line[cut : len(line) - cut], start + cut
        yield line, start


def pixels(line, ndim):
    """Number of pixels of the map on ``ndim`` axes that are above 4.55 % of the maximum."""
    line = line[line > LEVEL * (1 - 1e-9) * line.max()] / line.max()
    if ndim == 1:
        return int(np.sum(line > LEVEL * (1 + 1e-13)))
    ordered = np.sort(line)
    need = LEVEL * (1 + 1e-13) / line
    return int(np.sum(len(line) - np.searchsorted(ordered, need, side="right")))


def all_plans(choices, family):
    """Every plan of a space, by the words that describe it."""
    form = choices.form(family)
    most = choices.max_layers // form.repeats
    if family in ("deep", "large"):
        sizes = choices.kernels if family == "deep" else choices.large_kernels
        counts = range(1, choices.max_depth // form.repeats + 1)
        return [Plan((Step(k),) * n, form) for k in sizes for n in counts]
    found = []
    for k, n in product(choices.kernels, range(1, most + 1)):
        for dilations in combinations_with_replacement(choices.dilations, n):
            plan = Plan(tuple(Step(k, d) for d in dilations), form)
            if family == "dilated" and dilations[-1] > 1 and not has_holes(plan):
                found.append(plan)
    for k, strides in product(choices.kernels, range(1, choices.max_strides + 1)):
        for first, middle, last in product(range(1, choices.max_layers + 1), repeat=3):
            steps = []
            for level in range(strides):
                steps += [Step(k)] * ((middle if level else first) - 1)
                steps.append(Step(k, 1, choices.stride))
            plan = Plan((*steps, *[Step(k)] * last), form)
            is_new = strides > 1 or middle == 1
            if family == "strided" and is_new and plan.layers <= choices.max_layers:
                found.append(plan)
    return found


def has_holes(plan):
    """Whether a place in the middle of the map is 0."""
    line = network_erf(plan.network(), ndim=1).values
    seen = np.flatnonzero(line > 0)
    return bool(np.any(line[seen[0] : seen[-1] + 1] == 0))


def naive_ripple(line):
    """The ripple, place by place."""
    worst = 0.0
    for place, value in enumerate(line):
        cover = min(max(line[: place + 1]), max(line[place:]))
        if cover > LEVEL * max(line):
            worst = max(worst, 1 - value / cover)
    return worst
