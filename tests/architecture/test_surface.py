"""The surface of the package: its names, their docstrings, and the size of what is behind them."""

import ast
import importlib
from pathlib import Path

import pytest

import erf_theory

ROOT = Path(__file__).parents[2]
PARTS = {"benchmarks", "docs", "erf_theory", "tests"}
MODULES = sorted((ROOT / "erf_theory").rglob("*.py"))
SOURCES = sorted(p for p in ROOT.glob("*/**/*.py") if p.parts[len(ROOT.parts)] in PARTS)
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
PUBLIC = [
    "Agreement",
    "AnchorPrior",
    "Answer",
    "AreaRatios",
    "Attractor",
    "BerryEsseen",
    "Budget",
    "CLTFormulas",
    "Choices",
    "Comparison",
    "Convergence",
    "Cost",
    "Design",
    "Distances",
    "ERF",
    "Edgeworth",
    "Enclosure",
    "EngineError",
    "ErfTheoryError",
    "Expansions",
    "Front",
    "GaussianLimit",
    "Geometry",
    "InputAdvice",
    "Kernel",
    "LayerTable",
    "MapTooLargeError",
    "Measurement",
    "Report",
    "Saddlepoint",
    "Scaling",
    "SymbolicERF",
    "TailBound",
    "TileOverlap",
    "TrainingTable",
    "VarianceShares",
    "anchor_prior",
    "area_ratios",
    "attractor",
    "berry_esseen",
    "best_order",
    "chernoff",
    "clt_formulas",
    "coherent_erf",
    "compare",
    "compare_expansions",
    "compare_training",
    "convergence",
    "crosscheck",
    "depth_for",
    "design_front",
    "design_network",
    "dilation_for",
    "distance_to_normal",
    "distance_to_sampled_normal",
    "edgeworth",
    "equal_cost",
    "erf_of",
    "fluctuation",
    "gaussian_limit",
    "input_size_advice",
    "kernel_for",
    "layer_table",
    "measure_erf",
    "measured_erf",
    "model_report",
    "network_cost",
    "network_erf",
    "read_onnx",
    "read_torch",
    "receptive_field",
    "saddlepoint",
    "samples_for",
    "sqrt_scaling",
    "strides_for",
    "sub_gaussian_tail",
    "symbolic_erf",
    "theoretical_erf",
    "tile_overlap",
    "variance_erf",
    "variance_shares",
]


def label(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def bound(statement):
    """The names that one statement at the top of a module defines."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            nodes = (node for target in targets for node in ast.walk(target))
            return [node.id for node in nodes if isinstance(node, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
    return []


def public(body):
    return sorted({name for node in body for name in bound(node) if not name.startswith("_")})


def undocumented(body, owner):
    """The public functions, classes and methods in a body that have no docstring."""
    for node in body:
        if isinstance(node, FUNCTIONS | ast.ClassDef) and not node.name.startswith("_"):
            name = f"{owner}.{node.name}"
            if not ast.get_docstring(node):
                yield name
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node.body, name)


def lengths(path):
    """Lines from the first statement after the docstring to the last, for every function."""
    for node in ast.walk(tree(path)):
        if isinstance(node, FUNCTIONS):
            first = node.body[min(bool(ast.get_docstring(node)), len(node.body) - 1)]
            yield node.name, node.end_lineno - first.lineno + 1


def test_the_root_exports_the_public_names():
    assert sorted(erf_theory.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(erf_theory))
    for name in PUBLIC:
        assert getattr(erf_theory, name).__name__ == name


def test_the_root_has_no_other_attribute():
    with pytest.raises(AttributeError, match="no_such_name"):
        erf_theory.no_such_name  # noqa: B018


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "__init__.py"], ids=label)
def test_all_is_what_a_module_defines(path):
    module = importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
    assert sorted(module.__all__) == public(tree(path).body)


@pytest.mark.parametrize("path", MODULES, ids=label)
def test_everything_public_has_a_docstring(path):
    assert ast.get_docstring(tree(path))
    assert list(undocumented(tree(path).body, path.stem)) == []


@pytest.mark.parametrize("path", SOURCES, ids=label)
def test_functions_and_files_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert [(name, lines) for name, lines in lengths(path) if lines > 45] == []


SAMPLE = """
A: int = 1
B, _C = 2, 3
class D:
    def e(self):
        'Documented.'
        pass
        pass
def f(): pass
"""


def test_the_measures_of_this_file_see_what_they_should(tmp_path):
    source = tmp_path / "sample.py"
    source.write_text(SAMPLE)
    body = tree(source).body
    assert public(body) == ["A", "B", "D", "f"]
    assert list(undocumented(body, "sample")) == ["sample.D", "sample.f"]
    assert dict(lengths(source)) == {"e": 2, "f": 1}
