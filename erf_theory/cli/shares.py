"""Which layer makes a field wide: ``shares``."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import click

from erf_theory.cli.networks import load_network
from erf_theory.cli.options import json_option, plot_option, save_picture, size_option

__all__ = ["shares"]

_EXAMPLES = """
\b
Examples:
  erf-theory shares resnet50
  erf-theory shares resnet50 --layer stage3 --plot shares.png
  erf-theory shares my_network.json --json
"""


@click.command(epilog=_EXAMPLES)
@click.argument("network")
@click.option("--axis", type=int, default=0, show_default=True, help="Axis of the variance.")
@click.option("--layer", help="Node whose unit it is. Default: the last one.")
@size_option
@json_option
@plot_option
def shares(network: str, as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Show which layer of NETWORK has how much of its ERF's variance.

    NETWORK is a name of the zoo, or a JSON file.
    """
    from erf_theory.design.shares import variance_shares

    loaded = load_network(network)
    found = variance_shares(loaded, **options)
    found = replace(found, call=found.call.replace(loaded.label, network))
    save_picture(found, plot)
    click.echo(json.dumps(found.to_dict(), allow_nan=False) if as_json else str(found))
