"""One sample is one gradient, whatever computes it: NumPy, strict arrays, tensors, autograd."""

import array_api_strict
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from erf_theory.empirical import tape, torch_backend
from erf_theory.empirical.draws import draw
from erf_theory.empirical.plan import plan
from erf_theory.errors import ErfTheoryError
from erf_theory.testing import networks, units

SOME = settings(max_examples=settings.default.max_examples * 3 // 10)
"""15 examples; 300 of a thorough run."""


@st.composite
def samples(draw_, *, full=False):
    """A plan for a random network, one that has a ``full`` image, and two samples of it."""
    network = draw_(networks())
    try:
        what = plan(network, draw_(units(network)))
        if full:
            torch_backend.image(network, what.boxes)
    except ErfTheoryError:
        assume(condition=False)
    return what, [draw(what, np.random.default_rng(seed)) for seed in (0, 1)]


def assert_equal(found, expected):
    """Equal up to rounding, measured by the largest number."""
    assert found.shape == expected.shape
    assert np.all(np.isfinite(expected))
    assert np.max(np.abs(found - expected)) <= 1e-11 * np.max(np.abs(expected))


@SOME
@given(samples())
def test_strict_arrays(drawn):
    what, two = drawn
    strict = tape.gradients(what, two, array_api_strict)
    assert_equal(np.from_dlpack(strict), tape.gradients(what, two))


@SOME
@given(samples())
def test_samples_side_by_side(drawn):
    what, two = drawn
    alone = [tape.gradients(what, [sample]) for sample in two]
    assert_equal(np.concatenate(alone), tape.gradients(what, two))


@pytest.mark.torch
@SOME
@given(samples())
def test_tensors(drawn):
    from array_api_compat import torch

    what, two = drawn
    assert_equal(tape.gradients(what, two, torch).numpy(), tape.gradients(what, two))


@pytest.mark.torch
@SOME
@given(samples(full=True))
def test_autograd_through_pytorchs_modules(drawn):
    what, two = drawn
    assert_equal(torch_backend.gradients(what, two), tape.gradients(what, two))
