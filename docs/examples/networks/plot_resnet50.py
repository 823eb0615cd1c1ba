"""
ResNet-50, layer by layer
=========================

Textbooks give one number for ResNet-50: a unit of its last layer has a theoretical receptive
field of 427 × 427 pixels, larger than the images of 224 × 224 that it was made for. How much of
that does it use before training? Here is every block, in two seconds and without running the
network.
"""

from matplotlib import pyplot as plt

from erf_theory import layer_table, network_erf, zoo
from erf_theory.network import Chain

net = zoo.resnet50()
blocks = [
    node.name for node in net.nodes if node.name.count(".") == 2 and node.name.endswith("relu")
]
blocks = ["stem.conv", "pool", *blocks]
table = layer_table(net, layers=blocks)
for row in table:
    print(
        f"{row.name:13} field {row.trf:3.0f} px, size {row.size:5.1f}, std {row.std:4.1f}, "
        f"{row.share:4.0%} of the field"
    )

# %%
# The paper's size counts the pixels above 4.55 % of the maximum, along one side. It grows with
# every block, but slower than the field. Both get steeper from stage to stage, because behind a
# stride a step is worth twice as many pixels.

rows = [table[name] for name in blocks]
fig, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
places = range(len(rows))
ax.plot(
    places, [row.trf for row in rows], "s-", color="#E69F00", label="theoretical receptive field"
)
ax.plot(places, [row.size for row in rows], "o-", color="#0072B2", label="size of the map")
ax.plot(places, [row.std for row in rows], "^-", color="#009E73", label="standard deviation")
ax.axhline(224, color="#555555", linestyle=":", label="an image of 224")
names = [name.removesuffix(".relu").replace("stage", "") for name in blocks]
ax.set_xticks(places, names, rotation=60)
ax.set(xlabel="block: stage.place", ylabel="pixels")
ax.legend(frameon=False)
fig.set_label(
    "Three curves rising over the 18 rows of ResNet-50: the theoretical field to 427 pixels, "
    "the size of the map to 173, the standard deviation to 41. The field crosses the 224 "
    "pixels of an image within the third stage, the size never does."
)
last = rows[-1]
print(f"at the end: field {last.trf:.0f} px, size {last.size:.0f} px, std {last.std:.1f} px")
assert last.trf == 427
assert last.size < 224 < last.trf
assert table["stage3.3.relu"].trf < 224 < table["stage3.4.relu"].trf
assert all(row.size < row.trf for row in rows[2:])

# %%
# The skips make a difference. The same convolutions without them:


stages = [net.parts[net.names.index(f"stage{number}")] for number in (1, 2, 3, 4)]
chain = [net.parts[0], net.parts[1]]
for stage in stages:
    for block in stage.parts:
        residual, relu = block.parts
        chain += [residual.body, relu]
straight = network_erf(Chain(chain), ndim=1)
print(f"std {straight.std:.1f} px without skips, {last.std:.1f} px with them")
assert straight.std > 1.2 * last.std


# %%
# The theory says where it is not exact:

print(*table.reasons, sep="\n")
