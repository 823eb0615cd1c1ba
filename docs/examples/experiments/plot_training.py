"""
How training changes what is seen
=================================

Section 3.2 of the paper trains networks and finds that their effective receptive fields grow.
Here is that experiment in small: residual networks of eight blocks learn scikit-learn's digits,
and before training and after every epoch we look at what the unit in the middle of their last
layer sees, on images that they are not trained with. It needs PyTorch and a few minutes, so the
script ``record_digits.py`` beside this example has run it, and this page draws what it recorded.

Two starts differ in one number, the scale of the last batch norm in every block. The usual one is
1. A common trick is 0: then every block begins as its skip alone.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt

record = np.load(Path(sys.argv[0]).with_name("digits.npz"))
right, stds, predicted, maps = (
    record[name] for name in ("right", "measured_std", "theory_std", "maps")
)
starts, epochs = ("scale 1", "scale 0"), np.arange(maps.shape[1] - 1)

fig, axes = plt.subplots(2, 4, figsize=(8, 4.2), layout="constrained")
for row, name, seen in zip(axes, starts, maps, strict=True):
    for ax, epoch in zip(row, (0, 1, 3, epochs[-1]), strict=True):
        ax.imshow(seen[epoch] / seen[epoch].max(), cmap="cividis", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.set_title("before" if epoch == 0 else f"epoch {epoch}", fontsize=9)
    row[0].set_ylabel(name)
fig.colorbar(axes[0, 0].images[0], ax=axes, label="energy / its maximum", shrink=0.8)
fig.set_label(
    "Heat maps of 16 by 16 pixels before training and after 1, 3 and 8 epochs. Scale 1: a "
    "wide spot from the beginning. Scale 0: first a few pixels, then a spot that grows to "
    "about the same width."
)

# %%
# The width of the maps, for three networks of each start:

fig, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
for name, found, colour, line in zip(
    starts, stds, ("#0072B2", "#D55E00"), ("-", "--"), strict=True
):
    for label, run in zip((name, None, None), found, strict=True):
        ax.plot(epochs, run[:-1], line, color=colour, marker="o", markersize=3, label=label)
ax.set(xlabel="epochs of training", ylabel="standard deviation (px)", ylim=(0, None))
ax.legend(frameon=False, title="start")
fig.set_label(
    "Standard deviation of the map over the epochs for six networks. Those of scale 1 begin "
    "at about 2.5 pixels, fall in the first epoch and rise slowly; those of scale 0 begin at "
    "0.8 and rise towards the others."
)
for name, found, answers in zip(starts, stds, right, strict=True):
    print(
        f"{name}: std {found[:, 0].mean():.2f} px before, {found[:, 1].mean():.2f} after "
        f"one epoch, {found[:, -2].mean():.2f} after {epochs[-1]}, "
        f"with {answers[:, -2].mean():.1%} right"
    )

before, first, last = stds[..., 0], stds[..., 1], stds[..., -2]
assert (last[1] > 2 * before[1]).all()
assert (first[0] < before[0]).all()
assert (last[0] > first[0]).all()
assert abs(last[0].mean() / last[1].mean() - 1) < 0.2

# %%
# So training made the map grow where it began small. Where it began wide, it shrank first, and
# grew back in part. After eight epochs both starts have come to nearly the same width. "It
# grows", the paper's finding, depends on where one starts.
#
# Can one know this from the weights alone, without images? Before training, yes. The package
# takes the signs of different paths as independent, and those of random weights are:

untrained, trained, mixed = (predicted[..., place] / stds[..., place] for place in (0, -2, -1))
print(f"before: predicted / measured width {untrained.min():.2f} to {untrained.max():.2f}")
assert abs(untrained - 1).max() < 0.08

# %%
# After training, no: there the prediction is about half of what is measured.

print(f"trained: predicted / measured width {trained.min():.2f} to {trained.max():.2f}")
assert 0.45 < trained.min() < trained.max() < 0.6

# %%
# It is the signs of the trained weights, which work together: draw the sign of every weight in
# the trained networks anew, and take the batch norms' statistics anew with them. These networks
# guess the digits by chance, and the prediction is right again.

print(f"random signs: predicted / measured width {mixed.min():.2f} to {mixed.max():.2f}")
print(f"right answers: {right[..., -2].mean():.0%} before, {right[..., -1].mean():.0%} after")
assert abs(mixed - 1).max() < 0.07
assert right[..., -1].max() < 0.15
