"""Tables of the docs' pages, so that tests can hold them to the code."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["DOCS", "code_spans", "table"]

_BAR = re.compile(r"(?<!\\)\|")

DOCS = Path(__file__).resolve().parents[1] / "docs"


def table(page: str, heading: str) -> list[tuple[str, ...]]:
    """Cells of the first table under a heading, without its head.

    Parameters
    ----------
    page : str
        Path below docs/.
    heading : str
        Its text, at any level.
    """
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("#") and line.lstrip("# ") == heading)
    rows = []
    for line in lines[start + 1 :]:
        if line.startswith("|"):
            cells = _BAR.split(line.strip()[1:-1])
            rows.append(tuple(cell.strip().replace("\\|", "|") for cell in cells))
        elif rows:
            break
        elif line.startswith("#"):
            raise AssertionError(f"no table under {heading!r} in {page}")
    return rows[2:]


def code_spans(cell: str) -> list[str]:
    """The texts between backquotes of a cell."""
    return cell.split("`")[1::2]
