"""What every unit depends on, as a set of places: layers in one dimension, by their definition."""

from fractions import Fraction
from functools import cache
from math import ceil, floor

from hypothesis import strategies as st

from erf_theory.network import AvgPool, Conv, ConvTranspose, Crop, MaxPool, Pad, Upsample

SMALL = st.integers(1, 4)
ENDS = st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda pair: (pair,))


def _windows(kind, *lead):
    return st.builds(
        lambda size, stride, padding, dilation: kind(
            *lead, size, stride=stride, padding=padding, dilation=dilation
        ),
        *(SMALL, st.integers(1, 3), ENDS, st.integers(1, 3)),
    )


LAYERS = st.one_of(
    _windows(Conv, 1, 1),
    _windows(ConvTranspose, 1, 1),
    _windows(MaxPool),
    _windows(AvgPool),
    st.builds(Upsample, st.integers(1, 4), st.sampled_from(["nearest", "linear"])),
    st.builds(Pad, ENDS),
    st.builds(Crop, ENDS),
)


@cache
def places(layer, unit):
    """The places of its input that a unit of a layer depends on."""
    match layer:
        case ConvTranspose(size=k, stride=s, dilation=d, padding=((before, _),)):
            outputs = {x: {s * x + d * a - before for a in range(k)} for x in range(-80, 81)}
            return {x for x, reached in outputs.items() if unit in reached}
        case Upsample(scale=s, mode="nearest"):
            return {floor(Fraction(unit, s))}
        case Upsample(scale=s):
            at = (unit + Fraction(1, 2)) / s - Fraction(1, 2)
            return {floor(at), ceil(at)}
        case Pad(ends=((before, _),)):
            return {unit - before}
        case Crop(ends=((before, _),)):
            return {unit + before}
    ((before, _),) = layer.padding
    return {layer.stride * unit + layer.dilation * a - before for a in range(layer.size)}


def places_of_all(layer, units):
    """The places that any of several units depends on."""
    return set().union(*(places(layer, unit) for unit in units))


def hull(seen):
    """First and last place; None for none."""
    return (min(seen), max(seen)) if seen else None
