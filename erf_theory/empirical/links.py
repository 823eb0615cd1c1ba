"""Which samples meet at which tap of a window, as slices of the arrays that hold two boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from erf_theory.lattice import box
from erf_theory.network.geometry import Region

__all__ = ["Link", "gather", "spread"]

Axes = Sequence[int]


@dataclass(frozen=True)
class Link:
    """The samples that one tap connects.

    Attributes
    ----------
    tap : tuple of int
        The tap.
    outputs, inputs : index
        Of the output's samples and, in the same order, of the input's.
    shape : tuple of int
        Their number per axis.
    """

    tap: tuple[int, ...]
    outputs: Any
    inputs: Any
    shape: tuple[int, ...]


def gather(
    size: Axes, stride: Axes, dilation: Axes, padding: Axes, source: Region, region: Region
) -> list[Link]:
    """Taps of a window that reads its input: y[i] of x[stride·i + dilation·a - padding].

    Examples
    --------
    >>> from erf_theory.network.geometry import Region
    >>> [link] = gather([1], [2], [1], [0], Region((4,), (5,)), Region((2,), (3,)))
    >>> link.inputs, link.shape
    ((Ellipsis, slice(0, 5, 2)), (3,))
    """
    axes = zip(stride, padding, source.start, region.start, strict=True)
    first = [s * start - p - origin for s, p, origin, start in axes]
    outputs = box((0,) * len(size), region.shape)
    links = []
    for tap in product(*map(range, size)):
        start = [at + d * a for at, d, a in zip(first, dilation, tap, strict=True)]
        links.append(Link(tap, outputs, box(start, region.shape, stride), region.shape))
    return links


def spread(
    size: Axes, stride: Axes, dilation: Axes, padding: Axes, source: Region, region: Region
) -> list[Link]:
    """Taps of a window that is spread: x[i] is added to y[stride·i + dilation·a - padding].

    Taps that meet no output of the region are left out.

    Examples
    --------
    >>> from erf_theory.network.geometry import Region
    >>> links = spread([2], [2], [1], [0], Region((0,), (2,)), Region((1,), (3,)))
    >>> [(link.tap, link.outputs[1], link.inputs[1]) for link in links]
    [((0,), slice(1, 2, 2), slice(1, 2, 1)), ((1,), slice(0, 3, 2), slice(0, 2, 1))]
    """
    links = []
    for tap in product(*map(range, size)):
        rows = zip(region.start, region.shape, padding, dilation, tap, stride, strict=True)
        ahead = [start + p - d * a for start, _, p, d, a, _ in rows]
        first = [-at % s for at, s in zip(ahead, stride, strict=True)]
        counts = zip(first, region.shape, stride, strict=True)
        shape = tuple(len(range(at, m, s)) for at, m, s in counts)
        if 0 in shape:
            continue
        inputs = zip(ahead, first, stride, source.start, strict=True)
        start = [(at + skip) // s - origin for at, skip, s, origin in inputs]
        links.append(Link(tap, box(first, shape, stride), box(start, shape), shape))
    return links
