"""
Energy and root mean square
===========================

Both describe the same random network. Averages of the gradient's magnitude show the second one,
which looks wider by the root of 2.
"""

from erf_theory import variance_erf

energy = variance_erf(3, 20, ndim=2)
energy

# %%
# The same network's root mean square:

energy.rms()
