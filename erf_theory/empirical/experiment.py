"""An experiment: what is measured, and how samples are made from their seeds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np

from erf_theory.exact import FloatArray

__all__ = ["Experiment", "array_bytes", "digest"]

_MOST_NUMBERS = 2**23
"""Numbers in the arrays of one batch: 64 MiB of doubles."""
_MOST_SAMPLES = 32
"""Samples in one batch, so that a few hundred keep several workers busy."""


class Experiment(ABC):
    """Everything but the seed and the number of samples."""

    @property
    @abstractmethod
    def start(self) -> tuple[int, ...]:
        """Input coordinate of the map's first place."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the map."""

    @property
    @abstractmethod
    def numbers(self) -> int:
        """Numbers that one sample needs at once, about."""

    @abstractmethod
    def load(self) -> None:
        """Load the libraries that it computes with.

        Raises
        ------
        ErfTheoryError
            If one is not installed.
        """

    @abstractmethod
    def gradients(self, seeds: Sequence[np.random.SeedSequence]) -> FloatArray:
        """Gradients by the input: shape (samples, channels, place...), a sample for every seed."""

    @abstractmethod
    def fingerprint(self) -> dict[str, Any]:
        """What tells it from other experiments, as JSON knows it.

        Raises
        ------
        ErfTheoryError
            If a part of it cannot be told from others.
        """

    @abstractmethod
    def said(self) -> list[str]:
        """Arguments of the call that makes it."""

    @property
    def batch(self) -> int:
        """Samples that are computed at once: the same number however many workers there are."""
        return min(_MOST_SAMPLES, max(1, _MOST_NUMBERS // self.numbers))


def digest(parts: Sequence[bytes]) -> str:
    """A hash that tells sequences of texts and arrays apart."""
    found = sha256()
    for part in parts:
        found.update(b"%d:" % len(part) + part)
    return found.hexdigest()


def array_bytes(array: Any) -> bytes:
    """Shape, type and numbers of an array."""
    whole = np.ascontiguousarray(array)
    return repr((whole.shape, whole.dtype.str)).encode() + whole.tobytes()
