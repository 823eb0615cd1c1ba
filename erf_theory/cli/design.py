"""From a wanted effective receptive field to the network that has it: ``design``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from erf_theory.cli.options import (
    NumbersType,
    NumberType,
    json_option,
    plot_option,
    print_json,
    print_table,
    save_picture,
)

if TYPE_CHECKING:
    from erf_theory.network import Network

__all__ = ["design"]

_EXAMPLES = """
\b
Examples:
  erf-theory design --size 60 --residual                      the cheapest residual network
  erf-theory design --std 30 --kernel 3 --max-layers 40 --json
  erf-theory design --size 60 --front --plot front.png        all families, and their costs
  erf-theory design --size 60 --family dilated --ripple 0
  erf-theory design --equal-cost 500000                       the widest of each family
  erf-theory design --size 60 --save net.json                 for erf-theory layers net.json
"""


@click.command(epilog=_EXAMPLES)
@click.option(
    "--size", type=NumberType(), help="Size to be reached: root of the pixels above 4.55 %."
)
@click.option("--std", type=NumberType(), help="Standard deviation to be reached, in pixels.")
@click.option("--radius", type=NumberType(), help="Half side of the square that holds --mass.")
@click.option("--mass", type=float, help="Share of the energy in the radius.  [default: 0.9545]")
@click.option(
    "--kernel", "kernels", type=NumbersType(int), help="Taps per axis to choose from: 3,5."
)
@click.option("--large-kernels", type=NumbersType(int), help="Taps of depthwise kernels.")
@click.option("--dilations", type=NumbersType(int), help="Dilations to choose from.")
@click.option("--max-strides", type=int, help="Most layers with a stride.")
@click.option("--max-layers", type=int, help="Most convolutions, pointwise ones not counted.")
@click.option(
    "--family", "families", multiple=True, help="deep, dilated, strided or large; repeat."
)
@click.option("--residual", is_flag=True, default=None, help="Residual networks.")
@click.option("--norm/--no-norm", default=None, help="Norms in residual blocks, or none.")
@click.option("--channels", type=int, help="Channels everywhere.  [default: 64]")
@click.option("--ndim", type=int, help="Spatial axes.  [default: 2]")
@click.option("--ripple", type=float, help="Most that the map may fall between two peaks.")
@click.option("--kurtosis", type=float, help="Most excess kurtosis, either way.")
@click.option("--flatness", type=float, help="Least flatness; 1 is that of a box.")
@click.option("--objective", help="multiply_adds or parameters.  [default: multiply_adds]")
@click.option("--parameters", type=int, help="Budget of weights.")
@click.option("--multiply-adds", type=NumberType(), help="Budget per place of the input.")
@click.option("--front", is_flag=True, help="All families beside each other.")
@click.option("--equal-cost", type=NumberType(), help="The widest for so many multiply-adds.")
@click.option("--save", type=click.Path(dir_okay=False), help="Save the network as JSON.")
@json_option
@plot_option
def design(
    front: bool,  # noqa: FBT001
    equal_cost: Any,
    save: str | None,
    as_json: bool,  # noqa: FBT001
    plot: str | None,
    **options: Any,
) -> None:
    """Find the cheapest network whose effective receptive field is as wide as asked for."""
    several = front or equal_cost is not None
    if save and several:
        raise click.UsageError("--save saves one network: leave --front and --equal-cost")
    given = {name: value for name, value in options.items() if value not in (None, ())}
    found = _asked(given, front=front, equal_cost=equal_cost)
    save_picture(found, plot)
    if save:
        _save(found.network, save)
    if as_json:
        print_json(found)
    elif several:
        click.echo(str(found))
    else:
        print_table(found)


def _save(network: Network, path: str) -> None:
    """Save a network, and say so."""
    from erf_theory.network import save

    save(network, path)
    click.echo(f"network saved to {path}", err=True)


def _asked(given: dict[str, Any], *, front: bool, equal_cost: Any) -> Any:
    """The answer to the question that the options ask."""
    from erf_theory.design.choices import Budget
    from erf_theory.design.front import design_front
    from erf_theory.design.front import equal_cost as widest
    from erf_theory.design.search import design_network

    limits = {"layers": given.pop("max_layers", None), "parameters": given.pop("parameters", None)}
    limits["multiply_adds"] = given.pop("multiply_adds", None)
    if equal_cost is not None:
        _refuse(given, ("size", "std", "radius", "mass", "objective"), "--equal-cost")
        if front or limits["multiply_adds"] is not None:
            raise click.UsageError("--equal-cost goes with neither --front nor --multiply-adds")
        return widest(Budget(**{**limits, "multiply_adds": equal_cost}), **given)
    if front:
        _refuse(given, ("objective",), "--front")
        return design_front(budget=Budget(**limits), **given)
    return design_network(budget=Budget(**limits), **given)


def _refuse(given: dict[str, Any], names: tuple[str, ...], option: str) -> None:
    """Refuse options that have no meaning beside another one."""
    if wrong := [f"--{name}" for name in names if name in given]:
        raise click.UsageError(f"{option} goes without {', '.join(wrong)}")
