"""An ONNX file as a network."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from erf_theory.errors import ErfTheoryError
from erf_theory.network.nodes import Network
from erf_theory.network.weights import LAWS
from erf_theory.readers.onnx_file import load
from erf_theory.readers.overriding import Overrides
from erf_theory.readers.patterns import put_together
from erf_theory.readers.reading import network_of

__all__ = ["read_onnx"]


def read_onnx(
    path: str | PathLike[str],
    *,
    input_shape: Sequence[int] | None = None,
    weights: str = "given",
    overrides: Overrides | None = None,
) -> Network:
    """The network that an ONNX file holds (opset 11 and later), in eval mode.

    Shapes are frozen to one size of the input. Nothing in the file is run. Convolutions with a
    folded batch norm are what the file says: convolutions.

    Parameters
    ----------
    path : str or path
        The file; weights that it keeps in other files are read from beside it.
    input_shape : sequence of int, optional
        Shape of the input, as (1, channels, place, …); needed where the file leaves it open.
    weights : str
        "given": as in the file; or the name of the law that they are drawn by (see
        `erf_theory.network.weights.LAWS`), "law" for PyTorch's.
    overrides : mapping, optional
        From the name of a node, or the path of a module around it, to what it is: a layer,
        "identity", or "global" for what sees all places.

    Returns
    -------
    Network

    Raises
    ------
    ErfTheoryError
        If the package onnx is missing, the file is none, or an operation of it cannot be read; the
        message names all of these.
    """
    if weights not in ("given", "law", *LAWS):
        raise ErfTheoryError(
            f'weights are "given", drawn by their "law", or by one of {", ".join(LAWS)}, not '
            f"{weights!r}"
        )
    from erf_theory.readers.onnx_trace import onnx_trace

    trace = onnx_trace(load(path), Path(path).parent, input_shape)
    return network_of(put_together(trace), weights, overrides)
