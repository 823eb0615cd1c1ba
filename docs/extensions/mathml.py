"""Formulas as MathML, which browsers show without a script or a network."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.util.logging import getLogger
from sphinx.writers.html5 import HTML5Translator

LOGGER = getLogger(__name__)
BARS = {r"\lvert": r"\left|", r"\rvert": r"\right|"}
"""Pairs that docutils does not mark as such: browsers would take the first bar for an operator."""


def inline(page: HTML5Translator, node: nodes.math) -> None:
    """Write a formula into a line of text."""
    page.body.append(_mathml(node, as_block=False))
    raise nodes.SkipNode


def block(page: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own."""
    page.body.append(f'<div class="formula">{_mathml(node, as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer and its fonts."""
    app.add_css_file("mathml.css")
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mathml(node: nodes.math | nodes.math_block, *, as_block: bool) -> str:
    text = node.astext()
    for bar, pair in BARS.items():
        text = text.replace(bar, pair)
    try:
        return str(tex2mathml(text, as_block=as_block))
    except MathError as error:
        LOGGER.warning("%s in %r", error, node.astext(), location=node)
        return ""
