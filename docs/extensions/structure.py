"""Checks of the finished pages: what a reader who cannot see them needs, and that links lead on."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

GENERATED = {"genindex.html", "py-modindex.html", "search.html"}
"""Pages by Sphinx itself, whose headings are its own."""
HEADINGS = {f"h{level}": level for level in range(1, 7)}


class Page(HTMLParser):
    """One page: its language, headings, pictures, links and anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.language = ""
        self.levels: list[int] = []
        self.silent: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self._open: list[str] = []
        self._said = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag says of itself."""
        given = {name: value or "" for name, value in attrs}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        label = given.get("aria-label", "") + given.get("alt", "") + given.get("title", "")
        self._said += label
        if tag == "html":
            self.language = given.get("lang", "")
        elif tag in HEADINGS:
            self.levels.append(HEADINGS[tag])
        elif _is_picture(tag, given) and not label.strip():
            self.silent.append(f"a picture without a text: {given.get('src', tag)}")
        elif tag == "a" and "href" in given:
            self.links.append(given["href"])
            self._open.append(given["href"])
            self._said = label

    def handle_data(self, data: str) -> None:
        """Note the text of a link."""
        self._said += data

    def handle_endtag(self, tag: str) -> None:
        """See that a link had a text."""
        if tag == "a" and self._open:
            target = self._open.pop()
            if not self._said.strip():
                self.silent.append(f"a link without a text: {target}")


def _is_picture(tag: str, given: dict[str, str]) -> bool:
    """Whether a tag shows something that its surroundings do not say; thumbnails have titles."""
    return given.get("role") == "img" or (tag == "img" and "_thumb." not in given.get("src", ""))


def faults(page: Page) -> Iterator[str]:
    """What is wrong with a page by itself."""
    if not page.language:
        yield "no language"
    if page.levels.count(1) != 1:
        yield f"{page.levels.count(1)} headings of the first level, not one"
    for before, level in zip(page.levels, page.levels[1:], strict=False):
        if level > before + 1:
            yield f"a heading of level {level} follows one of level {before}"
    yield from page.silent


def dead(file: Path, pages: dict[Path, Page]) -> Iterator[str]:
    """Links of a page that lead nowhere in the folder."""
    for link in pages[file].links:
        path, anchor = urldefrag(link)
        if "://" in link or link.startswith("mailto:"):
            continue
        target = (file.parent / unquote(path)).resolve() if path else file
        is_page = target in pages
        if not target.exists() or (anchor and is_page and anchor not in pages[target].anchors):
            yield f"a link that leads nowhere: {link}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Check all pages at the end of a build."""
    app.connect("build-finished", _check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _check(app: Sphinx, problem: Exception | None) -> None:
    if problem is not None or app.builder.name != "html":
        return
    found = list(_complaints(Path(app.outdir).resolve()))
    if found:
        raise ExtensionError("\n".join(["pages with faults:", *found]))


def _complaints(folder: Path) -> Iterator[str]:
    files = [file for file in sorted(folder.glob("**/*.html")) if "_static" not in file.parts]
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in files}
    for file, page in pages.items():
        own = [] if file.name in GENERATED else list(faults(page))
        for fault in dict.fromkeys([*own, *dead(file, pages)]):
            yield f"{file.relative_to(folder)}: {fault}"
