import os

from erf_theory.memory import physical_memory


def test_physical_memory_is_the_system_s():
    assert 2**28 < physical_memory() < 2**50


def test_where_the_system_does_not_say_it_is_8_gib(monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    physical_memory.cache_clear()
    assert physical_memory() == 2**33
    physical_memory.cache_clear()
