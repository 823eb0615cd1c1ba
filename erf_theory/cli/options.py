"""What the commands share: types of arguments, options, and ways to print."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from os import fsdecode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from erf_theory.display import Card
    from erf_theory.exact import Number

__all__ = [
    "DepthsType",
    "KernelType",
    "NumberType",
    "NumbersType",
    "PictureType",
    "SizeType",
    "json_option",
    "ndim_option",
    "parsed",
    "plot_option",
    "print_json",
    "print_table",
    "progress_bar",
    "save_picture",
    "size_option",
]


class NumberType(click.ParamType[Any]):
    """An integer, a fraction like 2/9, or a float."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text."""
        try:
            return parsed(value) if isinstance(value, str) else value
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} is no number: write 3, 2/9 or 0.5", param, ctx)


class KernelType(click.ParamType[Any]):
    """Taps like 1,2,1; rows of a 2-D kernel are separated by semicolons."""

    name = "taps"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text."""
        if not isinstance(value, str):
            return value
        try:
            rows = [[parsed(tap) for tap in row.split(",")] for row in value.split(";")]
        except (ValueError, ZeroDivisionError):
            self.fail(f"{value!r} are no taps: write 1,2,1 or 1,0;0,1", param, ctx)
        return rows if len(rows) > 1 else rows[0]


class DepthsType(click.ParamType[Any]):
    """Numbers of layers like 5,10,20."""

    name = "depths"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text."""
        try:
            return [int(n) for n in value.split(",")] if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} are no depths: write 5,10,20", param, ctx)


class PictureType(click.Path):
    """A file that a picture can be saved as: refused before any work."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check its suffix and its folder."""
        from erf_theory.plotting.files import need_suffix

        path = Path(fsdecode(super().convert(value, param, ctx)))
        need_suffix(path)
        if not path.parent.is_dir():
            self.fail(f"No such file or directory: {path.parent}", param, ctx)
        return str(path)


class SizeType(click.ParamType[Any]):
    """The size of an image: 224, or one number per axis like 480,640."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text."""
        if not isinstance(value, str):
            return value
        try:
            sizes = tuple(int(size) for size in value.split(","))
        except ValueError:
            self.fail(f"{value!r} is no size: write 224 or 480,640", param, ctx)
        return sizes if len(sizes) > 1 else sizes[0]


class NumbersType(click.ParamType[Any]):
    """Numbers of one kind, separated by commas, like 1,3,224,224."""

    name = "numbers"

    def __init__(self, kind: Callable[[str], float]) -> None:
        self.kind = kind

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read a text."""
        try:
            return tuple(map(self.kind, value.split(","))) if isinstance(value, str) else value
        except ValueError:
            self.fail(f"{value!r} are no numbers separated by commas", param, ctx)


ndim_option = click.option(
    "--ndim", type=int, default=1, show_default=True, help="Spatial axes: 1, 2 or 3."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, with values, to standard output."
)
size_option = click.option(
    "--image-size", type=SizeType(), help="Size of the input: 224, or one per axis, 480,640."
)
plot_option = click.option(
    "--plot", type=PictureType(dir_okay=False), help="Save a picture: .png, .svg or .pdf."
)


def parsed(text: str) -> Number:
    """The number that a text is: exact if it is an integer or a fraction."""
    if "." in text or "e" in text.lower():
        return float(text)
    value = Fraction(text)
    return value.numerator if value.denominator == 1 else value


def save_picture(result: Card, path: str | None) -> None:
    """Save the figure, if a path is given, and say so."""
    if path:
        result.save_figure(path)
        click.echo(f"picture saved to {path}", err=True)


def print_json(result: Card) -> None:
    """Print a result as JSON."""
    click.echo(json.dumps(result.to_dict(), allow_nan=False))


def print_table(result: Card) -> None:
    """Print what a result has to say: its title, then a table."""
    from rich.console import Console
    from rich.table import Table

    title, *rows = result.lines()
    click.echo(title[1])
    table = Table(show_header=False)
    for row in rows:
        table.add_row(*row)
    Console().print(table)


@contextmanager
def progress_bar(what: str, total: int | None) -> Iterator[Callable[[int], object]]:
    """Show on standard error, if it is a terminal, how many are done; the bar leaves no trace.

    It has no end where nobody knows the total.
    """
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
