"""The experiment on a described network, far from any border."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from erf_theory.empirical import cupy_backend, tape, torch_backend
from erf_theory.empirical.cupy_backend import import_cupy
from erf_theory.empirical.draws import Sample, draw
from erf_theory.empirical.experiment import Experiment, array_bytes, digest
from erf_theory.empirical.inputs import Images, noise
from erf_theory.empirical.plan import Plan
from erf_theory.empirical.precision import need_single
from erf_theory.empirical.torch_import import import_torch
from erf_theory.exact import FloatArray
from erf_theory.network.base import Given
from erf_theory.network.nodes import Network
from erf_theory.network.writing import written

__all__ = ["BACKENDS", "DescribedNetwork"]


@final
@dataclass(frozen=True, eq=False)
class DescribedNetwork(Experiment):
    """Random weights and inputs for a description.

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
    dtype : str
        As in `erf_theory.empirical.precision.PRECISIONS`.
    """

    plan: Plan
    backend: str
    images: Images | None = None
    direction: FloatArray | None = None
    dtype: str = "float64"

    @property
    def start(self) -> tuple[int, ...]:
        """Input coordinate of the map's first place."""
        return self.plan.map.start

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the map."""
        return self.plan.map.shape

    @property
    def numbers(self) -> int:
        """Numbers that one sample needs at once, about."""
        return self.plan.numbers

    def load(self) -> None:
        """Load PyTorch or CuPy, if that computes.

        Raises
        ------
        ErfTheoryError
            If it is not installed, or CuPy finds no GPU.
        """
        _LOADS.get(self.backend, tuple)()

    def gradients(self, seeds: Sequence[np.random.SeedSequence]) -> FloatArray:
        """Gradients by the input: shape (samples, channels, place...), a sample for every seed."""
        inputs = noise if self.images is None else self.images
        batch = [draw(self.plan, np.random.default_rng(s), inputs, self.direction) for s in seeds]
        with np.errstate(over="ignore", invalid="ignore"):
            found = BACKENDS[self.backend](self.plan, self._filled(batch), self.dtype)[: len(batch)]
            if self.dtype == "float32":
                need_single(self.plan, batch, found)
        return np.asarray(found, dtype=np.float64)

    def _filled(self, batch: list[Sample]) -> list[Sample]:
        """A batch that is as long as all others, where rounding depends on that.

        PyTorch has other convolutions in single precision for other numbers of groups.
        """
        if self.backend != "torch" or self.dtype == "float64":
            return batch
        return batch + batch[-1:] * (self.batch - len(batch))

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
            "dtype": self.dtype,
            "images": None if array is None else digest([array_bytes(array)]),
            "direction": None if self.direction is None else self.direction.tolist(),
        }

    def said(self) -> list[str]:
        """Arguments of the call that makes it; every backend gives the same samples."""
        said = [f"{self.plan.network}"]
        if any(self.plan.unit):
            unit = self.plan.unit
            said.append(f"unit={unit[0] if len(set(unit)) == 1 else unit}")
        if self.images is not None:
            said.append(f"images={Given(self.images.array)}")
        if self.direction is not None:
            said.append(f"direction={self.direction.tolist()}")
        if self.dtype != "float64":
            said.append(f"dtype={self.dtype!r}")
        return said


def _network_digest(network: Network) -> str:
    """A hash of all nodes and their numbers."""
    parts = [repr((network.ndim, network.in_channels)).encode()]
    for node in network.nodes:
        layer: Any = node.layer
        numbers = {name: v.array for name, v in vars(layer).items() if isinstance(v, Given)}
        bare = replace(layer, **dict.fromkeys(numbers)) if numbers else layer
        text = json.dumps([node.name, node.inputs, written(bare, arrays=False), list(numbers)])
        parts += [text.encode(), *map(array_bytes, numbers.values())]
    return digest(parts)


def _numpy(plan: Plan, batch: Sequence[Sample], dtype: str) -> FloatArray:
    return np.asarray(tape.gradients(plan, batch, np, dtype))


BACKENDS: Mapping[str, Callable[[Plan, Sequence[Sample], str], FloatArray]] = {
    "numpy": _numpy,
    "cupy": cupy_backend.gradients,
    "torch": torch_backend.gradients,
}
"""What can measure: from samples, and a type of numbers, to gradients by the input."""
_LOADS: Mapping[str, Callable[[], Any]] = {"cupy": import_cupy, "torch": import_torch}
