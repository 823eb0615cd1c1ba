"""Experiments: the backends beside each other, by hand, and beside the theory."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import numpy as np

from benchmarks.process import Growth
from benchmarks.row import Ratio, Row
from erf_theory import ERF, network_erf
from erf_theory.empirical.draws import Sample, draw
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.empirical.plan import plan
from erf_theory.empirical.precision import PRECISIONS
from erf_theory.empirical.threads import one_thread
from erf_theory.empirical.torch_backend import gradients
from erf_theory.exact import FloatArray
from erf_theory.network import Chain, Conv

__all__ = ["agree", "near", "rows", "stack"]


_BATCH = 32
"""Samples that a measurement of this size computes at once."""


def rows(*, smoke: bool) -> list[Row]:
    """All questions about experiments; small ones for a smoke run.

    Those beside PyTorch are left out where it is not installed.
    """
    layers, channels, samples = (3, 4, 8) if smoke else (10, 32, 64)
    found: list[Row] = []
    if find_spec("torch"):
        found.append(_arrays(layers, channels, samples))
        found += [_by_hand(layers, channels, samples, dtype) for dtype in PRECISIONS]
    found.append(_theory(layers, channels, 0.1 if smoke else 0.02))
    found.append(_memory(200 if smoke else 10_000))
    return found


def stack(layers: int, channels: int) -> Chain:
    """Equal 3×3 layers, without padding: their box is the receptive field."""
    return Chain([Conv(channels, channels, 3)] * layers, ndim=2)


def agree(ours: Measurement, theirs: Measurement, rounding: float = 1e-9) -> None:
    """Assert that two backends measured the same."""
    np.testing.assert_allclose(ours.blocks, theirs.blocks, rtol=rounding)


def near(theory: ERF, found: Measurement) -> None:
    """Assert that the profiles are the theory's, within five times their error."""
    for axis in range(theory.values.ndim):
        others = tuple(other for other in range(theory.values.ndim) if other != axis)
        profile = theory.mass * theory.values.sum(axis=others)
        off = found.mean.sum(axis=others) - profile
        assert np.linalg.norm(off) < 5 * found.relative_error * np.linalg.norm(profile)


def _said(layers: int, channels: int, samples: int) -> str:
    side = 2 * layers + 1
    return f"{layers} layers 3×3, {channels} channels, {samples} seeds on {side}², one thread"


def _arrays(layers: int, channels: int, samples: int) -> Row:
    ours, theirs = (
        partial(
            measure_erf, stack(layers, channels), backend=b, samples=samples, rng=0, progress=False
        )
        for b in ("numpy", "torch")
    )
    work = f"NumPy backend: {_said(layers, channels, samples)}"
    return Ratio(work, "the PyTorch backend", 3, ours, theirs, agree)


def _by_hand(layers: int, channels: int, samples: int, dtype: str) -> Row:
    """The PyTorch backend beside the loop over seeds that one would write, on drawn samples.

    PyTorch's convolutions alone, forwards and by the input, with nothing around them, take 0.62 of
    the loop's time in float32 and 0.71 in float64, and those of a batch, in groups, 0.60 and 0.84
    of it: with these kernels no batch reaches the goal.
    """
    what = plan(stack(layers, channels))
    drawn = [draw(what, np.random.default_rng(seed)) for seed in range(samples)]
    batches = [drawn[first : first + _BATCH] for first in range(0, samples, _BATCH)]

    def ours() -> FloatArray:
        with one_thread():
            return np.concatenate([gradients(what, batch, dtype) for batch in batches])

    def check(ours: FloatArray, theirs: FloatArray) -> None:
        rounding = {"float64": 1e-11, "float32": 1e-4}[dtype]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=rounding * np.abs(theirs).max())

    return Ratio(
        f"PyTorch backend, {dtype}, samples drawn: {_said(layers, channels, samples)}",
        "autograd in a loop over the samples, without gradients of parameters",
        0.6,
        ours,
        partial(_loop, layers, channels, drawn, dtype),
        check,
    )


def _loop(layers: int, channels: int, drawn: list[Sample], dtype: str) -> FloatArray:
    """Gradients by modules that are filled with the weights of one sample after the other."""
    import torch

    kind, found = getattr(torch, dtype), []
    modules = [torch.nn.Conv2d(channels, channels, 3, bias=False) for _ in range(layers)]
    network = torch.nn.Sequential(*modules).to(kind).requires_grad_(requires_grad=False)
    with one_thread():
        for sample in drawn:
            for place, module in enumerate(modules):
                module.weight.copy_(torch.from_numpy(sample.weights[place]))
            x = torch.from_numpy(sample.measured.images).to(kind, copy=True).requires_grad_()
            output = network(x)[0, :, 0, 0] @ torch.from_numpy(sample.direction).to(kind)
            found.append(torch.autograd.grad(output, x)[0].numpy()[0])
    return np.stack(found)


def _theory(layers: int, channels: int, error: float) -> Row:
    network = stack(layers, channels)
    theirs = partial(measure_erf, network, samples=10**6, target_error=error, rng=0, progress=False)
    return Ratio(
        f"theory: {layers} layers 3×3, {channels} channels, map of {2 * layers + 1}²",
        f"NumPy backend until the profiles' error is {100 * error:g} %",
        1 / 1000,
        partial(network_erf, network, ndim=2),
        theirs,
        near,
    )


def _memory(samples: int) -> Row:
    """A map of 385 places: 10 000 samples of it, kept one by one, would be 92 MB."""
    network = "Chain([Conv(4, 4, 3, dilation=64)] * 3, ndim=1)"
    return Growth(
        "measure_erf(network, samples={}, rng=0, progress=False)",
        (100, samples),
        5,
        imports=(
            "from erf_theory import measure_erf; from erf_theory.network import Chain, Conv; "
            f"network = {network}"
        ),
        check="abs(found.mass - 2) < 5 * found.blocks.sum(1).std() / 8",
    )
