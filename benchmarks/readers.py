"""Models that are read: a file beside one measurement of it, a module beside its export."""

from __future__ import annotations

import warnings
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.networks import numbered
from benchmarks.process import Command, Extra
from benchmarks.row import Ratio, Row
from benchmarks.truth import given_squares
from erf_theory import layer_table, read_onnx, zoo
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.empirical.torch_modules import torch_module
from erf_theory.layertable import LayerTable
from erf_theory.network import Network

__all__ = ["resnet50", "rows"]

_SIDE, _LARGEST = 224, 491
_IMAGES, _SAMPLES = 8, 100
_SEEN = "round(table.rows[-1].trf), len(table)"
_WORK = "`layer_table(read_onnx(path))` of MobileNetV2, weights as given, 149 layers"
_FOLDED = "the same with norms folded into convolutions, as PyTorch exports it: 97 layers"


def rows(*, smoke: bool) -> list[Row]:
    """All rows; none where PyTorch or the package onnx is not installed."""
    if not (find_spec("torch") and find_spec("onnx")):
        return []
    network = numbered(zoo.mobilenet_v2())
    module = _module(network)
    path, folded = (Path(_folder().name) / f"{name}.onnx" for name in ("whole", "folded"))
    _write(module, path, network.in_channels, norms=True)
    _write(module, folded, network.in_channels, norms=False)
    return [
        *(_beside(network, module, path, n) for n in ((2,) if smoke else (_SAMPLES, _IMAGES))),
        Command(f"new process: {_WORK}", _code(path), f"{_LARGEST} 149"),
        Command(f"new process: {_FOLDED}", _code(folded), f"{_LARGEST} 97"),
        _own(path),
        *([] if smoke else [_report()]),
    ]


def _own(path: Path) -> Extra:
    """A new process beside one that only loads the libraries that read numbers and files."""
    beside, other = "new process: `import numpy, onnx`", "import numpy, onnx"
    return Extra(f"new process: {_WORK}", _code(path), beside, other, f"{_LARGEST} 149", 1.0)


def _code(path: Path) -> str:
    """What a new process runs of a file."""
    table = f"table = layer_table(read_onnx({str(path)!r}))"
    return f"from erf_theory import layer_table, read_onnx; {table}; print({_SEEN})"


def resnet50() -> Any:
    """A module that a process makes and reports on."""
    return _module(numbered(zoo.resnet50()))


def _report() -> Extra:
    """The command ``erf-theory model`` beside what it has to wait for."""
    name = f"{__name__}:{resnet50.__name__}"
    made = f"from {__name__} import resnet50; module = resnet50().eval()"
    exported = f"torch.export.export(module, (torch.zeros(1, 3, {_SIDE}, {_SIDE}),))"
    return Extra(
        "new process: `erf-theory model` of ResNet-50, nothing measured",
        f"from erf_theory.cli import main; "
        f"main(['model', {name!r}, '--input', '1,3,{_SIDE},{_SIDE}'])",
        "new process: the module and `torch.export` of it",
        f"import torch, torch.export; {made}; {exported}",
        "427",
        1.0,
    )


@cache
def _folder() -> TemporaryDirectory[str]:
    """Where the file is until the process ends."""
    return TemporaryDirectory()


def _module(network: Network) -> Any:
    """The network as a module of PyTorch."""
    layers: dict[int, Any] = {place: node.layer for place, node in enumerate(network.nodes)}
    weights = {
        place: layer.given_weights[None]
        for place, layer in layers.items()
        if hasattr(layer, "given_weights")
    }
    return torch_module(network, weights, {}).eval().float()


def _write(module: Any, path: Path, channels: int, *, norms: bool) -> None:
    """A module as a file of its own, its norms as they are or folded into convolutions."""
    import torch

    image, modes = torch.zeros(1, channels, _SIDE, _SIDE), torch.onnx.TrainingMode
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = modes.PRESERVE if norms else modes.EVAL
        torch.onnx.export(module, (image,), path, dynamo=False, training=kept)


def _beside(network: Network, module: Any, path: Path, samples: int) -> Row:
    """Beside as many samples as `measure_erf` takes if it is not told, or one an image."""
    shape = (_IMAGES, network.in_channels, _SIDE, _SIDE)
    images = np.random.default_rng(0).standard_normal(shape).astype(np.float32)

    def check(found: LayerTable, measured: Measurement) -> None:
        assert measured.mean.shape == (_SIDE, _SIDE)
        assert measured.mean.any()
        assert len(found) == len(network.nodes)
        assert found.rows[-1].trf == _LARGEST
        _need_true(network, found)

    theirs = partial(measure_erf, module, images=images, samples=samples, rng=0, progress=False)
    beside = f"one `measure_erf` of it on {_IMAGES} images of {_SIDE}², {samples} samples"
    return Ratio(_WORK, beside, 1 / 20, lambda: layer_table(read_onnx(path)), theirs, check)


def _need_true(network: Network, found: LayerTable) -> None:
    """Assert widths and masses behind two blocks; the file holds weights in single precision."""
    for name in ("3.add", "5.add"):
        before = network.until(name)
        line = given_squares(before).sum(axis=1)
        places, shares = np.arange(len(line)), line / line.sum()
        std = np.sqrt(shares @ (places - shares @ places) ** 2)
        row = found.rows[len(before.nodes) - 1]
        assert abs(row.std / std - 1) < 1e-6
        assert abs(row.log_mass - np.log(line.sum())) < 1e-5
