"""Batches of samples, computed here or by workers, and handed on in their order."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import islice
from typing import Any
from warnings import catch_warnings

import numpy as np

from erf_theory.empirical.experiment import Experiment
from erf_theory.empirical.seeds import child
from erf_theory.empirical.streams import BLOCKS, rows_of
from erf_theory.empirical.threads import one_thread
from erf_theory.exact import FloatArray

__all__ = ["batches", "batches_of_rows", "is_boundary"]

_ROUND = 4
"""Batches for every worker between two looks at how far a measurement is."""


def batches(first: int, last: int, most: int) -> Iterator[range]:
    """Numbers of the samples of every batch, from ``first`` to before ``last``.

    Batches lie on one grid, that starts anew at every multiple of 64: a run that goes on from any
    boundary of it has the same batches as one that never stopped.

    Examples
    --------
    >>> list(batches(60, 70, 30))
    [range(60, 64), range(64, 70)]
    """
    while first < last:
        within = first % BLOCKS
        step = min(most - within % most, BLOCKS - within, last - first)
        yield range(first, first + step)
        first += step


def is_boundary(done: int, most: int) -> bool:
    """Whether a number of samples lies on the grid of batches.

    Examples
    --------
    >>> [done for done in range(60, 100) if is_boundary(done, 30)]
    [60, 64, 94]
    """
    return done % BLOCKS % most == 0


@contextmanager
def batches_of_rows(
    experiment: Experiment,
    seed: np.random.SeedSequence,
    samples: range,
    n_jobs: int | None,
) -> Iterator[Iterator[FloatArray]]:
    """What samples add to a stream, batch by batch, in their order.

    On leaving, what was computed ahead is dropped.

    Parameters
    ----------
    experiment : Experiment
        What to measure.
    seed : SeedSequence
        The seed that every sample's is a child of.
    samples : range
        Their numbers.
    n_jobs : int, optional
        Workers, as joblib counts them. Default: what ``joblib.parallel_config`` says, else 1.

    Yields
    ------
    iterator of ndarray
        Each as `erf_theory.empirical.streams.rows_of`.
    """
    delayed = import_module("joblib").delayed
    tasks = (
        delayed(_rows)(experiment, seed, batch)
        for batch in batches(samples.start, samples.stop, experiment.batch)
    )
    found = _done(tasks, n_jobs)
    try:
        yield found
    finally:
        with catch_warnings(action="ignore", category=UserWarning):
            found.close()


def _done(tasks: Iterator[Any], n_jobs: int | None) -> Generator[FloatArray]:
    """What tasks give, in their order; in rounds where joblib's backend gives all at once."""
    joblib = import_module("joblib")
    backend, _ = joblib.parallel.get_active_backend()
    if backend.supports_return_generator:
        yield from joblib.Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
        return
    size = _ROUND * joblib.effective_n_jobs(n_jobs)
    with joblib.Parallel(n_jobs=n_jobs) as parallel:
        while some := list(islice(tasks, size)):
            yield from parallel(some)


def _rows(experiment: Experiment, seed: np.random.SeedSequence, batch: range) -> FloatArray:
    """One batch, in one thread."""
    experiment.load()
    with one_thread():
        return rows_of(experiment.gradients([child(seed, number) for number in batch]))
