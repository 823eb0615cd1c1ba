"""TEMP."""

from typing import NamedTuple


class Moment(NamedTuple):
    value: float
    error: float


class Nonlinearity:
    def __init__(self, name):
        self.name = name

    def value(self, z, xp):
        return xp.where(z > 0, z, z * 0) if self.name == "relu" else z

    def slope(self, z, xp):
        return xp.where(z > 0, z * 0 + 1, z * 0) if self.name == "relu" else z * 0 + 1

    def slope_second_moment(self, q):
        return Moment(0.5 if self.name == "relu" else 1.0, 0)

    def second_moment(self, q):
        return Moment(q * (0.5 if self.name == "relu" else 1.0), 0)


def nonlinearity(n):
    return Nonlinearity(n)
