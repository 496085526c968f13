"""The examples in docstrings show what really happens."""

import doctest
import importlib
import pkgutil

import pytest

import stance

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(stance.__path__, "stance.")
    if module.name != "stance.__main__"
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = [test for name in MODULES for test in finder.find(importlib.import_module(name))]
    assert sum(bool(test.examples) for test in found) > 20
