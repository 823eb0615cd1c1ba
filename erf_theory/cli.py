"""The command line: ``erf-theory show``, ``erf-theory scaling`` and ``erf-theory formula``."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import click

from erf_theory.errors import ErfTheoryError

if TYPE_CHECKING:
    from erf_theory.erf import ERF
    from erf_theory.exact import Number
    from erf_theory.gaussian.depths import Scaling

__all__ = ["formula", "main", "scaling", "show"]

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


class _Group(click.Group):
    """Commands that answer bad input with one line and exit code 2."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: FBT001, FBT002
        **extra: Any,
    ) -> Any:
        """Run a command."""
        try:
            result = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except (click.ClickException, ErfTheoryError, OSError) as error:
            text = error.format_message() if isinstance(error, click.ClickException) else error
            click.echo(f"Error: {text}", err=True)
            result = 2
        except click.Abort:
            result = 130
        if standalone_mode:
            sys.exit(result if isinstance(result, int) else 0)
        return result


class _NumberType(click.ParamType[Any]):
    """An integer, a fraction like 2/9, or a float."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return _number(value) if isinstance(value, str) else value
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is no number: write 3, 2/9 or 0.5", param, ctx)


class _KernelType(click.ParamType[Any]):
    """Taps like 1,2,1; rows of a 2-D kernel are separated by semicolons."""

    name = "taps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            rows = [[_number(tap) for tap in row.split(",")] for row in value.split(";")]
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} are no taps: write 1,2,1 or 1,0;0,1", param, ctx)
        return rows if len(rows) > 1 else rows[0]


class _DepthsType(click.ParamType[Any]):
    """Numbers of layers like 5,10,20."""

    name = "depths"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return [int(n) for n in value.split(",")] if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} are no depths: write 5,10,20", param, ctx)


_ndim = click.option(
    "--ndim", type=int, default=1, show_default=True, help="Spatial axes: 1, 2 or 3."
)
_as_json = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with values, to standard output."
)
_plot = click.option(
    "--plot", type=click.Path(dir_okay=False), help="Save a picture: .png, .svg or .pdf."
)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="erf-theory", prog_name="erf-theory")
@click.pass_context
def main(context: click.Context) -> None:
    """Effective receptive fields of convolutional networks, in closed form."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@main.command(epilog=_SHOW_EXAMPLES)
@click.option("-k", type=int, help="Taps per axis. Default: those of --kernel, else 3.")
@click.option("-n", type=int, required=True, help="Number of layers.")
@_ndim
@click.option("--kernel", type=_KernelType(), help="Taps, as 1,2,1 or 1,0;0,1. Default: all ones.")
@click.option("--dilation", type=int, default=1, show_default=True, help="Distance of the taps.")
@click.option("--stride", type=int, default=1, show_default=True, help="Stride of every layer.")
@click.option(
    "--weight-variance", type=_NumberType(), help="Random weights of this variance: the energy."
)
@click.option("--engine", default="auto", show_default=True, help="Engine to compute with.")
@_as_json
@_plot
def show(as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Show the effective receptive field of N equal layers."""
    erf = _erf(**options)
    _save_picture(erf, plot)
    if as_json:
        _print_json(erf)
    else:
        _print_table(erf)


@main.command(epilog=_SCALING_EXAMPLES)
@click.option("-k", type=int, help="Taps per axis. Default: those of --kernel, else 3.")
@click.option("--depths", type=_DepthsType(), required=True, help="Numbers of layers, as 5,10,20.")
@click.option(
    "--measure",
    default="std",
    show_default=True,
    help="What grows: std, size, radius, participation or half_width.",
)
@_ndim
@click.option(
    "--kind",
    default="amplitude",
    show_default=True,
    help="Which map: amplitude, or for random weights energy or rms.",
)
@click.option("--kernel", type=_KernelType(), help="Taps of every axis, as 1,2,1. Default: ones.")
@_as_json
@_plot
def scaling(k: int | None, as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Show how the effective receptive field grows with depth, beside the √n law."""
    from erf_theory.gaussian.scaling import sqrt_scaling

    found = sqrt_scaling(3 if k is None and options["kernel"] is None else k, **options)
    _save_picture(found, plot)
    if as_json:
        _print_json(found)
    else:
        click.echo(found)


@main.command()
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


def _number(text: str) -> Number:
    """The number that a text is: exact if it is an integer or a fraction."""
    if "." in text or "e" in text.lower():
        return float(text)
    value = Fraction(text)
    return value.numerator if value.denominator == 1 else value


def _save_picture(result: ERF | Scaling, path: str | None) -> None:
    """Save the figure, if a path is given, and say so."""
    if path:
        result.save_figure(path)
        click.echo(f"picture saved to {path}", err=True)


def _print_json(result: ERF | Scaling) -> None:
    click.echo(json.dumps(result.to_dict(), allow_nan=False))


def _print_table(erf: ERF) -> None:
    """Print the measures as a table."""
    from rich.console import Console
    from rich.table import Table

    title, *rows = erf.lines()
    click.echo(title[1])
    table = Table(show_header=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
