"""
One large kernel against many small ones
========================================

A layer with 31 × 31 taps and 15 layers with 3 × 3 taps have the same theoretical receptive field
of 31 × 31 pixels. They do not see the same: the large kernel uses its whole field, the stack
mostly the middle. That is the argument of RepLKNet (Ding and others, 2022) for large kernels, and
the theory gives it numbers.
"""

from matplotlib import pyplot as plt

from erf_theory import network_erf, receptive_field, variance_erf, zoo
from erf_theory.network import Activation, Chain, Conv, Norm, Residual

small, large = variance_erf(3, 15, ndim=2), variance_erf(31, 1, ndim=2)
assert small.theoretical_rf == large.theoretical_rf == (31, 31)

fig, axes = plt.subplots(1, 2, figsize=(7, 3.4), layout="compressed", sharey=True)
for ax, erf, name in zip(
    axes, (small, large), ("15 layers of 3 × 3", "one of 31 × 31"), strict=True
):
    ax.imshow(
        erf.values / erf.values.max(), cmap="cividis", vmin=0, vmax=1, extent=(-15.5, 15.5) * 2
    )
    ax.set(title=name, xlabel="pixels from the unit")
fig.colorbar(axes[0].images[0], ax=axes, label="energy / its maximum")
fig.set_label(
    "Two squares of 31 by 31 pixels. Left, a round spot in the middle third; right, an even square."
)

# %%
# A uniform kernel of k taps has the variance (k² − 1)/12, and n layers have n times that. So at
# equal field, n(k − 1) + 1 pixels, the stack is narrower by nearly the root of n. It costs less,
# too: 135 weights against 961 for each channel.

for name, erf in (("15 × 3²", small), ("1 × 31²", large)):
    half = erf.area_ratio(0.5)
    print(f"{name}: std {erf.std:.2f} px; half of the energy is in {half:.0%} of the field")
assert abs(small.std**2 - 15 * 8 / 12) < 1e-12
assert abs(large.std**2 - 960 / 12) < 1e-12

# %%
# The same in real networks, before training. RepLKNet-31B is written down here, without the 5 × 5
# kernels beside its large ones, which are merged into them in the end; and again with kernels of
# 3 × 3 in their place.


def step(channels: int, out: int, size: int, stride: int = 1) -> Chain:
    """A convolution, depthwise if it has several taps, a batch norm and a ReLU."""
    groups = channels if size > 1 and channels == out else 1
    conv = Conv(channels, out, size, stride=stride, padding=size // 2, groups=groups)
    return Chain([conv, Norm(), Activation("relu")])


def replknet(*sizes: int) -> Chain:
    """RepLKNet-31B with the given kernels in its four stages."""
    parts = [step(3, 128, 3, 2), step(128, 128, 3), step(128, 128, 1), step(128, 128, 3, 2)]
    for stage, (size, depth) in enumerate(zip(sizes, (2, 2, 18, 2), strict=True)):
        width = 128 << stage
        if stage:
            parts += [step(width // 2, width, 1), step(width, width, 3, 2)]
        narrow = [Conv(width, width, 1), Norm()]
        wide = [Conv(width, 4 * width, 1), Activation("gelu"), Conv(4 * width, width, 1), Norm()]
        large = Residual(Chain([Norm(), step(width, width, 1), step(width, width, size), *narrow]))
        parts += [large, Residual(Chain([Norm(), *wide]))] * depth
    return Chain(parts)


nets = {
    "ResNet-50": zoo.resnet50(),
    "ResNet-152": zoo.resnet152(),
    "VGG-16": zoo.vgg16(),
    "ConvNeXt-T": zoo.convnext_t(),
    "RepLKNet-31B": replknet(31, 29, 27, 13),
    "RepLKNet, 3 × 3": replknet(3, 3, 3, 3),
}
stds = {name: network_erf(net, ndim=1).std for name, net in nets.items()}
fields = {name: receptive_field(net).output.size[0] for name, net in nets.items()}

fig, ax = plt.subplots(figsize=(6, 3.8), layout="constrained")
for name in nets:
    xytext = (-12, 8) if name == "ResNet-50" else (7, -10)
    big = name in {"ConvNeXt-T", "RepLKNet-31B"}
    ax.loglog(fields[name], stds[name], "s" if big else "o", color="#E69F00" if big else "#0072B2")
    ax.annotate(name, (fields[name], stds[name]), xytext=xytext, textcoords="offset points")
    print(f"{name:15}: field {fields[name]:4} px, std {stds[name]:5.1f} px")
ax.set(xlabel="theoretical receptive field (px)", ylabel="standard deviation (px)")
ax.set(xlim=(150, 30000), ylim=(20, 400), xticks=[200, 1000, 5000], yticks=[25, 50, 100, 200])
ax.minorticks_off()
for axis in (ax.xaxis, ax.yaxis):
    axis.set_major_formatter("{x:g}")
fig.set_label(
    "Standard deviation of the map over the theoretical field, logarithmic, for six networks."
    " VGG-16 and ResNets rise slowly from 28 to 54 pixels; ConvNeXt-T, with 7 by 7 kernels, "
    "has 83 at a field like that of ResNet-152; RepLKNet-31B has 283, and with 3 by 3 kernels"
    " 42."
)

# %%
# ConvNeXt-T has 18 blocks, ResNet-152 has 50, and their fields are about equal; the map of the
# one with the larger kernels is half as wide again. In RepLKNet the large kernels make the map
# nearly seven times as wide. Its field of 9011 pixels is larger than any image it sees, so
# borders will cut it.

assert 0.8 < fields["ResNet-152"] / fields["ConvNeXt-T"] < 1
assert 1.5 < stds["ConvNeXt-T"] / stds["ResNet-152"] < 1.6
assert 6.5 < stds["RepLKNet-31B"] / stds["RepLKNet, 3 × 3"] < 7
assert fields["RepLKNet-31B"] == 9011
