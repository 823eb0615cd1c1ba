"""The experiment on a GPU: the sampler of arrays, on those of CuPy."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from erf_theory.empirical import tape
from erf_theory.empirical.draws import Sample
from erf_theory.empirical.plan import Plan
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["gradients", "import_cupy"]


def import_cupy() -> Any:
    """CuPy, where it has a GPU to compute on.

    Raises
    ------
    ErfTheoryError
        If it is not installed, or finds no GPU.
    """
    try:
        cupy = import_module("cupy")
    except ImportError:
        raise ErfTheoryError(
            "CuPy is not installed here: run `pip install cupy-cuda12x`, or cupy-cuda13x for CUDA "
            '13, on a machine with an NVIDIA GPU, or take backend="numpy"'
        ) from None
    if not cupy.cuda.is_available():
        raise ErfTheoryError(
            f"CuPy {cupy.__version__} is installed here and finds no GPU: see that `nvidia-smi` "
            'lists one and that its driver fits this CuPy, or take backend="numpy"'
        )
    return cupy


def gradients(plan: Plan, samples: Sequence[Sample], dtype: str = "float64") -> FloatArray:
    """Gradients of the output unit by the input, in the plan's map, moved back from the GPU.

    Parameters
    ----------
    plan : Plan
        What to look at.
    samples : sequence of Sample
        Random networks and their inputs, which NumPy has drawn.
    dtype : str
        Type of the numbers that it computes with.

    Returns
    -------
    ndarray, shape (samples, channels, place...)

    Raises
    ------
    ErfTheoryError
        As `import_cupy`.
    """
    cupy = import_cupy()
    xp = import_module("array_api_compat.cupy")
    return np.asarray(cupy.asnumpy(tape.gradients(plan, samples, xp, dtype)))
