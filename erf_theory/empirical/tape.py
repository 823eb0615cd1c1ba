"""Real back-propagation on arrays: forwards through the nodes, and back by what each one pulls."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from erf_theory.empirical.draws import Noise, Sample
from erf_theory.empirical.layers import At, Pull, forward, matrices
from erf_theory.empirical.norms import channel_statistics
from erf_theory.empirical.plan import Boxes, Plan, is_calibrated
from erf_theory.exact import FloatArray
from erf_theory.lattice import box
from erf_theory.network.geometry import Region, seen
from erf_theory.network.nodes import INPUT, Network
from erf_theory.network.pointwise import Norm

__all__ = ["Watch", "gradients"]

Watch = Callable[[str, Any], None]
"""What is shown all "signals" and "gradients", (networks, inputs, channels, place...)."""

_Statistics = dict[int, tuple[Any, Any]]
"""Mean and variance of the channels of batch norms, by the places of their nodes."""


@dataclass(frozen=True)
class _Run:
    """The nodes, and the numbers of several samples as arrays of one namespace.

    Statistics that are missing are taken from the samples that go through, and entered.
    """

    network: Network
    xp: Any
    dtype: str
    watch: Watch
    weights: dict[int, Any] = field(default_factory=dict)
    biases: dict[int, Any] = field(default_factory=dict)
    statistics: _Statistics = field(default_factory=dict)

    def array(self, numbers: FloatArray) -> Any:
        """What NumPy has drawn, rounded to the type of numbers."""
        return self.xp.asarray(numbers.astype(self.dtype))


@dataclass(frozen=True)
class _Step:
    """What a node did: how a gradient goes back, and to which part of what it read."""

    place: int
    shape: tuple[int, ...]
    pull: Pull
    windows: tuple[tuple[int, Any], ...]


def gradients(
    plan: Plan,
    samples: Sequence[Sample],
    xp: Any = np,
    dtype: str = "float64",
    watch: Watch | None = None,
) -> Any:
    """Gradients of the output unit by the input, in the plan's map.

    Parameters
    ----------
    plan : Plan
        What to look at.
    samples : sequence of Sample
        Random networks and their inputs.
    xp : module
        Namespace that computes: ``numpy``, or one of array-api-compat.
    dtype : str
        Type of the numbers that it computes with.
    watch : callable, optional
        What sees them.

    Returns
    -------
    array of the namespace, shape (samples, channels, place...)
    """
    run = _run(plan.network, samples, xp, dtype, watch or _nobody)
    if plan.wide is not None:
        noise = [sample.calibrating for sample in samples if sample.calibrating is not None]
        for _ in _steps(run, plan.wide, *_arrays(noise, run)):
            pass
    images, masks = _arrays([sample.measured for sample in samples], run)
    tape = list(_steps(run, plan.boxes, images, masks))
    shape = images.shape if not tape else tape[-1].shape
    seed = xp.zeros(shape, dtype=images.dtype)
    unit = Region(plan.unit, (1,) * plan.network.ndim)
    ones = (1,) * plan.network.ndim
    directions = run.array(np.stack([sample.direction for sample in samples]))
    seed[_window(unit, plan.boxes[-1])] = xp.reshape(directions, (*shape[:1], 1, shape[2], *ones))
    found = _backward(tape, seed, images.shape, run)
    return found[_window(plan.map, plan.boxes[0])][:, 0, ...]


def _run(network: Network, samples: Sequence[Sample], xp: Any, dtype: str, watch: Watch) -> _Run:
    run = _Run(network, xp, dtype, watch)
    for place in samples[0].weights:
        layer: Any = network.nodes[place].layer
        stacked = np.stack([sample.weights[place] for sample in samples])
        run.weights[place] = run.array(matrices(layer, stacked))
    for place in samples[0].biases:
        run.biases[place] = run.array(np.stack([sample.biases[place] for sample in samples]))
    return run


def _nobody(kind: str, numbers: Any) -> None:
    """See nothing."""


def _arrays(noise: Sequence[Noise], run: _Run) -> tuple[Any, dict[int, Any]]:
    """Images and masks of several samples, side by side."""
    masks = {
        place: run.array(np.stack([one.masks[place] for one in noise])) for place in noise[0].masks
    }
    return run.array(np.stack([one.images for one in noise])), masks


def _steps(run: _Run, boxes: Boxes, images: Any, masks: Mapping[int, Any]) -> Iterator[_Step]:
    """Go forwards through all nodes that are needed; samples stay no longer than they are read."""
    nodes, xp = run.network.nodes, run.xp
    last = {source: place for place, node in enumerate(nodes) for source in node.inputs}
    values = {INPUT: images}
    run.watch("signals", images)
    for place, node in enumerate(nodes):
        region = boxes[place + 1]
        if region is None:
            continue
        source = seen(node.layer, region)
        if source is None:
            windows: tuple[tuple[int, Any], ...] = ()
            source, xs = _nothing(run, node.inputs, images)
        else:
            windows = tuple((i, _window(source, boxes[i + 1])) for i in node.inputs)
            xs = [values[i][window] for i, window in windows]
        at = At(source, region, xp, run.weights.get(place), run.biases.get(place), masks.get(place))
        if isinstance(node.layer, Norm) and is_calibrated(node.layer):
            if place not in run.statistics:
                run.statistics[place] = channel_statistics(xs[0], xp)
            at = replace(at, statistics=run.statistics[place])
        values[place], pull = forward(node.layer, xs, at)
        run.watch("signals", values[place])
        yield _Step(place, values[place].shape, pull, windows)
        for i in {i for i in node.inputs if last[i] == place}:
            values.pop(i, None)


def _nothing(run: _Run, inputs: Sequence[int], images: Any) -> tuple[Region, list[Any]]:
    """Empty inputs, of a layer that needs no place of them."""
    empty = Region((0,) * run.network.ndim, (0,) * run.network.ndim)
    channels = (*run.network.channels, run.network.in_channels)
    shapes = [(*images.shape[:2], channels[i], *empty.shape) for i in inputs]
    return empty, [run.xp.zeros(shape, dtype=images.dtype) for shape in shapes]


def _backward(tape: Sequence[_Step], seed: Any, shape: tuple[int, ...], run: _Run) -> Any:
    """The gradient by the input, from that by the output; what comes from several nodes adds."""
    shapes = {INPUT: shape} | {step.place: step.shape for step in tape}
    found = {tape[-1].place: seed}
    for step in reversed(tape):
        gradient = found.pop(step.place)
        run.watch("gradients", gradient)
        parts = step.pull(gradient)
        for (source, window), part in zip(step.windows, parts, strict=bool(step.windows)):
            if source not in found:
                found[source] = run.xp.zeros(shapes[source], dtype=seed.dtype)
            found[source][window] += part
    run.watch("gradients", found[INPUT])
    return found[INPUT]


def _window(part: Region, whole: Region | None) -> Any:
    """Index of a box in the array that holds a larger one."""
    if whole is None:
        raise IndexError(part)
    return box([a - b for a, b in zip(part.start, whole.start, strict=True)], part.shape)
