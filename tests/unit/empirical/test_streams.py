"""Sums over blocks against the samples themselves."""

import numpy as np
import pytest

from erf_theory.empirical.streams import BLOCKS, Stream, rows_of
from erf_theory.errors import ErfTheoryError


@pytest.mark.parametrize("count", [2, 63, 64, 200])
def test_blocks_are_means_of_every_64th_sample(count):
    gradients = np.random.default_rng(0).standard_normal((count, 3, 2, 5))
    stream = Stream.of_map((2, 5))
    for first in range(0, count, 7):
        stream.add(rows_of(gradients[first : first + 7]))
    blocks = min(BLOCKS, count)
    parts = [gradients[first::BLOCKS] for first in range(blocks)]
    assert stream.done == count
    assert stream.counts.tolist() == [len(part) for part in parts]
    found = stream.means((2, 5))
    for means, of in zip(found, (np.square, np.abs, np.asarray), strict=True):
        assert means.blocks == pytest.approx(np.array([of(p).mean(axis=(0, 1)) for p in parts]))
    assert stream.error((2, 5)) == found[0].profile_error


def test_an_interrupt_leaves_whole_samples():
    rows = rows_of(np.random.default_rng(0).standard_normal((9, 1, 4)))

    def some():
        yield from rows[:5]
        raise KeyboardInterrupt

    stream, whole = Stream.of_map((4,)), Stream.of_map((4,))
    with pytest.raises(KeyboardInterrupt):
        stream.add(some())
    whole.add(rows[:5])
    assert stream.done == 5
    assert np.array_equal(stream.sums, whole.sums)


@pytest.mark.parametrize("number", [1e200, np.inf, np.nan])
def test_numbers_beyond_doubles_are_refused(number):
    with pytest.raises(ErfTheoryError, match="beyond doubles: give the weights less variance"):
        rows_of(np.full((1, 1, 2), number))
