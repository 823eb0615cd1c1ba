"""A user's own model: ``model``."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from erf_theory.cli.loading import image_shape, made, part_of
from erf_theory.cli.options import NumbersType, progress_bar

if TYPE_CHECKING:
    from erf_theory.network import Network
    from erf_theory.report.document import Report
    from erf_theory.report.images import Images
    from erf_theory.report.training import TrainingTable

__all__ = ["model"]

_EXAMPLES = """
\b
Examples:
  erf-theory model torchvision.models:resnet50 --input 1,3,224,224 --html resnet50.html
  erf-theory model my_model.onnx --html my_model.html --json my_model.json
  erf-theory model my_code:make_model --input 1,3,224,224 --weights best.pt --images photos
  erf-theory model my_code:make_model --input 1,3,64,64 --override neck.attention=global

MODULE:CALLABLE is imported, from the current folder too, and called: that runs its code. Files
are only read.
"""
_file = click.Path(dir_okay=False)


@click.command(epilog=_EXAMPLES)
@click.argument("model")
@click.option("--input", "shape", type=NumbersType(int), help="Shape of the input: 1,3,224,224.")
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False),
    help="A state_dict of PyTorch, for MODULE:CALLABLE; loaded without running code in it.",
)
@click.option(
    "--given/--drawn",
    "is_given",
    default=None,
    help="Weights as they are, or drawn by their law: what the architecture alone sees. Default: "
    "drawn for MODULE:CALLABLE, given for ONNX files, which fold norms into weights.",
)
@click.option("--layer", help="Look at this layer, and at what comes before it.")
@click.option(
    "--override",
    "overrides",
    multiple=True,
    metavar="PATH=WHAT",
    help="What a part is that cannot be read: identity, or global for what mixes all places.",
)
@click.option(
    "--images",
    type=click.Path(),
    help="A folder of images: a module is measured on them, trained and untrained.",
)
@click.option(
    "--samples", type=click.IntRange(32), default=64, show_default=True, help="Of a measurement."
)
@click.option("--mean", type=NumbersType(float), help="Mean of the images.  [default: ImageNet's]")
@click.option("--std", type=NumbersType(float), help="Their standard deviation.  [likewise]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the measurements.")
@click.option("--html", type=_file, help="Save the report: one page that stands alone.")
@click.option("--json", "json_path", type=_file, help="Save its numbers.")
@click.option("--plot-dir", type=click.Path(file_okay=False), help="Save its pictures there.")
def model(
    model: str, html: str | None, json_path: str | None, plot_dir: str | None, **asked: Any
) -> None:
    """Report what the units of MODEL see.

    MODEL is an .onnx file, a network saved as .json, or MODULE:CALLABLE: what makes a module of
    PyTorch.
    """
    from erf_theory.report.outputs import need_places, plots, save_all

    targets = [Path(path) for path in (html, json_path, plot_dir) if path]
    need_places(targets)
    report = replace(_report(model, asked), call=f"erf-theory {shlex.join(sys.argv[1:])}")
    files: dict[Path, str | bytes] = {}
    if html:
        files[Path(html)] = report.html()
    if json_path:
        files[Path(json_path)] = report.json()
    if plot_dir:
        files |= {Path(plot_dir) / name: data for name, data in plots(report).items()}
    save_all(files)
    click.echo(str(report))
    for path in targets:
        click.echo(f"saved {path}", err=True)


def _report(text: str, asked: dict[str, Any]) -> Report:
    """Read, measure if there are images and a module, and report."""
    from erf_theory.readers.model import read_model
    from erf_theory.report.document import model_report

    found, said = made(text, asked["weights"]), dict(map(part_of, asked["overrides"]))
    is_file, is_given = isinstance(found, str), asked["is_given"]
    weights = "given" if (is_file if is_given is None else is_given) else "law"
    network = read_model(
        found, asked["shape"], layer=asked["layer"], weights=weights, overrides=said or None
    )
    shape = image_shape(found, asked["shape"])
    images = None if asked["images"] is None else _images(shape, asked)
    with progress_bar("layers", None) as progress:
        report = model_report(
            network,
            name=Path(text).name if is_file else text.partition(":")[2],
            image_size=None if shape is None else shape[1:],
            image=None if images is None else images.pictures[0],
            progress=progress,
        )
    if images is None:
        return report
    if is_file:
        click.echo("nothing is measured: only a module of PyTorch is run", err=True)
        return report
    return replace(report, training=_trained(found, network, images, said, asked))


def _images(shape: tuple[int, ...] | None, asked: dict[str, Any]) -> Images:
    from erf_theory.errors import ErfTheoryError
    from erf_theory.report.images import load_images

    if shape is None:
        raise ErfTheoryError("images need the shape of the input: give --input, as 1,3,224,224")
    return load_images(asked["images"], shape, mean=asked["mean"], std=asked["std"])


def _trained(
    module: Any, network: Network, images: Images, overrides: dict[str, str], asked: dict[str, Any]
) -> TrainingTable:
    """The module measured where its stages end, trained and untrained."""
    from erf_theory.report.training import compare_training, measurable

    layers = measurable(module, network, images.inputs.shape[2:], asked["layer"])
    samples = asked["samples"]
    with progress_bar("samples", 2 * len(layers) * samples) as progress:
        return compare_training(
            module,
            images.inputs,
            layers,
            samples=samples,
            rng=asked["seed"],
            overrides=overrides or None,
            progress=progress,
        )
