"""Networks, by name or from a file: ``layers``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from erf_theory.cli.options import json_option, size_option

if TYPE_CHECKING:
    from erf_theory.network import Network

__all__ = ["layers", "load_network"]

_EXAMPLES = """
\b
Examples:
  erf-theory layers resnet50
  erf-theory layers resnet50_slim --image-size 224
  erf-theory layers my_network.json --image-size 480,640 --csv > layers.csv
"""


@click.command(epilog=_EXAMPLES)
@click.argument("network")
@size_option
@json_option
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
def layers(
    network: str,
    image_size: int | tuple[int, ...] | None,
    as_json: bool,  # noqa: FBT001
    as_csv: bool,  # noqa: FBT001
) -> None:
    """Show the receptive field of every layer of NETWORK: a name of the zoo, or a JSON file."""
    from erf_theory.network import receptive_field

    if as_json and as_csv:
        raise click.UsageError("--json and --csv are two forms of one answer: choose one")
    geometry = receptive_field(load_network(network), image_size=image_size)
    if as_json:
        call = f"erf-theory layers {network}"
        if geometry.image_size:
            call += f" --image-size {','.join(map(str, geometry.image_size))}"
        record = geometry.to_dict() | {"call": call}
        click.echo(json.dumps(record, allow_nan=False))
    else:
        click.echo(geometry.to_csv() if as_csv else str(geometry), nl=not as_csv)


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
