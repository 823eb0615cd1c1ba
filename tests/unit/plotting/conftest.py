"""Maps to draw, and how to read a figure."""

from math import log

import numpy as np
import pytest


@pytest.fixture
def binomial():
    """Offsets, values and drawing arguments of n layers with taps (1, 1)."""

    def line(n):
        x, t = np.arange(n + 1) - n / 2, np.arange(1, n + 1)
        logs = np.append(0, np.cumsum(np.log((n - t + 1) / t))) - n * log(2)
        given = {"mean": 0.0, "std": n**0.5 / 2, "extent": (-(n + 1) / 2, (n + 1) / 2)}
        return x, np.exp(logs), {**given, "log_values": logs}

    return line


@pytest.fixture
def signed(binomial):
    """The same with taps (1, -1): the signs alternate, and there is no Gaussian."""

    def line(n):
        x, values, given = binomial(n)
        return x, values * (-1.0) ** np.arange(n + 1), {**given, "std": np.nan}

    return line


@pytest.fixture
def labels():
    """The entries of a figure's legend."""
    return lambda figure: [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.fixture
def gaussian_of():
    """The data of the one curve on an axis that has the Gaussian's colour."""

    def data(ax):
        (line,) = (line for line in ax.lines if line.get_color() == "#D55E00")
        return line.get_data()

    return data


@pytest.fixture
def overhang():
    """By how many inches the drawn things reach beyond the edges of a figure (0: none does)."""

    def inches(figure):
        figure.draw_without_rendering()
        drawn, (wide, high) = figure.get_tightbbox(), figure.get_size_inches()
        return max(0, -drawn.x0, -drawn.y0, drawn.x1 - wide, drawn.y1 - high)

    return inches
