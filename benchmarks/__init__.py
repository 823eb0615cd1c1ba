"""Benchmarks: each asserts its answer, then times it beside what a user would use instead."""
