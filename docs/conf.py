"""How the documentation is built: offline, with every warning an error."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

sys.path.append(str(Path(__file__).parent / "extensions"))

project = "erf_theory"
author = "The erf_theory contributors"
copyright = f"2026, {author}"
version = release = version_of("erf-theory")

extensions = [
    "access",
    "floors",
    "mathml",
    "myst_parser",
    "notebooks",
    "numpydoc",
    "pictures",
    "sources",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_click",
    "sphinx_gallery.gen_gallery",
    "sphinxcontrib.bibtex",
    "structure",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = "erf_theory"
html_static_path = ["_static"]
html_math_renderer = "mathml"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
bibtex_bibfiles = ["references.bib"]

autosummary_generate = True
autosummary_filename_map = {
    f"erf_theory.{name}": f"erf_theory.{name}-class"
    for name in ("Attractor", "Convergence", "Edgeworth", "Saddlepoint")
}
"""Pages of classes whose names differ from a function's in case only: some disks see no case."""
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False

nitpicky = True
nitpick_ignore_regex = [(r"py:.*", r"(numpy|matplotlib|collections|fractions|sympy)\..*")]

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "gallery",
    "download_all_examples": False,
    "ignore_pattern": "record_",
    "image_scrapers": ("gallery_pictures.described_figures", "gallery_pictures.shown_results"),
    "image_srcset": ["2x"],
    "nested_sections": False,
    "subsection_order": [
        f"examples/{name}" for name in ("paper", "stacks", "networks", "experiments")
    ],
    "within_subsection_order": "FileNameSortKey",
    "write_computation_times": False,
}
