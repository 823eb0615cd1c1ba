"""Networks, by name or from a file: ``net``, ``layers``, ``compare`` and ``tiles``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from erf_theory.cli.options import (
    NumberType,
    SizeType,
    json_option,
    plot_option,
    print_json,
    print_table,
    progress_bar,
    save_picture,
    size_option,
)

if TYPE_CHECKING:
    from erf_theory.erf import ERF
    from erf_theory.network import Network

__all__ = ["compare", "layers", "load_network", "net", "tiles"]

_NET_EXAMPLES = """
\b
Examples:
  erf-theory net resnet50                             its profile, in measures
  erf-theory net resnet50 --ndim 2 --plot r50.png     the map, and its picture
  erf-theory net unet_nearest --unit 3 --layer up1    another unit, another layer
  erf-theory net my_network.json --kind rms --json
"""
_LAYERS_EXAMPLES = """
\b
Examples:
  erf-theory layers resnet50
  erf-theory layers resnet50_slim --image-size 224
  erf-theory layers my_network.json --geometry --csv > layers.csv
  erf-theory layers wavenet --spacing 0.0000625 --unit s
"""
_COMPARE_EXAMPLES = """
\b
Examples:
  erf-theory compare resnet50 convnext_t
  erf-theory compare unet_nearest unet_linear my_unet.json --json
"""
_TILES_EXAMPLES = """
\b
Examples:
  erf-theory tiles unet
  erf-theory tiles resnet50 --mass 0.99
  erf-theory tiles my_network.json --overlap 64 --json
"""
_OF_PROFILES = "Measures of profiles on axis 0; layers and net --ndim 2 count sizes on maps."
_TABLE = {"axis": 0, "spacing": 1, "unit": "px", "whole_maps": False}
"""What `layers` gives its table by default."""


@click.command(epilog=_NET_EXAMPLES)
@click.argument("network")
@click.option(
    "--ndim", type=int, help="1 for the profile, or the network's axes for the map.  [default: 1]"
)
@click.option("--axis", type=int, default=0, show_default=True, help="Axis of the profile.")
@click.option("--kind", default="energy", show_default=True, help="energy, rms or amplitude.")
@click.option("--layer", help="Node whose unit it is. Default: the last one.")
@click.option("--source", help="Node that takes the place of the input.")
@click.option("--unit", type=int, default=0, show_default=True, help="Which of its units.")
@size_option
@json_option
@plot_option
def net(network: str, ndim: int | None, as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Show the effective receptive field of NETWORK: a name of the zoo, or a JSON file."""
    found = _erf(network, 1 if ndim is None else ndim, **options)
    save_picture(found, plot)
    if as_json:
        print_json(found)
    else:
        print_table(found)


@click.command(epilog=_LAYERS_EXAMPLES)
@click.argument("network")
@size_option
@click.option("--axis", type=int, default=0, show_default=True, help="Axis of the lengths.")
@click.option(
    "--spacing", type=NumberType(), default=1, show_default=True, help="Distance of two samples."
)
@click.option("--unit", default="px", show_default=True, help="Unit of the spacing.")
@click.option("--whole-maps", is_flag=True, help="Exact sizes with given weights: minutes.")
@click.option("--geometry", is_flag=True, help="Theoretical fields alone, paths and alignment.")
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def layers(
    network: str,
    image_size: int | tuple[int, ...] | None,
    geometry: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    as_csv: bool,  # noqa: FBT001
    **options: Any,
) -> None:
    """Show what every layer of NETWORK sees: a name of the zoo, or a JSON file."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms of one answer: choose one")
    if geometry and options != _TABLE:
        raise click.UsageError(
            "--geometry is in pixels on all axes, and needs no maps: leave --axis, --spacing, "
            "--unit, --whole-maps"
        )
    loaded = load_network(network)
    found: Any
    if geometry:
        from erf_theory.network import receptive_field

        found = receptive_field(loaded, image_size=image_size)
    else:
        from erf_theory.layertable import layer_table

        with progress_bar("layers", len(loaded.nodes)) as progress:
            found = layer_table(loaded, image_size=image_size, progress=progress, **options)
    if as_json:
        click.echo(json.dumps(found.to_dict(), allow_nan=False))
    else:
        click.echo(found.to_csv() if as_csv else str(found), nl=not as_csv)


@click.command(epilog=_COMPARE_EXAMPLES)
@click.argument("networks", nargs=-1, required=True)
@size_option
@json_option
def compare(
    networks: tuple[str, ...],
    image_size: int | tuple[int, ...] | None,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Show the receptive fields of NETWORKS side by side: names of the zoo, or JSON files."""
    from erf_theory.network.text import table

    found = {text: _erf(text, 1, image_size=image_size) for text in networks}
    facts = {text: erf.summary() for text, erf in found.items()}
    if as_json:
        click.echo(json.dumps(facts, allow_nan=False))
        return
    names = ("theoretical_rf", "std", "size", "half_width", "participation", "log_mass")
    rows = [["network", *(name.replace("_", " ") for name in names), "theory"]]
    for text, measures in facts.items():
        cells = [_cell(measures[name]) for name in names]
        rows.append([text, *cells, found[text].exactness])
    click.echo("\n".join([*table(rows), _OF_PROFILES]))


@click.command(epilog=_TILES_EXAMPLES)
@click.argument("network")
@click.option("--mass", type=float, help="Share of the energy to keep.  [default: 0.999]")
@click.option("--overlap", type=SizeType(), help="Instead: pixels that tiles share, 64 or 64,32.")
@size_option
@json_option
def tiles(network: str, as_json: bool, **options: Any) -> None:  # noqa: FBT001
    """Show the overlap that tiles of an image need for NETWORK, or what a given one cuts."""
    from erf_theory.practical.tiles import tile_overlap

    found = tile_overlap(load_network(network), **options)
    click.echo(json.dumps(found.to_dict(), allow_nan=False) if as_json else str(found))


def _erf(network: str, ndim: int, **options: Any) -> ERF:
    from dataclasses import replace

    from erf_theory.architectures import network_erf

    loaded = load_network(network)
    found = network_erf(loaded, ndim=ndim, **options)
    return replace(found, call=found.call.replace(loaded.label, network))


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " × ".join(map(str, value))
    return "-inf" if value is None else f"{value:.4g}"


def load_network(text: str) -> Network:
    """The network of the zoo with that name, or of that file.

    Raises
    ------
    ErfTheoryError
        If there is neither, or the file holds no network.

    Examples
    --------
    >>> load_network("vgg16").out_channels
    512
    """
    from pathlib import Path

    from erf_theory.errors import ErfTheoryError
    from erf_theory.network import load
    from erf_theory.zoo import ZOO

    if text in ZOO:
        return ZOO[text]()
    if not Path(text).is_file():
        raise ErfTheoryError(
            f"{text!r} is no file, and no network of the zoo: {', '.join(sorted(ZOO))}"
        )
    return load(text)
