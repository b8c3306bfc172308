"""Which row of a CSV file names the columns: exports often have a title, a period or a shop's name above them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

__all__ = ["HEADER_LINES", "header_row"]

#: The header is looked for in so many lines.
HEADER_LINES = 20

#: "-12,50", "€ 12.50 EUR", "01/02/2024 10:00", "3 Feb 2024": begins with a digit, and has hardly a letter.
_VALUE = re.compile(r"[-+€$£(\s]*[0-9](?:[^A-Za-z]*[A-Za-z]){0,3}[^A-Za-z]*")
_LETTER = re.compile(r"[^\W\d_]")
_LOOKED_AT = 50


def header_row(rows: Sequence[Sequence[str]], lines: Sequence[int]) -> int:
    """The place of the header among the first rows of a file; 0, the first, unless another one is surely it.

    The first row is the header if it has as many cells as most rows and more than half of them say something
    other than a number or a time, or all of them say something at all. Else it is a title, and the header is
    the first row of names over rows with numbers or times; of several such rows, the one that names most columns.

    Parameters
    ----------
    rows : sequence of sequence of str
        Cells of the first rows.
    lines : sequence of int
        Lines above each row; rows from `HEADER_LINES` on are not looked at.

    Examples
    --------
    >>> header_row([["Report 01/01-31/03"], ["Data", "Totale"], ["02/01/2024", "12,50"]], [0, 2, 3])
    1
    >>> header_row([["Data", "Totale"], ["n.d.", "n.d."], ["02/01/2024", "12,50"]], [0, 1, 2])
    0
    """
    usual = _usual_cells(rows)
    if usual < 2 or _may_be_header(rows[0], usual):
        return 0
    places = [i for i, line in enumerate(lines) if line < HEADER_LINES and _names_columns(rows, i, usual)]
    return max(places, key=lambda i: (len(_filled(rows[i])), -i), default=0)


def _usual_cells(rows: Sequence[Sequence[str]]) -> int:
    """How many cells most rows have; of two such numbers the larger, for titles have one cell."""
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda cells: (counts[cells], cells), default=0)


def _may_be_header(row: Sequence[str], usual: int) -> bool:
    filled = _filled(row)
    named = 2 * len(filled) > usual and all(map(_is_name, filled))
    return len(row) == usual and (len(filled) == usual or named)


def _names_columns(rows: Sequence[Sequence[str]], place: int, usual: int) -> bool:
    """Whether a row has names, all different, of at least half the columns, and rows with values below it."""
    row = rows[place]
    filled = _filled(row)
    if len(row) != usual or 2 * len(filled) < usual or len(filled) < 2:
        return False
    if len(set(filled)) < len(filled) or not all(map(_is_name, filled)):
        return False
    below = [each for each in rows[place + 1 :] if len(each) == usual][:_LOOKED_AT]
    with_values = sum(any(map(_VALUE.fullmatch, each)) for each in below)
    return bool(below) and 2 * with_values >= len(below)


def _filled(row: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in row if cell.strip()]


def _is_name(cell: str) -> bool:
    return _LETTER.search(cell) is not None and _VALUE.fullmatch(cell) is None
