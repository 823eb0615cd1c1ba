"""The experiment on a module of PyTorch as it is: its image, its borders, its weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from difflib import get_close_matches
from math import prod, sqrt
from typing import Any, Literal, final

import numpy as np

from erf_theory.empirical.experiment import Experiment, array_bytes, digest
from erf_theory.empirical.precision import need_normal
from erf_theory.empirical.torch_import import import_torch
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import Steps, per_axis
from erf_theory.network.base import Given

__all__ = ["TorchModel", "model_for"]

_INPUTS = 4
"""Over how many inputs batch norms are calibrated."""


@final
@dataclass(frozen=True, eq=False)
class TorchModel(Experiment):
    """A ``torch.nn.Module`` and what goes into it.

    Attributes
    ----------
    module : torch.nn.Module
        It runs as it is, in train or eval mode, with its type of numbers, on its device.
    layer : str or None
        Path of the submodule whose output counts; None for the module's own.
    input_shape : tuple of int
        Shape (channels, place...) of its input.
    unit : tuple of int
        The output unit, counted from 0 within the output.
    draws : bool
        Whether its layers draw their weights anew, by ``reset_parameters``, for every sample.
    images : ndarray, shape (images, channels, place...), optional
        Inputs, one of which is drawn for every sample; None for noise.
    direction : ndarray, shape (channels,)
        The gradient of the output unit; None for random ones.
    """

    module: Any
    layer: str | None
    input_shape: tuple[int, ...]
    unit: tuple[int, ...]
    draws: bool
    images: FloatArray | None
    direction: FloatArray | None

    @property
    def start(self) -> tuple[int, ...]:
        """Input coordinate of the map's first place: 0, the image's first pixel."""
        return (0,) * len(self.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the map: the image's."""
        return self.input_shape[1:]

    @property
    def numbers(self) -> int:
        """Numbers of the module and of its image, which one sample needs at least."""
        weights = sum(part.numel() for part in self.module.parameters())
        return int(weights) + 2 * prod(self.input_shape)

    def load(self) -> None:
        """Load PyTorch.

        Raises
        ------
        ErfTheoryError
            If it is not installed.
        """
        import_torch()

    def gradients(self, seeds: Sequence[np.random.SeedSequence]) -> FloatArray:
        """Gradients by the input: shape (samples, channels, place...), a sample for every seed."""
        module = deepcopy(self.module) if self.draws else self.module
        return np.stack([self._gradient(module, seed) for seed in seeds])

    def _gradient(self, module: Any, seed: np.random.SeedSequence) -> FloatArray:
        torch, rng = import_torch(), np.random.default_rng(seed)
        if self.images is None:
            image = rng.standard_normal(self.input_shape)
        else:
            image = self.images[rng.integers(len(self.images))]
        with _seeded(torch, int(rng.integers(2**63))):
            if self.draws:
                module.apply(_reset)
                _calibrate(torch, module, self.layer, (_INPUTS, *self.input_shape))
            x = torch.tensor(image[None]).to(_like(module)).requires_grad_()
            output = _output(module, self.layer, x)[(0, slice(None), *self.unit)]
        at_random = rng.standard_normal(len(output)) / sqrt(len(output))
        direction = at_random if self.direction is None else self.direction
        (gradient,) = torch.autograd.grad(output @ torch.tensor(direction).to(output), x)
        found = np.asarray(gradient[0].double().cpu().numpy())
        need_normal(found, torch.finfo(gradient.dtype).smallest_normal)
        return found

    def fingerprint(self) -> dict[str, Any]:
        """What tells it from others: a module by its class, its printed form and its numbers."""
        kind = type(self.module)
        text = f"{kind.__module__}.{kind.__qualname__} {self.module} {self.module.training}"
        parts = [text.encode()]
        for name, numbers in self.module.state_dict().items():
            parts += [name.encode(), array_bytes(numbers.cpu().numpy())]
        return {
            "network": digest(parts),
            **({} if self.layer is None else {"layer": self.layer}),
            "unit": list(self.unit),
            "weights": "law" if self.draws else "given",
            "images": None if self.images is None else digest([array_bytes(self.images)]),
            "input_shape": list(self.input_shape),
            "direction": None if self.direction is None else self.direction.tolist(),
        }

    def said(self) -> list[str]:
        """Arguments of the call that makes it."""
        said = [f"<{type(self.module).__name__}>"]
        if self.images is None:
            said.append(f"input_shape={self.input_shape}")
        else:
            said.append(f"images={Given(self.images)}")
        if self.layer is not None:
            said.append(f"layer={self.layer!r}")
        said.append(f"unit={self.unit}")
        if self.draws:
            said.append("weights='law'")
        if self.direction is not None:
            said.append(f"direction={self.direction.tolist()}")
        return said


def model_for(
    module: Any,
    *,
    layer: str | None = None,
    input_shape: Sequence[int] | None,
    unit: Steps | None,
    weights: Literal["given", "law"],
    images: Any,
    direction: Callable[[int], FloatArray | None],
) -> TorchModel:
    """A module as an experiment; it runs once, to see the shape of its output.

    Raises
    ------
    ErfTheoryError
        If it is no module, or an argument does not go with it.
    """
    torch = import_torch()
    if not isinstance(module, torch.nn.Module):
        raise ErfTheoryError(
            f"what is measured is a Network or a torch.nn.Module, not {type(module).__name__}"
        )
    if weights not in ("given", "law"):
        raise ErfTheoryError(f"weights are 'given' or drawn by their 'law', not {weights!r}")
    array = None if images is None else np.array(images, dtype=np.float64)
    shape = tuple(input_shape or ()) if array is None else array.shape[1:]
    if len(shape) < 2 or not all(isinstance(size, int) and size > 0 for size in shape):
        raise ErfTheoryError(
            f"an input shape is (channels, place, …), or that of images, not {shape}: a module "
            "does not tell it"
        )
    with torch.no_grad(), _seeded(torch, 0):
        output = _output(deepcopy(module), layer, torch.zeros((1, *shape)).to(_like(module)))
    if not isinstance(output, torch.Tensor) or output.ndim < 2 or len(output) != 1:
        what = "module" if layer is None else f"submodule {layer}"
        raise ErfTheoryError(f"the {what}'s output is no tensor of shape (1, channels, place…)")
    sizes = tuple(output.shape[2:])
    at = tuple(size // 2 for size in sizes) if unit is None else per_axis(unit, len(sizes))
    if not all(0 <= place < size for place, size in zip(at, sizes, strict=True)):
        raise ErfTheoryError(f"the unit {at} is not within the output, which has the shape {sizes}")
    draws = weights == "law"
    return TorchModel(module, layer, shape, at, draws, array, direction(output.shape[1]))


class _ReachedError(Exception):
    """The output of a layer is there, and nothing behind it is needed."""


def _output(module: Any, layer: str | None, x: Any) -> Any:
    """The output of a module, or of a submodule when it first runs, behind which it stops."""
    if layer is None:
        return module(x)
    found: list[Any] = []

    def keep(*call: Any) -> None:
        found.append(call[-1])
        raise _ReachedError

    with _submodule(module, layer).register_forward_hook(keep), suppress(_ReachedError):
        module(x)
    if not found:
        raise ErfTheoryError(f"the module does not run its submodule {layer}: choose another one")
    return found[0]


def _submodule(module: Any, layer: str) -> Any:
    """The submodule of that path."""
    paths = dict(module.named_modules())
    if layer not in paths or not layer:
        near = get_close_matches(layer, list(paths), 3, 0.0)
        raise ErfTheoryError(f"there is no submodule {layer!r}: did you mean {', '.join(near)}?")
    return paths[layer]


def _reset(part: Any) -> None:
    """Draw the weights of a submodule anew, if it has any."""
    if hasattr(part, "reset_parameters"):
        part.reset_parameters()


def _calibrate(torch: Any, module: Any, layer: str | None, shape: tuple[int, ...]) -> None:
    """Give batch norms up to a layer, in eval mode, the statistics of noise, as training would."""
    kinds = (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d, torch.nn.BatchNorm3d)
    parts = (part for part in module.modules() if isinstance(part, kinds))
    norms = [norm for norm in parts if norm.track_running_stats and not norm.training]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    if norms:
        with torch.no_grad():
            _output(module, layer, torch.randn(shape).to(_like(module)))
    for norm in norms:
        norm.eval()


def _like(module: Any) -> Any:
    """A tensor of the module's type and device."""
    torch = import_torch()
    return next((p for p in module.parameters() if p.is_floating_point()), torch.zeros(1))


@contextmanager
def _seeded(torch: Any, seed: int) -> Iterator[None]:
    """PyTorch's own random numbers from a seed, and afterwards as if nothing had been drawn."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
