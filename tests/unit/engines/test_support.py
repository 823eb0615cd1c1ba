from itertools import product
from math import gcd
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory.engines.support import Support, impulse
from erf_theory.errors import EngineError, ErfTheoryError
from erf_theory.kernel import Kernel

PLUS = Kernel([[0, 1, 0], [1, 1, 1], [0, 1, 0]], origin=(-1, -1))
FRAME = Kernel([[1, 0, 1], [0, 0, 0], [1, 0, 1]], origin=(0, -2))
LAYER = st.tuples(
    st.builds(
        lambda taps, origin: Kernel(taps, (origin,)),
        st.lists(st.integers(0, 1), min_size=1, max_size=9),
        st.integers(-3, 3),
    ),
    st.integers(1, 4),
    st.integers(0, 9),
)


def run(layers, ndim=1):
    field = impulse(ndim)
    for kernel, step, times in layers:
        field = field.convolve(kernel, step, times)
    return field


def ends(layers, ndim=1):
    """The definition: where the paths end that choose one nonzero tap per layer."""
    found = {(0,) * ndim}
    for kernel, step, times in layers:
        taps = np.add(np.argwhere(kernel.taps != 0), kernel.origin) * step
        for _ in range(times):
            found = {tuple(np.add(x, tap).tolist()) for x, tap in product(found, taps)}
    return found


def places(field):
    return {tuple(at) for at in np.add(np.argwhere(field.mask), field.start).tolist()}


@given(st.lists(LAYER, max_size=3))
def test_the_support_is_where_paths_end(layers):
    field = run(layers)
    assert places(field) == ends(layers)
    assert field.mask.size == 1 + sum((k.shape[0] - 1) * d * n for k, d, n in layers)


@pytest.mark.parametrize(
    "layers",
    [
        [(PLUS, 1, 3), (PLUS, 2, 2)],
        [(FRAME, (1, 2), 3), (PLUS, (3, 1), 1)],
        [(Kernel.uniform(3, 2), 1, 2), (Kernel([[1, 0, 0, 1]]), (1, 3), 2)],
        [(Kernel([[0, 1], [0, 0]], origin=(-2, 1)), (2, 5), 3), (PLUS, 1, 1)],
    ],
)
def test_two_axes_follow_the_definition(layers):
    assert places(run(layers, 2)) == ends(layers, 2)


def test_three_axes_of_boxes_are_boxes():
    field = impulse(3).convolve(Kernel.uniform(2, 3), times=3)
    assert field.shape == (4, 4, 4)
    assert field.mask.all()


@given(st.sets(st.integers(1, 12), min_size=1), st.integers(1, 60))
def test_n_fold_sumsets_settle_into_ends_and_a_middle(steps, times):
    taps = Kernel([int(m == 0 or m in steps) for m in range(max(steps) + 1)])
    slow, mask = np.ones(1, dtype=int), taps.taps.astype(int)
    for _ in range(times):
        slow = np.minimum(np.convolve(slow, mask), 1)
    assert np.array_equal(impulse(1).convolve(taps, times=times).mask, slow.astype(bool))


@pytest.mark.parametrize("last", [7, 30])
def test_a_semigroup_with_the_longest_gaps(last):
    taps = Kernel([int(m in {0, last - 1, last}) for m in range(last + 1)])
    missing = (last - 2) * (last - 1) // 2
    field = impulse(1).convolve(taps, times=10_000)
    assert np.count_nonzero(~field.mask) == missing
    assert not field.mask[(last - 1) * last - (last - 1) - last]
    assert field.mask[(last - 1) * last - (last - 1) - last + 1 :].all()


def test_many_layers_and_then_one_wide_dilation_leave_gaps():
    field = run([(Kernel.uniform(3), 1, 30), (Kernel.uniform(3), 100, 1)])
    runs = [range(start, start + 61) for start in (0, 100, 200)]
    assert places(field) == {(x,) for run in runs for x in run}


@pytest.mark.parametrize(
    ("taps", "full"), [([1, 1, 1], 1), ([1, 0, 2], 2), ([1, 0, 0, 1], 3), ([1, 1, 0, 1], 1)]
)
def test_a_million_layers_take_milliseconds(taps, full):
    begin = perf_counter()
    field = impulse(1).convolve(Kernel(taps), times=10**6)
    assert perf_counter() - begin < 0.5
    common = gcd(*np.flatnonzero(taps).tolist())
    assert common == full
    holes = np.flatnonzero(~field.mask[::full]).tolist()
    assert holes == ([3 * 10**6 - 1] if taps == [1, 1, 0, 1] else [])
    assert np.count_nonzero(field.mask) == 10**6 * (len(taps) - 1) // full + 1 - len(holes)


def test_dense_holes_go_through_the_transform():
    rng = np.random.default_rng(7)
    taps = Kernel(np.concatenate([[1], rng.integers(0, 2, 400), [1]]))
    field = run([(Kernel.uniform(2), 3, 40), (taps, 2, 1)])
    slow = np.convolve((Kernel.uniform(2).dilate(3) ** 40).taps, taps.dilate(2).taps)
    assert np.array_equal(field.mask, slow > 0)


def test_the_box_keeps_zero_taps_at_the_rim_and_trim_drops_them():
    field = impulse(1).convolve(Kernel([0, 1, 0, 1, 0], origin=(-2,)), times=2)
    assert (field.start, field.shape) == ((-4,), (9,))
    trimmed = field.trim()
    assert (trimmed.start, trimmed.mask.tolist()) == ((-2,), [True, False, True, False, True])


def test_a_kernel_of_zeros_empties_the_field():
    field = impulse(2).convolve(Kernel([[0, 0]], origin=(-1, 3)), times=2)
    assert (field.start, field.mask.tolist()) == ((-2, 6), [[False, False, False]])
    assert (field.trim().start, field.trim().mask.tolist()) == ((0, 0), [[False]])


def test_signs_give_an_upper_bound():
    signed = Kernel([1, -1]) @ Kernel([1, 1])
    bound = run([(Kernel([1, -1]), 1, 1), (Kernel([1, 1]), 1, 1)]).mask
    assert bound.tolist() == [True, True, True]
    assert (signed.taps != 0).tolist() == [True, False, True]


def test_addition_is_the_union():
    left = impulse(1).convolve(Kernel([1, 1], origin=(-3,)))
    right = impulse(1).convolve(Kernel([1], origin=(2,)))
    assert places(left + right) == {(-3,), (-2,), (2,)}
    assert (left + right).start == (-3,)


@given(LAYER, st.integers(1, 5))
def test_expand_then_decimate_is_the_identity(layer, s):
    field = run([layer])
    again = field.expand(s).decimate(s)
    assert (again.start, again.mask.tolist()) == (field.start, field.mask.tolist())
    assert places(field.expand(s)) == {(s * x,) for (x,) in places(field)}


@given(st.lists(LAYER, max_size=2), st.integers(1, 5))
def test_decimation_keeps_the_multiples(layers, s):
    field = run(layers)
    assert places(field.decimate(s)) == {(x // s,) for (x,) in places(field) if x % s == 0}


def test_decimation_without_a_multiple_leaves_one_zero():
    field = Support(np.ones((2, 4), dtype=bool), (1, 5)).decimate((5, 3))
    assert (field.start, field.mask.tolist()) == ((0, 2), [[False]])


def test_scaling_matters_only_by_zero():
    field = impulse(1).convolve(Kernel.uniform(3))
    assert field.scale(-1e-300).mask.all()
    assert not field.scale(0).mask.any()


@pytest.mark.parametrize(
    "operation",
    [
        lambda f: f.convolve(Kernel(np.ones((2, 3)), origin=(0,))),
        lambda f: f.scale(np.ones(2)),
        lambda f: f.fold(4, "zeros"),
        lambda f: f.take(0, 1),
    ],
)
def test_refusals_name_an_engine_that_can(operation):
    with pytest.raises(EngineError, match=r"the support engine cannot .* convolution"):
        operation(impulse(1))


def test_axes_must_agree():
    with pytest.raises(ErfTheoryError, match="a 2-D kernel does not fit a 1-D field"):
        impulse(1).convolve(PLUS)
