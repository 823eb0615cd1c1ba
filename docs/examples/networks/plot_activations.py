"""
Activation by activation
========================

On the way back, the gradient is multiplied by the slope of every activation it meets. What counts
is the mean square of that slope: the activation's *gain*. In a plain stack the gain scales the
whole map and its shape stays. Beside a skip connection the gain decides how much goes through the
convolution and how much goes past it, and so the activation decides the width.
"""

from matplotlib import pyplot as plt

from erf_theory import measure_erf, measured_erf, network_erf
from erf_theory.network import Activation, Chain, Conv, Residual

NAMES = ("sigmoid", "erf", "tanh", "relu", "gelu", "silu", "elu", "sin", "abs", "identity")
"""The activations, erf is the Gaussian's error function."""


def block(name: str) -> Chain:
    """A convolution behind an activation."""
    return Chain([Activation(name), Conv(32, 32, 3, padding=1)])


plain, residual, measured = {}, {}, {}
for name in NAMES:
    plain[name] = network_erf(Chain([block(name)] * 12, ndim=1))
    skips = Chain([Residual(block(name))] * 12, ndim=1)
    residual[name] = network_erf(skips)
    measured[name] = measure_erf(skips, samples=100, rng=0, progress=False)

order = sorted(NAMES, key=lambda name: residual[name].std)
fig, ax = plt.subplots(figsize=(6.5, 3.8), layout="constrained")
ax.barh(order, [residual[x].std for x in order], color="#56B4E9", label="with skips, theory")
stds = [measured_erf(measured[x]).std for x in order]
ax.plot(stds, order, "o", color="black", markersize=4, label="with skips, measured")
ax.axvline(plain["relu"].std, color="#D55E00", linestyle="--", label="without skips, all of them")
ax.set_xlabel("standard deviation of the map (px)")
fig.legend(loc="outside lower center", ncols=3, frameon=False)
fig.set_label(
    "Bars of the width of a 12-block residual network for ten activations, from sigmoid, the "
    "narrowest, to identity. Black dots of the measurement lie at their ends. A dashed line "
    "to the right of all bars is the width without skips, the same for all activations."
)

# %%
# Without skips every activation gives the same map. What it changes there is the mass: how much
# of the gradient is left after 12 layers.

for name in NAMES:
    gain = Activation(name).nonlinearity.slope_second_moment(1.0).value
    print(
        f"{name:8}: gain {gain:.3f} at unit variance; std {plain[name].std:.2f} px without skips, "
        f"{residual[name].std:.2f} with; mass without skips e^{plain[name].log_mass:.1f}"
    )
    assert abs(plain[name].values - plain["relu"].values).max() < 1e-14

# %%
# With skips the widths differ. The gain of the ReLU is ½, for every input: it is 1 where the
# input is positive, 0 elsewhere. Those of sigmoid and tanh fall as the sums grow from block to
# block, because both saturate: the later blocks let little through.

for name in ("sigmoid", "tanh"):
    slopes = Activation(name).nonlinearity.slope_second_moment
    gains = [slopes(variance).value for variance in (1, 4, 16)]
    print(f"{name}: {', '.join(f'{x:.3f}' for x in gains)} for inputs of variance 1, 4 and 16")
    assert gains == sorted(gains, reverse=True)
assert Activation("relu").nonlinearity.slope_second_moment(9.0).value == 0.5
assert order[0] == "sigmoid"
assert all(residual[name].std < plain[name].std for name in NAMES)
errors = [abs(measured_erf(measured[x]).std / residual[x].std - 1) for x in NAMES]
print(f"measured and predicted widths differ by {max(errors):.1%} at most")
assert max(errors) < 0.03
