"""The search for a design beside looking at every plan of its space."""

from __future__ import annotations

from itertools import combinations_with_replacement

from benchmarks.row import Bound, Ratio, Row
from erf_theory import Choices, Design, design_network, network_erf
from erf_theory.design.plans import Form, Plan, Step
from erf_theory.design.quality import ripple

__all__ = ["rows"]

_DILATIONS = (1, 2, 3, 9, 27)


def rows(*, smoke: bool) -> list[Row]:
    """All rows; a smoke run looks for smaller fields."""
    return [_dilated(27 if smoke else 81), _residual(30 if smoke else 60)]


def _dilated(size: int) -> Ratio:
    """Schedules of up to four dilations, judged one by one by their networks."""
    form = Form()
    space = Choices(("dilated",), dilations=_DILATIONS, max_layers=4)

    def each() -> Plan:
        plans = [
            Plan(tuple(Step(3, d) for d in dilations), form)
            for count in range(1, 5)
            for dilations in combinations_with_replacement(_DILATIONS, count)
        ]
        good = [plan for plan in plans if _is_good(plan, size)]
        return min(good, key=lambda plan: (plan.multiply_adds, plan.variance))

    def check(ours: Design, theirs: Plan) -> None:
        assert ours.plan == theirs
        assert ours.reached == size

    return Ratio(
        f'`design_network({size}, families="dilated", max_layers=4)`',
        "`network_erf` of each of its 125 plans",
        0.25,
        lambda: design_network(size, choices=space),
        each,
        check,
    )


def _is_good(plan: Plan, size: int) -> bool:
    erf = network_erf(plan.network())
    return erf.size() >= size and ripple(erf.profile().values) <= 0.1


def _residual(size: int) -> Bound:
    def check(found: Design) -> None:
        assert network_erf(found.network).size() >= size
        assert found.plan.form.is_residual

    return Bound(
        f"`design_network({size}, residual=True)`, its field computed",
        1.0,
        lambda: design_network(size, residual=True),
        check,
    )
