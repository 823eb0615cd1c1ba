"""Gates of one unit against integrals over what it meets."""

import numpy as np
import pytest
from scipy.integrate import dblquad, quad
from scipy.stats import norm

from erf_theory import network_erf
from erf_theory.activations import nonlinearity
from erf_theory.network import (
    Activation,
    Chain,
    Conv,
    Crop,
    Dropout,
    Identity,
    MaxPool,
    Norm,
    Pad,
    Parallel,
    Residual,
    Split,
)
from erf_theory.network.nodes import INPUT
from erf_theory.propagation.forward import signals
from erf_theory.propagation.gates import Labelled, Runs, opened
from erf_theory.propagation.laws import law_of
from erf_theory.propagation.notes import GATES, Notes
from erf_theory.propagation.signal import Signal, normal
from erf_theory.propagation.tabled import tabled_normal

UNIT = tabled_normal(1.0)
RELU, BATCH = Activation("relu"), Norm(eps=0)
BOTH = quad(lambda z: norm.pdf(z) * norm.cdf(z), 0, 12)[0]
ALL = dblquad(
    lambda w, z: norm.pdf(z) * norm.pdf(w) * norm.cdf(z + w), 0, 9, lambda z: -z, lambda _: 9
)[0]


BRANCH = [Residual(Chain([Conv(8, 8, 1), RELU])), RELU, Conv(8, 8, 1)]


def branch(dilation):
    """Taps far from the middle, so that every path ends at a place of its own."""
    return Chain(
        [Conv(8, 8, 3, dilation=dilation, padding=dilation, init=[1, 0, 1]), BATCH], ndim=1
    )


NETWORK = Chain(
    {
        "stem": Conv(8, 8, 1, init=1 / 8),
        "first": RELU,
        "near": Chain([Residual(branch(1)), RELU]),
        "far": Chain([Residual(branch(10)), RELU]),
    },
    ndim=1,
)


def test_relus_in_a_row():
    one, two, three = opened(UNIT, (RELU.nonlinearity,) * 3, (UNIT, UNIT), (1, 1, 1))
    assert one == pytest.approx(0.5, rel=1e-9)
    assert two == pytest.approx(BOTH, rel=1e-4)
    assert three == pytest.approx(ALL, rel=1e-4)
    assert pytest.approx(3 / 8) == BOTH


def test_a_smooth_gate_behind_another():
    tanh = nonlinearity("tanh")
    _, two = opened(tabled_normal(2.0), (tanh, tanh), (tabled_normal(0.5),), (1, 1))

    def given(z):
        square = quad(lambda w: norm.pdf(w) * np.cosh(np.tanh(z) + 0.5**0.5 * w) ** -4, -9, 9)[0]
        return norm.pdf(z, scale=2**0.5) * np.cosh(z) ** -4 * square

    assert two == pytest.approx(quad(given, -12, 12)[0], rel=1e-3)


def test_a_gate_that_is_never_open_leaves_nothing():
    closed = nonlinearity(lambda z: 0 * z, lambda z: 0 * z)
    relu = RELU.nonlinearity
    assert opened(UNIT, (closed, relu, relu), (UNIT, UNIT), (1, 1, 1)) == (0, 0, 0)


def test_the_energy_along_the_shortcut_meets_the_gates_of_one_unit():
    energy = network_erf(NETWORK, source="stem")
    start = energy.factors[0].start[0]
    found = {start + i: value * energy.mass for i, value in enumerate(energy.values)}
    variance_first = 1 / 2 - 1 / (2 * np.pi)
    walk = Chain([*NETWORK.parts[:3], Conv(8, 8, 1)], 1)
    second = signals(walk, Notes())[-1].parts[0][2]
    last = quad(lambda w: norm.pdf(w) * (norm.cdf(w) if w > 0 else 0.5), -9, 9)[0]
    open_last = 0.5 * last + quad(lambda z: norm.pdf(z) * walked(z), 0, 9)[0]
    assert found[0] == pytest.approx(ALL / 8, rel=1e-3)
    assert found[10] == pytest.approx(open_last * BOTH / (2 * second.variance) / 8, rel=1e-3)
    joint = joint_of_the_last_two()
    assert found[1] == pytest.approx(joint * 0.5 / (2 * variance_first) / 8, rel=1e-3)


def walked(x):
    """The chance that x + w + w' stays above 0 where relu(x + w) + w' does."""
    inner = quad(lambda w: norm.pdf(w) * norm.cdf(x + w), -x, 9)[0]
    return inner + norm.cdf(-x) / 2


def joint_of_the_last_two():
    """Both later gates of a unit open, whatever the first one was."""
    above = quad(lambda z: norm.pdf(z) * quad(both_from(z), -z, 9)[0], 0, 9)[0]
    return above + 0.5 * quad(both_from(0.0), 0, 9)[0]


def both_from(x):
    """Density of w with x + w above 0, and x + w + w' too."""
    return lambda w: norm.pdf(w) * norm.cdf(x + w)


def runs(network, source=INPUT):
    return Runs.of(network, signals(network, Notes()), source)


def test_runs_are_the_gates_that_shortcuts_join():
    names = [node.name for node in NETWORK.nodes]
    run = runs(NETWORK)
    first, near, far = (names.index(name) for name in ("first", "near.1", "far.1"))
    assert run.following == {first: near, near: far}
    assert run.links == {names.index("near.0.add"), names.index("far.0.add")}
    assert list(run.gates[first].values()) == pytest.approx([0.5, BOTH, ALL], rel=1e-3)
    assert run.ratio(far, far) == run.ratio(first, None) == 1
    assert run.ratio(first, near) == pytest.approx(BOTH / (0.5 * run.gates[near][near]), rel=1e-3)


def test_a_shortcut_that_only_moves_samples_joins_gates_too():
    """Convolutions without padding beside a crop are those with padding beside nothing."""
    body = Chain([Conv(8, 8, 3), BATCH])
    start = [Conv(8, 8, 1), BATCH, RELU]
    padded = Residual(Chain([Conv(8, 8, 3, padding=1), BATCH]))
    expected = network_erf(Chain([*start, padded, RELU, padded, RELU], 1))
    crops = Crop(1), Chain([Identity(), Crop(1), Dropout(0)]), Chain([Pad(2), Crop(3)])
    for beside in crops:
        cropped = Residual(body, beside)
        erf = network_erf(Chain([*start, cropped, RELU, cropped, RELU], 1))
        assert erf.values == pytest.approx(expected.values, rel=1e-12)
        assert erf.mass == pytest.approx(expected.mass, rel=1e-12)
        assert erf.exactness == "exact"


SPLIT = Parallel([Split(0, 3), Split(3, 8)], "concat")


@pytest.mark.parametrize(
    ("layers", "names"),
    [
        ([BATCH, RELU, MaxPool(2), RELU], {"3"}),
        ([BATCH, RELU, BATCH, RELU], {"3"}),
        ([BATCH, RELU, MaxPool(2), Residual(branch(1)), RELU], set()),
        ([BATCH, RELU, MaxPool(2), MaxPool(2), Residual(branch(1)), RELU], {"5"}),
        ([RELU, MaxPool(2), Residual(branch(1)), RELU], set()),
        ([RELU, Conv(8, 8, 1), RELU, MaxPool(2), Residual(branch(1)), RELU], {"5"}),
        ([BATCH, RELU, Residual(branch(1)), RELU], set()),
        ([BATCH, MaxPool(2), RELU, Conv(8, 8, 1), RELU], set()),
        ([BATCH, RELU, Residual(branch(1), SPLIT), RELU], {"3"}),
    ],
)
def test_gates_that_meet_samples_of_others_outside_of_runs_are_said(layers, names):
    network = Chain([*layers, Conv(8, 8, 1)], 1)
    assert {network.nodes[place].name for place in runs(network).loose} == names
    found = [text for text in network_erf(network).reasons if text.startswith(GATES)]
    assert bool(found) == bool(names)
    for name in names:
        assert not runs(network, network.place_of(name) - 1).loose


def test_other_networks_have_no_runs():
    plain = Chain([Conv(8, 8, 1), RELU, Conv(8, 8, 1), RELU], 1)
    before = Chain([Conv(8, 8, 1), Residual(Chain([BATCH, RELU, Conv(8, 8, 1)])), BATCH, RELU], 1)
    for network in (plain, before):
        assert not runs(network).following


def factors(network):
    """Energy by the input, place by place."""
    energy = network_erf(network)
    start = energy.factors[0].start[0]
    return {start + i: value * energy.mass for i, value in enumerate(energy.values)}


def test_a_rectified_branch_meets_the_gate_behind_the_sum_with_its_own():
    body = Chain([Conv(8, 8, 3, padding=1, init=[1 / 8, 0, 1 / 8]), RELU])
    shortcut = Conv(8, 8, 1, init=1 / 8)
    found = network_erf(Chain([Residual(body, shortcut), RELU], 1))
    assert found.exactness == "exact"
    both = 1 / 4 + quad(lambda z: norm.pdf(z) * (norm.cdf(z * 2**0.5) - 0.5), 0, 9)[0]
    either = 1 / 4 + both
    assert found.values * found.mass * 8 == pytest.approx([both, either, both], rel=2e-4)


def test_without_norms_gates_meet_what_all_images_share_too():
    stem, body = Conv(8, 8, 1, init=1 / 8), Conv(8, 8, 3, padding=1, init=[1 / 8, 0, 1 / 8])
    network = Chain([stem, RELU, Residual(body), RELU, Residual(Conv(8, 8, 1)), RELU], 1)
    assert network_erf(network).exactness == "exact"
    second = signals(network, Notes())[network.place_of("3")].parts[0][2]
    assert second.shared > second.mean**2 + 0.1
    assert second.second == pytest.approx(1 / 2 + 1, rel=1e-4)
    first = network_erf(Chain(network.parts[:4], 1))
    assert first.values[1] * first.mass == pytest.approx(BOTH / 8, rel=1e-4)


def test_the_winner_of_a_pool_is_one_gate_with_its_relu():
    body = Conv(8, 8, 3, padding=1, init=[1 / 8, 0, 1 / 8])
    network = Chain([Conv(8, 8, 1, init=1 / 8), BATCH, RELU, MaxPool(2), Residual(body), RELU], 1)
    places = network.place_of("2"), network.place_of("3")
    run = runs(network)
    assert places[1] in run.links
    spread = 2 * quad(lambda x: 2 * norm.pdf(x) * norm.cdf(x) * x**2, 0, 9)[0]
    joint = quad(lambda x: 2 * norm.pdf(x) * norm.cdf(x) * norm.cdf(x / spread**0.5), 0, 9)[0]
    assert list(run.gates[places[0]].values()) == pytest.approx([3 / 4, joint], rel=1e-2)
    found = factors(network)
    assert network_erf(network).exactness == "exact"
    assert found[0] + found[1] == pytest.approx(joint / 8, rel=1e-2)


@pytest.mark.parametrize(
    "layers",
    [
        [RELU, Residual(Chain([BATCH, RELU, Conv(8, 8, 1)])), Conv(8, 8, 1)],
        [RELU, Norm("layer"), RELU],
        [RELU, Residual(Conv(8, 8, 1)), Norm("layer"), RELU],
        [RELU, Residual(Conv(8, 8, 1)), Residual(Chain([RELU, Conv(8, 8, 1)])), RELU],
        [RELU, Residual(Conv(8, 8, 1)), RELU, Parallel([Chain(BRANCH), Chain(BRANCH)]), RELU],
    ],
)
def test_gates_that_no_run_joins_are_noted(layers):
    found = network_erf(Chain([Conv(8, 8, 1), *layers], 1))
    assert any("gates that one unit meets in a row" in reason for reason in found.reasons)


def test_a_normal_part_in_all_its_law():
    assert law_of(Signal(2.0)) is None
    law = law_of(normal(2.0, 0.5))
    assert law.expect(np.square) == pytest.approx(2, rel=1e-3)
    assert law_of(Signal(3.0, law=law)) is law


def test_a_pool_behind_a_run_chooses_among_all_samples():
    """The largest of two y = relu(x) + w: it beats one whose first gate may be closed."""
    relu = RELU.nonlinearity

    def below(y):
        return norm.cdf(y) / 2 + quad(lambda x: norm.pdf(x) * norm.cdf(y - x), 0, 9)[0]

    def density(y):
        return quad(lambda x: norm.pdf(x) * norm.pdf(y - x), 0, 9)[0]

    found = opened(UNIT, (relu, relu), (UNIT,), (1, 2))
    expected = quad(lambda y: 2 * density(y) * below(y), 0, 12)[0]
    assert found[1] == pytest.approx(expected, rel=1e-4)
    network = Chain([Conv(8, 8, 1), BATCH, RELU, Residual(branch(3)), RELU, MaxPool(2)], 1)
    assert runs(network).pooled == {6}
    assert network_erf(network).exactness == "exact"
    energies = factors(network)
    assert [8 * energies[0], 8 * energies[1]] == pytest.approx([expected / 2] * 2, rel=1e-4)


def test_a_pool_between_two_runs_chooses_among_all_samples():
    rng = np.random.default_rng(0)
    relu = RELU.nonlinearity
    x, w = rng.standard_normal((2, 2, 2_000_000))
    y = np.maximum(x, 0) + w
    winner = np.argmax(y, axis=0)[None]
    first, second = (np.take_along_axis(z, winner, 0)[0] for z in (x, y))
    last = np.maximum(second, 0) + rng.standard_normal(x.shape[1])
    expected = np.mean((first > 0) & (second > 0) & (last > 0))
    found = opened(UNIT, (relu,) * 3, (UNIT, UNIT), (1, 2, 1))
    assert found[2] == pytest.approx(expected, rel=3e-3)


def test_labels():
    def join(a, b):
        return a + b

    fields = Labelled({None: 1, 7: 2})
    assert fields.total(join) == 3
    assert fields.relabelled(5, join).parts == {7: 2, 5: 1}
    assert fields.relabelled(7, join).parts == {7: 3}
    assert fields.joined(Labelled({7: 5, 9: 1}), join).parts == {None: 1, 7: 7, 9: 1}
    assert fields.each(lambda x: 10 * x).parts == {None: 10, 7: 20}
