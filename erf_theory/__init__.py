"""Effective receptive fields of convolutional networks, in closed form.

What does an output unit really see? `theoretical_erf` answers for a stack of equal layers,
`variance_erf` for random weights, `symbolic_erf` in formulas, and `sqrt_scaling` says how it
grows with depth. See Luo, Li, Urtasun and Zemel,
"Understanding the Effective Receptive Field in Deep Convolutional Neural Networks", NIPS 2016.

Names load when they are first used, so that the import is light.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from erf_theory.architectures import network_erf
    from erf_theory.conventions import measured_erf
    from erf_theory.empirical.measure import measure_erf
    from erf_theory.empirical.measurement import Measurement
    from erf_theory.erf import ERF
    from erf_theory.errors import EngineError, ErfTheoryError, MapTooLargeError
    from erf_theory.finitewidth import fluctuation, samples_for
    from erf_theory.formulas import SymbolicERF, symbolic_erf
    from erf_theory.gaussian.depths import Scaling
    from erf_theory.gaussian.scaling import sqrt_scaling
    from erf_theory.kernel import Kernel
    from erf_theory.layertable import LayerTable, layer_table
    from erf_theory.network.receptive import Geometry, receptive_field
    from erf_theory.practical.anchors import AnchorPrior, anchor_prior
    from erf_theory.practical.sizes import InputAdvice, input_size_advice
    from erf_theory.practical.tiles import TileOverlap, tile_overlap
    from erf_theory.replknet import AreaRatios, area_ratios
    from erf_theory.theory import theoretical_erf, variance_erf
    from erf_theory.verdict.agreement import Agreement, crosscheck

__all__ = [
    "ERF",
    "Agreement",
    "AnchorPrior",
    "AreaRatios",
    "EngineError",
    "ErfTheoryError",
    "Geometry",
    "InputAdvice",
    "Kernel",
    "LayerTable",
    "MapTooLargeError",
    "Measurement",
    "Scaling",
    "SymbolicERF",
    "TileOverlap",
    "anchor_prior",
    "area_ratios",
    "crosscheck",
    "fluctuation",
    "input_size_advice",
    "layer_table",
    "measure_erf",
    "measured_erf",
    "network_erf",
    "receptive_field",
    "samples_for",
    "sqrt_scaling",
    "symbolic_erf",
    "theoretical_erf",
    "tile_overlap",
    "variance_erf",
]

_HOMES = {
    "Agreement": "verdict.agreement",
    "AnchorPrior": "practical.anchors",
    "AreaRatios": "replknet",
    "ERF": "erf",
    "EngineError": "errors",
    "ErfTheoryError": "errors",
    "Geometry": "network.receptive",
    "InputAdvice": "practical.sizes",
    "Kernel": "kernel",
    "LayerTable": "layertable",
    "MapTooLargeError": "errors",
    "Measurement": "empirical.measurement",
    "Scaling": "gaussian.depths",
    "SymbolicERF": "formulas",
    "TileOverlap": "practical.tiles",
    "anchor_prior": "practical.anchors",
    "area_ratios": "replknet",
    "crosscheck": "verdict.agreement",
    "fluctuation": "finitewidth",
    "input_size_advice": "practical.sizes",
    "layer_table": "layertable",
    "measure_erf": "empirical.measure",
    "measured_erf": "conventions",
    "network_erf": "architectures",
    "receptive_field": "network.receptive",
    "samples_for": "finitewidth",
    "sqrt_scaling": "gaussian.scaling",
    "symbolic_erf": "formulas",
    "theoretical_erf": "theory",
    "tile_overlap": "practical.tiles",
    "variance_erf": "theory",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
