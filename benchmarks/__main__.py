"""``python -m benchmarks``: how fast, after every answer was found right."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path

from benchmarks import designs, expansions, gaussian, measure, networks, process, readers, stack
from benchmarks.row import FULL, SMOKE, Row
from benchmarks.table import line, machine, page, verdict


def main() -> None:
    """Measure every row, print it, and write the page."""
    parser = ArgumentParser(prog="python -m benchmarks", description=__doc__)
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--smoke", action="store_true", help="small sizes and one round")
    kind.add_argument("--write", type=Path, metavar="FILE", help="write the table as Markdown")
    given = parser.parse_args()
    effort = SMOKE if given.smoke else FULL
    parts = (process, stack, networks, readers, measure, expansions, gaussian, designs)
    rows: list[Row] = [row for part in parts for row in part.rows(smoke=given.smoke)]
    outcomes = []
    for row in rows:
        outcomes.append(row.outcome(effort))
        print(line(outcomes[-1]), flush=True)
    print(machine())
    print("Small sizes in one round: no goals." if given.smoke else verdict(outcomes))
    if given.write:
        given.write.write_text(page(outcomes), encoding="utf-8")


if __name__ == "__main__":
    main()
