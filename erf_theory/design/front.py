"""Deep, dilated, strided and large designs beside each other: for one target, or at one cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from math import inf
from typing import TYPE_CHECKING, Any, final

from erf_theory import records
from erf_theory.design.candidates import first, satisfying, widest
from erf_theory.design.choices import Budget, Choices, Family, budget_of
from erf_theory.design.designs import Design
from erf_theory.design.plans import Plan
from erf_theory.design.requirements import Requirements
from erf_theory.design.search import chosen, written
from erf_theory.design.space import groups
from erf_theory.design.targets import Target
from erf_theory.display import Card
from erf_theory.errors import ErfTheoryError
from erf_theory.exact import Number
from erf_theory.measures import LUO_LEVEL

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Front", "design_front", "equal_cost"]


@final
@dataclass(frozen=True, repr=False)
class Front(Card):
    """Designs of several families: `design_front` and `equal_cost` make it, ``print`` shows it.

    Attributes
    ----------
    designs : tuple of Design
        The designs, the cheapest of every kind, by multiply-adds.
    missing : tuple of str
        Families that have none.
    at_equal_cost : bool
        Whether they are the widest at one cost; else all reach one target.
    title : str
        What they have in common.
    call : str
        The call that made it.
    """

    designs: tuple[Design, ...]
    missing: tuple[Family, ...]
    at_equal_cost: bool
    title: str
    call: str

    kind = "energy"

    def __iter__(self) -> Iterator[Design]:
        return iter(self.designs)

    def __len__(self) -> int:
        return len(self.designs)

    @property
    def best(self) -> tuple[Design, ...]:
        """The Pareto front: designs that no other one beats.

        A design beats another if it has no more parameters, no more multiply-adds and no larger
        distance of its outputs, and less of one of them; at equal cost it also is as wide.
        """
        burdens = [self._burden(design) for design in self.designs]
        pairs = zip(self.designs, burdens, strict=True)
        return tuple(d for d, own in pairs if not any(_beats(other, own) for other in burdens))

    def _burden(self, design: Design) -> tuple[float, ...]:
        """What a design is better without."""
        plan = design.plan
        width = -design.reached if self.at_equal_cost else 0.0
        return (plan.parameters, float(plan.multiply_adds), plan.jump, width)

    def of(self, family: Family) -> tuple[Design, ...]:
        """The designs of a family."""
        return tuple(design for design in self.designs if design.family == family)

    def lines(self) -> list[tuple[str, ...]]:
        """The title, and a table with one row per design; a star marks those of the front."""
        names = ("design", "convolutions", "outputs every", "parameters", "multiply-adds")
        head = (*names, "std", "size", "ripple", "flatness", "front")
        rows = [self._row(design) for design in self.designs]
        notes = [("without a design", name) for name in self.missing]
        return [("", self.title), head, *rows, *notes]

    def _row(self, design: Design) -> tuple[str, ...]:
        plan, found = design.plan, design.measures()
        lengths = [f"{found[name]:.4g}" for name in ("std", "size")]
        shares = [f"{found[name]:.2g}" for name in ("ripple", "flatness")]
        costs = [f"{plan.parameters:,}", f"{float(plan.multiply_adds):,.6g}"]
        star = "*" if design in self.best else ""
        return (design.name, str(plan.layers), f"{plan.jump} px", *costs, *lengths, *shares, star)

    def plot(self) -> Figure:
        """Draw parameters and multiply-adds of all designs, those of the front filled."""
        from erf_theory import plotting

        best = self.best
        return plotting.front_figure(
            [
                plotting.Point(
                    family=design.family,
                    parameters=design.plan.parameters,
                    multiply_adds=float(design.plan.multiply_adds),
                    label=design.short,
                    is_best=design in best,
                )
                for design in self.designs
            ],
            title=self.title,
        )

    def to_dict(self) -> dict[str, Any]:
        """All designs and their provenance, as JSON knows them."""
        best = self.best
        return {
            "format": "erf_theory.Front/1",
            **records.provenance(self.kind, self.call),
            "title": self.title,
            "designs": [{**design.to_dict(), "front": design in best} for design in self.designs],
            "missing": list(self.missing),
        }

    def __str__(self) -> str:
        from erf_theory.network.text import table

        title, head, *rows = self.lines()
        full = [row for row in rows if len(row) == len(head)]
        notes = [": ".join(row) for row in rows if len(row) < len(head)]
        return "\n".join([title[1], *table([head, *full]), *notes])

    def __repr__(self) -> str:
        return f"<{self.title}: {len(self.best)} of {len(self.designs)} designs on the front>"


def design_front(
    size: Number | None = None,
    *,
    std: Number | None = None,
    radius: Number | None = None,
    mass: float = LUO_LEVEL,
    ripple: float = 0.1,
    kurtosis: float | None = None,
    flatness: float | None = None,
    budget: Budget | None = None,
    choices: Choices | None = None,
    **options: Any,
) -> Front:
    """What deep, dilated, strided and large networks with a wanted field cost: the Pareto front.

    Parameters
    ----------
    size, std, radius, mass, ripple, kurtosis, flatness, budget, choices, **options
        As for `design_network`.

    Returns
    -------
    Front
        For every family, kernel and number of strides, all designs that no other one of these
        beats in parameters and multiply-adds.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or no network of the space satisfies all of it.

    Examples
    --------
    >>> from erf_theory.design.front import design_front
    >>> front = design_front(20, families=("deep", "dilated"))
    >>> front
    <designs with a size of 20 px: 1 of 2 designs on the front>
    >>> [(design.family, design.plan.layers) for design in front]
    [('deep', 31), ('dilated', 3)]
    """
    target = Target.of(std=std, size=size, radius=radius, mass=mass)
    needs = Requirements(target, ripple, kurtosis, flatness)
    limits, asked = budget_of(budget), chosen(choices, options)
    call = written("design_front", needs, "multiply_adds", limits, asked)
    space = limits.within(asked)
    found = [
        Design(plan, family, target, call)
        for family in space.families
        for plan in _cheapest(space, family, needs, limits)
    ]
    if not found:
        raise ErfTheoryError(
            f"no network of the space has {target} and all else that is asked for: allow more "
            "layers, a larger budget or more ripple, or choose otherwise"
        )
    return _front(found, space, call, title=f"designs with {target}", at_equal_cost=False)


def equal_cost(
    budget: Budget,
    *,
    ripple: float = 0.1,
    kurtosis: float | None = None,
    flatness: float | None = None,
    choices: Choices | None = None,
    **options: Any,
) -> Front:
    """The widest deep, dilated, strided and large network that a budget allows.

    Parameters
    ----------
    budget : Budget
        What each of them may cost.
    ripple, kurtosis, flatness, choices, **options
        As for `design_network`.

    Returns
    -------
    Front
        One design per family: the size that it reaches is the largest in whole pixels, and it is
        the cheapest of that size in multiply-adds.

    Raises
    ------
    ErfTheoryError
        If an argument makes no sense, or nothing is so cheap.

    Examples
    --------
    >>> from erf_theory.design.front import equal_cost
    >>> found = equal_cost(Budget(layers=4), families=("deep", "dilated"))
    >>> [(design.family, round(design.reached, 1)) for design in found]
    [('deep', 7.0), ('dilated', 81.0)]
    """
    needs = Requirements(Target.of(size=1), ripple, kurtosis, flatness)
    limits, asked = budget_of(budget), chosen(choices, options)
    call = written("equal_cost", needs, "multiply_adds", limits, asked)
    space = limits.within(asked)
    found = []
    for family in space.families:
        best = widest(replace(space, families=(family,)), needs, limits, "multiply_adds", None)
        if best:
            pixels, (plan, _) = best
            found.append(Design(plan, family, Target.of(size=pixels), call))
    if not found:
        raise ErfTheoryError(f"no network of the space is within {limits}: allow more")
    return _front(found, space, call, title=f"the widest within {limits}", at_equal_cost=True)


def _cheapest(
    space: Choices, family: Family, needs: Requirements, limits: Budget
) -> Iterator[Plan]:
    """Of every kernel and number of strides, the plans that are cheapest in one way or the other.

    In the order of their multiply-adds, each has fewer parameters than the one before it.
    """
    least = needs.target.least_variance(space.ndim)
    by_parameters = groups(space, family, "parameters", limits, least)
    by_multiply_adds = groups(space, family, "multiply_adds", limits, least)
    for others, plans in zip(by_parameters, by_multiply_adds, strict=True):
        fewest = first(zip(others, repeat(family)), needs)
        if fewest is None:
            continue
        best = inf
        for plan, _ in satisfying(zip(plans, repeat(family)), needs):
            if plan.parameters < best:
                best = plan.parameters
                yield plan
            if best == fewest[0].parameters:
                break


def _beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(a <= b for a, b in zip(one, other, strict=True))


def _front(
    found: Iterable[Design], space: Choices, call: str, *, title: str, at_equal_cost: bool
) -> Front:
    """The designs, with the families that have none."""
    designs = tuple(found)
    present = {design.family for design in designs}
    missing = tuple(family for family in space.families if family not in present)
    return Front(designs, missing, at_equal_cost, title, call)
