"""The energy of networks against its definition: every path, every channel, every variance."""

from fractions import Fraction
from functools import reduce

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from erf_theory.architectures import network_erf
from erf_theory.engines import multinomial
from erf_theory.errors import ErfTheoryError
from erf_theory.lattice import per_axis
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    Chain,
    ChannelShuffle,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Graph,
    Identity,
    MaxPool,
    Pad,
    Parallel,
    Residual,
    Split,
    Upsample,
)
from erf_theory.network.nodes import INPUT, Flat, Node
from erf_theory.propagation.axes import Axes, NoMarginalError
from erf_theory.propagation.backward import energy_program
from erf_theory.propagation.energy import CORRELATED
from erf_theory.propagation.forward import signals
from erf_theory.propagation.notes import Notes
from erf_theory.propagation.walking import Question, is_chain, walk
from erf_theory.testing import networks, units
from tests.unit.propagation.definition import by_place, energy_by_place, on_axes

RELU = Activation("relu")
TAPS = Conv(2, 2, 3, padding=1, init=[1, 2, 5])
OWN = Conv(2, 2, (2, 2), init=[[1, 0], [2, 3]])
BODY = Chain([RELU, Conv(4, 6, 3, padding=1), RELU, Conv(6, 4, 2, padding=((1, 0),))])
CHAINS = {
    "line": Chain([Conv(2, 3, 3, padding=1), Conv(3, 1, 2)], 1),
    "strides": Chain([Conv(1, 2, 3, stride=2, padding=2), Conv(2, 2, 2, stride=3)], 1),
    "dilations": Chain([Conv(1, 1, 3, dilation=3, padding=4), Conv(1, 2, 2, dilation=2)], 1),
    "one-sided": Chain([Conv(1, 1, 3, padding=((0, 2),)), Conv(1, 1, 4, padding="causal")], 1),
    "groups": Chain([Conv(4, 4, 2, groups=4), Conv(4, 6, 3, groups=2)], 1),
    "groups behind": Chain([Conv(4, 6, 3), Conv(6, 4, 2, groups=2)], 1),
    "laws": Chain([Conv(2, 4, 3, init="xavier"), Conv(4, 3, 2, init=2)], 1),
    "taps": Chain([TAPS, TAPS, TAPS], 1),
    "relu": Chain([Conv(2, 3, 3), RELU, Conv(3, 3, 3), RELU], 1),
    "relu first": Chain([RELU, Conv(2, 3, 3)], 1),
    "activation alone": Chain([RELU], 2),
    "dropout": Chain([Conv(1, 2, 3), Dropout(0.5), Dropout(0.75, training=False)], 1),
    "pools": Chain([Conv(1, 2, 3), AvgPool(3, 2, 1), MaxPool(2, 3, ((0, 1),), 2)], 1),
    "pads": Chain([Pad(((3, 1),)), Conv(1, 1, 3), Crop(((0, 2),))], 1),
    "plane": Chain([Conv(2, 3, (3, 2), stride=(1, 2), padding=(2, 0)), Conv(3, 1, 2)], 2),
    "plane of taps": Chain([TAPS, RELU, TAPS], 2),
    "plane of its own": Chain([OWN, RELU, OWN], 2),
    "mixed plane": Chain([TAPS, OWN], 2),
    "volume": Chain([Conv(1, 2, (1, 2, 3), dilation=(1, 3, 1)), Conv(2, 2, 2)], 3),
    "volume of its own": Chain([Conv(1, 1, (2, 2, 2), init=np.arange(8).reshape(2, 2, 2))] * 2),
}
UPS = {
    "nearest": Chain([Conv(1, 2, 3), Upsample(3), Conv(2, 2, 2)], 1),
    "linear": Chain([Conv(1, 2, 3, padding=1), Upsample(2, "linear"), Conv(2, 1, 3)], 1),
    "linear by 3": Chain([Upsample(3, "linear"), Conv(1, 1, 3, stride=2)], 1),
    "transposed": Chain([Conv(1, 3, 3), ConvTranspose(3, 4, 3, stride=2, padding=1)], 1),
    "holes": Chain([ConvTranspose(1, 1, 2, stride=3, dilation=2), Conv(1, 1, 3)], 1),
    "transposed groups": Chain(
        [ConvTranspose(4, 6, 4, stride=2, padding=((2, 1),), groups=2, init=[1, 2, 3, 4])], 1
    ),
    "plane": Chain([Upsample((2, 3)), ConvTranspose(1, 2, (2, 3), stride=(2, 1), init=1)], 2),
    "linear plane": Chain([Conv(1, 1, 2), Upsample(2, "linear")], 2),
    "linear plane by 3": Chain([Upsample(3, "linear")], 2),
}
GRAPHS = {
    "residual": Chain([Conv(3, 4, 3, padding=1), *[Residual(BODY)] * 2], 1),
    "the same convolution": Chain([Residual(TAPS), TAPS, Residual(TAPS), TAPS, TAPS], 1),
    "projection": Residual(Conv(2, 4, 3, stride=2, padding=1), Conv(2, 4, 1, stride=2), 1),
    "added": Parallel([Conv(2, 2, 3), Conv(2, 2, 5), Identity()], "add", 1),
    "concatenated": Chain(
        [
            Parallel([Conv(2, 3, 3), Identity(), Conv(2, 1, 5)], "concat"),
            Conv(6, 4, 2, groups=2),
        ],
        1,
    ),
    "split": Chain(
        [
            Conv(2, 6, 2),
            Parallel([Chain([Split(0, 2), Conv(2, 3, 3)]), Split(1, 4), Split(5, 6)], "concat"),
            Conv(7, 2, 1),
        ],
        1,
    ),
    "shuffled": Chain(
        [
            Parallel([Conv(1, 2, 3), Conv(1, 4, 5)], "concat"),
            ChannelShuffle(3),
            Conv(6, 6, 2, groups=3),
            ChannelShuffle(2),
            Split(1, 5),
        ],
        1,
    ),
    "dense": Graph(
        {
            "a": (Conv(2, 2, 3, padding=1), "input"),
            "b": (Concat(), "a", "input"),
            "c": (Conv(4, 2, 3, padding=1), "b"),
            "d": (Concat(), "c", "b", "a"),
            "e": (Add(), "c", "a"),
            "f": (Concat(), "e", "d"),
        },
        ndim=1,
    ),
    "hourglass": Chain(
        [
            Parallel(
                [
                    Chain([Conv(2, 2, 3, stride=2, padding=1), RELU, Upsample(2, "linear")]),
                    Identity(),
                ],
                "concat",
            ),
            Conv(4, 2, 3, padding=1),
        ],
        1,
    ),
    "plane": Chain([Conv(1, 2, 2), Residual(Conv(2, 2, (3, 1), padding=(1, 0)))], 2),
}
NETWORKS = {**CHAINS, **{f"up: {k}": v for k, v in UPS.items()}, **GRAPHS}


def program_of(network, axes, unit=0, source=INPUT, notes=None):
    question = Question(network, per_axis(unit, network.ndim), source)
    return energy_program(question, signals(network, Notes()), axes, notes or Notes())


def drops_lags(network, unit):
    """Whether there are more lags than are carried along."""
    notes = Notes()
    program_of(network, Axes(network.ndim), unit, notes=notes)(multinomial.impulse(network.ndim))
    return CORRELATED in notes.field


def exactly(network, axes, unit=0, source=INPUT):
    """Every place and value of a map, as fractions."""
    field = program_of(network, axes, unit, source)(multinomial.impulse(len(axes.kept)))
    found = by_place(field.start, field.numerators)
    return {place: Fraction(int(value), int(field.denominator)) for place, value in found.items()}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
@pytest.mark.parametrize("unit", range(-1, 6))
def test_the_energy_is_the_sum_over_all_paths(network, unit):
    found = exactly(network, Axes(network.ndim), unit)
    assert found == energy_by_place(network, unit)


@given(networks(linear=True), st.data())
def test_the_energy_of_any_linear_network_is_the_sum_over_all_paths(network, data):
    unit = data.draw(units(network))
    assume(not drops_lags(network, unit))
    expected = energy_by_place(network, unit)
    if expected:
        assert exactly(network, Axes(network.ndim), unit) == expected
        for axis in range(network.ndim):
            try:
                found = exactly(network, Axes(network.ndim, axis, "marginal"), unit)
            except NoMarginalError:
                continue
            assert found == on_axes(expected, [axis])


WITHOUT_MARGINAL = {"up: linear plane by 3"}


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if network.ndim > 1])
@pytest.mark.parametrize("unit", [0, 1, 2])
def test_a_marginal_is_the_sum_of_the_map(name, unit):
    network = NETWORKS[name]
    whole = energy_by_place(network, unit)
    for axis in range(network.ndim):
        axes = Axes(network.ndim, axis, "marginal")
        if name in WITHOUT_MARGINAL:
            with pytest.raises(NoMarginalError):
                exactly(network, axes, unit)
        else:
            assert exactly(network, axes, unit) == on_axes(whole, [axis])


NOT_SEPARABLE = {"plane of its own", "mixed plane", "volume of its own"}


@pytest.mark.parametrize("name", [name for name, network in NETWORKS.items() if is_chain(network)])
def test_the_map_of_a_chain_is_the_product_of_its_factors(name):
    network = NETWORKS[name]
    ways = [Axes(network.ndim, axis, "factor") for axis in range(network.ndim)]
    if name in NOT_SEPARABLE:
        with pytest.raises(NoMarginalError):
            [exactly(network, axes, 2) for axes in ways]
        return
    lines = [exactly(network, axes, 2) for axes in ways]
    whole = reduce(
        lambda found, line: {p + x: v * w for p, v in found.items() for x, w in line.items()},
        lines,
    )
    assert whole == energy_by_place(network, 2)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_network_erf_is_that_energy(network):
    expected = energy_by_place(network, 3)
    erf = network_erf(network, unit=3)
    start = sum((tuple(factor.start) for factor in erf.factors), ())
    mass = sum(expected.values())
    assert erf.log_mass == pytest.approx(float(np.log(float(mass))), abs=1e-12)
    assert by_place(start, erf.values) == pytest.approx(
        {place: float(value / mass) for place, value in expected.items()}, rel=1e-12
    )
    for axis in range(network.ndim):
        line = network_erf(network, unit=3, ndim=1, axis=axis)
        of_one = {x: float(v / mass) for x, v in on_axes(expected, [axis]).items()}
        assert line.log_mass == pytest.approx(erf.log_mass, abs=1e-12)
        assert by_place(line.factors[0].start, line.values) == pytest.approx(of_one, rel=1e-12)


@pytest.mark.parametrize("name", ["line", "relu", "pools", "up: transposed", "plane", "dense"])
def test_from_layer_to_layer(name):
    network = NETWORKS[name]
    for node in network.nodes[:-1]:
        source = network.place_of(node.name)
        expected = energy_by_place(network, 1, source)
        assert exactly(network, Axes(network.ndim), 1, source) == expected
        erf = network_erf(network, unit=1, source=node.name)
        assert erf.log_mass == pytest.approx(float(np.log(float(sum(expected.values())))), abs=1e-9)


def test_the_energy_of_two_halves_is_that_of_the_whole():
    first, second = CHAINS["strides"], UPS["transposed"]
    whole = Chain([first, Conv(2, 1, 1), second], 1)
    total = {}
    for (middle,), value in energy_by_place(second, 2).items():
        for place, inner in energy_by_place(Chain([first, Conv(2, 1, 1)], 1), middle).items():
            total[place] = total.get(place, 0) + value * inner
    assert exactly(whole, Axes(1), 2) == total


def test_a_source_that_the_output_does_not_see_is_refused():
    beside = Flat((Node("a", Conv(1, 1, 3), (INPUT,)), Node("b", Conv(1, 1, 5), (INPUT,))), 1)
    with pytest.raises(ErfTheoryError, match="the output does not depend on the source"):
        network_erf(beside, source="a")


def test_walk_meets_every_reader_once():
    net, met = GRAPHS["dense"], []

    def rule(row, thing):
        met.extend(net.nodes[place].name for place in row)
        return thing

    paths = walk(Question(net, (0,)), 1, rule, lambda thing, *_: thing, lambda a, b: a + b)
    assert met == ["f", "e", "d", "c", "b", "a"]
    assert paths == 8, "paths from the output to the input"
