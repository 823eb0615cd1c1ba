"""An experiment: what is measured, with what, and how one sample is made from its seed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, final

import numpy as np

from erf_theory.empirical import tape
from erf_theory.empirical.draws import Sample, draw
from erf_theory.empirical.inputs import Images, noise
from erf_theory.empirical.plan import Plan
from erf_theory.empirical.torch_modules import import_torch
from erf_theory.exact import FloatArray
from erf_theory.network.base import Given
from erf_theory.network.nodes import Network
from erf_theory.network.writing import written

__all__ = ["BACKENDS", "Experiment"]

_MOST_NUMBERS = 2**23
"""Numbers in the arrays of one batch: 64 MiB of doubles."""
_MOST_SAMPLES = 32
"""Samples in one batch, so that a few hundred keep several workers busy."""


@final
@dataclass(frozen=True, eq=False)
class Experiment:
    """Everything but the seed and the number of samples.

    Attributes
    ----------
    plan : Plan
        The network and its boxes.
    backend : str
        As in `BACKENDS`.
    images : Images, optional
        Where inputs come from; None for noise.
    direction : ndarray, shape (channels,), optional
        The gradient of the output unit; None for random ones.
    """

    plan: Plan
    backend: str
    images: Images | None = None
    direction: FloatArray | None = None

    def gradients(self, seeds: Sequence[np.random.SeedSequence]) -> FloatArray:
        """Gradients by the input: shape (samples, channels, place...), a sample for every seed."""
        inputs = noise if self.images is None else self.images
        batch = [draw(self.plan, np.random.default_rng(s), inputs, self.direction) for s in seeds]
        with np.errstate(over="ignore", invalid="ignore"):
            return BACKENDS[self.backend](self.plan, batch)

    def load(self) -> None:
        """Load the libraries that it computes with.

        Raises
        ------
        ErfTheoryError
            If one is not installed.
        """
        if self.backend == "torch":
            import_torch()

    @property
    def batch(self) -> int:
        """Samples that are computed at once: the same number however many workers there are."""
        return min(_MOST_SAMPLES, max(1, _MOST_NUMBERS // self.plan.numbers))

    def fingerprint(self) -> dict[str, Any]:
        """What tells it from other experiments, as JSON knows it.

        Raises
        ------
        ErfTheoryError
            If an activation has no name to tell it by, or a layer is not of this package.
        """
        array = None if self.images is None else self.images.array
        return {
            "network": _network_digest(self.plan.network),
            "unit": list(self.plan.unit),
            "backend": self.backend,
            "images": None if array is None else _digest([_bytes_of(array)]),
            "direction": None if self.direction is None else self.direction.tolist(),
        }


def _network_digest(network: Network) -> str:
    """A hash of all nodes and their numbers."""
    parts = [repr((network.ndim, network.in_channels)).encode()]
    for node in network.nodes:
        layer: Any = node.layer
        numbers = {name: v.array for name, v in vars(layer).items() if isinstance(v, Given)}
        bare = replace(layer, **dict.fromkeys(numbers)) if numbers else layer
        text = json.dumps([node.name, node.inputs, written(bare, arrays=False), list(numbers)])
        parts += [text.encode(), *map(_bytes_of, numbers.values())]
    return _digest(parts)


def _digest(parts: Sequence[bytes]) -> str:
    found = sha256()
    for part in parts:
        found.update(b"%d:" % len(part) + part)
    return found.hexdigest()


def _bytes_of(array: FloatArray) -> bytes:
    return repr(array.shape).encode() + np.ascontiguousarray(array, dtype="<f8").tobytes()


def _torch(what: Plan, batch: Sequence[Sample]) -> FloatArray:
    """By PyTorch's modules, which load only here."""
    from erf_theory.empirical import torch_backend

    return torch_backend.gradients(what, batch)


BACKENDS: Mapping[str, Callable[[Plan, Sequence[Sample]], FloatArray]] = {
    "numpy": tape.gradients,
    "torch": _torch,
}
"""What can measure: functions from samples to gradients by the input."""
