"""Every example in a docstring says what is so."""

from __future__ import annotations

import doctest
import importlib
import re
from pathlib import Path

import pytest

import percorso

ROOT = Path(percorso.__file__).parent

#: Alembic runs it inside a migration; it cannot be imported.
NOT_IMPORTED = {"percorso.store.database.migrations.env"}
_EXAMPLE = re.compile(r"^ *>>> ", re.MULTILINE)


def modules() -> dict[str, int]:
    """Modules with examples, and how many; found by their text, so that nothing is imported for it."""
    found = {}
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(("percorso", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        count = len(_EXAMPLE.findall(path.read_text(encoding="utf-8")))
        if count:
            found[name] = count
    return found


MODULES = modules()


def test_there_are_examples_in_modules_that_can_be_imported() -> None:
    assert len(MODULES) > 50
    assert not NOT_IMPORTED & set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_examples_say_what_is_so(name: str) -> None:
    tests = doctest.DocTestFinder().find(importlib.import_module(name))
    assert sum(len(test.examples) for test in tests) == MODULES[name]  # none that doctest does not see
    runner = doctest.DocTestRunner(optionflags=doctest.FAIL_FAST)
    said: list[str] = []
    for test in tests:
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)
