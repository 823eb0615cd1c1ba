"""Checkpoints: a measurement on its way, in a file that a run can go on from.

The file is a NumPy archive of the sums, what they belong to, and a hash of both. It is replaced in
one step, so that at any moment it is whole.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import mkstemp
from time import monotonic
from typing import IO, Any, final
from zipfile import BadZipFile, ZipFile

import numpy as np

from erf_theory.empirical.experiment import Experiment
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import FloatArray

__all__ = ["FORMAT", "Checkpoint", "Saved", "fingerprint_of", "read_checkpoint"]

FORMAT = "erf_theory.Checkpoint/1"
_SHARE = 10
"""Writing waits until ten times as long as it last took has passed."""
_DAMAGE = (
    BadZipFile,
    EOFError,
    KeyError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    zlib.error,
)
"""What reading a damaged archive raises."""


@final
@dataclass(frozen=True, eq=False)
class Saved:
    """What a checkpoint holds: sums of samples, and the experiment that they belong to."""

    sums: FloatArray
    fingerprint: Mapping[str, Any]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(np.sum(self.sums[:, 0]))

    @property
    def seed(self) -> np.random.SeedSequence:
        """The seed of the experiment."""
        entropy, spawn_key = self.fingerprint["seed"]
        return np.random.SeedSequence(entropy, spawn_key=spawn_key)


def fingerprint_of(experiment: Experiment, seed: np.random.SeedSequence) -> dict[str, Any]:
    """What a run must share with a checkpoint to go on from it bit by bit.

    Raises
    ------
    ErfTheoryError
        If the experiment has nothing to tell it by.
    """
    entropy = seed.entropy
    numbers = entropy if isinstance(entropy, int | None) else [int(part) for part in entropy]
    return {
        "format": FORMAT,
        "packages": f"erf_theory {version('erf-theory')}, numpy {np.__version__}",
        "seed": [numbers, list(seed.spawn_key)],
        **experiment.fingerprint(),
    }


def read_checkpoint(path: Path) -> Saved | None:
    """The checkpoint in a file; None where there is no file.

    Raises
    ------
    ErfTheoryError
        If the file is none, is damaged, or cannot be read.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ErfTheoryError(f"{path} cannot be read: {error.strerror or error}") from error
    with file:
        try:
            return _read(file)
        except _DAMAGE:
            raise ErfTheoryError(
                f"{path} is no checkpoint of measure_erf, or it is damaged: name another file, or "
                "move it away to start anew"
            ) from None


def _read(file: IO[bytes]) -> Saved:
    """The checkpoint in an open file; one of `_DAMAGE` is raised where there is none."""
    with ZipFile(file) as archive:
        if archive.testzip():
            raise BadZipFile
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        sums, text, digest = arrays["sums"], str(arrays["fingerprint"]), str(arrays["digest"])
    fingerprint = json.loads(text)
    if digest != _digest(sums, text) or fingerprint["format"] != FORMAT:
        raise BadZipFile
    return Saved(sums, fingerprint)


def _digest(sums: FloatArray, text: str) -> str:
    found = sha256(f"{sums.dtype} {sums.shape} {text}".encode())
    found.update(np.ascontiguousarray(sums).data)
    return found.hexdigest()


@final
@dataclass(eq=False)
class Checkpoint:
    """The file that one run goes on from and writes to.

    Parameters
    ----------
    path : Path
        The file.
    fingerprint : mapping
        The experiment, as `fingerprint_of` has it.
    """

    path: Path
    fingerprint: Mapping[str, Any]
    _next: float = 0.0

    def open(self, saved: Saved | None, most: int) -> FloatArray | None:
        """The sums to go on from; None at the start.

        Raises
        ------
        ErfTheoryError
            If the file belongs to another experiment, has more samples than ``most``, or cannot
            be written.
        """
        _need_writable(self.path)
        if saved is None:
            return None
        mine = json.loads(self._text)
        others = [name for name in mine if saved.fingerprint.get(name) != mine[name]]
        if others:
            raise ErfTheoryError(
                f"{self.path} is the checkpoint of another experiment, which differs in "
                f"{' and '.join(others)}: name another file"
            )
        if saved.samples > most:
            raise ErfTheoryError(
                f"{self.path} has {saved.samples} samples, more than {most}: ask for as many, or "
                "name another file"
            )
        return saved.sums

    def offer(self, sums: FloatArray) -> None:
        """Write, unless it was written not long ago: it takes a tenth of the time at most."""
        if (begin := monotonic()) >= self._next:
            self.write(sums)
            self._next = monotonic() + _SHARE * (monotonic() - begin)

    def write(self, sums: FloatArray) -> None:
        """Replace the file in one step.

        Raises
        ------
        ErfTheoryError
            If it cannot be written.
        """
        digest = _digest(sums, self._text)
        try:
            with _replacing(self.path) as file:
                np.savez(file, sums=sums, fingerprint=self._text, digest=digest)
        except OSError as error:
            raise ErfTheoryError(
                f"{self.path} cannot be written: {error.strerror or error}"
            ) from error

    @property
    def _text(self) -> str:
        return json.dumps(self.fingerprint)


def _need_writable(path: Path) -> None:
    folder = path.absolute().parent
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ErfTheoryError(f"{path} cannot be written: {folder} is no folder to write to")


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file beside that takes the other one's place when it is complete."""
    handle, name = mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink()
        raise
