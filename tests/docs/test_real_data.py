"""The how-to pages of the real data sets: each command prints what its page says, line by line.

The figures of a page are counts and shares of data that is not in this repository; where the data is missing, the
tests are skipped, or fail under CI=true.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.real_data import BLOCK, PAGES, Real, commands_of, output_of, page_of

ROOT = Path(__file__).resolve().parents[2]


def questions() -> Iterator[Any]:
    for name in PAGES:
        blocks = list(BLOCK.finditer(page_of(name)))[1:]  # the first one imports
        for number, block in enumerate(blocks, start=1):
            yield pytest.param(name, block["commands"], block["output"], id=f"{name}-{number}")


@pytest.mark.parametrize(("name", "commands", "output"), list(questions()))
def test_the_page_prints_what_the_command_prints(real: Real, name: str, commands: str, output: str | None) -> None:
    folder = real(name).workspace.folder.parent
    printed = [line.rstrip() for command in commands_of(commands) for line in _lines(output_of(folder, command))]
    if output is not None:
        assert printed == [line.rstrip() for line in output.splitlines()]


def _lines(told: str) -> list[str]:
    return told.strip("\n").splitlines()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_imports_as_the_example_says(name: str) -> None:
    block = BLOCK.search(page_of(name))
    readme = (ROOT / "examples" / name / "README.md").read_text(encoding="utf-8")
    assert block is not None
    for command in commands_of(block["commands"]):
        assert f"percorso {' '.join(command)}\n" in readme


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_where_the_data_is_from_and_what_to_do(name: str) -> None:
    text = page_of(name)
    for heading in ("## The data", "## Import", "## What it does not say", "## What to do"):
        assert f"\n{heading}\n" in text, heading
    assert "licence" in text.lower()


def test_every_example_has_its_page() -> None:
    folders = {folder.name for folder in (ROOT / "examples").iterdir() if folder.is_dir()}
    assert folders - {"demo"} == set(PAGES)
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in PAGES.values():
        assert f"(how-to/{page})" in index
