"""
Tutorial: from twenty layers to your own model
==============================================

What does a unit of a network see? This notebook goes from a stack of equal layers, over a network
of which only the layers are known, to a model of PyTorch and a report on it. Each result alone on a
line shows itself. The last part needs PyTorch; the rest does not.

A stack of equal layers
-----------------------

The last unit behind 20 convolutions of 3 taps *can* depend on 41 samples. How much it does, on
each of them, is the effective receptive field:
"""

from erf_theory import (
    crosscheck,
    erf_of,
    gaussian_limit,
    layer_table,
    measure_erf,
    model_report,
    network_erf,
    read_torch,
    theoretical_erf,
    zoo,
)
from erf_theory.network import Activation, Chain, Conv, MaxPool, Norm, Residual

erf = theoretical_erf(3, 20)
erf

# %%
# The picture has the Gaussian of the same width beside it, and the tails on a logarithmic axis. Is
# it a Gaussian? The deeper the stack, the more:

gaussian_limit(erf)

# %%
# A network of layers
# -------------------
#
# A network is a description: layers in a row, with skips and branches where it has them. Weights
# are random, so what there is to know is the energy: the mean square of the gradient.

branch = [Conv(32, 32, 3, padding=1), Norm(), Activation("relu"), Conv(32, 32, 3, padding=1)]
block = Residual(Chain(branch))
network = Chain(
    {
        "stem": Conv(3, 32, 3, padding=1),
        "act": Activation("relu"),
        "pool": MaxPool(2, stride=2),
        "block1": block,
        "block2": block,
    }
)
network_erf(network)

# %%
# A table says the same of every layer: what it can see, what it does see, and whether gradients
# grow or vanish on the way (the logarithm of the energy's mass).

print(layer_table(network))

# %%
# Is it true? An experiment draws weights and inputs, and back-propagates; it shares no code with
# the theory. The two are compared, map and mass, with a p-value that says what it means:

found = measure_erf(network, samples=100, rng=0, progress=False)
crosscheck(network_erf(network), found)

# %%
# Well-known networks are ready-made:

network_erf(zoo.resnet18(), layer="stage3.1.relu", ndim=1)

# %%
# Your own model
# --------------
#
# A module of PyTorch is read, not described. Names are the paths of its modules.

import torch
from torch import nn


class Branches(nn.Module):
    """What a model may do in its own forward method."""

    def __init__(self):
        super().__init__()
        self.wide = nn.Conv2d(16, 16, 3, padding=4, dilation=4)
        self.narrow = nn.Conv2d(16, 16, 1)

    def forward(self, x):
        return torch.relu(self.wide(x) + self.narrow(x))


torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(3, 16, 3, stride=2, padding=1),
    nn.BatchNorm2d(16),
    nn.ReLU(),
    Branches(),
    Branches(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(16, 10),
)
example = torch.zeros(1, 3, 64, 64)
erf_of(model, example, "4")

# %%
# That was the field of its weights as they are: here those that it was initialised with. With
# ``weights="law"`` it is the field of the architecture alone, the mean over all such weights:

erf_of(model, example, "4", weights="law")

# %%
# One page has all that follows from it: maps of the stages, tails, the overlap that tiles need, the
# smallest inputs, every layer, and what is approximate. ``report.save("model.html")`` keeps it, and
# ``erf-theory model`` makes it from the command line, with your own images and weights.

network = read_torch(model, example, weights="law")
report = model_report(network, name="my model", image_size=(64, 64))
report
