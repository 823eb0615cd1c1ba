"""The command ``erf-theory`` and how it answers bad input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from erf_theory.cli.converge import converge
from erf_theory.cli.design import design
from erf_theory.cli.limits import limit
from erf_theory.cli.model import model
from erf_theory.cli.networks import compare, layers, net, tiles
from erf_theory.cli.reproduce import reproduce
from erf_theory.cli.shares import shares
from erf_theory.cli.stacks import formula, scaling, show
from erf_theory.cli.verify import verify
from erf_theory.errors import ErfTheoryError

__all__ = ["main"]


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
            click.echo("Interrupted", err=True)
            result = 130
        if standalone_mode:
            sys.exit(result if isinstance(result, int) else 0)
        return result


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


for command in (
    show,
    net,
    layers,
    shares,
    compare,
    tiles,
    design,
    model,
    scaling,
    converge,
    limit,
    verify,
    reproduce,
    formula,
):
    main.add_command(command)
