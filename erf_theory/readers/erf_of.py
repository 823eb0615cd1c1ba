"""From a model to its effective receptive field in one call."""

from __future__ import annotations

from typing import Any, Literal

from erf_theory.architectures import network_erf
from erf_theory.erf import ERF
from erf_theory.lattice import Steps
from erf_theory.network.geometry import resolved
from erf_theory.readers.model import read_model, shape_of
from erf_theory.readers.overriding import Overrides

__all__ = ["erf_of"]


def erf_of(
    model: Any,
    example_input: Any = None,
    layer: str | None = None,
    *,
    weights: str = "given",
    kind: Literal["energy", "rms", "amplitude"] = "energy",
    ndim: int | None = None,
    unit: Steps = 0,
    overrides: Overrides | None = None,
) -> ERF:
    """Read a model and compute the effective receptive field of a layer's unit.

    Parameters
    ----------
    model : torch.nn.Module, path or Network
        A module; an ONNX file; a file of `erf_theory.network.save`, named .json; or a network.
    example_input : tensor or sequence of int, optional
        An input, or its shape (1, channels, place, …). A module needs it, an ONNX file where it
        leaves its sizes open, a network where TensorFlow's padding depends on it.
    layer : str, optional
        The path of a module, as "layer3.5", or the name of a node. Default: the output.
    weights : str
        "given", drawn by their "law", or by one of `erf_theory.network.weights.LAWS`. A network
        says by itself which of its weights are given.
    kind : {"energy", "rms", "amplitude"}
        As for `erf_theory.network_erf`.
    ndim : int, optional
        1 for the profile. Default: the whole map.
    unit : int or tuple of int
        Which unit, where its phase matters: behind an upsampling. No border reaches it.
    overrides : mapping, optional
        What parts of a module or of an ONNX file are: a layer, "identity" or "global".

    Returns
    -------
    ERF

    Raises
    ------
    ErfTheoryError
        If the model cannot be read, an argument makes no sense, or no rule is known for a layer.

    See Also
    --------
    erf_theory.network_erf : the same of a network, with all its options.

    Examples
    --------
    >>> from erf_theory import zoo
    >>> found = erf_of(zoo.vgg16(), layer="pool2")
    >>> found.theoretical_rf, round(found.std, 3)
    ((16, 16), 2.814)
    """
    network = read_model(model, example_input, layer=layer, weights=weights, overrides=overrides)
    shape = shape_of(example_input)
    exact = resolved(network, None if shape is None else shape[2:])
    return network_erf(exact, kind=kind, ndim=ndim, unit=unit)
