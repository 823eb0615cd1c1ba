"""The energy of networks against its definition: every path, every channel, every variance."""

from collections import Counter
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from erf_theory.engines import multinomial
from erf_theory.network import Activation, Chain, Conv
from erf_theory.network.geometry import regions
from erf_theory.propagation.backward import full, is_separable, marginal, separated

THIRD = Fraction(1, 3)
TAPS = Conv(2, 2, 3, padding=1, init=[1, 2, 5])
OWN = Conv(2, 2, (2, 2), init=[[1, 0], [2, 3]])
CHAINS = {
    "line": Chain([Conv(2, 3, 3, padding=1), Conv(3, 1, 2)], 1),
    "strides": Chain([Conv(1, 2, 3, stride=2, padding=2), Conv(2, 2, 2, stride=3)], 1),
    "dilations": Chain([Conv(1, 1, 3, dilation=3, padding=4), Conv(1, 2, 2, dilation=2)], 1),
    "groups": Chain([Conv(4, 4, 2, groups=4), Conv(4, 6, 3, groups=2)], 1),
    "groups behind": Chain([Conv(4, 6, 3), Conv(6, 4, 2, groups=2)], 1),
    "laws": Chain([Conv(2, 4, 3, init=name) for name in ("xavier",)] + [Conv(4, 3, 2, init=2)], 1),
    "taps": Chain([TAPS, TAPS, TAPS], 1),
    "relu": Chain([Conv(2, 3, 3), Activation("relu"), Conv(3, 3, 3), Activation("relu")], 1),
    "relu first": Chain([Activation("relu"), Conv(2, 3, 3)], 1),
    "activation alone": Chain([Activation("relu")], 2),
    "plane": Chain([Conv(2, 3, (3, 2), stride=(1, 2), padding=(2, 0)), Conv(3, 1, 2)], 2),
    "plane of taps": Chain([TAPS, Activation("relu"), TAPS], 2),
    "plane of its own": Chain([OWN, Activation("relu"), OWN], 2),
    "mixed plane": Chain([TAPS, OWN], 2),
    "volume": Chain([Conv(1, 2, (1, 2, 3), dilation=(1, 3, 1)), Conv(2, 2, 2)], 3),
    "volume of its own": Chain([Conv(1, 1, (2, 2, 2), init=np.arange(8).reshape(2, 2, 2))] * 2),
}
SLOPES = {"relu": Fraction(1, 2), "linear": 1}


def steps_of(chain, *values):
    """One integer per axis for each value."""
    return [v if isinstance(v, tuple) else (v,) * chain.ndim for v in values]


def every_path(chain):
    """E g² of channel 0 at place 0 by the input, averaged over its channels."""
    field = Counter({(0, (0,) * chain.ndim): Fraction(1)})
    for layer in reversed(chain.layers):
        if isinstance(layer, Activation):
            field = Counter({at: v * SLOPES[layer.function] for at, v in field.items()})
            continue
        before = Counter()
        variances = layer.variances(chain.ndim).taps
        inner, outer = layer.in_channels // layer.groups, layer.out_channels // layer.groups
        steps = steps_of(chain, layer.stride, layer.dilation, layer.padding)
        for ((out, place), v), tap in product(field.items(), np.ndindex(variances.shape)):
            rows = zip(place, tap, *steps, strict=True)
            seen = tuple(s * i + d * a - p for i, a, s, d, p in rows)
            for channel in range(out // outer * inner, (out // outer + 1) * inner):
                before[channel, seen] += v * variances[tap]
        field = before
    region = regions(chain)[0]
    total = np.full(region.shape, Fraction(0), dtype=object)
    for (_, place), v in field.items():
        at = tuple(i - a for i, a in zip(place, region.start, strict=True))
        total[at] += v / chain.in_channels
    return region.start, total


def exactly(program, ndim):
    """Start and values of a program's map, as fractions."""
    field = program(multinomial.impulse(ndim))
    scale = Fraction(1, field.denominator)
    values = np.array([Fraction(int(v)) * scale for v in field.numerators.flat], dtype=object)
    return field.start, values.reshape(field.numerators.shape)


def need_equal(found, expected):
    assert found[0] == expected[0]
    assert found[1].shape == expected[1].shape
    assert np.array_equal(found[1], expected[1])


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_the_energy_is_the_sum_over_all_paths(chain):
    need_equal(exactly(full(chain), chain.ndim), every_path(chain))


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_a_marginal_is_the_sum_of_the_map(chain):
    start, values = every_path(chain)
    for axis in range(chain.ndim):
        others = tuple(i for i in range(chain.ndim) if i != axis)
        expected = np.sum(values, axis=others) if others else values
        need_equal(exactly(marginal(chain, axis), 1), ((start[axis],), expected))


@pytest.mark.parametrize("chain", CHAINS.values(), ids=CHAINS)
def test_a_separable_energy_is_the_product_of_its_lines(chain):
    own = any(np.ndim(layer.init) > 1 for layer in chain.convolutions if layer.init != "he")
    assert is_separable(chain) == (not own)
    if own:
        with pytest.raises(ValueError, match="Kernel"):
            exactly(separated(chain)[0], 1)
        return
    lines = [exactly(program, 1) for program in separated(chain)]
    product_of_lines = lines[0][1]
    for _, line in lines[1:]:
        product_of_lines = np.multiply.outer(product_of_lines, line)
    need_equal((sum((start for start, _ in lines), ()), product_of_lines), every_path(chain))
