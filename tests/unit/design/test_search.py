"""The search beside every plan of small spaces, each judged by its network."""

from dataclasses import replace
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erf_theory import (
    Budget,
    Choices,
    ErfTheoryError,
    design_front,
    design_network,
    equal_cost,
    network_cost,
    network_erf,
)
from erf_theory.design.choices import FAMILIES
from erf_theory.design.plans import Form, Plan, Step
from erf_theory.design.profiles import profile_of
from erf_theory.design.quality import excess_kurtosis, flatness, ripple
from erf_theory.design.requirements import Requirements
from erf_theory.design.space import order_of
from erf_theory.design.targets import Target
from tests.unit.design.definition import all_plans, has_holes, naive_ripple

SMALL = Choices(
    kernels=(3,),
    large_kernels=(5, 9),
    dilations=(1, 2, 3),
    max_strides=2,
    max_layers=4,
    max_depth=4,
    channels=4,
)
RESIDUAL = replace(SMALL, residual=True, max_layers=6, max_depth=6)
FORMS = st.builds(
    Form,
    channels=st.just(4),
    is_depthwise=st.booleans(),
    is_residual=st.booleans(),
    has_norms=st.booleans(),
)
STEPS = st.builds(Step, st.sampled_from([3, 5]), st.integers(1, 4), st.integers(1, 2))


@given(st.lists(STEPS, min_size=1, max_size=5).map(tuple), FORMS)
def test_what_is_known_of_a_plan_is_what_its_network_has(steps, form):
    plan = Plan(steps, form)
    network = plan.network()
    erf = network_erf(network, ndim=1)
    assert float(plan.variance) == pytest.approx(float(erf.cumulant(2)), rel=1e-9)
    assert profile_of(plan) == pytest.approx(erf.values, abs=1e-14)
    assert plan.has_holes == has_holes(plan)
    cost = network_cost(network)
    assert (plan.parameters, plan.multiply_adds) == (cost.parameters, cost.multiply_adds)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any))
def test_a_ripple_is_what_the_line_lacks_below_its_cover(heights):
    import numpy as np

    line = np.array(heights, dtype=float)
    assert ripple(line) == pytest.approx(naive_ripple(line))


@given(FORMS, st.lists(STEPS, min_size=1, max_size=4).map(tuple), st.integers(1, 2))
def test_no_map_is_wider_than_its_variance_allows(form, steps, ndim):
    erf = network_erf(Plan(steps, replace(form, ndim=ndim)).network())
    for measure, width in (("size", erf.size()), ("radius", erf.radius(0.8))):
        if width > 0:
            target = Target.of(**{measure: width}, mass=0.8)
            assert float(erf.std) ** 2 >= target.least_variance(ndim)


@cache
def judged(plan):
    """The map of a plan's network, or None where it has holes."""
    return None if has_holes(plan) else network_erf(plan.network())


def brute(choices, needs, limits, objective):
    """The cheapest of all plans that satisfy everything, and its family."""
    good = [
        (order_of(objective)(plan), family, plan)
        for family in choices.families
        for plan in all_plans(choices, family)
        if limits.allows(plan) and (erf := judged(plan)) and needs.holds(erf)
    ]
    return min(good, key=lambda row: row[0])[1:] if good else None


@pytest.mark.parametrize("objective", ["multiply_adds", "parameters"])
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("space", [SMALL, RESIDUAL])
def test_the_search_finds_the_cheapest_of_all_plans(space, family, objective):
    space = replace(space, families=(family,))
    for options in (
        {"size": 7},
        {"std": 3, "ripple": 1},
        {"size": 9, "kurtosis": 0.4},
        {"radius": 5, "mass": 0.9, "flatness": 0.5},
        {"size": 15, "ripple": 0.3},
    ):
        width = {key: options[key] for key in options if key in ("size", "std", "radius", "mass")}
        rest = {key: options[key] for key in options if key not in width}
        needs = Requirements(Target.of(**width), **{"ripple": 0.1, **rest})
        expected = brute(space, needs, Budget(), objective)
        if expected is None:
            with pytest.raises(ErfTheoryError, match="no network of the space"):
                design_network(choices=space, objective=objective, **options)
        else:
            found = design_network(choices=space, objective=objective, **options)
            assert (found.family, found.plan) == expected


@pytest.mark.parametrize(
    "limits",
    [Budget(multiply_adds=400), Budget(parameters=900), Budget(layers=2), Budget(400, 900, 3)],
)
def test_budgets_are_kept(limits):
    needs = Requirements(Target.of(size=9))
    expected = brute(SMALL, needs, limits, "multiply_adds")
    if expected is None:
        with pytest.raises(ErfTheoryError, match="no network of the space"):
            design_network(9, budget=limits, choices=SMALL)
    else:
        found = design_network(9, budget=limits, choices=SMALL)
        assert (found.family, found.plan) == expected


def test_the_front_holds_all_plans_that_none_beats():
    needs = Requirements(Target.of(size=9))
    front = design_front(9, choices=SMALL)

    def burden(plan):
        return plan.parameters, plan.multiply_adds, plan.jump

    good = {
        burden(plan)
        for family in FAMILIES
        for plan in all_plans(SMALL, family)
        if (erf := judged(plan)) and needs.holds(erf)
    }
    expected = {
        own
        for own in good
        if not any(o != own and all(a <= b for a, b in zip(o, own, strict=True)) for o in good)
    }
    assert {burden(design.plan) for design in front.best} == expected
    assert all(design.reached >= 9 for design in front)


@pytest.mark.parametrize("family", FAMILIES)
def test_at_equal_cost_each_family_is_as_wide_as_it_can_be(family):
    limits = Budget(multiply_adds=500)
    (design,) = equal_cost(limits, choices=replace(SMALL, families=(family,)))
    sizes = [
        erf.size()
        for plan in all_plans(SMALL, family)
        if limits.allows(plan) and (erf := judged(plan))
        if ripple(erf.profile().values) <= 0.1
    ]
    assert int(design.reached) == int(max(sizes))
    assert design.cost.multiply_adds <= 500


def test_powers_of_three_tile_the_line():
    design = design_network(60, families="dilated", ripple=0)
    assert [step.dilation for step in design.plan.steps] == [1, 3, 9, 27]
    assert (design.reached, design.measures()["flatness"]) == (81, pytest.approx(1))
    assert design.erf.values == pytest.approx(1 / 81**2)


def test_requirements_are_about_the_map():
    flat = design_network(20, flatness=0.99)
    assert flatness(flat.erf) >= 0.99
    normal = design_network(12, kurtosis=0.1)
    assert abs(excess_kurtosis(normal.erf)) <= 0.1


def test_impossible_targets_say_how_far_it_goes():
    with pytest.raises(ErfTheoryError, match=r"27 whole px are reached, 13 px less, by 3, 3 \(d"):
        design_network(40, families="dilated", max_layers=3)
    with pytest.raises(ErfTheoryError, match="not even 1 px"):
        design_network(40, budget=Budget(parameters=10))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (design_network, "one of std, size and radius"),
        (lambda: design_network(9, objective="time"), "objective"),
        (lambda: design_network(9, ripple=-1), "between 0 and 1"),
        (lambda: design_network(9, kurtosis=0), "above 0"),
        (lambda: design_network(9, flatness=2), "between 0 and 1"),
        (lambda: design_network(9, depth=3), "no choice 'depth'"),
        (lambda: design_network(9, families=("wide",)), "families are"),
        (lambda: design_network(9, families=()), "one family or more"),
        (lambda: design_network(9, dilations=()), "one number or more"),
        (lambda: design_network(9, kernels=4), "odd"),
        (lambda: design_network(9, channels=0), "1 or more"),
        (lambda: Budget(layers=0), "above 0"),
        (lambda: Budget(layers=2.5), "whole number"),
        (lambda: Budget(parameters="a"), "a budget of parameters is a number above 0, not 'a'"),
        (lambda: design_network(9, budget=100), "a budget is Budget"),
        (lambda: equal_cost(200_000), "a budget is Budget"),
        (lambda: design_front(9, budget=100), "a budget is Budget"),
        (lambda: equal_cost(Budget(multiply_adds=1)), "allow more"),
        (lambda: design_front(40, families="dilated", max_layers=3), "no network of the space"),
    ],
)
def test_bad_questions_are_refused(call, message):
    with pytest.raises(ErfTheoryError, match=message):
        call()


def test_results_are_json_and_pictures(tmp_path):
    front = design_front(9, choices=SMALL)
    record = front.to_dict()
    assert {row["family"] for row in record["designs"]} <= set(FAMILIES)
    assert sum(row["front"] for row in record["designs"]) == len(front.best)
    front.save_figure(tmp_path / "front.png")
    design = design_network(9, choices=SMALL)
    assert design.to_dict()["call"].startswith("design_network(size=9, large_kernels=(5, 9)")
    assert design.network.in_channels == 4
    assert Fraction(design.to_dict()["plan"]["multiply_adds"]) == design.cost.multiply_adds
