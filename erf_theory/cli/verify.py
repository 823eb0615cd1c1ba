"""``verify``: theory beside an experiment, and controls that must fail."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from erf_theory.cli.networks import load_network
from erf_theory.cli.options import (
    json_option,
    plot_option,
    print_json,
    print_table,
    progress_bar,
    save_picture,
)

if TYPE_CHECKING:
    from erf_theory.verdict.verification import Verification

__all__ = ["verify"]

_EXAMPLES = """
\b
Examples:
  erf-theory verify -k 3 -n 10 --channels 32 --samples 200 --activation relu
  erf-theory verify -k 3 -n 5 --ndim 2 --activation tanh --plot verdict.png
  erf-theory verify tcn --samples 100 --target-error 0.05 --jobs 2
  erf-theory verify resnet18 --thin 8 --backend torch --checkpoint run.npz --json

Exit code: 0 where theory and experiment agree and every control is told from the truth; else 1.

What it costs: a sample is one forward and one backward pass over the whole theoretical receptive
field, and with batch norms four forward passes over an image of 256 places of the deepest layer
before, all in one process per job. With PyTorch a sample of ResNet-18 took 12 seconds; --thin 8,
which leaves an eighth of the channels, made it 3. After the first batch a terminal shows the time
that is left, and a run of more than a minute says so elsewhere too.
"""
_STACK = ("k", "n", "channels", "activation", "init")
_NETWORK = ("layer", "thin")
_LONG = 60.0
"""Seconds from which on a run says how long it takes."""


@click.command(epilog=_EXAMPLES)
@click.argument("network", required=False)
@click.option("-k", type=int, default=3, show_default=True, help="Taps per axis.")
@click.option("-n", type=int, help="Number of convolutions; needed without NETWORK.")
@click.option("--channels", type=int, default=32, show_default=True, help="Channels everywhere.")
@click.option("--activation", default="relu", show_default=True, help="Between convolutions.")
@click.option("--init", default="he", show_default=True, help="he, xavier, lecun or pytorch.")
@click.option("--layer", help="Node of NETWORK whose unit it is. Default: the last one.")
@click.option(
    "--thin", type=int, default=1, show_default=True, help="Divide the channels of NETWORK by this."
)
@click.option(
    "--ndim",
    type=int,
    help="Spatial axes; of NETWORK, 1 for its profile.  [default: 1; of NETWORK all]",
)
@click.option("--samples", type=int, default=200, show_default=True, help="Networks to draw.")
@click.option("--target-error", type=float, help="Stop sooner, at this relative error, as 0.02.")
@click.option("--backend", default="numpy", show_default=True, help="What measures.")
@click.option("--jobs", "n_jobs", type=int, help="Workers; -1 for all processors.  [default: 1]")
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False),
    help="File to keep samples in, and to go on from.",
)
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
@click.pass_context
def verify(
    context: click.Context,
    /,
    network: str | None,
    as_json: bool,  # noqa: FBT001
    plot: str | None,
    **options: Any,
) -> int:
    """Measure NETWORK, or N random convolutions, by back-propagation, and judge the theory by it.

    NETWORK is a name of the zoo, or a JSON file. Theories that are false are judged by the same
    experiment, and must be rejected: of a stack the neighbouring kernel sizes and weights with
    10 % more variance, of NETWORK another dilation.
    """
    _need_one_question(context, network)
    with progress_bar("samples", options["samples"]) as progress:
        options["progress"] = _timed(progress, options["samples"])
        found = _verified(network, options)
    save_picture(found, plot)
    if as_json:
        print_json(found)
    else:
        print_table(found)
    return 0 if found.passed else 1


def _need_one_question(context: click.Context, network: str | None) -> None:
    """Refuse options of a stack beside a network, and the reverse."""
    if network is None and context.params["n"] is None:
        raise click.UsageError("Missing option '-n', or the name of a network.")
    foreign = _NETWORK if network is None else _STACK
    for name in foreign:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = f"-{name}" if len(name) == 1 else f"--{name}"
            what = "a network" if network is None else "a stack without NETWORK"
            raise click.UsageError(f"{option} is for {what}: leave it out")


def _verified(network: str | None, options: dict[str, Any]) -> Verification:
    """The verdict on a stack or on a network."""
    from dataclasses import replace

    from erf_theory.verdict.networks import verify_network
    from erf_theory.verdict.stacks import verify_stack

    left_out = _NETWORK if network is None else _STACK
    given = {name: value for name, value in options.items() if name not in left_out}
    if network is None:
        return verify_stack(**{**given, "ndim": 1 if given["ndim"] is None else given["ndim"]})
    loaded = load_network(network)
    found = verify_network(loaded, **given)
    return replace(found, call=found.call.replace(loaded.label, network))


def _timed(progress: Callable[[int], object], total: int) -> Callable[[int], object]:
    """Tell the time that a long run takes on standard error, once, behind its first batch."""
    begin, told = monotonic(), False

    def report(done: int) -> None:
        nonlocal told
        seconds = (monotonic() - begin) / done * total
        if not told and done < total and seconds > _LONG:
            click.echo(f"about {seconds / 60:.0f} min for {total} samples", err=True)
        told = True
        progress(done)

    return report
