"""A page of HTML that stands alone: no scripts, no other files, readable in print and in the dark."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["bullets", "page", "paragraph", "picture", "section", "table"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #57606a; --line: #d0d7de;
  --band: #f3f5f7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #14181d; --faint: #9aa5b1;
  --line: #3b434c; --band: #1d2329; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; line-height: 1.2; } h2 { font-size: 1.3rem; margin-top: 2.2rem; }
code { font-size: .9em; overflow-wrap: anywhere; }
.lead { font-size: 1.15rem; } .faint, caption, figcaption { color: var(--faint); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; }
caption { text-align: left; padding: .3rem 0; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  font-variant-numeric: tabular-nums; vertical-align: top; }
th:first-child, td:first-child, td.text { text-align: left; } thead th { border-bottom-width: 2px; }
tbody tr:nth-child(even) { background: var(--band); }
figure { margin: 1rem 0; } figure img { max-width: 100%; background: #fff; }
.side { display: grid; grid-template-columns: repeat(auto-fit, minmax(22rem, 1fr)); gap: 1rem; }
@media print { body { max-width: none; margin: 0; font-size: 10pt; }
  .wide { overflow: visible; } figure, tr { break-inside: avoid; } }
"""


def page(title: str, parts: Sequence[str], provenance: Mapping[str, str]) -> str:
    """The whole document.

    Parameters
    ----------
    title : str
        The heading.
    parts : sequence of str
        Its HTML, in order.
    provenance : mapping
        What made it, for the foot.

    Examples
    --------
    >>> page("A & B", [paragraph("x < y")], {"package": "p 1"}).count("&amp;")
    2
    """
    made = "; ".join(f"{escape(name)}: {escape(text)}" for name, text in provenance.items())
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body><main><h1>{escape(title)}</h1>\n{''.join(parts)}</main>\n"
        f'<footer class="faint"><p>{made}</p></footer></body></html>\n'
    )


def section(title: str, *parts: str) -> str:
    """A heading and what stands under it; nothing where nothing does."""
    content = "".join(parts)
    return f"<section><h2>{escape(title)}</h2>\n{content}</section>\n" if content else ""


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph of plain text, of a class of the style."""
    named = f' class="{kind}"' if kind else ""
    return f"<p{named}>{escape(text)}</p>\n"


def bullets(texts: Sequence[str]) -> str:
    """A list; nothing for none."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f"<ul>{items}</ul>\n" if items else ""


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with a head; it scrolls on narrow screens."""
    names = "".join(f'<th scope="col">{escape(name)}</th>' for name in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{names}</tr></thead>\n"
        f"<tbody>{body}</tbody></table></div>\n"
    )


def picture(figure: Figure, alt: str, caption: str) -> str:
    """A figure in the page itself."""
    from erf_theory import plotting

    image = b64encode(plotting.png_bytes(figure, {})).decode("ascii")
    return (
        f'<figure><img alt="{escape(alt)}" src="data:image/png;base64,{image}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>\n"
    )
