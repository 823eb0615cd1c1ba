"""Modules of PyTorch, drawn by Hypothesis: what a user may write, with functions and modules."""

from functools import cache

from hypothesis import strategies as st

CHANNELS = (2, 4, 6)


@cache
def kit():
    """The classes that drawn modules are made of."""
    import torch
    from torch import nn
    from torch.nn import functional

    class Call(nn.Module):
        """A function as a module."""

        def __init__(self, name, function):
            super().__init__()
            self.name, self.function = name, function

        def forward(self, x):
            return self.function(x)

        def extra_repr(self):
            return self.name

    class Residual(nn.Module):
        """A body beside a shortcut, added in place or not."""

        def __init__(self, body, shortcut, *, in_place):
            super().__init__()
            self.body, self.shortcut, self.in_place = body, shortcut, in_place

        def forward(self, x):
            y = self.body(x)
            if self.in_place:
                y = y.clone()
                y += self.shortcut(x)
                return y
            return torch.add(self.shortcut(x), y)

    class Branches(nn.Module):
        """Branches, concatenated."""

        def __init__(self, *branches):
            super().__init__()
            self.branches = nn.ModuleList(branches)

        def forward(self, x):
            return torch.cat([branch(x) for branch in self.branches], dim=1)

    class Halves(nn.Module):
        """One half of the channels through a body, and the channels shuffled."""

        def __init__(self, body, way):
            super().__init__()
            self.body, self.way = body, way

        def forward(self, x):
            one, two = x.chunk(2, 1) if self.way else (x[:, : x.shape[1] // 2], x[:, x.shape[1] // 2 :])
            y = torch.cat((self.body(one), two), 1)
            n, c = y.shape[:2]
            groups = y.view(n, 2, c // 2, *y.shape[2:]).transpose(1, 2)
            return groups.contiguous().view(n, c, *y.shape[2:])

    class Last(nn.Module):
        """Layers that have the channels last, between two permutations."""

        def __init__(self, channels, width):
            super().__init__()
            self.norm = nn.LayerNorm(channels)
            self.up, self.down = nn.Linear(channels, width), nn.Linear(width, channels)
            self.factor = nn.Parameter(torch.rand(channels) + 0.5)

        def forward(self, x):
            y = self.norm(x.movedim(1, -1))
            y = self.factor * self.down(functional.gelu(self.up(y)))
            return x + y.movedim(-1, 1)

    class Hourglass(nn.Module):
        """Down and up again beside a skip."""

        def __init__(self, down, up):
            super().__init__()
            self.down, self.up = down, up

        def forward(self, x):
            y = self.up(self.down(x))
            return torch.cat([x[(..., *(slice(0, n) for n in y.shape[2:]))], y], 1)

    return torch, nn, functional, Call, Residual, Branches, Halves, Last, Hourglass


@st.composite
def modules(draw):
    """A module, and the shape of an image that it takes."""
    torch, nn, *_ = kit()
    ndim = draw(st.sampled_from([2, 2, 1]))
    torch.manual_seed(draw(st.integers(0, 2**16)))
    channels = draw(st.sampled_from(CHANNELS))
    size = (24,) if ndim == 1 else draw(st.sampled_from([(16, 16), (16, 12)]))
    parts = [draw(_conv(3, channels, ndim))]
    for _ in range(draw(st.integers(1, 3))):
        part, channels = draw(_part(channels, ndim, 1))
        parts.append(part)
    if draw(st.booleans()):
        parts += draw(_head(channels, ndim))
    return nn.Sequential(*parts), (1, 3, *size)


@st.composite
def _conv(draw, channels, out, ndim, *, keeps=False):
    _, nn, *_ = kit()
    size = draw(st.sampled_from([1, 3, 5])) if keeps else draw(st.integers(1, 4))
    dilation = draw(st.integers(1, 2))
    groups = draw(st.sampled_from([g for g in (1, 2, channels) if channels % g == out % g == 0]))
    if keeps:
        padding = draw(st.sampled_from(["same", dilation * (size - 1) // 2]))
        stride = 1
    else:
        padding, stride = draw(st.sampled_from([0, 1, "valid"])), draw(st.integers(1, 2))
    mode = draw(st.sampled_from(["zeros", "zeros", "replicate", "circular"]))
    return getattr(nn, f"Conv{ndim}d")(
        channels,
        out,
        size,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        bias=draw(st.booleans()),
        padding_mode=mode,
    )


@st.composite
def _pointwise(draw, channels, ndim):
    torch, nn, functional, call, *_ = kit()
    kinds = {
        "relu": lambda: draw(st.sampled_from([nn.ReLU(), call("relu_", lambda x: x.clone().relu_())])),
        "relu6": lambda: call("relu6", functional.relu6),
        "leaky": lambda: nn.LeakyReLU(0.2),
        "prelu": lambda: nn.PReLU(draw(st.sampled_from([1, channels]))),
        "gelu": lambda: nn.GELU(draw(st.sampled_from(["none", "tanh"]))),
        "silu": lambda: call("x sigmoid(x)", lambda x: x * torch.sigmoid(x)),
        "hardswish": lambda: call("x relu6(x + 3) / 6", lambda x: x * functional.relu6(x + 3) / 6),
        "clamp": lambda: call("clamp", lambda x: x.clamp(-1, 1)),
        "elu": lambda: nn.ELU(draw(st.sampled_from([1.0, 0.5]))),
        "tanh": nn.Tanh,
        "softplus": nn.Softplus,
        "batch": lambda: getattr(nn, f"BatchNorm{ndim}d")(channels),
        "group": lambda: nn.GroupNorm(2, channels),
        "instance": lambda: getattr(nn, f"InstanceNorm{ndim}d")(channels, affine=draw(st.booleans())),
        "dropout": nn.Dropout,
        "scale": lambda: call("2 - x / 3", lambda x: 2 - x / 3),
        "identity": nn.Identity,
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@st.composite
def _resizing(draw, channels, ndim):
    torch, nn, functional, call, *_ = kit()
    mode = draw(st.sampled_from(["nearest", ("linear", "bilinear")[ndim - 1]]))
    kinds = {
        "max": lambda: getattr(nn, f"MaxPool{ndim}d")(
            3, stride=2, padding=draw(st.integers(0, 1)), ceil_mode=draw(st.booleans())
        ),
        "average": lambda: getattr(nn, f"AvgPool{ndim}d")(2, padding=draw(st.integers(0, 1))),
        "up": lambda: call(mode, lambda x: functional.interpolate(x, scale_factor=2, mode=mode)),
        "transposed": lambda: getattr(nn, f"ConvTranspose{ndim}d")(
            channels, channels, 3, stride=2, padding=1, output_padding=draw(st.integers(0, 1))
        ),
        "pad": lambda: call("pad", lambda x: functional.pad(x, (1, 2) * ndim, mode="reflect")),
        "crop": lambda: call("crop", lambda x: x[..., 1:-1]),
        "every second": lambda: call("[::2]", lambda x: x[..., ::2]),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]()


@st.composite
def _part(draw, channels, ndim, depth):
    """A part, and the channels behind it."""
    _, nn, functional, call, residual, branches, halves, last, hourglass = kit()
    kinds = ["conv", "pointwise", "resizing"] + ["residual", "branches", "halves", "last"] * depth
    kind = draw(st.sampled_from(kinds))
    if kind == "conv":
        out = draw(st.sampled_from(CHANNELS))
        return draw(_conv(channels, out, ndim)), out
    if kind == "pointwise":
        return draw(_pointwise(channels, ndim)), channels
    if kind == "resizing":
        return draw(_resizing(channels, ndim)), channels
    if kind == "residual":
        fits = _conv(channels, channels, ndim, keeps=True)
        shortcut = draw(fits) if draw(st.booleans()) else nn.Identity()
        return residual(draw(_body(channels, ndim)), shortcut, in_place=draw(st.booleans())), channels
    if kind == "branches":
        bodies = [draw(_body(channels, ndim)) for _ in range(draw(st.integers(2, 3)))]
        return branches(*bodies), channels * len(bodies)
    if kind == "halves":
        return halves(draw(_body(channels // 2, ndim)), draw(st.booleans())), channels
    return last(channels, 2 * channels), channels


@st.composite
def _body(draw, channels, ndim):
    """Layers that keep the places and the channels, a convolution first."""
    _, nn, *_ = kit()
    parts = [draw(_conv(channels, channels, ndim, keeps=True))]
    if channels % 2 == 0:  # as a group norm of two groups needs
        parts.append(draw(_pointwise(channels, ndim)))
    return nn.Sequential(*parts)


@st.composite
def _head(draw, channels, ndim):
    _, nn, functional, call, *_ = kit()
    pool = getattr(nn, f"AdaptiveAvgPool{ndim}d")(1)
    axes = tuple(range(2, ndim + 2))
    return draw(
        st.sampled_from(
            [
                [pool, nn.Flatten(), nn.Linear(channels, 5)],
                [call("mean", lambda x: x.mean(axes)), nn.Linear(channels, 5)],
                [nn.Flatten(), getattr(nn, "LazyLinear")(5)],
            ]
        )
    )
