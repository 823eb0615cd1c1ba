from erf_theory.propagation.notes import Notes


def test_reasons_name_their_nodes_once_and_no_more_than_three():
    notes = Notes()
    for node in ("a", "b", "a", "c", "d", "e"):
        notes.add("windows overlap", node)
    notes.add("one more", "z")
    assert notes.texts() == ("windows overlap (a, b, c and 2 more)", "one more (z)")


def test_reasons_of_the_signal_count_once_something_depends_on_it():
    notes = Notes()
    notes.add_to_signal("lags are dropped", "pool")
    assert notes.texts() == ()
    notes.needs_signal = True
    assert notes.texts() == ("lags are dropped (pool)",)
