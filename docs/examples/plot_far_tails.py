"""
The far tails: a plain transform, and the contour
=================================================

A discrete Fourier transform of enough points gives the map of 1000 layers without any error of
principle. Rounding makes it noise beyond about eight standard deviations. On circles through saddle
points, as the contour engine takes them, all logarithms come out right.
"""

from math import log

import numpy as np
from matplotlib import pyplot as plt

from erf_theory import theoretical_erf

n, size = 1000, 2001
plain = np.fft.irfft(np.fft.rfft(np.ones(3) / 3, size) ** n, size)
contour = theoretical_erf(3, n, engine="contour")
places = contour.offsets[0]

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(places, np.log10(np.abs(plain)), ".", color="#D55E00", markersize=2, label="transform")
ax.plot(places, contour.log_values / np.log(10), color="#0072B2", label="contour")
ax.set(xlabel="pixels from the unit", ylabel="log10 of the share", title="1000 layers of 3 taps")
ax.legend(frameon=False)
fig.set_label(
    "Logarithms of 2001 shares: the contour's fall in a smooth arch from -2 to -477; the "
    "transform's lie on it near the middle and are a flat band of noise near -17 everywhere else."
)
fig.show()

# %%
# The contour's logarithms beside those of the exact integers:

numerators, denominator = contour.exact()
exact = np.array([log(int(p)) for p in numerators]) - n * log(3)
print(f"largest error of a logarithm: {np.max(np.abs(contour.log_values - exact)):.1e}")
