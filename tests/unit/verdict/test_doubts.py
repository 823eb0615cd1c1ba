from dataclasses import replace

import numpy as np
import pytest

from erf_theory.architectures import network_erf
from erf_theory.empirical.measure import measure_erf
from erf_theory.empirical.measurement import Measurement
from erf_theory.errors import ErfTheoryError
from erf_theory.network import Activation, Chain, Conv, MaxPool
from erf_theory.verdict.agreement import crosscheck
from erf_theory.verdict.doubts import Power, doubts, fluctuation_doubts, need_decidable

NET = Chain([Conv(8, 8, 3, padding=1)] * 3, 1)
THEORY = network_erf(NET)


def even(blocks=64, count=2):
    return Measurement(np.ones((blocks, 7)), np.full(blocks, count), (-3,), "it")


def test_a_good_measurement_has_no_doubts():
    assert doubts(THEORY, even(), {"more": Power(0.9, 50)}) == ()


def test_an_interruption_few_samples_and_heavy_tails_are_told():
    found = even(40, 1)
    found.blocks[7] *= 20
    stopped = replace(found, interrupted=True)
    interrupted, few, heavy = doubts(THEORY, stopped, {})
    assert interrupted == "the measurement was interrupted after 40 samples"
    assert few == "40 samples are few: below 64 the rates of error are rough"
    assert heavy.startswith("one block of 1 samples has 34 % of all energy: tails are heavy")


def test_an_approximate_theory_is_told():
    pooled = Chain([Conv(4, 4, 3), Activation("relu"), MaxPool(3)] * 2, 1)
    theory = network_erf(pooled)
    assert theory.reasons
    told = doubts(theory, even(), {})
    assert told == tuple(f"the theory is approximate: {reason}" for reason in theory.reasons)


def test_what_would_go_unseen_is_told_with_the_samples_that_show_it():
    (told,) = doubts(THEORY, even(), {"10 % more mass": Power(0.2, 373)})
    assert "power 0.20): it takes about 373 samples" in told


def test_the_samples_that_are_asked_for_are_enough():
    wide = Chain([Conv(48, 48, 3, padding=1)] * 2, 1)
    theory, reached = network_erf(wide), []
    for seed in range(6):
        few = crosscheck(theory, measure_erf(wide, samples=64, rng=seed))
        power = few.powers["10 % more mass"]
        assert power.value < 0.8, "there is something to ask for"
        many = crosscheck(theory, measure_erf(wide, samples=power.wanted, rng=seed + 100))
        reached.append(many.powers["10 % more mass"].value)
    assert 0.75 < np.median(reached) < 0.98


def test_what_cannot_be_decided_is_refused_before_the_experiment():
    need_decidable(network_erf(NET), 32, 0.5)
    with pytest.raises(ErfTheoryError, match="31 samples are too few"):
        need_decidable(network_erf(NET), 31, 0.5)


def test_fluctuations_are_known_for_linear_stacks():
    (told,) = fluctuation_doubts(Chain([Conv(1, 1, 3)] * 3), 100)
    asked = int(told.split("asks for ")[1].split()[0])
    assert asked == pytest.approx((3**4 - 1) / 0.2**2, abs=2)
    assert "to know every pixel to 20 %, and there are 100" in told
    assert fluctuation_doubts(Chain([Conv(1, 1, 3)] * 3), 10**6) == ()
    assert fluctuation_doubts(Chain([Conv(1, 1, 3), Activation("relu")] * 3), 1) == ()
