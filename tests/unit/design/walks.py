"""The definition of variance shares: every walk of a small network, one after the other.

Networks here are sums of branches of convolutions and scales, on one axis, and all their nodes have
as many channels as each other, so that every way through a convolution has the variance of a tap
times the channels.
"""

from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st

from erf_theory.network import Chain, Conv, Parallel, Residual, Scale, Upsample

CHANNELS = 2


def walks(network):
    """Energy, what every node on the way moves by (input pixels), and the nodes with their taps."""
    yield from _from(network, len(network.nodes) - 1, 0, (Fraction(1), {}, {}))


def _from(network, place, x, walk):
    """All walks that are at x behind a node, from what they have done so far."""
    if place < 0:
        yield walk
        return
    energy, moves, taps = walk
    node = network.nodes[place]
    for weight, tap, at, jump, move in _steps(node.layer, x):
        before = {name: by * jump for name, by in moves.items()} | {node.name: move}
        for source in node.inputs:
            done = energy * weight, before, taps | {node.name: tap}
            yield from _from(network, source, at, done)


def _steps(layer, x):
    """Where a layer may go from x: energy, tap, place, places per place before, move."""
    match layer:
        case Conv():
            ((before, _),) = layer.pads(1)
            for tap, variance in enumerate(layer.variances(1).taps.tolist()):
                move = layer.dilation * tap - before
                yield CHANNELS * variance, tap, layer.stride * x + move, layer.stride, move
        case Upsample(scale=s, mode="nearest"):
            yield 1, None, x // s, Fraction(1, s), Fraction(x // s) - Fraction(x, s)
        case Scale(factor=factor):
            yield Fraction(factor) ** 2, None, x, 1, 0
        case _:
            yield 1, None, x, 1, 0


def shares(network):
    """Variance, and every node's share, part between paths, passing and gain, by definition."""
    rows = [(float(energy), moves, taps) for energy, moves, taps in walks(network) if energy]
    p = np.array([energy for energy, _, _ in rows])
    p /= p.sum()
    x = np.array([float(sum(moves.values())) for _, moves, _ in rows])
    x -= p @ x
    paths = np.unique([" ".join(sorted(moves)) for _, moves, _ in rows], return_inverse=True)[1]
    found = {}
    for node in network.nodes:
        d = np.array([float(moves.get(node.name, 0)) for _, moves, _ in rows])
        means = np.bincount(paths, p * d) / np.bincount(paths, p)
        gain = _gain(p, x, [node.name in moves for _, moves, _ in rows])
        found[node.name] = (p @ (d * x), p @ (means[paths] * x), *gain)
    variance = p @ x**2
    scale = np.array([variance, variance, 1, 2 * variance])
    return variance, {name: numbers / scale for name, numbers in found.items()}


def tap_gains(network, name):
    """By how much every tap of a node widens the ERF, by definition."""
    rows = [(float(energy), moves, taps) for energy, moves, taps in walks(network) if energy]
    p = np.array([energy for energy, _, _ in rows])
    p /= p.sum()
    x = np.array([float(sum(moves.values())) for _, moves, _ in rows])
    x -= p @ x
    size = network.nodes[network.place_of(name)].layer.size
    gains = [_gain(p, x, [taps.get(name) == tap for _, _, taps in rows])[1] for tap in range(size)]
    return np.array(gains) / (2 * (p @ x**2))


def _gain(p, x, on):
    """What passes, and the derivative of the variance by its weight."""
    return p @ on, (p * on) @ (x**2 - p @ x**2)


@st.composite
def convolutions(draw):
    size = draw(st.integers(1, 3))
    taps = draw(st.lists(st.integers(0, 3), min_size=size, max_size=size).filter(any))
    return Conv(
        CHANNELS,
        CHANNELS,
        size,
        dilation=draw(st.integers(1, 3)),
        padding=draw(st.integers(0, 2)),
        init=[Fraction(tap, 4) for tap in taps],
    )


def bodies():
    """Chains and sums of branches of convolutions and scales."""
    leaves = convolutions() | st.builds(Scale, st.sampled_from([0.5, 2]))
    return st.recursive(
        leaves,
        lambda parts: (
            st.lists(parts, min_size=1, max_size=2).map(lambda x: Chain(x, 1))
            | parts.map(lambda x: Residual(x, ndim=1))
            | st.lists(parts, min_size=2, max_size=2).map(lambda x: Parallel(x, ndim=1))
        ),
        max_leaves=5,
    )


def hourglasses():
    """Down and up again beside a skip."""
    down = st.builds(lambda layer: replace(layer, stride=2), convolutions())
    deep = st.tuples(down, bodies(), st.just(Upsample(2)), convolutions())
    return deep.map(lambda parts: Residual(Chain(parts, 1), ndim=1))


def networks(parts):
    """Two or three parts in a row that see more than one place."""
    return st.lists(parts, min_size=1, max_size=2).map(
        lambda found: Chain([Conv(CHANNELS, CHANNELS, 2), *found], 1)
    )
