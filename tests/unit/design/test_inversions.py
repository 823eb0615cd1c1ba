"""Depths, kernels, dilations and strides beside the forward theory."""

from fractions import Fraction
from itertools import count, pairwise

import numpy as np
import pytest

from erf_theory import (
    ErfTheoryError,
    MapTooLargeError,
    depth_for,
    dilation_for,
    kernel_for,
    network_erf,
    strides_for,
    variance_erf,
)
from erf_theory.design.inversion import reaches
from erf_theory.design.plans import NORMED, Form, Plan, Step
from erf_theory.design.targets import Target
from tests.unit.design.definition import centred_maps, pixels

TAPS = range(2, 16)


@pytest.mark.parametrize("k", TAPS)
def test_the_depth_for_a_std_is_the_least(k):
    for std in range(1, 501):
        n = depth_for(k, std=std).value
        assert n * (k * k - 1) >= 12 * std**2 > (n - 1) * (k * k - 1)


@pytest.mark.parametrize("ndim", [1, 2])
@pytest.mark.parametrize("k", TAPS)
def test_the_depth_for_a_size_is_the_first_that_reaches_it(k, ndim, times):
    last = times(30, 500)
    reach = 12 + int(2.5 * last)
    first, before = {}, [0, 0]
    target = 1
    for n, (line, _) in enumerate(centred_maps(k, reach), 1):
        found = pixels(line, ndim)
        parity = 0 if k % 2 else n % 2
        assert found >= before[parity]  # sizes rise with the depth
        before[parity] = found
        while target <= last and found >= target**ndim:
            first[target] = n
            target += 1
        if target > last:
            break
    for size in (*range(1, 31), *range(40, last + 1, 20)):
        assert depth_for(k, size=size, ndim=ndim).value == first[size]


@pytest.mark.parametrize("ndim", [1, 2])
@pytest.mark.parametrize("k", [2, 3, 4, 7, 12])
def test_the_depth_for_a_radius_is_the_first_that_reaches_it(k, ndim, times):
    for radius in (1, Fraction(5, 2), 4, times(7, 15)):
        erfs = ((n, variance_erf(k, n, ndim=ndim)) for n in count(1))
        first = next(n for n, erf in erfs if erf.radius(0.8) >= radius)
        assert depth_for(k, radius=radius, mass=0.8, ndim=ndim).value == first


def test_an_answer_says_what_it_and_one_step_less_reach():
    answer = depth_for(3, size=60)
    assert answer.reached == network_erf(answer.network).size() >= 60
    assert answer.below == variance_erf(3, answer.value - 1, ndim=2).size() < 60
    assert int(answer) == answer.value == len(range(answer)) == 280


def test_a_std_that_is_met_exactly_counts():
    assert depth_for(2, std=Fraction(1, 2)).value == 1
    assert depth_for(3, std=2).value == 6  # 2·6/3 = 2²
    assert depth_for(5, std=2).value == 2  # 2·2 = 2²
    assert depth_for(5, std=2.0000000001).value == 3
    assert depth_for(13, std=0.1).value == 1


def test_a_std_that_is_met_exactly_counts_beside_skips_and_strides():
    weight = Fraction(1, 3)  # a quarter of the energy takes a branch
    options = {"residual": True, "norm": False, "weight": weight}
    assert depth_for(3, std=2, **options).value == 12  # 12·(4/3)/4 = 2²
    assert strides_for(7, 5, std=6, **options).value == 1  # 4 + 4·4·8/4 = 6²
    assert strides_for(7, 5, std=Fraction(6000001, 1000000), **options).value == 2
    form = Form(is_residual=True, has_norms=False, weight=3)
    assert reaches(Plan((Step(7, 1, 2),) + (Step(7),) * 4, form), Target.of(std=10))
    assert strides_for(7, 5, std=10, **{**options, "weight": 3}).value == 1  # 4 + 4·4·8·3/4 = 10²


def test_a_kernel_too_large_for_a_map_is_known_by_its_variance():
    answer = kernel_for(2, std=200_000)
    assert answer.value**2 - 1 >= 6 * 200_000**2 > (answer.value - 2) ** 2 - 1
    assert answer.reached == pytest.approx(200_000, rel=1e-5)


@pytest.mark.parametrize("weight", [1, Fraction(1, 3), 4])
@pytest.mark.parametrize("measure", ["std", "size", "radius"])
def test_blocks_without_norms_are_binomial(weight, measure):
    answer = depth_for(3, **{measure: 5}, residual=True, norm=False, weight=weight)
    share = Fraction(weight) / (1 + Fraction(weight))
    blocks = answer.value
    erf = network_erf(answer.network)
    assert erf.std**2 == pytest.approx(float(blocks * share * Fraction(4, 3)))
    less = Plan((Step(3),) * (blocks - 1), answer.plan.form)
    assert answer.target.is_reached(erf)
    assert not answer.target.is_reached(network_erf(less.network()))


def test_blocks_with_norms_grow_as_the_logarithm_of_the_depth():
    terms = 4 / 3 / (1 + NORMED * (1 + NORMED * np.arange(200_000)))
    variances = np.cumsum(terms)
    for std in (1, 2, 3, 3.5, 4):
        n = depth_for(3, std=std, residual=True).value
        assert n == 1 + int(np.searchsorted(variances, std**2))
    far = depth_for(3, std=10, residual=True)
    assert far.value > 10**14
    assert far.below <= 10 <= far.reached
    with pytest.raises(MapTooLargeError, match="not written down"):
        far.network  # noqa: B018


@pytest.mark.parametrize("measure", ["std", "size", "radius"])
def test_the_norms_of_blocks_are_those_of_the_network(measure):
    answer = depth_for(3, **{measure: 2.2 if measure == "std" else 4}, residual=True)
    less = Plan((Step(3),) * (answer.value - 1), answer.plan.form)
    assert answer.target.is_reached(network_erf(answer.network))
    assert not answer.target.is_reached(network_erf(less.network()))
    assert answer.reached == pytest.approx(answer.target.width(network_erf(answer.network)))


@pytest.mark.parametrize("options", [{}, {"residual": True}, {"residual": True, "norm": False}])
@pytest.mark.parametrize("measure", ["std", "size", "radius"])
def test_the_kernel_is_the_first_that_reaches_it(measure, options):
    for target in (1, 4, 7):
        answer = kernel_for(4, **{measure: target}, **options)
        plans = (Plan((Step(k),) * 4, answer.plan.form) for k in count(1, 2))
        first = next(p for p in plans if answer.target.is_reached(network_erf(p.network())))
        assert answer.value == first.steps[0].size


def test_what_skips_keep_in_the_middle_no_kernel_spreads():
    with pytest.raises(ErfTheoryError, match=r"0\.0902 of the energy takes every skip"):
        kernel_for(4, size=9, residual=True)
    form = Form(is_residual=True)
    plans = [Plan((Step(k),) * 4, form) for k in range(3, 40, 2)]
    assert plans[0].skipped == pytest.approx(0.0902, abs=1e-4)
    sizes = [network_erf(plan.network()).size() for plan in plans]
    assert max(sizes) < 9
    assert sizes[-1] == 1  # only the middle is left
    with pytest.raises(ErfTheoryError, match="takes every skip"):
        kernel_for(4, radius=2, mass=0.05, residual=True)


@pytest.mark.parametrize("depth", [1, 3, 4])
@pytest.mark.parametrize("measure", ["std", "size", "radius"])
def test_even_kernels_are_found_where_they_are_asked_for(measure, depth):
    for target in (1, 2, 4, 7, Fraction(17, 2)):
        answer = kernel_for(depth, **{measure: target}, odd=False)
        erfs = ((k, variance_erf(k, depth, ndim=2)) for k in count(1))
        assert answer.value == next(k for k, erf in erfs if answer.target.is_reached(erf))


@pytest.mark.parametrize("options", [{}, {"residual": True}, {"residual": True, "norm": False}])
@pytest.mark.parametrize("measure", ["std", "size", "radius"])
def test_the_dilation_is_the_first_that_reaches_it(measure, options):
    for target in (1, 3, 5):
        answer = dilation_for(3, 4, **{measure: target}, plain=2, **options)
        form = answer.plan.form
        plans = (Plan((Step(3),) * 2 + (Step(3, d),) * 2, form) for d in count(1))
        first = next(p for p in plans if answer.target.is_reached(network_erf(p.network())))
        assert answer.value == first.steps[-1].dilation


def test_dilations_of_even_kernels_reach_radii():
    for radius in (3, Fraction(9, 2), 8):
        answer = dilation_for(2, 4, radius=radius, plain=3)
        plans = ((d, Plan((Step(2),) * 3 + (Step(2, d),), answer.plan.form)) for d in count(1))
        erfs = ((d, network_erf(plan.network())) for d, plan in plans)
        assert answer.value == next(d for d, erf in erfs if answer.target.is_reached(erf))


def test_gridding_is_noted():
    assert dilation_for(3, 6, std=4, plain=2).notes == ()
    holes = dilation_for(3, 6, std=40, plain=2)
    assert "has holes" in holes.notes[0]
    assert np.any(network_erf(holes.network, ndim=1).values == 0)


@pytest.mark.parametrize("options", [{}, {"residual": True}, {"stride": 3}])
@pytest.mark.parametrize("measure", ["std", "size", "radius"])
def test_the_strides_are_the_fewest(measure, options):
    for target in (2, 12, 30):
        answer = strides_for(3, 6, **{measure: target}, **options)
        step = options.get("stride", 2)
        for m in range(7):
            plan = Plan((Step(3, 1, step),) * m + (Step(3),) * (6 - m), answer.plan.form)
            if answer.target.is_reached(network_erf(plan.network())):
                break
        assert answer.value == m


def test_strides_reach_most_where_they_come_first():
    def variance(places):
        steps = (Step(3, 1, 2 if place in places else 1) for place in range(5))
        return Plan(tuple(steps), Form()).variance

    every = [{a, b} for a in range(5) for b in range(a)]
    assert max(every, key=variance) == {0, 1}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: depth_for(3), "one of std, size and radius"),
        (lambda: depth_for(3, std=1, size=2), "not std and size"),
        (lambda: depth_for(3, std=0), "above 0, not 0"),
        (lambda: depth_for(3, std="x"), "above 0, not 'x'"),
        (lambda: depth_for(3, radius=3, mass=1.0), "between 0 and 1"),
        (lambda: depth_for(1, std=3), "k = 1 sees one pixel"),
        (lambda: depth_for(2.5, std=3), "whole number"),
        (lambda: depth_for(4, std=3, residual=True), "odd number"),
        (lambda: depth_for(3, std=3, weight=2), "without norms"),
        (lambda: depth_for(3, std=3, residual=True, norm=False, weight=0), "above 0"),
        (lambda: depth_for(3, std=3, ndim=4), "ndim is 1, 2 or 3"),
        (lambda: depth_for(3, std=1000, residual=True), r"about 10\^"),
        (lambda: depth_for(3, size=100, residual=True), "std is 3.826"),
        (lambda: depth_for(3, size=5000), "1000000 layers.* std is 816.5 px.* a larger kernel"),
        (
            lambda: depth_for(3, size=90, residual=True, norm=False),
            "512 residual blocks.* a larger kernel",
        ),
        (lambda: kernel_for(0, std=3), "1 or more"),
        (lambda: dilation_for(3, 4, std=3, plain=4), "leave none"),
        (lambda: dilation_for(3, 4, size=60), "px less"),
        (lambda: strides_for(3, 4, std=60), "px less"),
        (lambda: strides_for(3, 4, std=6, stride=4), "leaves out pixels"),
    ],
)
def test_what_cannot_be_is_said(call, message):
    with pytest.raises(ErfTheoryError, match=message):
        call()


def test_an_answer_shows_itself_and_is_json():
    answer = depth_for(3, std=2)
    assert repr(answer) == "<depth 6 for a std of 2 px: reaches 2, one step less 1.82574>"
    assert "one step less" in answer._repr_html_()
    record = answer.to_dict()
    assert (record["value"], record["call"]) == (6, "depth_for(3, std=2)")
    assert record["plan"]["steps"] == [{"size": 3, "dilation": 1, "stride": 1, "times": 6}]
    assert eval(record["call"], {"depth_for": depth_for}) == answer  # noqa: S307
    assert all(a[0] != b[0] for a, b in pairwise(answer.lines()))
