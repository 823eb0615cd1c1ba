import copy
import json
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.activations import nonlinearity
from erf_theory.errors import ErfTheoryError
from erf_theory.network import (
    Activation,
    Chain,
    Conv,
    Graph,
    Layer,
    Network,
    Norm,
    Parallel,
    Residual,
    from_dict,
    load,
    receptive_field,
    save,
    to_dict,
)
from erf_theory.network.files import FORMAT
from tests.unit.network.drawn import NETWORKS


def through_json(network, **options):
    return from_dict(json.loads(json.dumps(to_dict(network, **options), allow_nan=False)))


def taps(network):
    """Types and values of all variances, exactly."""
    layers = (node.layer for node in network.nodes)
    kernels = (layer.variances(2) for layer in layers if hasattr(layer, "variances"))
    return [[repr(tap) for tap in kernel.taps.flat] for kernel in kernels]


@given(NETWORKS)
def test_networks_come_back_as_they_were(network):
    back = through_json(network)
    assert back == network
    assert repr(back) == repr(network)
    assert back.nodes == network.nodes
    assert taps(back) == taps(network)


def test_a_file_is_short_and_says_where_it_is_from(tmp_path):
    path = tmp_path / "net.json"
    net = Chain({"a": Conv(3, 4, (1, 3), init=Fraction(1, 3)), "b": Residual(Activation("relu"))})
    save(net, path)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["format"] == FORMAT
    assert record["package"].startswith("erf_theory ")
    conv = {"type": "Conv", "in_channels": 3, "out_channels": 4, "size": [1, 3]}
    assert record["network"] == {
        "type": "Chain",
        "parts": [
            {**conv, "init": {"fraction": "1/3"}},
            {"type": "Residual", "body": {"type": "Activation", "function": "relu"}},
        ],
        "names": ["a", "b"],
    }
    assert load(path) == net


def test_a_file_written_by_hand(tmp_path):
    path = tmp_path / "net.json"
    conv = '{"type": "Conv", "in_channels": 1, "out_channels": 1, "size": 3, "padding": [[2, 0]]}'
    path.write_text(
        f'{{"format": "{FORMAT}", "network": {{"type": "Graph", "ndim": 1, "parts": ['
        f'["a", {conv}, "input"], ["b", {{"type": "Add"}}, "a", "input"]]}}}}',
        encoding="utf-8",
    )
    assert receptive_field(load(path)).output.size == (3,)


def test_arrays_are_written_only_if_they_are_asked_for():
    weights = np.random.default_rng(0).standard_normal((2, 3, 3))
    net = Chain([Conv(3, 2, 3, weights=weights, bias=[0.1, 0.2]), Norm(scale=[1, 2])], ndim=1)
    with pytest.raises(ErfTheoryError, match=r"weights of Conv.*<2×3×3 numbers>.*arrays=True"):
        to_dict(net)
    conv, norm = (node.layer for node in through_json(net, arrays=True).nodes)
    assert np.array_equal(conv.weights.array, weights)
    assert np.array_equal(conv.bias.array, [0.1, 0.2])
    assert np.array_equal(norm.scale.array, [1, 2])


class Strange(Layer):
    def out_of(self, *channels):
        return channels[0]


@pytest.mark.parametrize(
    ("layer", "text"),
    [
        (Strange(), "type Strange is not of this package"),
        (Activation(nonlinearity(np.tanh, np.cosh)), "tanh is a function of its own"),
        (Activation(nonlinearity(np.cbrt)), "cbrt is a function of its own"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(layer, text):
    with pytest.raises(ErfTheoryError, match=text):
        to_dict(Chain([layer]))


def test_a_named_activation_given_as_an_object_is_its_name():
    net = Chain([Activation(nonlinearity("celu(0.5)"))])
    assert through_json(net).nodes[0].layer == Activation("celu(0.5)")


CONV = {"type": "Conv", "in_channels": 2, "out_channels": 2, "size": 3}


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (None, "network: a layer or network is an object with a type: None"),
        ({"type": "Swin"}, "network: there is no type 'Swin'"),
        (CONV, "a layer alone is no network"),
        ({"type": "Chain"}, "network: Chain needs 'parts'"),
        ({"type": "Chain", "parts": {}}, "parts: this is no list"),
        ({"type": "Chain", "parts": []}, "at least one layer"),
        ({"type": "Chain", "parts": [CONV], "branches": []}, "Chain has no 'branches'"),
        ({"type": "Chain", "parts": [CONV], "ndim": 1.0}, "ndim is a whole number, not 1.0"),
        ({"type": "Chain", "parts": [CONV], "ndim": True}, "ndim is a whole number, not True"),
        ({"type": "Chain", "parts": [CONV, CONV], "names": ["a", "a"]}, "one name of its own"),
        (
            {"type": "Chain", "parts": [CONV, {"type": "Conv", "in_channels": 2}]},
            r"network.parts\[1\]: Conv needs 'out_channels'",
        ),
        ({"type": "Chain", "parts": [{**CONV, "stide": 2}]}, "Conv has no 'stide'"),
        ({"type": "Chain", "parts": [{**CONV, "size": 3.0}]}, "size of Conv is a whole number"),
        ({"type": "Chain", "parts": [{**CONV, "size": True}]}, "the size of Conv is not True"),
        ({"type": "Chain", "parts": [{**CONV, "padding": [[1, 2, 3]]}]}, "a pair for every axis"),
        ({"type": "Chain", "parts": [{**CONV, "init": {"law": 1}}]}, "no value of a layer"),
        (
            {"type": "Chain", "parts": [{**CONV, "init": [1e300, 1, 1]}]},
            "node 0: taps must be finite",
        ),
        (
            {"type": "Chain", "parts": [{**CONV, "init": {"fraction": "1/0"}}]},
            "this is no Conv",
        ),
        (
            {"type": "Chain", "parts": [{**CONV, "weights": {"array": [[1], [1, 2]]}}]},
            "this is no Conv",
        ),
        ({"type": "Chain", "parts": [{"type": "Activation", "function": 5}]}, "5 is no activation"),
        ({"type": "Chain", "parts": [{"type": "Dropout", "training": "no"}]}, "is not 'no'"),
        ({"type": "Chain", "parts": [{"type": "Crop", "ends": [[1]]}]}, "a pair for every axis"),
        (
            {"type": "Chain", "parts": [CONV, {**CONV, "in_channels": 3}]},
            "node 1: a convolution with in_channels=3 is given 2",
        ),
        ({"type": "Parallel", "branches": [CONV, CONV], "merge": ["add"]}, "no Parallel"),
        ({"type": "Residual", "body": CONV, "shortcut": 3}, "network.shortcut: a layer or"),
        ({"type": "Graph", "parts": [["a", CONV]]}, "node a: give its layer, then the names"),
        ({"type": "Graph", "parts": [["a", CONV, "input"]] * 2}, "a node is a name of its own"),
        ({"type": "Graph", "parts": [["a", CONV, "b"]]}, "node a reads 'b'"),
        ({"type": "Flat", "nodes": [["a", CONV, 0]]}, "places of earlier nodes"),
        ({"type": "Flat", "nodes": []}, "at least one node"),
        ({"type": "Flat", "nodes": [["a", CONV, -1]], "in_channels": 0}, "1 or more, not 0"),
    ],
)
def test_damage_is_named(record, text):
    with pytest.raises(ErfTheoryError, match=text):
        from_dict({"format": FORMAT, "network": record})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is no JSON"),
        ("\ufeff\u00ff", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "its format is not"),
        ('{"format": "erf_theory.ERF/1"}', "its format is not"),
        ('{"format": "a", "format": "b"}', "has the same name twice"),
        ('{"format": NaN}', "NaN is no number"),
    ],
)
def test_damaged_files(tmp_path, text, message):
    path = tmp_path / "net.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ErfTheoryError, match=rf"net\.json:? .*{message}"):
        load(path)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.floats(allow_nan=False),
    st.sampled_from(["", "he", "add", "input", "Conv", "Graph", "Flat", "same"]),
    st.lists(st.integers(0, 3), max_size=3),
    st.builds(dict),
    st.just({"fraction": "x"}),
    st.just([1, ["a"]]),
)


def places_in(record):
    """Every container and key in a record."""
    pairs = record.items() if isinstance(record, dict) else enumerate(record)
    for key, value in pairs:
        yield record, key
        if isinstance(value, dict | list):
            yield from places_in(value)


def outcome(record):
    """The network, or the message of its refusal."""
    try:
        network = from_dict(record)
        return network, receptive_field(network, image_size=40)
    except ErfTheoryError as error:
        return str(error)


@given(NETWORKS, JUNK, st.data())
def test_junk_anywhere_is_a_network_or_one_clear_error(network, junk, data):
    record = copy.deepcopy(to_dict(network))
    container, key = data.draw(st.sampled_from(list(places_in(record))))
    if data.draw(st.booleans()):
        container[key] = junk
    else:
        del container[key]
    found = outcome(record)
    assert isinstance(found, str) or isinstance(found[0], Network)


def test_a_record_is_not_shared_with_the_network():
    net = Graph({"a": (Conv(1, 1, 3), "input")}, ndim=1)
    record = to_dict(net)
    record["network"]["parts"].append("junk")
    assert to_dict(net)["network"]["parts"] != record["network"]["parts"]
    assert through_json(Parallel([net, net])) == Parallel([net, net])
