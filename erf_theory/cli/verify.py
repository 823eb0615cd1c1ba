"""``verify``: theory beside an experiment, and controls that must fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from erf_theory.cli.options import (
    json_option,
    ndim_option,
    plot_option,
    print_json,
    print_table,
    progress_bar,
    save_picture,
)

if TYPE_CHECKING:
    from erf_theory.verdict.stacks import Verification

__all__ = ["verify"]

_EXAMPLES = """
\b
Examples:
  erf-theory verify -k 3 -n 10 --channels 32 --samples 200 --activation relu
  erf-theory verify -k 3 -n 5 --ndim 2 --activation tanh --plot verdict.png

Exit code: 0 where theory and experiment agree and every control is told from the truth; else 1.
"""


@click.command(epilog=_EXAMPLES)
@click.option("-k", type=int, default=3, show_default=True, help="Taps per axis.")
@click.option("-n", type=int, required=True, help="Number of convolutions.")
@click.option("--channels", type=int, default=32, show_default=True, help="Channels everywhere.")
@click.option("--samples", type=int, default=200, show_default=True, help="Networks to draw.")
@click.option("--activation", default="relu", show_default=True, help="Between convolutions.")
@click.option("--init", default="he", show_default=True, help="he, xavier, lecun or pytorch.")
@ndim_option
@click.option("--backend", default="numpy", show_default=True, help="What measures.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random numbers.")
@click.option(
    "--false-alarm",
    type=float,
    default=0.01,
    show_default=True,
    help="Rate at which a true theory is rejected.",
)
@json_option
@plot_option
def verify(as_json: bool, plot: str | None, **options: Any) -> int:  # noqa: FBT001
    """Measure N random convolutions by back-propagation, and judge the theory by it.

    Theories of the neighbouring kernel sizes, and of weights with 10 % more variance, are judged
    by the same experiment: they must be rejected.
    """
    from erf_theory.verdict.stacks import verify_stack

    with progress_bar("samples", options["samples"]) as progress:
        found: Verification = verify_stack(**options, progress=progress)
    save_picture(found, plot)
    if as_json:
        print_json(found)
    else:
        print_table(found)
    return 0 if found.passed else 1
