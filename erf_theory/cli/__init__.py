"""The command line: ``erf-theory``."""

from erf_theory.cli.main import main

__all__ = ["main"]
