"""
Figure 3: the root of the depth
===============================

The theoretical receptive field of n layers of 3×3 convolutions is 2n + 1 pixels wide. The part of
it that matters grows only as √n, so its share of the whole shrinks as 1/√n. The paper measures
both and fits powers of n to them, on doubly logarithmic axes: *recalled* from it, not read off
again, are 0.56 for the growth and −0.43 for the share. Here are its size measured anew, the
theory from 5 layers to 80, and the powers of both.
"""

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import sqrt_scaling
from erf_theory.verdict.reproduction import reproduce

depths = [5, 10, 20, 40, 80]
theory = {
    kind: sqrt_scaling(3, depths, measure="size", ndim=2, kind=kind)
    for kind in ("rms", "amplitude")
}
measured = reproduce(depths[:4], runs=20, variants=["random"]).cases
sizes = np.array([case.measured.size() for case in measured])
fields = np.array([2 * case.depth + 1 for case in measured])

names = {"rms": "random weights, theory", "amplitude": "all ones, theory"}
fig, (growth, share) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
for kind, colour, line in (
    ("rms", "#0072B2", "-"),
    ("amplitude", "#E69F00", "--"),
):
    law = theory[kind]
    growth.loglog(depths, law.values, line, color=colour, label=names[kind])
    share.loglog(depths, law.share, line, color=colour)
growth.loglog(depths[:4], sizes, "o", color="black", label="random weights, measured")
share.loglog(depths[:4], sizes / fields, "o", color="black")
growth.set(title="it grows …", ylabel="size (px)", yticks=[10, 20, 40])
share.set(title="… and its share shrinks", ylabel="size / theoretical receptive field")
share.set_yticks([0.2, 0.4, 0.8])
for ax in (growth, share):
    ax.set(xlabel="number of layers", xticks=depths)
    ax.minorticks_off()
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_formatter("{x:g}")
fig.legend(loc="outside lower center", ncols=3, frameon=False)
fig.set_label(
    "Two panels with logarithmic axes. Left, the size in pixels rises with the number of "
    "layers, in nearly straight lines: 10 to 45 for random weights, 8 to 32 for all ones. "
    "Right, its share of the theoretical field falls. The four measured points lie on the "
    "line of random weights."
)

# %%
# The powers, fitted as straight lines through these points:

for kind, law in theory.items():
    print(f"{names[kind]:24}: {law.growth.exponent:+.3f} and {law.shrink.exponent:+.3f}")
grows, shrinks = (np.polyfit(np.log(depths[:4]), np.log(y), 1)[0] for y in (sizes, sizes / fields))
print(f"{'random weights, measured':24}: {grows:+.3f} and {shrinks:+.3f}")
print(f"{'the paper, recalled':24}: +0.56  and -0.43")
assert max(abs(sizes / theory["rms"].values[:4] - 1)) < 0.03
assert abs(grows - 0.56) < 0.04
assert abs(shrinks + 0.43) < 0.02

# %%
# None of them is ½ yet: at 5 layers the map is no Gaussian, and the last pixels of the field cut
# its size short. With ever more layers the power becomes ½, here between 1000 and 4000 of them:

far = sqrt_scaling(3, [1000, 2000, 4000], measure="size", ndim=2, kind="rms")
print(f"random weights, theory: {far.growth.exponent:+.4f} and {far.shrink.exponent:+.4f}")
assert abs(far.growth.exponent - 0.5) < 0.001
assert abs(far.shrink.exponent + 0.5) < 0.001
