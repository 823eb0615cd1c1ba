from erf_theory.network import Chain, Conv, Identity, Parallel
from erf_theory.propagation.notes import Notes

NETWORK = Chain([Conv(1, 1, 1)])


def test_reasons_name_their_nodes_once_and_no_more_than_three():
    notes = Notes()
    for node in ("a", "b", "a", "c", "d", "e"):
        notes.add("windows overlap", node)
    notes.add("one more", "z")
    assert notes.texts(NETWORK) == ("windows overlap (a, b, c and 2 more)", "one more (z)")


def test_reasons_of_the_signal_count_where_they_lead_to_something_that_depends_on_it():
    branches = {"near": Chain({"a": Identity(), "b": Identity()}), "far": Identity()}
    network = Chain({"start": Identity(), "fork": Parallel(branches, "concat"), "end": Identity()})
    notes = Notes()
    for node in network.nodes:
        notes.add_to_signal("lags are dropped", node.name)
    assert notes.texts(network) == ()
    notes.needing.add("fork.near.b")
    assert notes.texts(network) == ("lags are dropped (start, fork.near.a)",)
    notes.needing.add("fork.far")
    assert notes.texts(network) == ("lags are dropped (start, fork.near.a)",)
    notes.needing.add("end")
    assert "and 2 more" in notes.texts(network)[0]
