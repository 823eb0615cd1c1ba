"""The signal near borders against matrices: E x² and E σ'² at every place of an image."""

import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.activations import nonlinearity
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    Chain,
    Conv,
    Crop,
    Dropout,
    Graph,
    Identity,
    MaxPool,
    Norm,
    Pad,
    Residual,
)
from erf_theory.propagation.local import gate_map, is_local, local_seconds, varies

TANH, RELU = Activation("tanh"), Activation("relu")


def spread(size, padding, variances, stride=1):
    """What a convolution does to E x² on a line, as a matrix: zeros beyond the border."""
    count = (size + sum(padding) - len(variances)) // stride + 1
    matrix = np.zeros((count, size))
    for row in range(count):
        for tap, variance in enumerate(variances):
            place = stride * row + tap - padding[0]
            if 0 <= place < size:
                matrix[row, place] += variance
    return matrix


def test_convolutions_lose_what_lies_beyond_the_border():
    layers = [
        Conv(3, 2, 3, padding=((2, 1),), init=[1, 2, 4], bias_variance=0.25),
        Conv(2, 4, 3, stride=2, padding=1, groups=2, init=[0.5, 1, 0.5]),
        Identity(),
    ]
    _, second, last = local_seconds(Chain(layers, 1), (6,))
    first = 3 * spread(6, (2, 1), [1, 2, 4]) @ np.ones(6) + 0.25
    assert second == pytest.approx(first)
    assert last == pytest.approx(spread(7, (1, 1), [0.5, 1, 0.5], 2) @ first)


def test_a_plane_is_the_product_of_its_lines_before_any_activation():
    conv = Conv(1, 1, 3, padding=1, init=[1, 2, 3])
    (_, found) = local_seconds(Chain([conv, TANH], 2), (4, 5))
    lines = [spread(n, (1, 1), [1, 2, 3]) @ np.ones(n) for n in (4, 5)]
    assert found == pytest.approx(np.multiply.outer(*lines))


def test_activations_pads_crops_and_dropouts():
    conv = Conv(1, 1, 3, padding=1, init=1)
    layers = [conv, TANH, Dropout(0.5), Pad(((1, 2),)), Crop(((0, 1),)), conv, TANH]
    found = local_seconds(Chain(layers, 1), (5,))
    second = TANH.nonlinearity.second_moment
    passed = [second(2.0).value] + [second(3.0).value] * 3 + [second(2.0).value]
    assert found[2] == pytest.approx(passed)
    padded = np.array([0, *(2 * value for value in passed), 0])
    assert found[5] == pytest.approx(padded)
    assert found[6] == pytest.approx(spread(7, (1, 1), [1, 1, 1]) @ padded)


def test_independent_branches_add():
    conv = Conv(1, 1, 3, padding=1, init=1)
    (*_, found) = local_seconds(Chain([Residual(conv), Identity()], 1), (4,))
    assert found == pytest.approx([3, 4, 4, 3])


def test_gates_are_those_of_every_place():
    seconds = np.array([[0.5, 1.0], [1.0 + 1e-15, 8.0]])
    tanh = TANH.nonlinearity
    expected = [[tanh.slope_second_moment(q).value for q in row] for row in seconds]
    assert gate_map(tanh, seconds) == pytest.approx(np.array(expected), rel=1e-12)


def test_gates_that_do_not_vary():
    assert varies(TANH.nonlinearity, 1.0)
    for name in ("relu", "identity", "abs", "leaky_relu(0.3)"):
        assert not varies(nonlinearity(name), 1.0)


@pytest.mark.parametrize(
    ("layers", "known"),
    [
        ([Conv(2, 2, 3), TANH, Residual(RELU), Pad(1), Crop(1), Dropout(0.1)], True),
        ([Conv(2, 2, 3), Norm()], False),
        ([MaxPool(2)], False),
        ([AvgPool(2)], False),
        ([Pad(1, "reflect")], False),
    ],
)
def test_where_the_signal_is_known_place_by_place(layers, known):
    assert is_local(Chain(layers, 1)) is known


def conv(**more):
    return Conv(4, 4, 3, padding=1, init=1 / 4, **more)


def test_the_energy_near_a_border_is_a_product_of_matrices():
    size, unit = 9, 1
    erf = network_erf(Chain([conv(), TANH, conv(), TANH, conv()], 1), image_size=size, unit=unit)
    matrix, tanh = spread(size, (1, 1), [1 / 4] * 3), TANH.nonlinearity
    first = 4 * matrix @ np.ones(size)
    second = 4 * matrix @ np.array([tanh.second_moment(q).value for q in first])
    gates = [np.diag([tanh.slope_second_moment(q).value for q in qs]) for qs in (first, second)]
    field = np.eye(size)[unit] / 4
    for step in (matrix, gates[1], matrix, gates[0], matrix):
        field = field @ step * (4 if step is matrix else 1)
    assert erf.exactness == "exact"
    assert erf.factors[0].start == (0,)
    assert erf.mass * erf.values == pytest.approx(field, rel=1e-9)


def test_blocks_that_differ_by_their_gates_are_not_taken_for_equal():
    body = Chain([TANH, conv()])
    net = Chain([conv(), *[Residual(body)] * 3, TANH, TANH], 1)
    names = [node.name for node in net.nodes]
    assert len(names) == 12
    erf = network_erf(net, image_size=7, unit=2)
    seconds = local_seconds(net, (7,))
    field = np.eye(7)[2] / 4
    matrix = 4 * spread(7, (1, 1), [1 / 4] * 3)
    for place in reversed(range(len(names))):
        layer = net.nodes[place].layer
        if isinstance(layer, Add):
            body_field = field @ matrix * gate_map(TANH.nonlinearity, seconds[place - 2])
            field = field + body_field
        elif isinstance(layer, Activation) and place > 9:
            field = field * gate_map(TANH.nonlinearity, seconds[place])
    field = field @ matrix
    assert erf.mass * erf.values == pytest.approx(field, rel=1e-9)


def test_a_profile_near_a_border_is_the_sum_of_the_map():
    net = Graph({"a": (conv(), "input"), "b": (TANH, "a"), "c": (conv(), "b")}, ndim=2)
    whole = network_erf(net, image_size=(5, 7), unit=(0, 3))
    for axis in (0, 1):
        line = network_erf(net, image_size=(5, 7), unit=(0, 3), ndim=1, axis=axis)
        assert line.values == pytest.approx(whole.values.sum(axis=1 - axis))
        assert line.mass == pytest.approx(whole.mass)


def test_samples_that_are_not_normal_near_a_border_make_it_approximate():
    twice = network_erf(Chain([conv(), TANH, TANH, conv()], 1), image_size=9, unit=4)
    assert "samples before an activation are taken as normal" in " ".join(twice.reasons)
    halves = Chain([conv(), TANH, Residual(TANH), conv(), TANH, conv()], 1)
    reasons = " ".join(network_erf(halves, image_size=9, unit=4).reasons)
    assert "branches without weights" in reasons
    assert "samples before an activation are taken as normal" in reasons


def test_gates_along_a_shortcut_near_a_border_make_it_approximate():
    wide = Conv(16, 16, 3, padding=1)
    block = Chain([Residual(wide), Activation("relu")], 1)
    network = Chain([wide, Activation("relu"), block, wide], 1)
    assert network_erf(network).exactness == "exact"
    assert "near a border the signal" in network_erf(network, image_size=9, unit=4).reasons[0]
