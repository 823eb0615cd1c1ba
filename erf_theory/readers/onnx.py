"""An ONNX file as a network."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from erf_theory.errors import ErfTheoryError
from erf_theory.network.nodes import Network
from erf_theory.readers.onnx_file import load
from erf_theory.readers.overriding import Overrides
from erf_theory.readers.patterns import put_together
from erf_theory.readers.reading import need_weights, network_of

__all__ = ["read_onnx"]

_DAMAGE = (IndexError, KeyError, RuntimeError, TypeError, ValueError)
"""What a graph raises that breaks ONNX's own rules."""


def read_onnx(
    path: str | PathLike[str],
    *,
    input_shape: Sequence[int] | None = None,
    layer: str | None = None,
    weights: str = "given",
    overrides: Overrides | None = None,
) -> Network:
    """The network that an ONNX file holds; opsets from 11 on are read.

    Nodes have the paths of PyTorch's modules for names, where its exporters wrote the file, as in
    `erf_theory.read_torch`; else the names that the file has. Sizes are frozen to one input:
    ``remarks`` of the network says where. A batch norm that the exporter folded into a convolution
    is no layer of its own. Nothing in the file is run.

    Parameters
    ----------
    path : str or path
        The file; weights that it keeps in other files are read from beside it.
    input_shape : sequence of int, optional
        Shape of the input, as (1, channels, place, …); needed where the file leaves it open.
    layer : str, optional
        The path of a module, as "layer3.5", or the name of a node where the network ends: nothing
        behind it has to be read. Default: the file's first output.
    weights : str
        "given": those of the file. "law": PyTorch's initialisation of every layer, norms as they
        start. Or the name of a law, such as "he", for all convolutions, without biases.
    overrides : mapping from str to Layer or str, optional
        What parts of the model are, by the name of a node or of a module, a star for anything: a
        layer, "identity", or "global" for what sees all places alike.

    Returns
    -------
    Network
        Its output is the file's first one, or that of the layer; the other ones are among the
        nodes.

    Raises
    ------
    ErfTheoryError
        If operations are no layers: the message names all of them, with their nodes. If the file
        is no ONNX, is truncated or damaged, or the package onnx is not installed.

    Examples
    --------
    >>> from erf_theory import layer_table, read_onnx  # doctest: +SKIP
    >>> network = read_onnx("model.onnx", input_shape=(1, 3, 224, 224))  # doctest: +SKIP
    >>> print(layer_table(network))  # doctest: +SKIP
    """
    need_weights(weights)
    from erf_theory.readers.onnx_trace import onnx_trace

    model = load(path)
    try:
        trace = onnx_trace(model, Path(path).parent, input_shape)
    except ErfTheoryError:
        raise
    except _DAMAGE as error:
        raise ErfTheoryError(f"{path} is damaged: {type(error).__name__}: {error}") from None
    return network_of(put_together(trace), weights, overrides, layer)
