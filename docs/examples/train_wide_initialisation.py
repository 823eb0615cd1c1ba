"""
Training from wide and narrow initialisations: the run
======================================================

Makes the record that the example beside it draws: a plain stack of four 3×3 convolutions on
scikit-learn's digits, 8×8 pixels, whose classes are read from the one unit in the middle, which
just sees them all. Everything but the initialisation is the same: seeds, split, order, optimiser.

It needs PyTorch and scikit-learn and takes about a minute and a half of one core:

    python docs/examples/train_wide_initialisation.py
"""

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time

import numpy as np
import sklearn
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

from erf_theory import measure_erf
from erf_theory.design.widening import corner_taps, uniform_taps, widest_taps
from erf_theory.init import delta_orthogonal_, wide_

SEEDS, EPOCHS, CHANNELS, DEPTH = 20, 8, 16, 4
INITIALISATIONS = {
    "PyTorch's default": lambda net: net,
    "He": partial(wide_, taps=uniform_taps),
    "wide": partial(wide_, taps=widest_taps),
    "corners": partial(wide_, taps=corner_taps),
    "delta-orthogonal": partial(delta_orthogonal_, gain=2**0.5),
}


def body() -> nn.Sequential:
    """The convolutions."""
    layers = []
    for depth in range(DEPTH):
        layers += [nn.Conv2d(CHANNELS if depth else 1, CHANNELS, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers)


def accuracy(net: nn.Module, head: nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """The share of digits that are told right."""
    with torch.no_grad():
        return float((head(net(x)[:, :, 4, 4]).argmax(1) == y).float().mean())


def width(net: nn.Module, x: torch.Tensor, seed: int) -> float:
    """Standard deviation of the middle unit's energy, per axis, on digits of the test set."""
    found = measure_erf(net, images=x.numpy(), unit=4, samples=100, rng=seed, progress=False)
    places, share = np.arange(8), found.mean / found.mean.sum()
    stds = []
    for line in (share.sum(1), share.sum(0)):
        mean = line @ places
        stds.append(line @ (places - mean) ** 2)
    return float(np.sqrt(np.mean(stds)))


def trained(
    initialise: Callable[[nn.Module], nn.Module], seed: int, digits: list[torch.Tensor]
) -> dict[str, float | list[float]]:
    """Accuracies by epoch, and the ERF's width before and after."""
    train, test, labels, expected = digits
    torch.manual_seed(seed)
    net, head = body(), nn.Linear(CHANNELS, 10)
    initialise(net)
    before = width(net, test, seed)
    optimiser = torch.optim.Adam([*net.parameters(), *head.parameters()], lr=3e-3)
    found = []
    for epoch in range(EPOCHS):
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed + epoch))
        for batch in order.split(64):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(head(net(train[batch])[:, :, 4, 4]), labels[batch])
            loss.backward()
            optimiser.step()
        found.append(accuracy(net, head, test, expected))
    return {"accuracy": found, "std before": before, "std after": width(net, test, seed)}


def digits(seed: int) -> list[torch.Tensor]:
    """Images of mean 0 and variance 1 and their classes, three quarters of them to learn from."""
    data = load_digits()
    x = (data.images - data.images.mean()) / data.images.std()
    parts = train_test_split(
        x[:, None].astype(np.float32), data.target, test_size=0.25, random_state=seed
    )
    return [torch.tensor(part) for part in parts]


if __name__ == "__main__":
    torch.set_num_threads(1)
    start = process_time()
    runs = {}
    for name, initialise in INITIALISATIONS.items():
        runs[name] = [trained(initialise, seed, digits(seed)) for seed in range(SEEDS)]
        last = [run["accuracy"][-1] for run in runs[name]]
        print(f"{name}: {np.mean(last):.4f}, {process_time() - start:.0f} s", file=sys.stderr)
    record = {
        "made by": "docs/examples/train_wide_initialisation.py",
        "torch": torch.__version__,
        "scikit-learn": sklearn.__version__,
        "seconds": round(process_time() - start),
        "runs": runs,
    }
    path = Path(__file__).with_name("wide_initialisation.json")
    path.write_text(json.dumps(record, indent=1) + "\n")
