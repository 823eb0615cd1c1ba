"""The loop of a measurement: samples are added until there are enough, or it is interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import final

import numpy as np

from erf_theory.empirical.checkpoints import Checkpoint
from erf_theory.empirical.experiment import Experiment
from erf_theory.empirical.progress import Report
from erf_theory.empirical.scheduling import batches_of_rows, is_boundary
from erf_theory.empirical.streams import BLOCKS, Stream

__all__ = ["Goal", "Run"]


@final
@dataclass(frozen=True)
class Goal:
    """When there are enough samples.

    Attributes
    ----------
    samples : int
        The most.
    error : float, optional
        Relative error of the profiles that is enough, asked at multiples of 64 samples.
    """

    samples: int
    error: float | None

    def is_reached(self, done: int, error: float) -> bool:
        """Whether so many samples with such an error are enough."""
        at_end = done >= self.samples
        return at_end or (self.error is not None and done % BLOCKS == 0 and error <= self.error)


@final
@dataclass(frozen=True, eq=False)
class Run:
    """One measurement: what, how much, by whom, and who hears of it.

    Attributes
    ----------
    experiment : Experiment
        What to measure.
    seed : SeedSequence
        What all samples are drawn from.
    goal : Goal
        When there are enough. Whether it is reached depends on the samples, not on who computes.
    n_jobs : int, optional
        Workers, as joblib counts them.
    store : Checkpoint, optional
        The file that keeps the sums.
    report : callable, optional
        What is told how far it is.
    """

    experiment: Experiment
    seed: np.random.SeedSequence
    goal: Goal
    n_jobs: int | None
    store: Checkpoint | None
    report: Report | None

    def fill(self, stream: Stream) -> bool:
        """Add samples to a stream until the goal is reached.

        Returns
        -------
        bool
            Whether it was interrupted before, with two samples or more.

        Raises
        ------
        KeyboardInterrupt
            If it was interrupted with fewer.
        """
        begin = stream.done
        try:
            self._add(stream)
        except KeyboardInterrupt:
            if stream.done < 2:
                raise
            return True
        finally:
            if self.store and stream.done > begin and self._can_go_on(stream):
                self.store.write(stream.sums)
        return False

    def _add(self, stream: Stream) -> None:
        """Batch by batch; now and then the sums are kept, and the error is taken."""
        shape = self.experiment.shape
        asks = self.goal.error is not None or self.report is not None
        error = stream.error(shape) if asks and stream.done > 1 else inf
        if self.goal.is_reached(stream.done, error):
            return
        todo = range(stream.done, self.goal.samples)
        with batches_of_rows(self.experiment, self.seed, todo, self.n_jobs) as batches:
            for rows in batches:
                stream.add(rows)
                if asks and stream.done % BLOCKS == 0:
                    error = stream.error(shape)
                if self.report:
                    self.report(stream.done, error)
                if self.goal.is_reached(stream.done, error):
                    return
                self._keep(stream)

    def _keep(self, stream: Stream) -> None:
        """Write the sums now and then, and before a last batch that is cut short."""
        if self.store is None or not self._can_go_on(stream):
            return
        if self.goal.samples - stream.done < self.experiment.batch:
            self.store.write(stream.sums)
        else:
            self.store.offer(stream.sums)

    def _can_go_on(self, stream: Stream) -> bool:
        """Whether a later run would cut the same batches."""
        return is_boundary(stream.done, self.experiment.batch)
