"""Energies of networks with linear rows against their definition, also from within a row."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory import network_erf
from erf_theory.network import Activation, Chain, Dropout, Identity, Norm, Parallel, Residual, Scale
from erf_theory.network.nodes import INPUT
from erf_theory.propagation.statistics import gates
from tests.unit.propagation.images import conv
from tests.unit.propagation.rows import energies

WIDTH = st.integers(1, 3)
SEED = st.integers(0, 99)


@st.composite
def windows(draw, inner, outer, ndim, *, same=False):
    """A convolution; one that keeps places is of 1 or 3 taps."""
    size = draw(st.tuples(*[st.sampled_from([1, 3] if same else [1, 2, 3])] * ndim))
    more = {"padding": tuple(k // 2 for k in size)}
    if not same:
        few = st.tuples(*[st.integers(1, 2)] * ndim)
        more = {"stride": draw(few), "dilation": draw(few), "padding": draw(few)}
    if inner == outer and draw(st.integers(0, 4)) == 0:
        more["groups"] = inner
    return conv(inner, outer, size, draw(SEED), **more)


@st.composite
def points(draw, width):
    """What leaves places alone."""
    numbers = np.random.default_rng(draw(SEED)).standard_normal((3, width))
    variance = np.abs(numbers[2]) + 0.1
    norm = Norm(scale=numbers[0], shift=numbers[1], mean=np.zeros(width), variance=variance)
    plain = [Scale(numbers[0]), Activation("relu"), Dropout(0.5, training=False), Identity()]
    return draw(st.sampled_from([norm, norm, *plain]))


@st.composite
def blocks(draw, width, ndim, depth=1):
    """A part that keeps places and channels."""
    inside, parts = width, []
    for _ in range(draw(st.integers(1, 2))):
        parts.append(draw(windows(inside, inside := draw(WIDTH), ndim, same=True)))
        parts.append(draw(points(inside)))
    parts.append(draw(windows(inside, width, ndim, same=True)))
    if depth:
        parts.append(draw(blocks(width, ndim, depth - 1)))
    part = Chain(parts)
    kind = draw(st.sampled_from(["row", "skip", "beside"]))
    if kind == "row":
        return part
    return Residual(part) if kind == "skip" else Parallel([part, draw(points(width))])


@st.composite
def networks(draw):
    ndim = draw(st.sampled_from([1, 1, 2, 3]))
    width, parts = draw(WIDTH), []
    for _ in range(draw(st.integers(2, 3))):
        parts.append(draw(windows(width, width := draw(WIDTH), ndim)))
        parts.append(draw(points(width) | blocks(width, ndim, depth=int(ndim < 3))))
    return Chain(parts, ndim)


@given(networks(), st.data())
def test_energies_from_every_node_are_those_of_the_definition(network, data):
    counts = (*network.channels[:-1], network.in_channels)
    source = data.draw(st.integers(-1, len(network.nodes) - 2))
    channel = data.draw(st.none() | st.integers(0, network.out_channels - 1))
    inner = data.draw(st.none() | st.integers(0, counts[source] - 1))
    found = energies(network, gates(network), source, channel)
    exact = {at: e.mean() if inner is None else e[inner] for at, e in found.items()}
    total = sum(exact.values())
    assume(total)
    named = {} if source == INPUT else {"source": network.nodes[source].name}
    erf = network_erf(network, channel=channel, input_channel=inner, **named)
    root = network_erf(network, kind="rms", channel=channel, input_channel=inner, **named)
    start = sum((tuple(factor.start) for factor in erf.factors), ())
    expected = np.zeros(erf.shape)
    for at, energy in exact.items():
        expected[tuple(a - b for a, b in zip(at, start, strict=True))] = energy / total
    assert erf.log_mass == pytest.approx(np.log(total), abs=1e-9)
    assert erf.values == pytest.approx(expected, abs=1e-12)
    roots = np.sqrt(expected)
    assert root.values == pytest.approx(roots / roots.sum(), abs=1e-6)
