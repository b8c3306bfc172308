"""CSV rows with Python's own reader: the twin of percorso.kernels.csv_rows."""

from __future__ import annotations

import csv
import io


def rows(text: str, delimiter: str) -> list[list[str]]:
    """Cells of every row that is not an empty line."""
    return [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
