"""What the documentation makes at every build: its map, its notebooks, and the check of pages."""

import contextlib
import io
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx", reason="needs Sphinx, which is not installed here")

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "docs" / "extensions"))

import floors  # noqa: E402
import notebooks  # noqa: E402
import pictures  # noqa: E402
import sources  # noqa: E402
import structure  # noqa: E402


def house_of(folder, floors_, files):
    layers = ", ".join(f'"{floor}"' for floor in floors_)
    (folder / "pyproject.toml").write_text(
        f"[[tool.importlinter.contracts]]\nlayers = [{layers}]\n"
    )
    (folder / "erf_theory").mkdir()
    for name, text in files.items():
        path = folder / "erf_theory" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return floors.House(folder)


def test_arrows_are_the_imports_that_do_not_follow_from_others(tmp_path):
    files = {
        "top.py": '"""Top."""\nfrom erf_theory.middle.part import x\nfrom erf_theory import low\n',
        "middle/__init__.py": '"""Middle."""\n',
        "middle/part.py": "def x():\n    from erf_theory.low import y\n",
        "beside.py": '"""Beside."""\n',
        "low.py": '"""Low."""\n',
    }
    house = house_of(tmp_path, ["top", "middle | beside", "low"], files)
    assert house.rooms == ["top", "middle", "beside", "low"]
    assert house.imports == {("top", "middle"): 1, ("top", "low"): 1, ("middle", "low"): 1}
    assert house.arrows == [("top", "middle"), ("middle", "low")]
    assert floors.drawing(house).count("<title>") == 2
    assert "Middle." in floors.table(house)


def test_the_package_has_a_purpose_in_every_room_and_imports_that_go_down():
    house = floors.House(ROOT)
    place = {room: at for at, floor in enumerate(house.floors) for room in floor}
    assert all(house.purpose(room) for room in house.rooms)
    assert all(place[one] < place[other] for one, other in house.arrows)


def test_a_map_needs_every_arrow_of_its_reach():
    house = floors.House(ROOT)
    reach = {room: set() for room in house.rooms}
    for room in reversed(house.rooms):
        below = {other for one, other in house.arrows if one == room}
        reach[room] = below.union(*(reach[other] for other in below))
    assert reach == house.reach


LESSONS = sorted((ROOT / "docs" / "tutorial").glob("*.md"))


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_notebooks_of_the_tutorial_run(lesson):
    notebook = json.loads(notebooks.notebook_of(lesson.read_text(encoding="utf-8")))
    names = pictures.names()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            with contextlib.redirect_stdout(io.StringIO()):
                exec(cell["source"], names)  # noqa: S102  # that it runs is the test


def test_a_page_becomes_text_and_code():
    code = "```python\n>>> x = 1\n>>> for i in y:\n...     z\n1\n\n```\n"
    page = f"# A\n\n{{func}}`~a.b` and {{cite}}`c`.\n\n{code}\n```bash\nls\n```\n"
    cells = notebooks.cells_of(page)
    assert [cell["cell_type"] for cell in cells] == ["markdown", "code", "markdown"]
    assert cells[0]["source"] == "# A\n\na.b and c."
    assert cells[1]["source"] == "x = 1\nfor i in y:\n    z"


def complaints(body, language='lang="en"'):
    return list(structure.faults(structure.Page(f"<html {language}><h1>A</h1>{body}</html>")))


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<h1>B</h1>", "2 headings of the first level, not one"),
        ("<h3>B</h3>", "a heading of level 3 follows one of level 1"),
        ('<img src="a.png">', "a picture without a text: a.png"),
        ('<svg role="img"></svg>', "a picture without a text: svg"),
        ('<a href="b"></a>', "a link without a text: b"),
    ],
)
def test_a_fault_of_a_page_is_found(body, fault):
    assert complaints(body) == [fault]


def test_a_page_without_a_language_is_found():
    assert complaints("", language="") == ["no language"]


def test_a_good_page_has_no_fault():
    body = '<h2>B</h2><h3>C</h3><h2>D</h2><img alt="x" src="a"><a href="b"><img alt="y"></a>'
    assert complaints(body) == []


def test_links_that_lead_nowhere_are_found(tmp_path):
    links = ("#here", "#gone", "b.html#there", "b.html#gone", "c.html", "https://example.org/x")
    texts = {
        "a.html": '<p id="here">' + "".join(f'<a href="{link}">x</a>' for link in links),
        "b.html": '<p id="there">',
    }
    pages = {}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        pages[tmp_path / name] = structure.Page(text)
    found = list(structure.dead(tmp_path / "a.html", pages))
    assert found == [
        f"a link that leads nowhere: {link}" for link in ("#gone", "b.html#gone", "c.html")
    ]


def code_of(folder, code):
    (folder / "house" / "room").mkdir(parents=True)
    (folder / "house" / "room" / "__init__.py").write_text('"""Room."""\n')
    (folder / "house" / "room" / "file.py").write_text(code)


CODE = "TOP = 1\n\n\n@wrapped\ndef f():\n    pass\n\n\nclass C:\n    def g(self):\n        pass\n"


@pytest.mark.parametrize(
    ("dotted", "target"),
    [
        ("house.room", "house.room.html"),
        ("house.room.file", "house.room.file.html"),
        ("house.room.file.f", "house.room.file.html#f"),
        ("house.room.file.TOP", "house.room.file.html#TOP"),
        ("house.room.file.C.g", "house.room.file.html#C.g"),
    ],
)
def test_a_link_leads_to_the_code(tmp_path, dotted, target):
    code_of(tmp_path, CODE)
    assert sources.place_of(dotted, tmp_path).target == f"sources/{target}"


@pytest.mark.parametrize("dotted", ["house.gone", "house.room.file.h", "nothing.at.all"])
def test_a_link_to_code_that_is_not_there_is_refused(tmp_path, dotted):
    code_of(tmp_path, CODE)
    with pytest.raises(ValueError, match=r"there is no file|does not define"):
        sources.place_of(dotted, tmp_path)


def test_a_page_of_code_has_an_anchor_at_every_name():
    page = structure.Page(sources.page_of("a.b", CODE, CODE))
    assert page.anchors == {"TOP", "f", "C", "C.g"}
    assert page.levels == [1]
