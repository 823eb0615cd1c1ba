"""Random networks, drawn by Hypothesis: all layers, chains, residuals, branches, 1-D to 3-D.

Their branches fit each other in full images of some sizes, so that frameworks can run them.
"""

from hypothesis import strategies as st

from erf_theory.network import (
    Activation,
    AvgPool,
    Chain,
    ChannelShuffle,
    Conv,
    ConvTranspose,
    Crop,
    Dropout,
    Identity,
    MaxPool,
    Norm,
    Pad,
    Parallel,
    Residual,
    Split,
    Upsample,
)

CHANNELS = st.integers(1, 4)
ACTIVATIONS = ("relu", "tanh", "gelu", "leaky_relu(0.2)", "elu", "abs", "softplus", "sin", "relu6")
_SIZES = {1: 4, 2: 3, 3: 2}
"""Most taps per axis."""


def divisors(*counts):
    """A number that divides all."""
    return st.sampled_from([g for g in range(1, max(counts) + 1) if not any(c % g for c in counts)])


def per_axis(entries, ndim):
    """One entry per axis."""
    return st.tuples(*[entries] * ndim)


def halves(total):
    """A pair (before, after) with that sum."""
    return st.integers(0, total).map(lambda before: (before, total - before))


@st.composite
def windows(draw, ndim, *, keeps):
    """Size, dilation, stride and padding of a window; if it ``keeps``, n places become ⌈n/s⌉."""
    size = draw(per_axis(st.integers(1, _SIZES[ndim]), ndim))
    dilation = draw(per_axis(st.integers(1, 3 if ndim == 1 else 2), ndim))
    stride = (1,) * ndim if keeps else draw(per_axis(st.integers(1, 3 if ndim == 1 else 2), ndim))
    reach = [d * (k - 1) for k, d in zip(size, dilation, strict=True)]
    ends = map(halves, reach) if keeps else (st.tuples(*[st.integers(0, r)] * 2) for r in reach)
    padding = draw(st.tuples(*ends))
    return {"size": size, "dilation": dilation, "stride": stride, "padding": padding}


@st.composite
def convolutions(draw, channels, ndim, *, keeps):
    """A convolution, and the channels behind it."""
    out = draw(CHANNELS)
    return Conv(
        channels,
        out,
        **draw(windows(ndim, keeps=keeps)),
        groups=draw(divisors(channels, out)),
        bias_variance=draw(st.sampled_from([0, 0.1])),
    ), out


@st.composite
def transposed(draw, channels, ndim, *, scale=None):
    """A transposed convolution; with a ``scale``, n places become scale·n."""
    out = draw(CHANNELS)
    window = draw(windows(ndim, keeps=False))
    stride = window["stride"] if scale is None else (scale,) * ndim
    steps = zip(window["size"], window["dilation"], stride, strict=True)
    reach = [(d * (k - 1), s) for k, d, s in steps]
    if scale is None:
        more = tuple(draw(st.integers(0, s - 1)) for _, s in reach)
        padding = draw(st.tuples(*(halves(r) for r, _ in reach)))
    else:
        more = tuple(draw(st.integers(max(0, s - r - 1), s - 1)) for r, s in reach)
        ends = zip(reach, more, strict=True)
        padding = draw(st.tuples(*(halves(r + 1 - s + o) for (r, s), o in ends)))
    window |= {"stride": stride, "padding": padding, "output_padding": more}
    groups = draw(divisors(channels, out))
    return ConvTranspose(channels, out, **window, groups=groups), out


@st.composite
def plain(draw, channels, ndim, *, linear):
    """A layer that keeps all places and all channels."""
    ends = draw(per_axis(halves(draw(st.integers(0, 2))), ndim))
    kinds = {
        "average": lambda: AvgPool(**draw(windows(ndim, keeps=True))),
        "shuffle": lambda: ChannelShuffle(draw(divisors(channels))),
        "shift": lambda: Chain([Pad(ends), Crop(ends[::-1])], ndim),
        "identity": Identity,
    }
    if not linear:
        kinds |= {
            "activation": lambda: Activation(draw(st.sampled_from(ACTIVATIONS))),
            "max": lambda: MaxPool(**draw(windows(ndim, keeps=True))),
            "norm": lambda: draw(norms(channels)),
            "dropout": lambda: Dropout(draw(st.floats(0, 0.5))),
        }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@st.composite
def norms(draw, channels):
    """A norm."""
    kind = draw(st.sampled_from(["batch", "layer", "group", "instance"]))
    numbers = st.none() | st.lists(st.floats(0.5, 2), min_size=channels, max_size=channels)
    return Norm(kind, draw(divisors(channels)), scale=draw(numbers), shift=draw(numbers))


@st.composite
def resizing(draw, channels, ndim, *, linear):
    """A layer that changes the number of places, and the channels behind it."""
    kinds = ["conv", "transposed", "upsample", "crop", "pad", "pool"]
    match draw(st.sampled_from(kinds)):
        case "conv":
            return draw(convolutions(channels, ndim, keeps=False))
        case "transposed":
            return draw(transposed(channels, ndim))
        case "upsample":
            return draw(upsamplings(ndim)), channels
        case "crop":
            return Crop(draw(per_axis(halves(1), ndim))), channels
        case "pad":
            return Pad(draw(per_axis(halves(2), ndim))), channels
    pool = AvgPool if linear or draw(st.booleans()) else MaxPool
    return pool(**draw(windows(ndim, keeps=False))), channels


def upsamplings(ndim):
    """An upsampling by 1, 2 or 3."""
    mode = st.sampled_from(["nearest", "linear"])
    scale = st.integers(1, 3 if ndim == 1 else 2)
    return st.builds(Upsample, per_axis(scale, ndim), mode)


@st.composite
def kept(draw, channels, ndim, *, linear, depth):
    """Parts that keep the places, and the channels behind them."""
    parts = []
    for _ in range(draw(st.integers(1, 2))):
        kinds = ["conv", "plain"] + (["residual", "parallel", "hourglass", "split"] * (depth > 0))
        match draw(st.sampled_from(kinds)):
            case "conv":
                part, channels = draw(convolutions(channels, ndim, keeps=True))
            case "plain":
                part = draw(plain(channels, ndim, linear=linear))
            case kind:
                branch = kept(channels, ndim, linear=linear, depth=depth - 1)
                part, channels = draw(_KINDS[kind](channels, ndim, branch))
        parts.append(part)
    return Chain(parts, ndim), channels


@st.composite
def residuals(draw, channels, ndim, branch):
    """A body beside a shortcut; a convolution brings its channels back."""
    body, out = draw(branch)
    if out == channels:
        return Residual(body, ndim=ndim), channels
    beside = draw(st.booleans())
    fit = Conv(channels, out, 1) if beside else Conv(out, channels, 1)
    if beside:
        return Residual(body, fit, ndim), out
    return Residual(Chain([body, fit], ndim), ndim=ndim), channels


@st.composite
def parallels(draw, _channels, ndim, branch, stride=1):
    """Branches, all with the same stride, concatenated."""
    rows = draw(st.lists(branch, min_size=2, max_size=3))
    branches = []
    for body, out in rows:
        window = draw(windows(ndim, keeps=True)) | {"stride": (stride,) * ndim}
        branches.append(Chain([body, Conv(out, out, **window)], ndim))
    return Parallel(branches, "concat", ndim), sum(out for _, out in rows)


@st.composite
def hourglasses(draw, channels, ndim, branch):
    """Down and up again beside a skip, as in a U-Net."""
    scale = draw(st.integers(2, 3 if ndim == 1 else 2))
    down = Conv(channels, channels, **draw(windows(ndim, keeps=True)) | {"stride": (scale,) * ndim})
    body, out = draw(branch)
    mode = draw(st.sampled_from(["nearest", "linear", "transposed"]))
    if mode == "transposed":
        up, out = draw(transposed(out, ndim, scale=scale))
    else:
        up = Upsample(scale, mode)
    return Parallel([Chain([down, body, up], ndim), Identity()], "concat", ndim), out + channels


@st.composite
def splits(draw, _channels, ndim, branch):
    """Channels that part after they were mixed, and come together again."""
    body, out = draw(branch)
    if out == 1:
        return body, out
    at = draw(st.integers(1, out - 1))
    window = draw(windows(ndim, keeps=True))
    halves_of = [Chain([Split(0, at), Conv(at, at, **window)], ndim), Split(at, out)]
    return Chain([body, Conv(out, out, 1), Parallel(halves_of, "concat", ndim)], ndim), out


_KINDS = {
    "residual": residuals,
    "parallel": parallels,
    "hourglass": hourglasses,
    "split": splits,
}


@st.composite
def networks(draw, *, linear=False):
    """A network; a linear one is made of weights, means and copies alone."""
    ndim = draw(st.integers(1, 3))
    depth = 2 if ndim == 1 else 1
    first, channels = draw(convolutions(draw(CHANNELS), ndim, keeps=False))
    parts = [first]
    for kind in draw(st.lists(st.sampled_from(["kept", "resizing", "strided"]), max_size=3)):
        branch = kept(channels, ndim, linear=linear, depth=depth - (kind == "strided"))
        match kind:
            case "kept":
                part, channels = draw(branch)
            case "resizing":
                part, channels = draw(resizing(channels, ndim, linear=linear))
            case "strided":
                part, channels = draw(parallels(channels, ndim, branch, stride=2))
        parts.append(part)
    return Chain(parts, ndim)


@st.composite
def units(draw, network):
    """An output unit of a network."""
    return draw(per_axis(st.integers(-3, 8), network.ndim))
