"""The Gaussian limit of a network or of a stack, and whether it applies: ``limit``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from erf_theory.cli.networks import load_network
from erf_theory.cli.options import (
    DepthsType,
    KernelType,
    json_option,
    plot_option,
    print_json,
    print_table,
    save_picture,
    size_option,
)
from erf_theory.errors import ErfTheoryError

if TYPE_CHECKING:
    from erf_theory.erf import ERF

__all__ = ["limit"]

_EXAMPLES = """
\b
Examples:
  erf-theory limit resnet50                                     a network of the zoo
  erf-theory limit my_network.json --kind rms --json
  erf-theory limit -k 3 -n 20                                   twenty equal layers
  erf-theory limit -k 2 --dilation 1,2,4,8,16,32,64             one layer for each dilation
  erf-theory limit -k 2 -n 3 --dilation 1,2,4,8,16,32,64        three times these
  erf-theory limit -n 300 --kernel 3,6,-1                       taps with signs
"""
_OF_STACKS = {
    "k": "-k",
    "n": "-n",
    "kernel": "--kernel",
    "dilation": "--dilation",
    "stride": "--stride",
}
_OF_NETWORKS = {
    "axis": "--axis",
    "kind": "--kind",
    "layer": "--layer",
    "source": "--source",
    "unit": "--unit",
    "image_size": "--image-size",
}


class _DilationsType(DepthsType):
    """One distance of the taps, or one per layer like 1,2,4,8."""

    name = "dilations"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text."""
        try:
            return [int(d) for d in value.split(",")] if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} are no dilations: write 2, or 1,2,4,8", param, ctx)


@click.command(epilog=_EXAMPLES)
@click.argument("network", required=False)
@click.option("-k", type=int, help="Taps per axis of a stack. Default: those of --kernel, else 3.")
@click.option("-n", type=int, help="Layers of a stack, or times that its dilations are repeated.")
@click.option("--kernel", type=KernelType(), help="Taps, as 1,2,1 or 1,0;0,1. Default: all ones.")
@click.option("--dilation", type=_DilationsType(), help="Distance of the taps; or one per layer.")
@click.option("--stride", type=int, help="Stride of every layer.")
@click.option("--ndim", type=int, help="Spatial axes; of a network, all or 1.  [default: 1]")
@click.option("--axis", type=int, help="Axis of a network's profile.")
@click.option("--kind", help="Map of a network: energy, rms or amplitude.  [default: energy]")
@click.option("--layer", help="Node whose unit it is. Default: the last one.")
@click.option("--source", help="Node that takes the place of the input.")
@click.option("--unit", type=int, help="Which of its units.")
@size_option
@json_option
@plot_option
def limit(network: str | None, as_json: bool, plot: str | None, **options: Any) -> None:  # noqa: FBT001
    """Say whether a Gaussian is the limit of NETWORK, or of a stack, and what is if not.

    NETWORK is a name of the zoo, or a JSON file; without it -k and -n describe a stack.
    """
    from erf_theory.gaussian.limit import gaussian_limit

    given = {name: value for name, value in options.items() if value is not None}
    erf = _stack(given) if network is None else _network(network, given)
    found = gaussian_limit(erf)
    save_picture(found, plot)
    if as_json:
        print_json(found)
    else:
        print_table(found)


def _network(text: str, given: dict[str, Any]) -> ERF:
    """The map of a network."""
    from erf_theory.architectures import network_erf

    _refuse(given, _OF_STACKS, "describe a stack: leave NETWORK or these")
    loaded = load_network(text)
    found = network_erf(loaded, **{"ndim": 1, **given})
    return replace(found, call=found.call.replace(loaded.label, text))


def _stack(given: dict[str, Any]) -> ERF:
    """The map of a stack: equal layers, or one layer for each dilation."""
    from erf_theory.theory import theoretical_erf

    _refuse(given, _OF_NETWORKS, "speak of a network: give NETWORK, a name or a file")
    dilations = given.pop("dilation", [1])
    if len(dilations) > 1:
        return _dilated(dilations, **given)
    if "n" not in given:
        raise click.UsageError("give NETWORK, or -n, the number of layers of a stack")
    size = 3 if "k" not in given and "kernel" not in given else given.pop("k", None)
    return theoretical_erf(size, given.pop("n"), dilation=dilations[0], **given)


def _dilated(dilations: list[int], n: int = 1, **given: Any) -> ERF:
    """One layer for each dilation, n times over."""
    from erf_theory.architectures import network_erf
    from erf_theory.exact import doubles
    from erf_theory.kernel import Kernel
    from erf_theory.network import Chain, Conv

    if given.pop("ndim", 1) != 1 or given.pop("stride", 1) != 1:
        raise click.UsageError("several dilations go with --ndim 1 and --stride 1")
    taps = doubles(Kernel(given.get("kernel", [1] * given.get("k", 3))).taps)
    if taps.shape != (given.get("k", len(taps)),) or n < 1:
        raise ErfTheoryError(
            f"n = {n}, k = {given.get('k')} and taps of shape {taps.shape} do not fit: give one "
            "row of k taps, and n of 1 or more"
        )
    convs = [Conv(1, 1, len(taps), dilation=d, weights=[[taps]]) for d in dilations * n]
    text = ",".join(map(str, dilations))
    found = network_erf(Chain(convs, ndim=1), kind="amplitude")
    return replace(found, call=f"{len(convs)} layers of {len(taps)} taps with dilations {text}")


def _refuse(given: dict[str, Any], names: dict[str, str], why: str) -> None:
    """Refuse options that have no meaning here."""
    if wrong := [option for name, option in names.items() if name in given]:
        raise click.UsageError(f"options {', '.join(wrong)} {why}")
