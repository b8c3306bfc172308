"""The frozen answer to a question: tables, totals, what was asked, of which data, with which warnings."""

from __future__ import annotations

import html
import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from percorso.analyses.spec import spec_to_json
from percorso.language.words import ENGLISH, Words
from percorso.time import time_text

if TYPE_CHECKING:
    import pandas as pd

    from percorso.charts.chart import Chart

__all__ = ["RESULT_FORMAT", "Result", "time_text"]

#: Format number in the JSON of a result.
RESULT_FORMAT = 1

_SHOWN_ROWS = 100


@dataclass(frozen=True, slots=True)
class Result:
    """An answer.

    Parameters
    ----------
    tables : mapping of str to pyarrow.Table
        By the name they have in JSON ("steps", "edges", ...); the first is the main one.
    spec : object
        The question.
    data_version : str
        Hash of the journey log that answered.
    as_of_us : int
        Events after it were not considered, µs UTC.
    totals : mapping, optional
        Single numbers, by their name in JSON.
    warnings : tuple of str, optional
        Sentences: too little data, old sources, missing rates.
    words : tuple of Words, optional
        In which languages charts of it speak, the default first; a workspace gives its own, with its names of stages.
        Not part of the answer: neither compared nor in JSON.
    """

    tables: Mapping[str, pa.Table]
    spec: Any
    data_version: str
    as_of_us: int
    totals: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    words: tuple[Words, ...] = field(default=(ENGLISH,), compare=False, repr=False)

    @property
    def table(self) -> pa.Table:
        """The main table."""
        return next(iter(self.tables.values()))

    @property
    def as_of(self) -> str:
        """As-of time, ISO 8601 in UTC."""
        return time_text(self.as_of_us)

    def to_pandas(self) -> pd.DataFrame:
        """The main table as pandas DataFrame (needs pandas)."""
        frame: pd.DataFrame = self.table.to_pandas()
        return frame

    def as_json(self) -> dict[str, Any]:
        """JSON-ready: each table as list of rows, the totals, and where the answer comes from."""
        body: dict[str, Any] = {name: table.to_pylist() for name, table in self.tables.items()}
        return {
            **body,
            **self.totals,
            "format": RESULT_FORMAT,
            "spec": spec_to_json(self.spec),
            "as_of": self.as_of,
            "data_version": self.data_version,
            "warnings": list(self.warnings),
        }

    def plot(self, kind: str = "", language: str = "") -> Chart:
        """The answer as a chart: ``.save("funnel.svg")``, or shown by a notebook. See docs/reference/charts.md.

        Parameters
        ----------
        kind : str
            Which of the charts that there are for this question; "" for the first.
        language : {"", "en", "it"}
            Of everything that the chart says; "": the workspace's.

        Raises
        ------
        SpecError
            There is no such chart of this question, or no chart at all.
        """
        # Loaded when first asked for: charts know all questions, whose answers are made of this class.
        plots = importlib.import_module("percorso.analyses.plots")
        chart: Chart = plots.plot_result(self, kind, language)
        return chart

    def __repr__(self) -> str:
        """One line: an answer may have millions of rows. ``.table`` and ``.to_pandas()`` show them."""
        parts = [
            f"{name}: {table.num_rows:,} row{'' if table.num_rows == 1 else 's'}" for name, table in self.tables.items()
        ]
        parts += [f"{name}={_shown(value)}" for name, value in self.totals.items() if not isinstance(value, dict)]
        parts += [f"as of {self.as_of}", *(f"warning: {text}" for text in self.warnings)]
        return f"<Result {', '.join(parts)}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.table.column_names)
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_shown(value))}</td>" for value in row.values()) + "</tr>"
            for row in self.table.slice(0, _SHOWN_ROWS).to_pylist()
        )
        left = self.table.num_rows - _SHOWN_ROWS
        notes = [f"{left} more rows"] if left > 0 else []
        notes += [f"{name}: {_shown(value)}" for name, value in self.totals.items()]
        notes += [f"as of {self.as_of}", *self.warnings]
        below = "".join(f"<div>{html.escape(note)}</div>" for note in notes)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{below}"


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return " → ".join(str(part) for part in value)
    return str(value)
