"""
The Gaussian, Edgeworth's expansion and saddle points
=====================================================

How well do approximations describe the map of 20 layers of three equal taps, from its centre to its
last pixel? The Gaussian is right near the centre. Edgeworth's expansion adds powers of 1/n to it,
here one and three: every term makes the centre much better, but the last pixels stay wrong. The
saddle-point approximation is right relative to the map itself: to 1 % in the centre, and at worst,
at the last pixel but one, to 9 %. The last pixel has no saddle point and is exact.

As a script, it saves the picture: ``python docs/examples/plot_gaussian_limit.py limit.png``.
"""

import sys

import numpy as np

from erf_theory import compare_expansions, saddlepoint, theoretical_erf

erf = theoretical_erf(3, 20)
expansions = compare_expansions(erf, orders=(0, 2, 6))
if len(sys.argv) > 1:
    expansions.save_figure(sys.argv[1])
expansions

# %%
# The sums of the tails, P(S ≥ t), by Lugannani and Rice's formula with both corrections for the
# lattice, over the exact ones:

exact = np.cumsum(erf.values[::-1])[::-1]
tails = saddlepoint(erf)
for place in (1, 7, 15, 19, 20):
    ratios = [np.exp(tails.log_tail(place, which)) / exact[20 + place] for which in (1, 2)]
    print(f"{place:3d} px: first {ratios[0]:.4f}, second {ratios[1]:.4f}")
