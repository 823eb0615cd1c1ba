"""Networks of all layers, drawn by Hypothesis: four channels in and out of every part, 2-D."""

from hypothesis import strategies as st

from erf_theory.activations import ACTIVATIONS
from erf_theory.exact import number
from erf_theory.network import (
    Activation,
    Add,
    AvgPool,
    Chain,
    ChannelShuffle,
    Concat,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Gate,
    Graph,
    Identity,
    MaxPool,
    Norm,
    Pad,
    Parallel,
    Residual,
    Scale,
    Split,
    Upsample,
)
from erf_theory.network.nodes import Flat

FEW = st.integers(1, 3)
STEPS = FEW | st.tuples(FEW, FEW)
END = st.integers(0, 3)
ENDS = END | st.tuples(END | st.tuples(END, END), END | st.tuples(END, END))
PADDINGS = ENDS | st.sampled_from(["same_tf", "causal"])
EXACT = st.integers(1, 2**70) | st.fractions(0, 3).filter(bool).map(number)
FLOATS = st.floats(0, 1e100, exclude_min=True)
INITS = st.one_of(
    st.sampled_from(["he", "xavier", "lecun", "pytorch"]),
    EXACT,
    FLOATS,
    st.lists(EXACT, min_size=9, max_size=9).map(lambda t: (t[:3], t[3:6], t[6:])),
    st.tuples(FLOATS, FLOATS, FLOATS),
)


def _convolutions(kind, paddings):
    def make(size, init, **options):
        return kind(4, 4, 3 if isinstance(init, tuple) else size, init=init, **options)

    return st.builds(
        make,
        STEPS,
        INITS,
        stride=STEPS,
        padding=paddings,
        dilation=STEPS,
        groups=st.sampled_from([1, 2, 4]),
        bias_variance=EXACT | FLOATS,
    )


LAYERS = st.one_of(
    _convolutions(Conv, PADDINGS),
    _convolutions(ConvTranspose, ENDS),
    st.builds(MaxPool, STEPS, STEPS, PADDINGS, STEPS),
    st.builds(AvgPool, STEPS),
    st.builds(Upsample, STEPS, st.sampled_from(["nearest", "linear"])),
    st.builds(Activation, st.sampled_from(ACTIVATIONS) | st.just("leaky_relu(0.2)")),
    st.builds(
        Norm, st.sampled_from(["batch", "layer", "place", "group", "instance"]), st.just(2), FLOATS
    ),
    st.builds(Dropout, st.floats(0, 0.99), st.booleans()),
    st.builds(Pad, ENDS, st.sampled_from(["zeros", "reflect", "replicate", "circular"])),
    st.builds(Crop, ENDS),
    st.builds(ChannelShuffle, st.sampled_from([1, 2, 4])),
    st.just(Identity()),
    st.builds(Scale, FLOATS, st.floats(-9, 9)),
    st.builds(Gate, FLOATS),
)
NAMES = st.text(min_size=1, max_size=5).filter(lambda name: name not in ("add", "concat"))


def _halves(part):
    """Two branches with two channels each, put one behind the other."""
    return Parallel([Split(0, 2), Chain([part, Split(2, 4)])], "concat")


def _graph(part, other, names, ndim):
    first, second, third, last = names
    rows = {
        last: (Split(1, 5), third),
        first: (part, "input"),
        second: (other, first),
        third: (Concat(), first, second),
        "sum": (Add(), first, "input"),
    }
    return Graph(rows, output=last, ndim=ndim)


def _deeper(part):
    parts = st.lists(part, min_size=1, max_size=3)
    some = st.none() | st.just(2)
    named = st.dictionaries(NAMES, part, min_size=2, max_size=3)
    unique = st.lists(NAMES, min_size=4, max_size=4, unique=True).filter(
        {"input", "sum"}.isdisjoint
    )
    return st.one_of(
        st.builds(Chain, parts | named, some),
        st.builds(Parallel, named, st.just("add"), some),
        st.builds(_halves, part),
        st.builds(Residual, part, st.just(Identity()) | part, some),
        st.builds(_graph, part, part, unique, some),
    )


PARTS = st.recursive(LAYERS, _deeper, max_leaves=6)
NETWORKS = st.builds(
    lambda part, flat: Flat(Chain([Conv(3, 4, 1), part]).nodes, 2, 3) if flat else Chain([part]),
    PARTS,
    st.booleans(),
)
