"""``{picture}``: a result's own figure, drawn when the page is built, with the call as caption."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

FOLDER = "_pictures"


class Picture(SphinxDirective):
    """Evaluate an expression in the names of the package and its networks; save its figure."""

    has_content = True
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """The figure, and below it the code that made it."""
        if "alt" not in self.options:
            raise self.error("a picture needs :alt:, for those who cannot see it")
        code = "\n".join(self.content)
        image = nodes.image(uri=f"/{self._drawn(code)}", alt=self.options["alt"])
        caption = nodes.caption("", "Drawn when this page was built: ")
        caption += nodes.literal(code, " ".join(code.split()))
        return [nodes.figure("", image, caption)]

    def _drawn(self, code: str) -> str:
        name = f"{FOLDER}/{sha256(code.encode()).hexdigest()[:16]}.svg"
        path = Path(self.env.srcdir, name)
        path.parent.mkdir(exist_ok=True)
        eval(code, names()).save_figure(path)  # noqa: S307  # the documentation's own code
        return name


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("picture", Picture)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def names() -> dict[str, Any]:
    """The names that pictures are drawn with."""
    import erf_theory
    from erf_theory import network, zoo

    names = {name: getattr(each, name) for each in (network, erf_theory) for name in each.__all__}
    return {"zoo": zoo, **names}
