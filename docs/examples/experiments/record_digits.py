"""Train small networks on scikit-learn's digits, and record how their receptive fields change.

``python docs/examples/experiments/record_digits.py`` writes ``digits.npz`` beside itself, which
``plot_training.py`` draws. It needs PyTorch and scikit-learn, and about three minutes of one core.
"""

from pathlib import Path

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional

from erf_theory import measure_erf, measured_erf, network_erf, read_torch

SIDE, TRAINING = 16, 1400
"""The digits of 8 × 8 pixels are enlarged twice; what is not trained with is the test."""
EPOCHS = 8
SEEDS = range(3)
STARTS = ("usual", "zero")
"""Scales of the last batch norm of every block at the start: 1, or 0."""


class Block(nn.Module):
    """Two 3×3 convolutions beside a skip."""

    def __init__(self, channels: int, scale: float) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        nn.init.constant_(self.norm2.weight, scale)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The sum of both, behind a ReLU."""
        inner = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(x + self.norm2(self.conv2(inner)))


def classifier(scale: float, channels: int = 16, blocks: int = 8) -> nn.Sequential:
    """A residual network, its global pool and ten outputs."""
    stem = [nn.Conv2d(1, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels), nn.ReLU()]
    features = nn.Sequential(*stem, *[Block(channels, scale) for _ in range(blocks)])
    return nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


def digits() -> tuple[torch.Tensor, torch.Tensor]:
    """All images, enlarged, with mean 0 and variance 1, and their classes, in random order."""
    found = load_digits()
    images = torch.tensor(found.images, dtype=torch.float32)[:, None]
    images = functional.interpolate(images, size=SIDE, mode="bilinear")
    order = np.random.default_rng(0).permutation(len(images))
    return ((images - images.mean()) / images.std())[order], torch.tensor(found.target)[order]


def calibrate(model: nn.Module, images: torch.Tensor) -> None:
    """Take the batch norms' mean and variance over these images, as they are now."""
    norms = [part for part in model.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    model.train()
    with torch.no_grad():
        for batch in images.split(100):
            model(batch)
    for norm in norms:
        norm.momentum = 0.1
    model.eval()


def looked_at(model: nn.Module, images: torch.Tensor, classes: torch.Tensor) -> dict[str, object]:
    """The share of right answers, and what the unit in the middle of the last features sees."""
    calibrate(model, images[:TRAINING])
    images, classes = images[TRAINING:], classes[TRAINING:]
    with torch.no_grad():
        right = (model(images).argmax(1) == classes).float().mean().item()
    found = measure_erf(model[0], images=images.numpy(), samples=200, rng=0, progress=False)
    network = read_torch(model[0], torch.zeros(1, 1, SIDE, SIDE), weights="given")
    theory = network_erf(network, image_size=SIDE, unit=SIDE // 2)
    model.train()
    measured = measured_erf(found)
    return {
        "right": right,
        "map": measured.values.astype(np.float32),
        "measured_std": measured.std,
        "theory_std": theory.std,
    }


def run(start: str, seed: int) -> list[dict[str, object]]:
    """Train a network; look at it before, after every epoch, and with random signs of weights."""
    torch.manual_seed(seed)
    images, classes = digits()
    model = classifier(0.0 if start == "zero" else 1.0)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    rows = [looked_at(model, images, classes)]
    for _ in range(EPOCHS):
        for batch in torch.randperm(TRAINING).split(50):
            optimiser.zero_grad()
            loss = functional.cross_entropy(model(images[batch]), classes[batch])
            loss.backward()
            optimiser.step()
        rows.append(looked_at(model, images, classes))
        print(start, seed, *(f"{rows[-1][x]:.3f}" for x in ("right", "measured_std", "theory_std")))
    with torch.no_grad():
        for weights in model[0].parameters():
            if weights.ndim == 4:
                weights.mul_(torch.sign(torch.randn_like(weights)))
    return [*rows, looked_at(model, images, classes)]


if __name__ == "__main__":
    runs = [[run(start, seed) for seed in SEEDS] for start in STARTS]
    record = {
        name: np.array([[[row[name] for row in rows] for rows in seeds] for seeds in runs])
        for name in ("right", "measured_std", "theory_std")
    }
    record["maps"] = np.array([[row["map"] for row in seeds[0]] for seeds in runs])
    np.savez_compressed(Path(__file__).with_name("digits.npz"), **record)
