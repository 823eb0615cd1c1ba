"""
Figure 4: strides and dilations widen it
========================================

Depth alone widens the effective receptive field slowly. The paper's Figure 4 takes 15 layers of
3×3 convolutions and changes three of them: either they get a stride of 2, or their taps are 2, 4
and 8 pixels apart. Both look much wider than plain layers. Which three layers it changed we do
not recall; here they are the 4th, the 8th and the 12th. The weights are random, with a ReLU
between the layers, and a measured map is again the mean of the gradient's magnitude over 20 runs.
"""

from matplotlib import pyplot as plt

from erf_theory import measure_erf, measured_erf, network_erf
from erf_theory.network import Activation, Chain, Conv

changed = (4, 8, 12)
stacks = {}
for name in ("plain", "strides", "dilations"):
    layers = []
    for place in range(1, 16):
        stride = 2 if name == "strides" and place in changed else 1
        dilation = (
            2 ** (1 + changed.index(place)) if name == "dilations" and place in changed else 1
        )
        layers += [
            Conv(32, 32, 3, stride=stride, dilation=dilation),
            Activation("relu"),
        ]
    stacks[name] = Chain(layers[:-1])

theory = {name: network_erf(stack, kind="rms") for name, stack in stacks.items()}
measured = {
    name: measured_erf(measure_erf(stack, samples=20, rng=0, progress=False), "magnitude")
    for name, stack in stacks.items()
}

fig, axes = plt.subplots(2, 3, figsize=(7, 5), layout="constrained", sharex=True, sharey=True)
for column, name in zip(axes.T, stacks, strict=True):
    for ax, erf, source in zip(
        column,
        (measured[name], theory[name]),
        ("measured", "theory"),
        strict=True,
    ):
        half = erf.theoretical_rf[0] / 2
        values = erf.values / erf.values.max()
        ax.imshow(
            values,
            cmap="cividis",
            vmin=0,
            vmax=1,
            extent=(-half, half, half, -half),
        )
        ax.set_title(f"{name}, {source}", fontsize=10)
axes[0, 0].set(xlim=(-53, 53), ylim=(53, -53))
fig.supxlabel("pixels from the unit", fontsize=10)
fig.colorbar(axes[0, 0].images[0], ax=axes, label="gradient / its maximum", shrink=0.7)
fig.set_label(
    "Two rows of three heat maps on the same scale of pixels, measured above, theory below. "
    "Plain layers give a small round spot in a square of 31 pixels; strides a wide one in 105"
    " pixels; dilations one in between, in 53 pixels."
)

# %%
# The size of each map, and how much of the theoretical field it fills:

for name, erf in theory.items():
    size, found = erf.size(), measured[name].size()
    field = erf.theoretical_rf[0]
    print(
        f"{name:9}: field {field:3} px, size {size:.1f} px in theory, {found:.1f} measured, "
        f"{size / field:.0%} of the field"
    )
    assert abs(found / size - 1) < 0.04
assert theory["plain"].size() < theory["dilations"].size() < theory["strides"].size()

# %%
# Where the dilated layers stand makes no difference: the order of convolutions can be changed.
# Where the strides stand does: every layer behind a stride counts twice. Strides in the last
# three layers win little, in the first three a lot.

late = Chain([Conv(32, 32, 3)] * 12 + [Conv(32, 32, 3, stride=2)] * 3)
early = Chain([Conv(32, 32, 3, stride=2)] * 3 + [Conv(32, 32, 3)] * 12)
sizes = {}
for name, stack in (("last three", late), ("first three", early)):
    erf = network_erf(stack, kind="rms")
    sizes[name] = erf.size()
    print(f"{name} strided: field {erf.theoretical_rf[0]} px, size {erf.size():.1f} px")
assert sizes["last three"] < 1.5 * theory["plain"].size()
assert sizes["first three"] > 1.5 * theory["strides"].size()
backwards = Chain([Conv(32, 32, 3, dilation=d) for d in (8, 4, 2)] + [Conv(32, 32, 3)] * 12)
assert network_erf(backwards).std == network_erf(stacks["dilations"]).std
