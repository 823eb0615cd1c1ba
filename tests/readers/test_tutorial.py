"""The tutorial's cells run, and what stands alone at their ends shows itself."""

import ast
from pathlib import Path

import pytest

from erf_theory import ERF
from erf_theory.report.document import Report
from erf_theory.verdict.agreement import Agreement

pytestmark = pytest.mark.torch
SOURCE = Path(__file__).parents[2] / "docs" / "examples" / "plot_tutorial.py"


def shown(cell, names):
    """What a notebook shows below a cell: the value of its last line, if it has one."""
    tree = ast.parse(cell)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, str(SOURCE), "exec"), names)  # noqa: S102
    if last is not None:
        return eval(compile(ast.Expression(last.value), str(SOURCE), "eval"), names)  # noqa: S307
    return None


def test_the_cells_run_one_after_the_other(capsys):
    names = {"__name__": "tutorial"}
    found = [shown(cell, names) for cell in SOURCE.read_text().split("# %%\n")]
    first, *_, given, _, report = found
    assert isinstance(first, ERF)
    assert first.theoretical_rf == (41,)
    assert isinstance(given, ERF)
    assert isinstance(report, Report)
    (agreement,) = (one for one in found if isinstance(one, Agreement))
    assert agreement.agrees
    assert "block2.add" in capsys.readouterr().out
    for one in found:
        if one is not None:
            assert one._repr_html_()
