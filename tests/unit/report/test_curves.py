"""The drawn profile: its lines are the map's, its mean over a cell, and the Gaussian's."""

import re

import numpy as np
import pytest

from erf_theory import network_erf
from erf_theory.network import Chain, Conv
from erf_theory.report.curves import drawn_profile

NET = Chain([Conv(3, 8, 3, stride=2), Conv(8, 8, 3), Conv(8, 8, 3)], ndim=1)
TICK = re.compile(r'<text x="([\d.]+)" y="([\d.]+)" text-anchor="(middle|end)">([^<]+)</text>')


def lines(drawing):
    """Points of the lines, by kind, in the axes' own numbers, which the ticks tell."""
    ticks = TICK.findall(drawing)
    below = [
        (float(a), float(text)) for a, _, at, text in ticks if at == "middle" and _number(text)
    ]
    beside = [(float(b) - 4, _height(text)) for _, b, at, text in ticks if at == "end"]
    across, up = (np.polyfit(*zip(*rows, strict=True), 1) for rows in (below, beside))
    found = {}
    for points, kind in re.findall(r'<polyline points="([^"]*)" class="(\w+)"/>', drawing):
        pairs = np.array([[float(x) for x in pair.split(",")] for pair in points.split()])
        found[kind] = np.polyval(across, pairs[:, 0]), np.polyval(up, pairs[:, 1])
    return found


def _number(text):
    return re.fullmatch(r"-?[\d.]+", text)


def _height(text):
    power = text.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(power[2:]) if power != text else float(text)


@pytest.mark.parametrize("cell", [1, 2])
def test_the_lines_are_the_maps(cell):
    erf = network_erf(NET)
    drawn = [lines(drawing) for drawing in drawn_profile(erf, cell, "a < b")]
    peak = erf.values.max()
    for found, height in zip(drawn, (np.asarray, np.log10), strict=True):
        x, y = found["pixels"]
        assert x == pytest.approx(erf.offsets[0], abs=0.05)
        assert y == pytest.approx(height(erf.values), abs=0.01 * (peak if y.min() > -0.1 else 3))
        at, gaussian = found["gaussian"]
        wanted = np.exp(-(((at - erf.mean[0]) / erf.std) ** 2) / 2) / (erf.std * (2 * np.pi) ** 0.5)
        assert gaussian == pytest.approx(height(wanted), abs=0.02 * (peak if y.min() > -0.1 else 3))
    x, y = drawn[0]["curve"]
    mean = np.convolve(erf.values, np.full(cell, 1 / cell))
    places = erf.offsets[0][0] - (cell - 1) / 2 + np.arange(mean.size)
    assert y == pytest.approx(np.interp(x, places, mean), abs=0.02 * peak)


def test_what_it_shows_is_said_to_those_who_do_not_see_it():
    linear, tails = drawn_profile(network_erf(NET), 1, "a < b")
    assert 'aria-label="a &lt; b"' in linear
    assert 'aria-label="a &lt; b, on a logarithmic axis"' in tails
