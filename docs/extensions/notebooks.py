"""Pages of the tutorial as notebooks: text and code from the page, without the outputs."""

from __future__ import annotations

import re
from json import dumps
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

FENCE = re.compile(r"^```(\S*)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
ROLE = re.compile(r"\{[a-z:]+\}`~?([^`<]+?)(?: *<[^`]*>)?`")
FOLDER = "_notebooks"


def cells_of(page: str) -> list[dict[str, Any]]:
    """The cells of a page in MyST: a fence with ``>>>`` becomes code, the rest stays text."""
    cells: list[dict[str, Any]] = []
    end = 0
    for fence in FENCE.finditer(page):
        if (source := _code(*fence.groups())) is not None:
            cells += _text(page[end : fence.start()])
            blank = {"execution_count": None, "outputs": []}
            cells.append({"cell_type": "code", "metadata": {}, "source": source, **blank})
            end = fence.end()
    return cells + _text(page[end:])


def notebook_of(page: str) -> str:
    """A page in MyST as a notebook, nbformat 4."""
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    cells = [{"id": f"cell-{place}", **cell} for place, cell in enumerate(cells_of(page))]
    whole = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return dumps(whole, indent=1, ensure_ascii=False) + "\n"


def setup(app: Sphinx) -> dict[str, Any]:
    """Write the notebooks with the pages, and link each from its page."""
    app.connect("doctree-read", _link)
    app.connect("build-finished", _write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _code(kind: str, body: str) -> str | None:
    """The Python code of a fence; None where it is text."""
    if kind == "{picture}":
        return "\n".join(line for line in body.splitlines() if line and line[0] != ":")
    if kind != "python" or ">>>" not in body:
        return None
    lines = [line[4:] for line in body.splitlines() if line[:4].rstrip() in (">>>", "...")]
    return "\n".join(lines).replace("  # doctest: +SKIP", "")


def _text(part: str) -> list[dict[str, Any]]:
    text = ROLE.sub(r"\1", part).strip()
    return [{"cell_type": "markdown", "metadata": {}, "source": text}] if text else []


def _is_lesson(name: str) -> bool:
    return name.startswith("tutorial/") and name != "tutorial/index"


def _link(app: Sphinx, tree: nodes.document) -> None:
    name = app.env.docname
    if not _is_lesson(name):
        return
    up = "../" * name.count("/")
    target = f"{up}{FOLDER}/{Path(name).name}.ipynb"
    link = nodes.reference("", "this page as a notebook", refuri=target, internal=True)
    tree[-1] += nodes.paragraph("", "Download ", link, nodes.Text("."))


def _write(app: Sphinx, problem: Exception | None) -> None:
    if problem is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir, FOLDER)
    folder.mkdir(exist_ok=True)
    for name in filter(_is_lesson, app.env.found_docs):
        page = Path(app.env.doc2path(name)).read_text(encoding="utf-8")
        (folder / f"{Path(name).name}.ipynb").write_text(notebook_of(page), encoding="utf-8")
