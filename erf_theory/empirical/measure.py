"""Effective receptive fields by experiment: random weights, a forward and a backward pass, E g²."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any, Literal

import numpy as np

from erf_theory.empirical.checkpoints import Checkpoint, fingerprint_of, read_checkpoint
from erf_theory.empirical.described import BACKENDS, DescribedNetwork
from erf_theory.empirical.experiment import Experiment
from erf_theory.empirical.inputs import images_for
from erf_theory.empirical.measurement import Measurement
from erf_theory.empirical.plan import plan
from erf_theory.empirical.precision import PRECISIONS
from erf_theory.empirical.progress import Watcher, watched
from erf_theory.empirical.running import Goal, Run
from erf_theory.empirical.seeds import Seed, seed_from, seed_text
from erf_theory.empirical.streams import Stream
from erf_theory.empirical.torch_model import model_for
from erf_theory.errors import ErfTheoryError, MapTooLargeError
from erf_theory.exact import FloatArray
from erf_theory.lattice import Steps
from erf_theory.memory import physical_memory
from erf_theory.network.base import need_whole
from erf_theory.network.nodes import Network

__all__ = ["measure_erf"]


def measure_erf(
    network: Network | Any,
    *,
    backend: str = "numpy",
    dtype: str = "float64",
    samples: int = 100,
    target_error: float | None = None,
    layer: str | None = None,
    unit: Steps | None = None,
    images: Any = None,
    input_shape: Sequence[int] | None = None,
    weights: Literal["given", "law"] = "given",
    direction: Any = None,
    rng: Seed = None,
    n_jobs: int | None = None,
    checkpoint: str | PathLike[str] | None = None,
    progress: Watcher = True,
) -> Measurement:
    """Measure the energy E g² of an output unit by back-propagation, as frameworks do it.

    Every sample draws all weights by the layers' laws, or takes them as given, and an input; it
    runs forwards, and sends a gradient of one output unit back to the input. That gradient has a
    random direction over the output channels, normal numbers divided by √channels, so that g² is
    on average the mean over these channels. It shares no code with the theory.

    Parameters
    ----------
    network : Network or torch.nn.Module
        What to measure. No border reaches the unit of a description: it is in an infinite image.
        A module runs as it is, borders included.
    backend : str
        "numpy"; "cupy", which does the same on a GPU; or "torch", which runs the same samples
        through real PyTorch modules and autograd. A module runs in PyTorch whatever this is.
    dtype : {"float64", "float32"}
        Double or single precision. The same numbers are drawn, and then rounded. What may leave
        the range of single precision is refused: a sample of every batch goes in both. A module
        has its own.
    samples : int
        Independent weights and inputs, 2 or more; with ``target_error``, no more than these.
    target_error : float, optional
        Stop at the first multiple of 64 samples at which the relative error of the profiles is
        no more than this. A profile p is the mean of g² summed over all axes but one, its
        relative error √(Σ se²)/√(Σ p²) with the standard errors se of its places; the largest
        over the axes counts. It has the uncertainty of the mass in it.
    layer : str, optional
        The node of a description, or the submodule of a module (as "layer3.5"), whose output it
        is; what comes after it does not run. Default: the last one.
    unit : int or tuple of int, optional
        The output unit, whose phase matters behind an upsampling: 0 by default; of a module, which
        has its first one at 0, the one in the middle.
    images : array_like, shape (images, channels, place...), optional
        Inputs are cut out of these, at random: see `erf_theory.empirical.inputs.Images`. A module
        takes whole ones. Default: independent standard normal numbers.
    input_shape : tuple of int, optional
        Shape (channels, place...) of a module's input, where there are no images.
    weights : {"given", "law"}
        Whether a module has its weights as they are, or its layers draw them anew for every
        sample by ``reset_parameters``. A description says by itself which of its are given.
    direction : array_like, shape (channels,), optional
        The gradient of the output unit, the same for all samples: a 1 among zeros for a channel,
        ones for their sum.
    rng : int, SeedSequence or Generator, optional
        The seed, or what draws it; the result's ``call`` has the seed. Sample i is the same
        whatever the number of samples, and on every backend.
    n_jobs : int, optional
        Workers, as joblib counts them: -1 for all processors. Default: what
        ``joblib.parallel_config`` says, which may be a cluster, else 1. The result is the same,
        bit for bit.
    checkpoint : path, optional
        A file that the run writes to, and goes on from if it is there. Killed and started again,
        or started with more samples, it ends with the same result, bit for bit, as a run that
        never stopped. Without a seed, that of the file is taken.
    progress : bool or callable
        Whether to show a bar with the relative error, on a terminal only; or what is called with
        the number of samples that are done, now and then.

    Returns
    -------
    Measurement
        Of the samples that there are, if it is interrupted (Ctrl-C) after two or more.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, the unit depends on no input, no sample goes through a
        layer, numbers leave the range of their precision, a backend is not there, or the
        checkpoint is damaged or belongs to something else, in which case it stays as it is.
    MapTooLargeError
        If one sample would not fit into memory.

    Notes
    -----
    Dropout in train mode draws its masks. A batch norm is in eval mode: for every network drawn,
    its mean and variance are taken before, per channel, over 4 other inputs and 256 places or
    more in each, and are constants on the way back. Layer, group and instance norms take theirs
    from the input itself, over all places of a box of 1024 or more around the unit's, and the
    gradient goes through them; what they so bring from outside the map is left out of it. Of a
    module, the batch norms that are in eval mode are treated likewise, over 4 inputs of noise,
    where weights are drawn; nothing else is changed.

    Memory does not grow with the number of samples: they are added up in 64 blocks.

    Examples
    --------
    >>> from erf_theory.network import Chain, Conv
    >>> one = measure_erf(Chain([Conv(1, 1, 3, init=1)], ndim=1), samples=1000, rng=0)
    >>> one.start, bool(np.all(abs(one.mean - 1) < 4 * one.standard_error))
    ((0,), True)
    >>> net = Chain([Conv(8, 8, 3)] * 4, ndim=1)
    >>> found = measure_erf(net, samples=100_000, target_error=0.05, rng=0)
    >>> found.samples, round(found.relative_error, 3)
    (448, 0.05)
    """
    experiment = _experiment(
        network,
        backend=backend,
        dtype=dtype,
        layer=layer,
        unit=unit,
        images=images,
        input_shape=input_shape,
        weights=weights,
        direction=direction,
    )
    goal = Goal(need_whole("number of samples", samples, 2), _need_error(target_error))
    _need_jobs(n_jobs)
    saved = None if checkpoint is None else read_checkpoint(Path(checkpoint))
    seed = seed_from(rng) if rng is not None or saved is None else saved.seed
    store, sums = None, None
    if checkpoint is not None:
        store = Checkpoint(Path(checkpoint), fingerprint_of(experiment, seed))
        sums = store.open(saved, goal.samples)
    stream = Stream.of_map(experiment.shape) if sums is None else Stream(sums)
    with watched(progress, goal.samples) as report:
        interrupted = Run(experiment, seed, goal, n_jobs, store, report).fill(stream)
    energy, magnitude, amplitude = stream.means(experiment.shape)
    return Measurement(
        energy.blocks,
        energy.counts,
        experiment.start,
        _call(experiment, goal, seed),
        magnitude.blocks,
        amplitude.blocks,
        interrupted=interrupted,
    )


def _experiment(
    network: Network | Any,
    *,
    backend: str,
    dtype: str,
    layer: str | None,
    unit: Steps | None,
    images: Any,
    input_shape: Sequence[int] | None,
    weights: Literal["given", "law"],
    direction: Any,
) -> Experiment:
    """What to measure, if it makes sense and fits into memory."""
    if backend not in BACKENDS:
        raise ErfTheoryError(f"there is no backend {backend!r}: choose {', '.join(BACKENDS)}")
    if dtype not in PRECISIONS:
        raise ErfTheoryError(f"there is no dtype {dtype!r} here: choose {', '.join(PRECISIONS)}")
    found: Experiment
    if not isinstance(network, Network):
        found = model_for(
            network,
            layer=layer,
            input_shape=input_shape,
            unit=unit,
            weights=weights,
            images=images,
            direction=partial(_need_direction, direction),
        )
    else:
        whole = network if layer is None else network.until(layer)
        found = DescribedNetwork(
            plan(whole, 0 if unit is None else unit),
            backend,
            None if images is None else images_for(whole, images),
            _need_direction(direction, whole.out_channels),
            dtype,
        )
    numbers = found.numbers + Stream.numbers(found.shape)
    if 8 * numbers > (limit := physical_memory()):
        raise MapTooLargeError(
            f"this needs about {8 * numbers / 2**30:.3g} GiB and this machine has "
            f"{limit / 2**30:.3g} GiB: take fewer channels or a smaller network"
        )
    return found


def _need_direction(direction: Any, channels: int) -> FloatArray | None:
    """A direction over so many channels; None for none."""
    if direction is None:
        return None
    array = np.array(direction, dtype=np.float64)
    if array.shape != (channels,) or not np.all(np.isfinite(array)):
        raise ErfTheoryError(
            f"a direction has one finite number for each of {channels} output channels, not "
            f"{array.tolist()}"
        )
    return array


def _need_error(target: float | None) -> float | None:
    if target is not None and not 0 < target < np.inf:
        raise ErfTheoryError(f"a target error is a positive number, as 0.02, not {target}")
    return target


def _need_jobs(n_jobs: int | None) -> None:
    if n_jobs is not None and (not isinstance(n_jobs, int) or n_jobs == 0):
        raise ErfTheoryError(
            f"n_jobs is a number of workers, or -1 for all processors, not {n_jobs!r}"
        )


def _call(experiment: Experiment, goal: Goal, seed: np.random.SeedSequence) -> str:
    """The call that gives the same numbers."""
    what, *more = experiment.said()
    said = [what, f"samples={goal.samples}"]
    if goal.error is not None:
        said.append(f"target_error={goal.error}")
    return f"measure_erf({', '.join([*said, *more, f'rng={seed_text(seed)}'])})"
