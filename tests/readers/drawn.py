"""Modules of PyTorch, drawn by Hypothesis: what a user may write, with functions and modules."""

from hypothesis import strategies as st

CHANNELS = (2, 4, 6)


@st.composite
def modules(draw):
    """A module, and the shape of an image that it may take."""
    import torch
    from torch import nn

    ndim = draw(st.sampled_from([2, 2, 1]))
    torch.manual_seed(draw(st.integers(0, 2**16)))
    channels = draw(st.sampled_from(CHANNELS))
    size = (24,) if ndim == 1 else draw(st.sampled_from([(16, 16), (16, 12)]))
    parts = [draw(convolutions(3, channels, ndim))]
    for _ in range(draw(st.integers(1, 3))):
        part, channels = draw(_parts(channels, ndim))
        parts.append(part)
    if draw(st.booleans()):
        parts += draw(_heads(channels, ndim))
    return nn.Sequential(*parts), (1, 3, *size)


@st.composite
def convolutions(draw, channels, out, ndim, *, keeps=False):
    """A convolution; one that keeps the places, if it is asked for."""
    from torch import nn

    size = draw(st.sampled_from([1, 3, 5])) if keeps else draw(st.integers(1, 4))
    dilation = draw(st.integers(1, 2))
    fitting = [g for g in (1, 2, channels) if channels % g == out % g == 0]
    paddings = ["same", dilation * (size - 1) // 2] if keeps else [0, 1, "valid"]
    return getattr(nn, f"Conv{ndim}d")(
        channels,
        out,
        size,
        stride=1 if keeps else draw(st.integers(1, 2)),
        padding=draw(st.sampled_from(paddings)),
        dilation=dilation,
        groups=draw(st.sampled_from(fitting)),
        bias=draw(st.booleans()),
        padding_mode=draw(st.sampled_from(["zeros", "zeros", "replicate", "circular"])),
    )


@st.composite
def _pointwise(draw, channels, ndim):
    from torch import nn
    from torch.nn import functional

    from tests.readers.parts import Function, exact_gelu, hard_swish, written_out

    kinds = {
        "relu": nn.ReLU,
        "relu_": lambda: Function("relu_", lambda x: x.clone().relu_()),
        "relu6": lambda: Function("relu6", functional.relu6),
        "leaky": lambda: nn.LeakyReLU(0.2),
        "prelu": lambda: nn.PReLU(draw(st.sampled_from([1, channels]))),
        "gelu": lambda: nn.GELU(draw(st.sampled_from(["none", "tanh"]))),
        "written gelu": lambda: Function("gelu", exact_gelu),
        "silu": lambda: Function("silu", written_out),
        "hardswish": lambda: Function("hardswish", hard_swish),
        "clamp": lambda: Function("clamp", lambda x: x.clamp(-1, 1)),
        "elu": lambda: nn.ELU(draw(st.sampled_from([1.0, 0.5]))),
        "tanh": nn.Tanh,
        "softplus": nn.Softplus,
        "batch": lambda: getattr(nn, f"BatchNorm{ndim}d")(channels),
        "group": lambda: nn.GroupNorm(2, channels),
        "instance": lambda: getattr(nn, f"InstanceNorm{ndim}d")(channels, affine=True),
        "dropout": nn.Dropout,
        "scale": lambda: Function("2 - x / 3", lambda x: 2 - x / 3),
        "identity": nn.Identity,
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@st.composite
def _resizing(draw, channels, ndim):
    from torch import nn
    from torch.nn import functional

    from tests.readers.parts import Function

    mode = draw(st.sampled_from(["nearest", ("linear", "bilinear")[ndim - 1]]))
    least = draw(st.integers(0, 1))
    kinds = {
        "max": lambda: getattr(nn, f"MaxPool{ndim}d")(
            3, stride=2, padding=least, ceil_mode=draw(st.booleans())
        ),
        "average": lambda: getattr(nn, f"AvgPool{ndim}d")(2, padding=least),
        "up": lambda: Function(mode, lambda x: functional.interpolate(x, None, 2, mode)),
        "transposed": lambda: getattr(nn, f"ConvTranspose{ndim}d")(
            channels, channels, 3, stride=2, padding=1, output_padding=least
        ),
        "pad": lambda: Function("pad", lambda x: functional.pad(x, (1, 2) * ndim, "reflect")),
        "crop": lambda: Function("crop", lambda x: x[..., 1:-1]),
        "every second": lambda: Function("[::2]", lambda x: x[..., ::2]),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@st.composite
def _parts(draw, channels, ndim):
    """A part, and the channels behind it."""
    from torch import nn

    from tests.readers.parts import Branches, Halves, Last, Residual

    out = draw(st.sampled_from(CHANNELS))
    bodies = [draw(_bodies(channels, ndim)) for _ in range(draw(st.integers(2, 3)))]
    fits = convolutions(channels, channels, ndim, keeps=True)
    shortcut = draw(fits) if draw(st.booleans()) else nn.Identity()
    kinds = {
        "conv": lambda: (draw(convolutions(channels, out, ndim)), out),
        "pointwise": lambda: (draw(_pointwise(channels, ndim)), channels),
        "resizing": lambda: (draw(_resizing(channels, ndim)), channels),
        "residual": lambda: (
            Residual(bodies[0], shortcut, in_place=draw(st.booleans())),
            channels,
        ),
        "branches": lambda: (Branches(*bodies), channels * len(bodies)),
        "halves": lambda: (
            Halves(draw(_bodies(channels // 2, ndim)), chunked=draw(st.booleans())),
            channels,
        ),
        "last": lambda: (Last(channels), channels),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@st.composite
def _bodies(draw, channels, ndim):
    """Layers that keep the places and the channels, a convolution first."""
    from torch import nn

    parts = [draw(convolutions(channels, channels, ndim, keeps=True))]
    if channels % 2 == 0:  # as a group norm of two groups needs
        parts.append(draw(_pointwise(channels, ndim)))
    return nn.Sequential(*parts)


@st.composite
def _heads(draw, channels, ndim):
    from torch import nn

    from tests.readers.parts import Function

    pool = getattr(nn, f"AdaptiveAvgPool{ndim}d")(1)
    mean = Function("mean", lambda x: x.mean(tuple(range(2, ndim + 2))))
    heads = [
        [pool, nn.Flatten(), nn.Linear(channels, 5)],
        [mean, nn.Linear(channels, 5)],
        [nn.Flatten(), nn.LazyLinear(5)],
    ]
    return draw(st.sampled_from(heads))
