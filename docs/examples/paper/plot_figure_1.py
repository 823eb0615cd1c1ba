"""
Figure 1: depth makes a Gaussian
================================

Take one output unit of a stack of 3×3 convolutions and ask which pixels of the image it depends
on. Luo, Li, Urtasun and Zemel did it by experiment: they back-propagated a 1 from the unit, and
looked at the gradient that reached the image, for 5, 10, 20 and 40 layers. Here is the same
experiment, each map the mean of the gradient's magnitude over 20 runs, beside what the theory
predicts without any experiment.

Three kinds of stacks: all weights 1; random weights; and random weights with a ReLU between them.
This takes some ten seconds. ``erf-theory reproduce`` does the same from a terminal.
"""

from erf_theory.verdict.reproduction import reproduce

found = reproduce([5, 10, 20, 40], runs=20, variants=["all ones", "random", "relu"])
found

# %%
# Every picture shows the whole theoretical receptive field, 11² to 81² pixels, and the spot in it
# fills a smaller and smaller part. The paper says so in words; it prints no numbers with this
# figure, so there are none to compare with. Ours: the paper's size (the root of the number of
# pixels above 4.55 % of the maximum) in the theory, and measured.

for case in found.cases:
    share = case.theory.size() / case.theory.theoretical_rf[0]
    print(
        f"{case.variant:8} {case.depth:2} layers: {case.theory.size():5.2f} px in theory, "
        f"{case.measured.size():5.2f} measured, {share:.0%} of the field"
    )
    assert abs(case.measured.size() / case.theory.size() - 1) < 0.03

# %%
# With all weights 1 there is nothing random, and theory and experiment agree to rounding. With
# random weights 20 runs are few, and what is left between the two is their noise: half of the sum
# of all differences is between one and two percent of the map.

noise = [case.total_variation for case in found.cases]
print(f"all ones: {max(noise[:4]):.0e}; random: {min(noise[4:]):.3f} to {max(noise[4:]):.3f}")
assert max(noise[:4]) < 1e-14
assert 0.01 < min(noise[4:]) < max(noise[4:]) < 0.025

# %%
# The predictions for random weights and for the ReLU are the same map: in a plain stack a ReLU
# halves the energy of every layer as a whole, and the shape does not notice. The map of all ones
# is narrower, because it shows the gradient itself, and the others show the root of the mean of
# its square.

theory = {(case.variant, case.depth): case.theory for case in found.cases}
for depth in (5, 10, 20, 40):
    assert abs(theory["random", depth].values - theory["relu", depth].values).max() < 1e-15
ratio = theory["relu", 40].std / theory["all ones", 40].std
print(f"the random map of 40 layers is {ratio:.2f} times as wide: nearly √2")
assert 1.38 < ratio < 2**0.5
