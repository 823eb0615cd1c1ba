"""Stacks of equal layers: ``show``, ``scaling`` and ``formula``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from erf_theory.cli.options import (
    DepthsType,
    KernelType,
    NumberType,
    json_option,
    ndim_option,
    plot_option,
    print_json,
    print_table,
    save_picture,
)
from erf_theory.errors import ErfTheoryError

if TYPE_CHECKING:
    from erf_theory.erf import ERF
    from erf_theory.exact import Number

__all__ = ["formula", "scaling", "show"]

_SHOW_EXAMPLES = """
\b
Examples:
  erf-theory show -k 3 -n 20                        measures of twenty 3-tap layers
  erf-theory show -k 3 -n 20 --plot erf.png         and their picture
  erf-theory show -n 8 --kernel 1,2,1 --dilation 2  your own taps, dilated
  erf-theory show -k 3 -n 50 --ndim 2 --weight-variance 2/9 --json
"""
_SCALING_EXAMPLES = """
\b
Examples:
  erf-theory scaling -k 3 --depths 5,10,20,40,80
  erf-theory scaling -k 3 --depths 5,10,20,40,80 --measure size --ndim 2 --kind rms --plot rms.png
"""


@click.command(epilog=_SHOW_EXAMPLES)
@click.option("-k", type=int, help="Taps per axis. Default: those of --kernel, else 3.")
@click.option("-n", type=int, required=True, help="Number of layers.")
@ndim_option
@click.option("--kernel", type=KernelType(), help="Taps, as 1,2,1 or 1,0;0,1. Default: all ones.")
@click.option("--dilation", type=int, default=1, show_default=True, help="Distance of the taps.")
@click.option("--stride", type=int, default=1, show_default=True, help="Stride of every layer.")
@click.option(
    "--weight-variance", type=NumberType(), help="Random weights of this variance: the energy."
)
@click.option("--engine", default="auto", show_default=True, help="Engine to compute with.")
@json_option
@plot_option
def show(as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Show the effective receptive field of N equal layers."""
    erf = _erf(**options)
    save_picture(erf, plot)
    if as_json:
        print_json(erf)
    else:
        print_table(erf)


@click.command(epilog=_SCALING_EXAMPLES)
@click.option("-k", type=int, help="Taps per axis. Default: those of --kernel, else 3.")
@click.option("--depths", type=DepthsType(), required=True, help="Numbers of layers, as 5,10,20.")
@click.option(
    "--measure",
    default="std",
    show_default=True,
    help="What grows: std, size, radius, participation or half_width.",
)
@ndim_option
@click.option(
    "--kind",
    default="amplitude",
    show_default=True,
    help="Which map: amplitude, or for random weights energy or rms.",
)
@click.option("--kernel", type=KernelType(), help="Taps of every axis, as 1,2,1. Default: ones.")
@json_option
@plot_option
def scaling(k: int | None, as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Show how the effective receptive field grows with depth, beside the √n law."""
    from erf_theory.gaussian.scaling import sqrt_scaling

    found = sqrt_scaling(3 if k is None and options["kernel"] is None else k, **options)
    save_picture(found, plot)
    if as_json:
        print_json(found)
    else:
        click.echo(found)


@click.command()
@click.option("-k", type=int, help="Taps per axis. Default: the symbol k.")
@click.option("-n", type=int, help="Number of layers. Default: the symbol n.")
@click.option("--latex", is_flag=True, help="Print LaTeX.")
def formula(k: int | None, n: int | None, *, latex: bool) -> None:
    """Print the effective receptive field of N equal layers in formulas."""
    from erf_theory.formulas import symbolic_erf

    found = symbolic_erf(k, n)
    for name, text in found.latex().items() if latex else found.lines():
        click.echo(f"{name}: {text}")


def _erf(
    k: int | None, kernel: Any, weight_variance: Number | None, ndim: int, **options: Any
) -> ERF:
    """The ERF that the options describe."""
    from erf_theory.kernel import Kernel
    from erf_theory.theory import theoretical_erf, variance_erf

    size = 3 if k is None and kernel is None else k
    if weight_variance is None:
        return theoretical_erf(size, kernel=kernel, ndim=ndim, **options)
    if weight_variance <= 0:
        raise ErfTheoryError(f"a weight's variance is above 0, not {weight_variance}")
    variance = weight_variance if kernel is None else (Kernel(kernel) * weight_variance).taps
    return variance_erf(size, weight_variance=variance, ndim=ndim, **options)
