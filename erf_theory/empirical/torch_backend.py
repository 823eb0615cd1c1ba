"""The experiment in PyTorch: its own modules on a full image, and autograd.

The image is so large that the output unit's box lies within it at every node; outside of its box
it is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import ceil, lcm
from operator import add, le
from typing import Any

import numpy as np

from erf_theory.empirical.draws import Noise, Sample
from erf_theory.empirical.plan import Boxes, Plan, is_calibrated
from erf_theory.empirical.torch_import import import_torch
from erf_theory.empirical.torch_modules import name_of, torch_module
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray
from erf_theory.lattice import box
from erf_theory.network.geometry import Region, image_sizes, sights
from erf_theory.network.nodes import Network
from erf_theory.network.pointwise import Dropout, Norm

__all__ = ["Image", "gradients", "image"]

_Shape = tuple[int, ...]
_TURNS = 16
"""Cycles after which no larger image is tried."""


@dataclass(frozen=True)
class Image:
    """A full image in which no border reaches the boxes of an experiment.

    Attributes
    ----------
    sizes : tuple of tuple of int
        Spatial shape of the input, then of every node.
    shifts : tuple of tuple of int
        What is added to coordinates: of the input, then of every node.
    boxes : tuple of Region or None
        The boxes, so shifted.
    """

    sizes: tuple[_Shape, ...]
    shifts: tuple[_Shape, ...]
    boxes: Boxes


def image(network: Network, boxes: Boxes) -> Image:
    """A full image around the boxes of an experiment.

    Raises
    ------
    ErfTheoryError
        If there is no size at which the network's branches fit each other.
    """
    axes = [_jumps(network, axis) for axis in range(network.ndim)]
    cycles = tuple(lcm(*(jump.numerator for jump in jumps)) for jumps in axes)
    whole = [
        cycle * max(ceil(-start * jump / cycle) for start, jump in _starts(boxes, axis, jumps))
        for axis, (jumps, cycle) in enumerate(zip(axes, cycles, strict=True))
    ]
    shifts = tuple(
        tuple(int(shift / jumps[place]) for shift, jumps in zip(whole, axes, strict=True))
        for place in range(len(boxes))
    )
    moved = tuple(
        None
        if one is None
        else Region(tuple(a + b for a, b in zip(one.start, shift, strict=True)), one.shape)
        for one, shift in zip(boxes, shifts, strict=True)
    )
    return Image(_sizes(network, moved, cycles), shifts, moved)


def _jumps(network: Network, axis: int) -> list[Fraction]:
    """Input places for one place of the input, then of every node."""
    return [Fraction(1), *(Fraction(s.jump, s.period) for s in sights(network, axis))]


def _starts(boxes: Boxes, axis: int, jumps: Sequence[Fraction]) -> Iterator[tuple[int, Fraction]]:
    """First place of every box, with its jump; and no shift at the least."""
    yield 0, Fraction(1)
    for one, jump in zip(boxes, jumps, strict=True):
        if one is not None:
            yield one.start[axis], jump


def _sizes(network: Network, boxes: Boxes, cycles: _Shape) -> tuple[_Shape, ...]:
    """Sizes at which the branches fit, and every box too; a whole cycle more fits as well."""
    end = (1,) * network.ndim if boxes[0] is None else _end(boxes[0])
    size = _fitting(network, end, cycles)
    while True:
        shapes = (size, *image_sizes(network, size))
        if all(map(_holds, shapes, boxes)):
            return shapes
        size = tuple(map(add, size, cycles))


def _fitting(network: Network, least: _Shape, cycles: _Shape) -> _Shape:
    """A size of the input at which the branches fit each other."""
    rests = sorted(product(*map(range, cycles)), key=lambda rest: max(rest) - min(rest))
    for turn in range(_TURNS):
        whole = tuple(map(lambda a, c: c * (ceil(a / c) + turn), least, cycles))
        for rest in rests:
            size = tuple(map(add, whole, rest))
            with suppress(ErfTheoryError):
                image_sizes(network, size)
                return size
    image_sizes(network, size)
    return size


def _holds(shape: _Shape, region: Region | None) -> bool:
    return region is None or all(map(le, _end(region), shape))


def _end(region: Region) -> _Shape:
    return tuple(map(add, region.start, region.shape))


def gradients(plan: Plan, samples: Sequence[Sample], dtype: str = "float64") -> FloatArray:
    """Gradients of the output unit by the input, in the plan's map.

    Parameters
    ----------
    plan : Plan
        What to look at.
    samples : sequence of Sample
        Random networks and their inputs; they run side by side.
    dtype : str
        Type of the numbers that it computes with.

    Returns
    -------
    ndarray, shape (samples, channels, place...)

    Raises
    ------
    ErfTheoryError
        If PyTorch is not installed or has nothing for a layer, or branches fit at no image size.
    """
    torch = import_torch()
    narrow = image(plan.network, plan.boxes)
    weights = _stacked([sample.weights for sample in samples], dtype)
    biases = _stacked([sample.biases for sample in samples], dtype)
    module = torch_module(plan.network, weights, biases, count=len(samples), dtype=dtype).eval()
    calibrating = [s.calibrating for s in samples if s.calibrating is not None]
    if plan.wide is not None and calibrating:
        wide, noise = image(plan.network, plan.wide), _joined(calibrating, dtype)
        hooks = _in_boxes(plan.network, wide, noise, calibrate=True)
        with torch.no_grad(), _hooked(module, hooks):
            module(_full(noise, wide))
    noise = _joined([sample.measured for sample in samples], dtype)
    with _hooked(module, _in_boxes(plan.network, narrow, noise, calibrate=False)):
        return _gradients(module, plan, narrow, _full(noise, narrow), samples)


def _stacked(arrays: Sequence[Mapping[int, FloatArray]], dtype: str) -> dict[int, FloatArray]:
    """Arrays of several networks, by their nodes."""
    return {place: _rounded([one[place] for one in arrays], dtype) for place in arrays[0]}


def _rounded(arrays: Sequence[FloatArray], dtype: str) -> FloatArray:
    return np.stack(arrays, dtype=np.dtype(dtype), casting="same_kind")


def _joined(noise: Sequence[Noise], dtype: str) -> Noise:
    """What goes into several networks, as `torch_module` counts images: input by input."""
    masks = _stacked([one.masks for one in noise], dtype)
    images = _rounded([one.images for one in noise], dtype)
    return Noise(_by_inputs(images), {place: _by_inputs(mask) for place, mask in masks.items()})


def _by_inputs(array: FloatArray) -> FloatArray:
    return np.swapaxes(array, 0, 1).reshape(-1, *array.shape[2:])


def _gradients(
    module: Any, plan: Plan, where: Image, images: Any, samples: Sequence[Sample]
) -> FloatArray:
    """The gradients of all samples, by autograd."""
    torch = import_torch()
    x = images.requires_grad_()
    unit = tuple(map(add, plan.unit, where.shifts[-1]))
    output = module(x)[(slice(None), slice(None), *unit)]
    directions = torch.asarray(np.stack([sample.direction for sample in samples]))
    (found,) = torch.autograd.grad(output, x, directions.to(output))
    start = map(add, plan.map.start, where.shifts[0])
    return np.asarray(found.numpy()[box(tuple(start), plan.map.shape)])


def _full(noise: Noise, where: Image) -> Any:
    """The images: noise in its box, 0 elsewhere."""
    torch = import_torch()
    images = torch.asarray(noise.images)
    x = torch.zeros((*images.shape[:2], *where.sizes[0]), dtype=images.dtype)
    x[_index(where.boxes[0])] = images
    return x


def _index(region: Region | None) -> Any:
    return ... if region is None else box(region.start, region.shape)


@dataclass(frozen=True)
class _Hook:
    """What happens before and behind a submodule.

    Statistics are taken, and masks laid, on the box of its node alone.
    """

    name: str
    index: Any
    shape: _Shape
    mask: Any = None
    crops: bool = False
    calibrates: bool = False

    def before(self, module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        """See the input first: calibrate a batch norm, or crop the input of another norm."""
        part = inputs[0][self.index]
        if self.calibrates:
            axes = (0, *range(2, part.ndim))
            module.running_mean.copy_(part.mean(axes))
            module.running_var.copy_(part.var(axes, correction=0))
        return (part,) if self.crops else inputs

    def behind(self, *inputs_and_output: Any) -> Any:
        """Put a cropped output back to its place, and lay a mask on it."""
        output = inputs_and_output[-1]
        if not self.crops:
            return output
        whole = import_torch().zeros(self.shape, dtype=output.dtype)
        whole[self.index] = output if self.mask is None else output * self.mask
        return whole


def _in_boxes(network: Network, where: Image, noise: Noise, *, calibrate: bool) -> Iterator[_Hook]:
    """The hooks of one run."""
    torch = import_torch()
    rows = zip(network.nodes, where.boxes[1:], where.sizes[1:], network.channels, strict=True)
    for place, (node, region, size, channels) in enumerate(rows):
        shape, index = (len(noise.images), channels, *size), _index(region)
        if region is None:
            continue
        if isinstance(node.layer, Dropout) and place in noise.masks:
            mask = torch.asarray(noise.masks[place])
            yield _Hook(name_of(place, "dropout"), index, shape, mask, crops=True)
        if isinstance(node.layer, Norm) and node.layer.kind not in ("batch", "place"):
            yield _Hook(name_of(place, "norm"), index, shape, crops=True)
        if isinstance(node.layer, Norm) and is_calibrated(node.layer) and calibrate:
            yield _Hook(name_of(place, "norm"), index, shape, calibrates=True)


@contextmanager
def _hooked(module: Any, hooks: Iterable[_Hook]) -> Iterator[None]:
    """The module with the hooks on its submodules."""
    handles = []
    for hook in hooks:
        part = getattr(module, hook.name)
        handles += [part.register_forward_pre_hook(hook.before)]
        handles += [part.register_forward_hook(hook.behind)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
