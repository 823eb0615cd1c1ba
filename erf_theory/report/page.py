"""A page of HTML that stands alone: no scripts, no other files; for screens and paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["bullets", "page", "paragraph", "section", "table"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #57606a; --line: #d0d7de;
  --band: #f3f5f7; --one: #0072b2; --other: #c04a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #14181d; --faint: #9aa5b1;
  --line: #3b434c; --band: #1d2329; --one: #56b4e9; --other: #f0a35e; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.8rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin-top: 2.2rem; }
p, li { max-width: 46rem; overflow-wrap: anywhere; }
.lead { font-size: 1.15rem; } .faint, caption, figcaption { color: var(--faint); }
figcaption { font-size: .88rem; line-height: 1.35; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .88rem; }
caption { text-align: left; padding: .3rem 0; }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right;
  font-variant-numeric: tabular-nums; vertical-align: top; }
th { font-weight: 600; } thead th { border-bottom-width: 2px; vertical-align: bottom; }
tbody th { font-weight: 400; } th:first-child, td.text, th.text { text-align: left; }
td.text { min-width: 20rem; } td { white-space: nowrap; } td.text { white-space: normal; }
tbody tr:nth-child(even) { background: var(--band); }
figure { margin: 1rem 0; } figure img { max-width: 100%; height: auto; background: #fff; }
.wide img { min-width: 36rem; }
.side { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 1rem; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr));
  gap: 1rem; } svg text { font-size: 12px; fill: var(--ink); }
.axis, .pixels, .gaussian, .curve { fill: none; stroke: var(--one); stroke-width: 1.8; }
.axis { stroke: var(--faint); stroke-width: 1; } .pixels { stroke-width: .7; stroke-opacity: .45; }
.gaussian { stroke: var(--other); stroke-dasharray: 6 4; }
.side figure { margin: 0; } svg { display: block; width: 100%; max-height: 24rem;
  margin-bottom: .4rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
svg image { image-rendering: pixelated; }
svg * { vector-effect: non-scaling-stroke; } .zero { fill: #00224e; }
.frame { fill: none; stroke: var(--faint); stroke-width: 1.2; stroke-dasharray: 6 3 1 3; }
.halo { fill: none; stroke: #000; stroke-width: 2.8; stroke-opacity: .55; }
.ring { fill: none; stroke: #fff; stroke-width: 1.3; }
@media print { :root { --ink: #000; --paper: #fff; --faint: #444; --line: #bbb; --band: #f3f5f7;
  --one: #0072b2; --other: #c04a00; }
  body { max-width: none; margin: 0; font-size: 10pt; } .wide { overflow: visible; }
  h1 { font-size: 16pt; } h2 { font-size: 12pt; margin-top: 1.2rem; } td.text { min-width: 8rem; }
  .wide img { min-width: 0; } figure img { max-height: 8cm; }
  table { font-size: 8pt; } th, td { padding: .15rem .35rem; } .lead { font-size: 11pt; }
  figure, tr { break-inside: avoid; } h2 { break-after: avoid; } }
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


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], words: Sequence[str] = ()
) -> str:
    """A table with a head; it scrolls on narrow screens.

    Parameters
    ----------
    caption : str
        What it shows.
    head : sequence of str
        Names of its columns.
    rows : sequence of sequence of str
        Its cells; the first one of a row is its name.
    words : sequence of str
        Names of the columns that hold words, not numbers.
    """
    kinds = [' class="text"' if name in words else "" for name in head]
    names = "".join(
        f'<th scope="col"{kind}>{escape(name)}</th>' for name, kind in zip(head, kinds, strict=True)
    )
    body = "".join(_row(row, kinds) for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f"<table><caption>{escape(caption)}</caption><thead><tr>{names}</tr></thead>\n"
        f"<tbody>{body}</tbody></table></div>\n"
    )


def _row(cells: Sequence[str], kinds: Sequence[str]) -> str:
    name, *others = map(escape, cells)
    rest = "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(others, kinds[1:], strict=True))
    return f'<tr><th scope="row">{name}</th>{rest}</tr>\n'
