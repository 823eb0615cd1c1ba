"""What a reader finds in a model: its operations in order, in one small vocabulary.

Every format has a file of its own that writes a `Trace`; `erf_theory.readers.building` makes the
network of it. A trace is frozen to one example: all shapes are numbers.

The kinds of operations, and their attributes; paddings are (before, after) for every place axis:

========================  ===========================================================
kind                      attributes, and arrays
========================  ===========================================================
conv, conv_transpose      stride, padding, dilation, groups, output_padding; weight, bias
linear                    over the last axis; weight (out, in), bias
max_pool, avg_pool        size, stride, padding, dilation; of a mean also divisor, and
                          counts_padding (whether the zeros beyond the border count)
adaptive_avg_pool,        size: that of the output
adaptive_max_pool
reduce                    function ("mean", "sum" or "max"), axes
activation                function: a name of `erf_theory.activations`, and no more; or curve: any
                          function of one NumPy array, whose meaning is found out later
prelu                     slopes
norm                      norm (as in `Norm`), eps, groups; of a layer norm axes (how many, the
                          last ones) or axis;
                          scale, shift, mean, variance
add, sub, mul, div        two inputs, of which one may be a `Constant`
concat                    axis
resize                    mode ("nearest" or "linear"), aligned (whether corners are)
pad                       ends, one pair for every axis of the input; border, value
identity                  none
move                      move: a function of one NumPy array that only brings samples elsewhere
========================  ===========================================================

Any other kind is refused by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, final

import numpy as np
import numpy.typing as npt

from erf_theory.errors import ErfTheoryError

__all__ = ["Constant", "Op", "Trace"]


@final
@dataclass(frozen=True, eq=False)
class Constant:
    """Numbers of a model that no input changes; two are the same only if they are one object.

    Attributes
    ----------
    shape : tuple of int
        Shape of the array.
    load : callable
        Gives the numbers; not called before they are needed.
    is_learned : bool
        Whether training changes them, so that a law can stand in their place.
    """

    shape: tuple[int, ...]
    load: Callable[[], npt.ArrayLike]
    is_learned: bool = False

    @property
    def array(self) -> npt.NDArray[Any]:
        """The numbers, loaded anew every time: a network keeps its own."""
        return np.asarray(self.load())


@final
@dataclass(frozen=True, eq=False)
class Op:
    """One operation of a model.

    Attributes
    ----------
    name : str
        Its own name, by which others read what comes out of it: a module path, where there is one.
    kind : str
        What it does; see the table of this file.
    inputs : tuple of str and Constant
        What it reads: names of operations, or numbers.
    attributes : mapping
        How it does it.
    arrays : mapping from str to Constant
        Weights and the like.
    shape : tuple of int, optional
        Shape of what comes out, where the model says it.
    module : str
        Path of the module that it belongs to.
    where : str
        The line of the source that it comes from.
    """

    name: str
    kind: str
    inputs: tuple[str | Constant, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Constant] = field(default_factory=dict)
    shape: tuple[int, ...] | None = None
    module: str = ""
    where: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """Names of the operations that it reads."""
        return tuple(name for name in self.inputs if isinstance(name, str))


@final
@dataclass(frozen=True, eq=False)
class Trace:
    """A model as its operations.

    Attributes
    ----------
    source : str
        Name of the model's input.
    shape : tuple of int
        Shape of the example: 1, channels, places of every axis.
    ops : tuple of Op
        None before what it reads.
    outputs : tuple of str
        Names of what the model gives back; the first one is the network's output.
    """

    source: str
    shape: tuple[int, ...]
    ops: tuple[Op, ...]
    outputs: tuple[str, ...]

    def until(self, name: str) -> Trace:
        """The trace whose output is that of an operation, or the last of those behind that path.

        Raises
        ------
        ErfTheoryError
            If there is none of that name; the message has names that are near.
        """
        names = [op.name for op in self.ops]
        inside = [own for own in names if own.startswith(f"{name}.")]
        if name not in names and not (name and inside):
            near = ", ".join(get_close_matches(name, names, 3, 0.0))
            raise ErfTheoryError(f"there is no node {name!r}: did you mean {near}?")
        return replace(self, outputs=(name if name in names else inside[-1],))
