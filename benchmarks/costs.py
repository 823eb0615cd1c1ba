"""``python -m benchmarks.costs``: how the time of every engine grows with its problem."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import log
from time import perf_counter
from typing import Any

from benchmarks.row import timed
from benchmarks.table import machine
from erf_theory import network_erf, theoretical_erf
from erf_theory.network import Activation, Chain, Conv, Residual

__all__ = ["main"]

EQUAL = "map of (2n+1)² px, n equal residual blocks"
UNEQUAL = "map of (2n+1)² px, n unequal residual blocks"
Case = tuple[str, str, Callable[[int], Any], Sequence[int]]


def cases() -> list[Case]:
    """What is asked, of which engine, and at what sizes n."""
    return [
        ("all values, 2n+1 px", "convolution", _stack("convolution"), (4000, 16_000, 64_000)),
        ("all values, 2n+1 px", "dtft", _stack("dtft"), (10_000, 100_000, 1_000_000)),
        ("all logarithms, 2n+1 px", "contour", _logarithms, (10_000, 100_000, 1_000_000)),
        ("exact integers", "multinomial", _integers, (4000, 8000, 16_000)),
        ("all logarithms, proven", "balls", _balls, (1000, 2000, 4000)),
        ("width alone", "cumulants", lambda n: theoretical_erf(3, n).std, (10**3, 10**6, 10**12)),
        ("map of (2n+1)² px, separable", "auto", _plane, (500, 1000, 2000)),
        (EQUAL, "convolution", _residual("convolution", 1), (75, 150, 300)),
        (EQUAL, "dtft", _residual("dtft", 1), (300, 600, 1200)),
        (UNEQUAL, "dtft", _residual("dtft", 1200), (50, 100, 200)),
    ]


def main() -> None:
    """Print the table."""
    parser = ArgumentParser(prog="python -m benchmarks.costs", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7, help="rounds, of which the best counts")
    rounds = parser.parse_args().rounds
    print("| question | engine | n | time | grows as |\n|---|---|---|---|---|")
    for question, engine, work, sizes in cases():
        times = [_best(work, n, rounds) for n in sizes]
        power = log(times[-1] / times[0]) / log(sizes[-1] / sizes[0])
        texts = ", ".join(map(timed, times))
        counts = ", ".join(f"{n:,}" for n in sizes)
        print(f"| {question} | `{engine}` | {counts} | {texts} | n^{power:.2f} |", flush=True)
    print(machine())


def _best(work: Callable[[int], Any], n: int, rounds: int) -> float:
    """The shortest time, in seconds."""
    found = []
    for _ in range(rounds):
        start = perf_counter()
        work(n)
        found.append(perf_counter() - start)
    return min(found)


def _stack(engine: str) -> Callable[[int], Any]:
    return lambda n: theoretical_erf(3, n, engine=engine).values


def _logarithms(n: int) -> Any:
    return theoretical_erf(3, n, engine="contour").log_values


def _balls(n: int) -> Any:
    return theoretical_erf(3, n, engine="balls").log_values


def _integers(n: int) -> Any:
    return theoretical_erf(3, n).exact()


def _plane(n: int) -> Any:
    return theoretical_erf(3, n, ndim=2).values


def _residual(engine: str, kinds: int) -> Callable[[int], Any]:
    """Blocks in turns of so many kinds, which differ in the variance of their weights."""
    return lambda n: network_erf(Chain([_block(i % kinds) for i in range(n)]), engine=engine).values


def _block(kind: int) -> Residual:
    conv = Conv(8, 8, 3, padding=1, init=Fraction(1, 72 + kind))
    return Residual(Chain([conv, Activation("relu")]))


if __name__ == "__main__":
    main()
