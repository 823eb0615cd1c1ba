"""Seeds: one for an experiment, and one of its own for every sample."""

from __future__ import annotations

import numpy as np

from erf_theory.network.base import need_whole

__all__ = ["Seed", "child", "seed_from", "seed_text"]

Seed = int | np.random.SeedSequence | np.random.Generator | None
"""What random numbers come from."""


def seed_from(rng: Seed) -> np.random.SeedSequence:
    """The seed of an experiment.

    Raises
    ------
    ErfTheoryError
        If it is none.

    Examples
    --------
    >>> seed_from(7).entropy
    7
    """
    if isinstance(rng, np.random.SeedSequence):
        return rng
    if isinstance(rng, np.random.Generator):
        return np.random.SeedSequence(int.from_bytes(rng.bytes(16)))
    return np.random.SeedSequence(None if rng is None else need_whole("seed", rng, 0))


def seed_text(seed: np.random.SeedSequence) -> str:
    """How a seed is written in a call.

    Examples
    --------
    >>> seed_text(np.random.SeedSequence(7)), seed_text(child(np.random.SeedSequence(7), 2))
    ('7', 'SeedSequence(7, spawn_key=(2,))')
    """
    if seed.spawn_key:
        return f"SeedSequence({seed.entropy}, spawn_key={seed.spawn_key})"
    return str(seed.entropy)


def child(seed: np.random.SeedSequence, number: int) -> np.random.SeedSequence:
    """The seed of a sample, whatever samples there are beside it."""
    return np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, number))
