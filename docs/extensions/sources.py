"""``{src}``: a link from a page to the code that it speaks about, shown on a page of its own."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

FOLDER = "sources"


class Place(NamedTuple):
    """A file of the package, and a name that it defines, or none."""

    module: str
    file: Path
    name: str

    @property
    def target(self) -> str:
        """Its page in the finished documentation, with the anchor."""
        return f"{FOLDER}/{self.module}.html" + (f"#{self.name}" if self.name else "")


def place_of(dotted: str, root: Path) -> Place:
    """The file that a dotted name is in.

    Raises
    ------
    ValueError
        If there is no such file, or it does not define the name.
    """
    module, name = dotted, ""
    while (file := _file_of(module, root)) is None:
        module, _, last = module.rpartition(".")
        name = f"{last}.{name}" if name else last
        if not module:
            raise ValueError(f"there is no file for {dotted}")
    if name and name not in defined(file.read_text(encoding="utf-8")):
        raise ValueError(f"{module} does not define {name}")
    return Place(module, file, name)


def defined(code: str) -> dict[str, int]:
    """Functions, classes, methods and constants of a file, and the lines that they begin in."""
    found: dict[str, int] = {}
    for node in ast.parse(code).body:
        found |= dict(_names(node))
        if isinstance(node, ast.ClassDef):
            inner = [pair for part in node.body for pair in _names(part)]
            found |= {f"{node.name}.{name}": line for name, line in inner}
    return found


def page_of(module: str, code: str, highlighted: str) -> str:
    """The body of a page: the file with an anchor at every name that it defines."""
    lines = highlighted.splitlines()
    for name, line in defined(code).items():
        lines[line - 1] = f'<span id="{escape(name)}"></span>' + lines[line - 1]
    return f"<h1>{escape(module)}</h1>\n" + "\n".join(lines)


def link(
    role: str, rawtext: str, text: str, lineno: int, inliner: Inliner, *rest: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """The role: the dotted name as a link; with ``~`` in front its last part alone."""
    del role, rest
    env: BuildEnvironment = inliner.document.settings.env
    dotted = text.removeprefix("~")
    try:
        place = place_of(dotted, Path(env.srcdir).parent)
    except ValueError as error:
        report = inliner.reporter.error(str(error), line=lineno)
        return [inliner.problematic(rawtext, rawtext, report)], [report]
    env.note_dependency(str(place.file))
    _used(env).setdefault(env.docname, {})[place.module] = str(place.file)
    shown = dotted.rpartition(".")[2] if text.startswith("~") else dotted
    uri = "../" * env.docname.count("/") + place.target
    return [nodes.reference("", "", nodes.literal("", shown), refuri=uri, internal=True)], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role, and write the pages that it links to."""
    app.add_role("src", link)
    app.connect("html-collect-pages", _pages)
    app.connect("env-purge-doc", _forget)
    app.connect("env-merge-info", _join)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _file_of(module: str, root: Path) -> Path | None:
    place = root.joinpath(*module.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if module and file.is_file()), None)


def _names(node: ast.stmt) -> Iterator[tuple[str, int]]:
    """What a statement defines; decorators belong to it."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name, min(part.lineno for part in [node, *node.decorator_list])
    elif isinstance(node, ast.Assign):
        yield from ((part.id, node.lineno) for part in node.targets if isinstance(part, ast.Name))


def _used(env: BuildEnvironment) -> dict[str, dict[str, str]]:
    """The files that every page links to."""
    if not hasattr(env, "erf_sources"):
        env.erf_sources = {}  # type: ignore[attr-defined]
    return env.erf_sources  # type: ignore[attr-defined,no-any-return]


def _forget(app: Sphinx, env: BuildEnvironment, name: str) -> None:
    del app
    _used(env).pop(name, None)


def _join(app: Sphinx, env: BuildEnvironment, names: set[str], other: BuildEnvironment) -> None:
    del app, names
    _used(env).update(_used(other))


def _pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    files = {module: file for page in _used(app.env).values() for module, file in page.items()}
    for module, file in sorted(files.items()):
        code = Path(file).read_text(encoding="utf-8")
        shown = app.builder.highlighter.highlight_block(code, "python")  # type: ignore[attr-defined]
        body = page_of(module, code, shown)
        yield f"{FOLDER}/{module}", {"title": module, "body": body}, "page.html"
