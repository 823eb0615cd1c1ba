"""``{floors}`` and ``{rooms}``: the map of the package, drawn from its imports at every build."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

PACKAGE = "erf_theory"
ROW, BOX, LEFT, WIDTH = 26, 140, 10, 720


@dataclass(frozen=True)
class House:
    """The package's rooms, its files and folders, on their floors.

    Attributes
    ----------
    root : Path
        Folder of ``pyproject.toml``.
    """

    root: Path

    @cached_property
    def floors(self) -> list[list[str]]:
        """The rooms of every floor, from the top, as the import contract lists them."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text(encoding="utf-8"))
        contract = project["tool"]["importlinter"]["contracts"][0]
        return [floor.split(" | ") for floor in contract["layers"]]

    @cached_property
    def rooms(self) -> list[str]:
        """All rooms, from the top."""
        return [room for floor in self.floors for room in floor]

    def files(self, room: str) -> list[Path]:
        """The files of a room."""
        place = self.root / PACKAGE / room
        return sorted(place.glob("**/*.py")) if place.is_dir() else [place.with_suffix(".py")]

    def purpose(self, room: str) -> str:
        """The first line of a room's docstring."""
        place = self.root / PACKAGE / room
        first = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
        return (ast.get_docstring(_tree(first)) or "").splitlines()[0].replace("`", "")

    @cached_property
    def imports(self) -> dict[tuple[str, str], int]:
        """How many import statements of one room name another."""
        found: dict[tuple[str, str], int] = {}
        for room in self.rooms:
            for file in self.files(room):
                for other in _imported(_tree(file)):
                    if other != room and other in self.rooms:
                        found[room, other] = found.get((room, other), 0) + 1
        return found

    @cached_property
    def reach(self) -> dict[str, set[str]]:
        """The rooms below each one that it needs, directly or not."""
        found: dict[str, set[str]] = {}
        for room in reversed(self.rooms):
            below = {other for one, other in self.imports if one == room}
            found[room] = below.union(*(found[other] for other in below))
        return found

    @cached_property
    def arrows(self) -> list[tuple[str, str]]:
        """The imports without those that follow from others."""
        return [
            (one, other)
            for one, other in self.imports
            if not any(other in self.reach[c] for a, c in self.imports if a == one and c != other)
        ]


def drawing(house: House) -> str:
    """The map as SVG, in the colours of the page around it."""
    height = ROW * len(house.rooms)
    place = {room: ROW * (row + 0.5) for row, room in enumerate(house.rooms)}
    arcs = "".join(_arc(one, other, place, house) for one, other in house.arrows)
    boxes = "".join(_box(room, y) for room, y in place.items())
    label = f"{len(house.rooms)} rooms from top to bottom, and {len(house.arrows)} arrows, all down"
    return (
        f'<svg class="floors" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{label}">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" '
        'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">'
        f'<path d="M0 0 8 4 0 8z"/></marker></defs>{arcs}{boxes}</svg>'
    )


def table(house: House) -> str:
    """Every room with its purpose and what it imports, as HTML."""
    rows = []
    for room in house.rooms:
        below = [other for other in house.rooms if (room, other) in house.imports]
        cells = (f"<code>{room}</code>", escape(house.purpose(room)), ", ".join(below) or "–")
        rows.append(f"<tr><td>{'</td><td>'.join(cells)}</td></tr>")
    head = "<tr><th>room</th><th>what it is</th><th>imports</th></tr>"
    return (
        '<div class="table-wrapper" tabindex="0"><table class="docutils"><thead>'
        f"{head}</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


class Floors(SphinxDirective):
    """The map."""

    shown = staticmethod(drawing)

    def run(self) -> list[nodes.Node]:
        """What is shown, drawn anew whenever a file of the package changes."""
        house = House(Path(self.env.srcdir).parent)
        for room in house.rooms:
            for file in house.files(room):
                self.env.note_dependency(str(file))
        return [nodes.raw("", self.shown(house), format="html")]


class Rooms(Floors):
    """A table of the rooms: what they are, and what they import."""

    shown = staticmethod(table)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("floors", Floors)
    app.add_directive("rooms", Rooms)
    app.add_css_file("floors.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _imported(tree: ast.Module) -> Iterator[str]:
    """The rooms that import statements name, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == PACKAGE:
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{PACKAGE}."):
            yield str(node.module).split(".")[1]


def _box(room: str, y: float) -> str:
    return (
        f'<rect x="{LEFT}" y="{y - 10}" width="{BOX}" height="20" rx="4"/>'
        f'<text x="{LEFT + BOX / 2}" y="{y + 4}" text-anchor="middle">{escape(room)}</text>'
    )


def _arc(one: str, other: str, place: dict[str, float], house: House) -> str:
    start, end, edge = place[one], place[other], LEFT + BOX
    out = edge + 20 + 0.75 * (end - start)
    count = house.imports[one, other]
    return (
        f'<path d="M{edge} {start}C{out:g} {start} {out:g} {end} {edge + 2} {end}" '
        f'marker-end="url(#tip)" stroke-width="{1 + min(count, 12) / 6:.2g}">'
        f"<title>{one} imports {other}: {count} statements</title></path>"
    )
