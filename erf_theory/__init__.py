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
    from erf_theory.coherent import coherent_erf
    from erf_theory.conventions import measured_erf
    from erf_theory.design.answers import Answer
    from erf_theory.design.changes import Comparison, compare
    from erf_theory.design.choices import Budget, Choices
    from erf_theory.design.costs import Cost, network_cost
    from erf_theory.design.depths import depth_for
    from erf_theory.design.designs import Design
    from erf_theory.design.dilations import dilation_for
    from erf_theory.design.front import Front, design_front, equal_cost
    from erf_theory.design.kernels import kernel_for
    from erf_theory.design.search import design_network
    from erf_theory.design.shares import VarianceShares, variance_shares
    from erf_theory.design.strides import strides_for
    from erf_theory.empirical.measure import measure_erf
    from erf_theory.empirical.measurement import Measurement
    from erf_theory.erf import ERF
    from erf_theory.errors import EngineError, ErfTheoryError, MapTooLargeError
    from erf_theory.finitewidth import fluctuation, samples_for
    from erf_theory.formulas import SymbolicERF, symbolic_erf
    from erf_theory.gaussian.attractors import Attractor, attractor
    from erf_theory.gaussian.bounds import BerryEsseen, berry_esseen
    from erf_theory.gaussian.clt import CLTFormulas, clt_formulas
    from erf_theory.gaussian.convergence import convergence
    from erf_theory.gaussian.depths import Scaling
    from erf_theory.gaussian.distances import distance_to_normal, distance_to_sampled_normal
    from erf_theory.gaussian.edgeworth import Edgeworth, best_order, edgeworth
    from erf_theory.gaussian.enclosure import Enclosure
    from erf_theory.gaussian.expansions import Expansions, compare_expansions
    from erf_theory.gaussian.limit import GaussianLimit, gaussian_limit
    from erf_theory.gaussian.metrics import Distances
    from erf_theory.gaussian.rates import Convergence
    from erf_theory.gaussian.saddlepoint import Saddlepoint, saddlepoint
    from erf_theory.gaussian.scaling import sqrt_scaling
    from erf_theory.gaussian.tails import TailBound, chernoff, sub_gaussian_tail
    from erf_theory.kernel import Kernel
    from erf_theory.layertable import LayerTable, layer_table
    from erf_theory.network.receptive import Geometry, receptive_field
    from erf_theory.practical.anchors import AnchorPrior, anchor_prior
    from erf_theory.practical.sizes import InputAdvice, input_size_advice
    from erf_theory.practical.tiles import TileOverlap, tile_overlap
    from erf_theory.readers.erf_of import erf_of
    from erf_theory.readers.onnx import read_onnx
    from erf_theory.readers.torch import read_torch
    from erf_theory.replknet import AreaRatios, area_ratios
    from erf_theory.report.document import Report, model_report
    from erf_theory.report.training import TrainingTable, compare_training
    from erf_theory.theory import theoretical_erf, variance_erf
    from erf_theory.verdict.agreement import Agreement, crosscheck

__all__ = [
    "ERF",
    "Agreement",
    "AnchorPrior",
    "Answer",
    "AreaRatios",
    "Attractor",
    "BerryEsseen",
    "Budget",
    "CLTFormulas",
    "Choices",
    "Comparison",
    "Convergence",
    "Cost",
    "Design",
    "Distances",
    "Edgeworth",
    "Enclosure",
    "EngineError",
    "ErfTheoryError",
    "Expansions",
    "Front",
    "GaussianLimit",
    "Geometry",
    "InputAdvice",
    "Kernel",
    "LayerTable",
    "MapTooLargeError",
    "Measurement",
    "Report",
    "Saddlepoint",
    "Scaling",
    "SymbolicERF",
    "TailBound",
    "TileOverlap",
    "TrainingTable",
    "VarianceShares",
    "anchor_prior",
    "area_ratios",
    "attractor",
    "berry_esseen",
    "best_order",
    "chernoff",
    "clt_formulas",
    "coherent_erf",
    "compare",
    "compare_expansions",
    "compare_training",
    "convergence",
    "crosscheck",
    "depth_for",
    "design_front",
    "design_network",
    "dilation_for",
    "distance_to_normal",
    "distance_to_sampled_normal",
    "edgeworth",
    "equal_cost",
    "erf_of",
    "fluctuation",
    "gaussian_limit",
    "input_size_advice",
    "kernel_for",
    "layer_table",
    "measure_erf",
    "measured_erf",
    "model_report",
    "network_cost",
    "network_erf",
    "read_onnx",
    "read_torch",
    "receptive_field",
    "saddlepoint",
    "samples_for",
    "sqrt_scaling",
    "strides_for",
    "sub_gaussian_tail",
    "symbolic_erf",
    "theoretical_erf",
    "tile_overlap",
    "variance_erf",
    "variance_shares",
]

_HOMES = {
    "Agreement": "verdict.agreement",
    "AnchorPrior": "practical.anchors",
    "Answer": "design.answers",
    "AreaRatios": "replknet",
    "Attractor": "gaussian.attractors",
    "BerryEsseen": "gaussian.bounds",
    "Budget": "design.choices",
    "CLTFormulas": "gaussian.clt",
    "Choices": "design.choices",
    "Comparison": "design.changes",
    "Convergence": "gaussian.rates",
    "Cost": "design.costs",
    "Design": "design.designs",
    "Distances": "gaussian.metrics",
    "ERF": "erf",
    "Edgeworth": "gaussian.edgeworth",
    "Enclosure": "gaussian.enclosure",
    "EngineError": "errors",
    "ErfTheoryError": "errors",
    "Expansions": "gaussian.expansions",
    "Front": "design.front",
    "GaussianLimit": "gaussian.limit",
    "Geometry": "network.receptive",
    "InputAdvice": "practical.sizes",
    "Kernel": "kernel",
    "LayerTable": "layertable",
    "MapTooLargeError": "errors",
    "Measurement": "empirical.measurement",
    "Report": "report.document",
    "Saddlepoint": "gaussian.saddlepoint",
    "Scaling": "gaussian.depths",
    "SymbolicERF": "formulas",
    "TailBound": "gaussian.tails",
    "TileOverlap": "practical.tiles",
    "TrainingTable": "report.training",
    "VarianceShares": "design.shares",
    "anchor_prior": "practical.anchors",
    "area_ratios": "replknet",
    "attractor": "gaussian.attractors",
    "berry_esseen": "gaussian.bounds",
    "best_order": "gaussian.edgeworth",
    "chernoff": "gaussian.tails",
    "clt_formulas": "gaussian.clt",
    "coherent_erf": "coherent",
    "compare": "design.changes",
    "compare_expansions": "gaussian.expansions",
    "compare_training": "report.training",
    "convergence": "gaussian.convergence",
    "crosscheck": "verdict.agreement",
    "depth_for": "design.depths",
    "design_front": "design.front",
    "design_network": "design.search",
    "dilation_for": "design.dilations",
    "distance_to_normal": "gaussian.distances",
    "distance_to_sampled_normal": "gaussian.distances",
    "edgeworth": "gaussian.edgeworth",
    "equal_cost": "design.front",
    "erf_of": "readers.erf_of",
    "fluctuation": "finitewidth",
    "gaussian_limit": "gaussian.limit",
    "input_size_advice": "practical.sizes",
    "kernel_for": "design.kernels",
    "layer_table": "layertable",
    "measure_erf": "empirical.measure",
    "measured_erf": "conventions",
    "model_report": "report.document",
    "network_cost": "design.costs",
    "network_erf": "architectures",
    "read_onnx": "readers.onnx",
    "read_torch": "readers.torch",
    "receptive_field": "network.receptive",
    "saddlepoint": "gaussian.saddlepoint",
    "samples_for": "finitewidth",
    "sqrt_scaling": "gaussian.scaling",
    "strides_for": "design.strides",
    "sub_gaussian_tail": "gaussian.tails",
    "symbolic_erf": "formulas",
    "theoretical_erf": "theory",
    "tile_overlap": "practical.tiles",
    "variance_erf": "theory",
    "variance_shares": "design.shares",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that defines it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
