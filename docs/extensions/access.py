"""What pages lack for readers with a keyboard or a screen reader, as axe-core found it."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

REPAIRS = {
    "<pre>": '<pre tabindex="0">',
    '<div class="table-wrapper': '<div tabindex="0" class="table-wrapper',
    '<div class="formula">': '<div tabindex="0" class="formula">',
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    ' role="doc-biblioentry"': "",
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}
"""What scrolls can be reached by the keyboard; roles are complete, or left out."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Repair every page before it is written."""
    app.connect("html-page-context", _repair)
    app.add_css_file("access.css")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _repair(
    app: Sphinx, name: str, template: str, context: dict[str, Any], tree: nodes.document | None
) -> None:
    del app, name, template, tree
    body = context.get("body")
    if body:
        for fault, repair in REPAIRS.items():
            body = body.replace(fault, repair)
        context["body"] = body
