"""``python -m benchmarks [--smoke]``: a table of times, after every answer was found right."""

from __future__ import annotations

from argparse import ArgumentParser

from benchmarks.row import measure
from benchmarks.stack import rows


def main() -> None:
    """Measure every row and print it."""
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="small sizes and one round")
    smoke = parser.parse_args().smoke
    print(f"{'question':<44}{'ours':>10}  {'instead':<28}{'theirs':>10}{'ratio':>8}")
    for row in rows(smoke=smoke):
        times = measure(row, rounds=1 if smoke else 5)
        ours, theirs = (f"{1e3 * seconds:.2f} ms" for seconds in (times.ours, times.theirs))
        print(f"{row.question:<44}{ours:>10}  {row.instead:<28}{theirs:>10}{times.ratio:>8.2f}")


if __name__ == "__main__":
    main()
