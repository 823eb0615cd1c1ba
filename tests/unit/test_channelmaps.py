"""Maps of networks with given weights: borders, choices of channels, one channel on any engine."""

import numpy as np
import pytest

from erf_theory import layer_table, network_erf
from erf_theory.channelmaps import channel_map
from erf_theory.engines import extent
from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    Chain,
    Conv,
    ConvTranspose,
    Crop,
    Graph,
    MaxPool,
    Pad,
    Residual,
    Upsample,
)
from erf_theory.network.geometry import image_sizes
from erf_theory.propagation.axes import Axes
from erf_theory.propagation.perchannel import Channelwise, has_given_weights
from erf_theory.propagation.walking import Question
from tests.unit.propagation.images import conv, jacobian, need_amplitudes, on_image, pairs

C = conv(2, 2, (3,), 1, padding=1)
BARE = conv(2, 2, (3,), 2)
BORDERS = {
    "zeros": Chain([C, C, C], 1),
    "zeros by a pad": Chain([Pad(((2, 1),)), BARE, Pad(1), BARE], 1),
    "reflect": Chain([Pad(((2, 3),), "reflect"), BARE, Pad(2, "reflect"), BARE], 1),
    "replicate": Chain([Pad(((4, 1),), "replicate"), BARE, Pad(1, "replicate"), BARE], 1),
    "circular": Chain([Pad(((2, 2),), "circular"), BARE, Pad(2, "circular"), BARE], 1),
    "mixed": Chain([Pad(3, "circular"), BARE, Pad(1, "reflect"), BARE, Crop(1), C], 1),
    "strides": Chain([conv(2, 3, (3,), 3, stride=2, padding=1), conv(3, 2, (3,), 4, padding=1)], 1),
    "residual": Chain([Residual(C), Residual(Chain([Pad(1, "reflect"), BARE]))], 1),
    "transposed": Chain([C, conv(2, 2, (4,), 5, ConvTranspose, stride=2, padding=1), C], 1),
    "nearest": Chain([C, Upsample(2), C], 1),
    "plane": Chain(
        [Pad(((1, 2), (2, 0)), "reflect"), conv(1, 2, (3, 2), 6), conv(2, 1, (3, 3), 7, padding=1)]
    ),
}
AMPLITUDES_ONLY = {
    "linear": Chain([C, Upsample(3, "linear"), C], 1),
    "average": Chain([Pad(2, "reflect"), AvgPool(3, 2, 1), C], 1),
}


EVERY = {**BORDERS, **AMPLITUDES_ONLY}


@pytest.mark.parametrize("engine", ["dtft", "multinomial", "nonsense"])
def test_several_channels_have_one_engine(engine):
    network = BORDERS["zeros"]
    with pytest.raises(ErfTheoryError, match=f'"auto" or "convolution", not .{engine}'):
        network_erf(network, engine=engine)
    assert np.array_equal(network_erf(network, engine="convolution"), network_erf(network))


def test_pools_behind_gates_are_said():
    bare = Chain([C, MaxPool(2), C], 1)
    gated = Chain([C, Activation("relu"), MaxPool(2), C], 1)
    assert len(network_erf(bare).reasons) == 1
    assert network_erf(gated).reasons[1].endswith("low by a factor of 15/8")


def units(network):
    """An image, and units at both of its ends."""
    shape = (9,) if network.ndim == 1 else (4, 5)
    last = tuple(size - 1 for size in image_sizes(network, shape)[-1])
    return shape, [(0,) * network.ndim, (1,) * network.ndim, last]


@pytest.mark.parametrize("network", EVERY.values(), ids=EVERY)
def test_amplitudes_near_borders_are_the_gradients_on_the_image(network):
    shape, places = units(network)
    for unit in places:
        exact = jacobian(network, shape, unit)
        need_amplitudes(network, shape, unit, exact, image_size=shape)


@pytest.mark.parametrize("network", BORDERS.values(), ids=BORDERS)
def test_energies_near_borders_add_the_squares(network):
    shape, places = units(network)
    for unit in places:
        exact = jacobian(network, shape, unit, power=2)
        for erf, expected in pairs(network, exact, unit=unit, image_size=shape):
            assert on_image(erf, shape) == pytest.approx(expected, rel=1e-10, abs=1e-14)


def test_from_layer_to_layer():
    network = Chain({"a": conv(3, 2, (2,), 8), "b": C, "c": conv(2, 4, (3,), 9)}, 1)
    exact = jacobian(Chain([C, conv(2, 4, (3,), 9)], 1), (12,), (5,))
    for out, inner in np.ndindex(4, 2):
        named = {"channel": out, "input_channel": inner, "unit": 5}
        erf = network_erf(network, kind="amplitude", source="a", **named)
        total = np.sum(np.abs(exact[out, inner]))
        assert on_image(erf, (12,)) == pytest.approx(exact[out, inner] / total, abs=1e-13)


def test_weights_are_given_if_one_layer_has_them():
    assert has_given_weights(Chain([Conv(2, 2, 3), C], 1))
    assert not has_given_weights(Chain([Conv(2, 2, 3), Activation("relu")], 1))


def test_weights_that_a_layer_does_not_depend_on_change_nothing():
    random = Chain({"a": Conv(2, 2, 3, padding=1), "gate": Activation("relu")}, 1)
    parts = {"fixed": (C, "input"), "random": (random, "input"), "sum": (Add(), "random", "fixed")}
    net = Graph(parts, ndim=1)
    assert [node.name for node in net.nodes] == ["fixed", "random.a", "random.gate", "sum"]
    assert has_given_weights(net)
    assert not has_given_weights(net.until("random.gate"))
    found, alone = network_erf(net, layer="random.gate"), network_erf(random)
    assert (found.exactness, found.log_mass) == ("exact", alone.log_mass)
    assert layer_table(net).rows[2].is_exact
    assert network_erf(net).exactness == "approximate"


ONE = Chain([Conv(1, 1, 3, weights=[[[1.0, -2.0, 5.0]]]), AvgPool(2), Activation("identity")])


def test_networks_of_one_channel_run_on_every_engine():
    deep = Chain([conv(1, 1, (3,), seed) for seed in range(6)], 1)
    exact = jacobian(deep, (20,), (3,))[0, 0]
    for engine in ("convolution", "dtft", "multinomial", "balls"):
        erf = network_erf(deep, kind="amplitude", unit=3, engine=engine)
        found = on_image(erf, (20,))
        assert found == pytest.approx(exact / np.sum(np.abs(exact)), abs=1e-13)
        assert erf.factors[0].shares.engine == engine


def test_the_error_of_a_map_with_signs_is_that_of_its_largest_terms():
    one = conv(2, 2, (3,), 11)
    erf = network_erf(Chain([one] * 9, 1), kind="amplitude", channel=0, input_channel=1)
    exact = np.array([[[1.0]], [[0.0]]])
    weights = one.given_weights.astype(np.longdouble)
    for _ in range(9):
        rows = [sum(np.convolve(exact[o, 0], weights[o, i]) for o in range(2)) for i in range(2)]
        exact = np.array(rows)[:, None, :]
    expected = exact[1, 0] / np.sum(np.abs(exact[1, 0]))
    shares = erf.factors[0].shares
    off = np.max(np.abs(erf.values - expected.astype(float)))
    assert off <= shares.error
    assert shares.error < 1e-12


@pytest.mark.parametrize(
    ("network", "named", "message"),
    [
        (Chain([C], 1), {"channel": 2, "input_channel": 0}, "channel is one of 0 to 1, not 2"),
        (Chain([C], 1), {"channel": 0, "input_channel": -1}, "input_channel is 0 or more"),
        (Chain([C], 1), {"channel": 1.5}, "the channel is a whole number, not 1.5"),
        (Chain([C], 1), {"kind": "amplitude"}, "give channel and input_channel"),
        (Chain([C], 1), {"kind": "amplitude", "channel": 0}, "give channel and input_channel"),
        (ONE, {"channel": 1}, "channel is one of 0 to 0, not 1"),
        (Chain([Conv(2, 2, 3)], 1), {"channel": 0}, "channels are all alike"),
        (
            Chain([Conv(1, 2, 1, weights=np.zeros((2, 1, 1)))], 1),
            {"channel": 0},
            "the map is 0 everywhere",
        ),
    ],
)
def test_questions_that_make_no_sense_are_refused(network, named, message):
    with pytest.raises(ErfTheoryError, match=message):
        _ = network_erf(network, **named).values


def test_what_would_not_fit_is_refused_before_any_work():
    wide = Chain([conv(64, 64, (1, 1), 3, dilation=1), *[conv(64, 64, (3, 3), 4, stride=2)] * 12])
    with pytest.raises(MapTooLargeError):
        channel_map(Channelwise(Question(wide, (0, 0)), "energy"), Axes(2))


def test_wide_layers_behind_strides_need_the_memory_of_their_own_places(monkeypatch):
    """The map has 52² samples; the 512 channels have 13² places, and 4 doubles for each."""
    network = Chain(
        [conv(1, 2, (4, 4), 1, stride=4), conv(2, 512, (13, 13), 2), conv(512, 1, (1, 1), 3)]
    )
    asked = Channelwise(Question(network, (0, 0)), "energy")
    for places, refused in ((13**2 - 1, True), (13**2 + 1, False)):
        monkeypatch.setattr(extent, "physical_memory", lambda n=places: 8 * 4 * 512 * n)
        if refused:
            with pytest.raises(MapTooLargeError, match=r"a map of 2\.70e\+3 samples"):
                channel_map(asked, Axes(2))
        else:
            assert channel_map(asked, Axes(2)).shares.values.shape == (52, 52)


def test_squares_that_no_double_holds_are_refused_by_the_name_of_their_node():
    network = Chain({"wide": Conv(1, 2, 3, weights=np.full((2, 1, 3), 1e200))}, ndim=1)
    with pytest.raises(ErfTheoryError, match="node wide: squares of weights are above"):
        network_erf(network)
