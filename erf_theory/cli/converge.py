"""How fast maps become Gaussian: ``converge``."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from erf_theory.cli.networks import load_network
from erf_theory.cli.options import (
    DepthsType,
    KernelType,
    json_option,
    plot_option,
    print_json,
    save_picture,
)

__all__ = ["converge"]

_EXAMPLES = """
\b
Examples:
  erf-theory converge -k 3 --depths 5,10,20,40,80,160
  erf-theory converge -k 3 --depths 5,10,20,40,80,160 --metric tv --plot c.png --json
  erf-theory converge --kernel 1,2,5 --depths 10,100,1000 --metric kl
  erf-theory converge --block block.json --depths 4,8,16,32
"""


@click.command(epilog=_EXAMPLES)
@click.option("-k", type=int, help="Taps of a layer. Default: those of --kernel, else 3.")
@click.option("--block", help="A network to repeat, instead of a layer: a JSON file or a name.")
@click.option("--depths", type=DepthsType(), required=True, help="Numbers of layers, as 5,10,20.")
@click.option(
    "--metric",
    default="kolmogorov",
    show_default=True,
    help="kolmogorov, tv, hellinger, kl, chi2, w1, w2, cvm or density_error.",
)
@click.option(
    "--against", help="normal (where that is no trivial distance: the default) or sampled normal."
)
@click.option("--kernel", type=KernelType(), help="Taps, as 1,2,1. Default: ones.")
@json_option
@plot_option
def converge(
    k: int | None,
    block: str | None,
    as_json: bool,  # noqa: FBT001
    plot: str | None,
    **options: Any,
) -> None:
    """Show how fast the effective receptive field becomes Gaussian with depth."""
    from erf_theory.gaussian.convergence import convergence

    if block is not None:
        if k is not None:
            raise click.UsageError("-k and --block are two things to repeat: choose one")
        loaded = load_network(block)
        found = convergence(loaded, **options)
        found = replace(found, call=found.call.replace(loaded.label, block))
    else:
        found = convergence(3 if k is None and options["kernel"] is None else k, **options)
    save_picture(found, plot)
    if as_json:
        print_json(found)
    else:
        click.echo(found)
