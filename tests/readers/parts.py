"""Parts of modules, written as users write them. PyTorch loads with this file."""

import pytest

torch = pytest.importorskip("torch", reason="needs PyTorch, which is not installed here")
from torch import nn  # noqa: E402
from torch.nn import functional  # noqa: E402


class Function(nn.Module):
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

    def __init__(self, body, *, chunked):
        super().__init__()
        self.body, self.chunked = body, chunked

    def forward(self, x):
        half = x.shape[1] // 2
        one, two = x.chunk(2, 1) if self.chunked else (x[:, :half], x[:, half:])
        y = torch.cat((self.body(one), two), 1)
        n, c, *places = y.shape
        return y.view(n, 2, half, *places).transpose(1, 2).contiguous().view(n, c, *places)


class Last(nn.Module):
    """Layers that have the channels last, between two permutations."""

    def __init__(self, channels):
        super().__init__()
        self.norm = nn.LayerNorm(channels)
        self.up, self.down = nn.Linear(channels, 2 * channels), nn.Linear(2 * channels, channels)
        self.factor = nn.Parameter(torch.rand(channels) + 0.5)

    def forward(self, x):
        y = self.norm(x.movedim(1, -1))
        y = self.factor * self.down(functional.gelu(self.up(y)))
        return x + y.movedim(-1, 1)


def written_out(x):
    """SiLU as a product."""
    return x * torch.sigmoid(x)


def hard_swish(x):
    """Hard-swish as the paper writes it."""
    return x * functional.relu6(x + 3) / 6


def exact_gelu(x):
    """GELU as exporters write it."""
    return 0.5 * x * (1 + torch.erf(x / 2**0.5))
