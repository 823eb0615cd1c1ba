"""The gallery's pictures: alternative texts of figures, and thumbnails of results."""

import ast
import re
from pathlib import Path
from typing import Any

from sphinx.errors import ExtensionError
from sphinx_gallery.scrapers import matplotlib_scraper

__all__ = ["described_figures", "shown_results"]


def described_figures(block: Any, block_vars: dict[str, Any], gallery_conf: Any) -> str:
    """Save the open figures as sphinx-gallery does, described by their labels and not by titles.

    Raises
    ------
    ExtensionError
        If a figure has no label.
    """
    from matplotlib import pyplot as plt

    figures = [plt.figure(number) for number in plt.get_fignums()]
    labels = [" ".join(str(figure.get_label()).split()) for figure in figures]
    if not all(labels):
        plt.close("all")
        raise ExtensionError(
            f"{block_vars['src_file']}, line {block[2]}: a figure has no alternative text: give it "
            "one with figure.set_label"
        )
    texts = iter(labels)
    rst = matplotlib_scraper(block, block_vars, gallery_conf)
    return re.sub(r"(?m)^(\s*:alt: ).*$", lambda line: line[1] + next(texts), rst)


def shown_results(block: Any, block_vars: dict[str, Any], gallery_conf: Any) -> str:  # noqa: ARG001
    """Save the picture of a result that shows itself, so that a thumbnail can be made of it."""
    lines = ast.parse(block[1]).body
    result = block_vars["example_globals"].get("___")
    if lines and isinstance(lines[-1], ast.Expr) and hasattr(result, "_repr_png_"):
        Path(next(block_vars["image_path_iterator"])).write_bytes(result._repr_png_())
    return ""
