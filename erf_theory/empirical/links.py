"""Which samples meet at which tap of a window, as slices of the arrays that hold two boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from erf_theory.lattice import box
from erf_theory.network.geometry import Region

__all__ = ["Link", "Taps"]

_Axes = Sequence[int]


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


@dataclass(frozen=True)
class Taps:
    """A window: its size, stride, dilation and the padding before it, one number per axis."""

    size: _Axes
    stride: _Axes
    dilation: _Axes
    padding: _Axes

    def gather(self, source: Region, region: Region) -> list[Link]:
        """Links of a window that reads: y[i] has x[stride·i + dilation·a - padding] in it.

        Examples
        --------
        >>> [link] = Taps([1], [2], [1], [0]).gather(Region((4,), (5,)), Region((2,), (3,)))
        >>> link.inputs, link.shape
        ((Ellipsis, slice(0, 5, 2)), (3,))
        """
        outputs = box((0,) * len(self.size), region.shape)
        axes = zip(self.stride, region.start, source.start, strict=True)
        first = [s * start - origin for s, start, origin in axes]
        starts = (tuple(map(sum, zip(first, at, strict=True))) for at in self._offsets())
        links = zip(product(*map(range, self.size)), starts, strict=True)
        return [
            Link(tap, outputs, box(start, region.shape, self.stride), region.shape)
            for tap, start in links
        ]

    def spread(self, source: Region, region: Region) -> list[Link]:
        """Links of a window that is spread: x[i] is in y[stride·i + dilation·a - padding].

        Taps that meet no output of the region are left out.

        Examples
        --------
        >>> links = Taps([2], [2], [1], [0]).spread(Region((0,), (2,)), Region((1,), (3,)))
        >>> [(link.tap, link.outputs[1], link.inputs[1]) for link in links]
        [((0,), slice(1, 2, 2), slice(1, 2, 1)), ((1,), slice(0, 3, 2), slice(0, 2, 1))]
        """
        links = []
        for tap, at in zip(product(*map(range, self.size)), self._offsets(), strict=True):
            ahead = [start - offset for start, offset in zip(region.start, at, strict=True)]
            first = [-place % s for place, s in zip(ahead, self.stride, strict=True)]
            counts = zip(first, region.shape, self.stride, strict=True)
            shape = tuple(len(range(skip, m, s)) for skip, m, s in counts)
            if 0 not in shape:
                inputs = zip(ahead, first, self.stride, source.start, strict=True)
                start = [(place + skip) // s - origin for place, skip, s, origin in inputs]
                links.append(Link(tap, box(first, shape, self.stride), box(start, shape), shape))
        return links

    def _offsets(self) -> Iterator[tuple[int, ...]]:
        """dilation·a - padding for every tap a."""
        axes = zip(self.size, self.dilation, self.padding, strict=True)
        return product(*([d * a - p for a in range(k)] for k, d, p in axes))
