"""
Dropout changes nothing
=======================

In training, dropout sets a share p of all samples to 0 and divides the others by 1 − p. A
gradient on its way back meets the same zeros. One could think that it loses ways, and sees less.
On average it does not: every place loses and gains the same.
"""

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import measure_erf, measured_erf, network_erf
from erf_theory.network import Activation, Chain, Conv, Dropout, Residual

conv, relu = Conv(32, 32, 3, padding=1), Activation("relu")
rates = (0.0, 0.2, 0.5)


def stack(rate: float) -> Chain:
    """Ten convolutions with dropout between them."""
    return Chain([conv, *[relu, Dropout(rate), conv] * 9], ndim=1)


fig, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
theory = network_erf(stack(0.0))
ax.plot(theory.offsets[0], theory.values, color="#0072B2", label="theory, any dropout")
for rate, marker in zip(rates, "o^s", strict=True):
    found = measured_erf(measure_erf(stack(rate), samples=400, rng=1, progress=False))
    name = f"measured, p = {rate}"
    ax.plot(found.offsets[0], found.values, marker, color="black", fillstyle="none", label=name)
    print(
        f"p = {rate}: std {network_erf(stack(rate)).std:.3f} px in theory, {found.std:.3f} measured"
    )
    assert abs(network_erf(stack(rate)).values - theory.values).max() < 1e-15
    assert abs(found.std / theory.std - 1) < 0.03
ax.set(xlabel="pixels from the unit", ylabel="share of the energy")
ax.legend(frameon=False)
fig.set_label(
    "The energy of ten layers over the distance: one bell from theory, and the measured "
    "points for dropout of 0, 0.2 and 0.5, all on the bell."
)

# %%
# What changes is the strength: the mean square grows by 1/(1 − p) in every layer, which makes the
# noise of training.

for rate in rates:
    gain = np.exp(network_erf(stack(rate)).log_mass - theory.log_mass)
    print(f"p = {rate}: the energy is {gain:.1f} times as large")
    assert abs(gain * (1 - rate) ** 9 - 1) < 1e-12

# %%
# There is one exception, and it is small print: *beside a skip connection* a stronger branch
# counts for more. There dropout widens the map a little.


def residual(rate: float) -> Chain:
    """Ten residual blocks with dropout in their branches."""
    return Chain([Residual(Chain([relu, Dropout(rate), conv]))] * 10, ndim=1)


for rate in rates:
    print(f"with skips, p = {rate}: std {network_erf(residual(rate)).std:.3f} px")
assert network_erf(residual(0.5)).std > 1.02 * network_erf(residual(0.0)).std
