"""The files around the package agree with it."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.mark.parametrize(
    ("file", "pattern"),
    [("CITATION.cff", r"(?m)^version: (\S+)$"), ("CHANGELOG.md", r"(?m)^## (\S+)")],
)
def test_one_version_everywhere(file, pattern):
    stated = re.search(pattern, (ROOT / file).read_text(encoding="utf-8"))
    assert stated[1] == PROJECT["version"] == version("erf-theory")


def test_the_papers_references_are_those_of_the_documentation():
    paper, documentation = (
        set(re.split(r"\n+(?=@)", (ROOT / name).read_text(encoding="utf-8").strip()))
        for name in ("paper.bib", "docs/references.bib")
    )
    assert paper <= documentation


def test_the_paper_cites_what_its_bibliography_holds():
    cited = re.findall(r"@(\w+\d{4}\w*)", (ROOT / "paper.md").read_text(encoding="utf-8"))
    held = re.findall(r"@\w+\{(\w+),", (ROOT / "paper.bib").read_text(encoding="utf-8"))
    assert set(cited) == set(held)


def test_links_in_markdown_lead_to_files():
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!\w+:|#)([^)#]+)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.relative_to(ROOT)} links to {target}"
