"""``reproduce``: the paper's experiment, beside the theory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from erf_theory.cli.options import (
    DepthsType,
    json_option,
    plot_option,
    print_json,
    print_table,
    progress_bar,
    save_picture,
)

if TYPE_CHECKING:
    from erf_theory.verdict.reproduction import Reproduction

__all__ = ["reproduce"]

_EXAMPLES = """
\b
Examples:
  erf-theory reproduce --plot luo2016.png
  erf-theory reproduce --depths 5,10 --runs 100 --json > maps.json

All 20 maps took 17 seconds in one process; 40 layers take most of it.
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--depths", type=DepthsType(), default="5,10,20,40", show_default=True, help="Convolutions."
)
@click.option("--runs", type=int, default=20, show_default=True, help="Random networks per map.")
@click.option("--channels", type=int, default=32, show_default=True, help="Channels everywhere.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers.")
@json_option
@plot_option
def reproduce(as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Measure the 3x3 stacks of Luo et al. 2016, Figures 1 and 2, beside their theory.

    All ones, random weights, and random weights with ReLU, tanh and sigmoid: the mean of the
    gradient's magnitude over the runs, and the prediction for wide networks.
    """
    from erf_theory.verdict import reproduction

    with progress_bar("maps", len(options["depths"]) * len(reproduction.VARIANTS)) as progress:
        found: Reproduction = reproduction.reproduce(**options, progress=progress)
    save_picture(found, plot)
    if as_json:
        print_json(found)
    else:
        print_table(found)
