"""PyTorch, where it is installed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from erf_theory.errors import ErfTheoryError

__all__ = ["import_torch"]


def import_torch() -> Any:
    """The module ``torch``.

    Raises
    ------
    ErfTheoryError
        If it is not installed.
    """
    try:
        return import_module("torch")
    except ModuleNotFoundError:
        raise ErfTheoryError(
            'PyTorch is not installed here: run `pip install torch`, or take backend="numpy"'
        ) from None
