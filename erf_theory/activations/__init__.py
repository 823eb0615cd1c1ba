"""Activations by name or from any function: σ, σ' and their moments under the normal law."""

from erf_theory.activations.moments import Moment, Nonlinearity
from erf_theory.activations.names import ACTIVATIONS, nonlinearity

__all__ = ["ACTIVATIONS", "Moment", "Nonlinearity", "nonlinearity"]
