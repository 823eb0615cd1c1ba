"""A module of PyTorch as a network."""

from __future__ import annotations

from typing import Any

from erf_theory.empirical.torch_import import import_torch
from erf_theory.errors import ErfTheoryError
from erf_theory.network.nodes import Network
from erf_theory.readers.overriding import Overrides
from erf_theory.readers.reading import need_weights, network_of

__all__ = ["read_torch"]


def read_torch(
    module: Any,
    example_input: Any,
    *,
    layer: str | None = None,
    weights: str = "given",
    overrides: Overrides | None = None,
) -> Network:
    """The network that a module of PyTorch computes in eval mode.

    Nodes have the paths of modules for names; a function has that of the module around it and its
    own, as "layer3.5.add", and what is called again a number. A path such as "layer3.5" is where
    that block ends. Sizes are frozen to the example: ``remarks`` of the network says where.

    Parameters
    ----------
    module : torch.nn.Module
        The model. It is neither run on numbers nor changed, and its mode is restored.
    example_input : tensor, shape (1, channels, place, …)
        An input as the model takes it, with 1 to 3 axes of places. Only its shape counts; of
        several inputs the first one is taken.
    layer : str, optional
        The path of a module, as "layer3.5", or the name of a node where the network ends: nothing
        behind it has to be read. Default: the model's first output.
    weights : str
        "given": those of the model. "law": PyTorch's initialisation of every layer, norms as they
        start. Or the name of a law, such as "he", for all convolutions, without biases. Fixed
        weights, which are no parameters, stay as they are; so do factors of their own.
    overrides : mapping from str to Layer or str, optional
        What parts of the model are, by the name of an operation or of a module, a star for
        anything: a layer, "identity", or "global" for what sees all places alike.

    Returns
    -------
    Network
        Its output is the first tensor that the model gives back, or that of the layer; the other
        ones are among the nodes. A squeeze-and-excitation is a `Gate`, and what brings a global
        pool back to all places is `Global`: their influence from everywhere is in no map, and
        maps say so.

    Raises
    ------
    ErfTheoryError
        If operations are no layers, such as attention: the message names all of them, with module,
        operator and source line. If the model depends on the numbers of its input, or PyTorch is
        not installed.

    Examples
    --------
    >>> import torch  # doctest: +SKIP
    >>> from erf_theory import network_erf, read_torch  # doctest: +SKIP
    >>> from torch import nn  # doctest: +SKIP
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3))  # doctest: +SKIP
    >>> network = read_torch(model, torch.zeros(1, 3, 32, 32), weights="he")  # doctest: +SKIP
    >>> [node.name for node in network.nodes]  # doctest: +SKIP
    ['0', '1', '2']
    >>> network_erf(network, ndim=1).values.round(3).tolist()  # doctest: +SKIP
    [0.111, 0.222, 0.333, 0.222, 0.111]
    """
    torch = import_torch()
    if not isinstance(module, torch.nn.Module):
        raise ErfTheoryError(f"a torch.nn.Module is read, not {type(module).__name__}")
    if not isinstance(example_input, torch.Tensor):
        raise ErfTheoryError(f"the example is a tensor, not {type(example_input).__name__}")
    if example_input.ndim not in (3, 4, 5) or min(example_input.shape) < 1:
        raise ErfTheoryError(
            f"the example has the shape {tuple(example_input.shape)}: give one of (1, channels, "
            "place, …), with 1 to 3 axes of places"
        )
    need_weights(weights)
    from erf_theory.readers.torch_trace import torch_trace

    like = next((p for p in module.parameters() if p.is_floating_point()), example_input)
    example = example_input[:1].detach().to(like)
    return network_of(torch_trace(module, example), weights, overrides, layer)
