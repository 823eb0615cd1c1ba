"""Figures of effective receptive fields: arrays in, figures out; no mathematics.

Nothing here touches pyplot or the user's settings. Colours are those of the Okabe-Ito palette
and of the maps cividis and PuOr, and lines also differ by their dashes or markers, so that
figures read in greyscale and with any colour vision.
"""

from erf_theory.plotting.agreement import agreement_figure, agreement_maps
from erf_theory.plotting.changes import changes_figure
from erf_theory.plotting.expansions import Approximation, expansions_figure
from erf_theory.plotting.files import png_bytes, save_figure
from erf_theory.plotting.fronts import Point, front_figure
from erf_theory.plotting.limits import limit_figure
from erf_theory.plotting.maps import map_figure, volume_figure
from erf_theory.plotting.overlay import overlay_figure
from erf_theory.plotting.pairs import pairs_figure
from erf_theory.plotting.profiles import profile_figure
from erf_theory.plotting.scaling import Panel, scaling_figure
from erf_theory.plotting.shares import shares_figure
from erf_theory.plotting.widths import widths_figure

__all__ = [
    "Approximation",
    "Panel",
    "Point",
    "agreement_figure",
    "agreement_maps",
    "changes_figure",
    "expansions_figure",
    "front_figure",
    "limit_figure",
    "map_figure",
    "overlay_figure",
    "pairs_figure",
    "png_bytes",
    "profile_figure",
    "save_figure",
    "scaling_figure",
    "shares_figure",
    "volume_figure",
    "widths_figure",
]
