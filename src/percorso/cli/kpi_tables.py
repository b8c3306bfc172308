"""KPIs as people read them: a table for each stage, in words, and below why others are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from percorso.analyses.kpi_catalogue import STAGES
from percorso.analyses.plots_kpis import kpi_change, kpi_number, kpi_verdict
from percorso.analyses.result import Result
from percorso.cli.output import Layout, Section
from percorso.language.kpi_words import kpi_label, kpi_name
from percorso.language.measures import Measure, measure_of
from percorso.language.words import Words

__all__ = ["kpi_sections"]

Row = Mapping[str, Any]

_BARS = "▁▂▃▄▅▆▇█"
_ALL_PERIODS = 4  # of so many KPIs and fewer the periods are written out
#: Columns without a head: a narrow terminal shows the sign alone.
_SIGN, _WORD = "", " "
_SIGNS = {"better": "✓", "worse": "✗", "changed": "≠", "unclear": "="}
_COMFORTABLE = 20


class _Writer:
    """Values of KPIs as texts of a language."""

    def __init__(self, currency: str, language: str) -> None:
        self.words = Words(language)
        self.language = language
        self._currency = currency

    def value(self, row: Row, column: str = "value", unit: str = "") -> str:
        measure = self._measure(unit or row["unit"])
        return self.words.numbers.show(kpi_number(row, column, measure), measure)

    def range(self, row: Row, unit: str = "") -> str:
        if row["low"] is None or row["high"] is None:
            return ""
        measure = self._measure(unit or row["unit"])
        return self.words.numbers.range(kpi_number(row, "low", measure), kpi_number(row, "high", measure), measure)

    def change(self, row: Row) -> str:
        """The difference, and in brackets its interval."""
        shown, ends = kpi_change(row, self._measure(row["unit"]), self.words)
        return f"{shown} ({ends})" if ends else shown

    def verdict(self, row: Row) -> tuple[str, str]:
        """Whether a change is more than chance, and for the better: as a sign and in a word."""
        found = kpi_verdict(row, self._measure(row["unit"]), self.words)
        return (_SIGNS[found], kpi_label(found, self.language)) if found else ("", "")

    def target(self, row: Row) -> str:
        if row["target"] is None:
            return ""
        said = {True: "on_target", False: "off_target", None: "no_value"}[row["on_target"]]
        return f"{self.value(row, 'target')}, {kpi_label(said, self.language)}"

    def _measure(self, unit: str) -> Measure:
        return measure_of(unit, self._currency)


def kpi_sections(answer: Result, language: str) -> list[Section]:
    """A section for each stage that has values, one for surveys and the trend, and one for what is missing.

    Parameters
    ----------
    answer : Result
    language : {"en", "it"}
    """
    writer = _Writer(str(answer.totals["currency"]), language)
    by = answer.spec.scope.by
    rows = answer.table.to_pylist()
    sections = []
    layout = _layout(language)
    for stage in STAGES:
        mine = [row for row in rows if row["stage"] == stage and row["value"] is not None]
        if mine:
            sections.append(Section(kpi_label(stage, language), _stage_table(mine, by, writer), layout=layout))
    if "surveys" in answer.tables:
        mine = answer.tables["surveys"].to_pylist()
        sections.append(Section(kpi_label("surveys", language), _stage_table(mine, by, writer), layout=layout))
    if "trend" in answer.tables:
        units = {row["kpi"]: row["unit"] for row in rows}
        table = _trend_table(answer.tables["trend"].to_pylist(), units, by, writer)
        sections.append(Section(kpi_label("trend", language), table, layout=layout))
    missing = _missing_table(rows, writer)
    if missing.num_rows:
        sections.append(Section(kpi_label("missing", language), missing, layout=layout))
    return sections


def _layout(language: str) -> Layout:
    def head(key: str) -> str:
        return kpi_label(f"column_{key}", language)

    return Layout(
        secondary=("n", _WORD, head("interval")),
        numbers=tuple(map(head, ("value", "before", "first", "last"))),
        comfortable=_COMFORTABLE,
    )


def _stage_table(rows: Sequence[Row], by: str, writer: _Writer) -> pa.Table:
    def head(key: str) -> str:
        return kpi_label(f"column_{key}", writer.language)

    columns: dict[str, list[Any]] = {"KPI": [kpi_name(row["kpi"], writer.language) for row in rows]}
    if "survey" in rows[0]:
        columns[head("survey")] = [row["survey"] or "–" for row in rows]
    if by:
        columns[by] = [row[by] for row in rows]
    columns[head("value")] = [writer.value(row) for row in rows]
    columns[head("interval")] = [writer.range(row) for row in rows]
    columns["n"] = [row["n"] for row in rows]
    if any(row["previous"] is not None for row in rows):
        columns[head("before")] = [writer.value(row, "previous") for row in rows]
        columns[head("change")] = [writer.change(row) for row in rows]
        columns[_SIGN] = [writer.verdict(row)[0] for row in rows]
        columns[_WORD] = [writer.verdict(row)[1] for row in rows]
    if any(row["target"] is not None for row in rows):
        columns[head("target")] = [writer.target(row) for row in rows]
    return pa.table(columns)


def _trend_table(rows: Sequence[Row], units: Mapping[str, str], by: str, writer: _Writer) -> pa.Table:
    """Each period of a few KPIs; of many a line of bars each, from the first to the last period."""
    known = [row for row in rows if row["value"] is not None]
    series: dict[tuple[str, str], list[Row]] = {}
    for row in known:
        series.setdefault((row["kpi"], row[by] if by else ""), []).append(row)

    def head(key: str) -> str:
        return kpi_label(f"column_{key}", writer.language)

    if len({kpi for kpi, _ in series}) <= _ALL_PERIODS:
        columns: dict[str, list[Any]] = {"KPI": [kpi_name(row["kpi"], writer.language) for row in known]}
        if by:
            columns[by] = [row[by] for row in known]
        columns[head("period")] = [row["period"] + ("" if row["complete"] else " *") for row in known]
        columns[head("value")] = [writer.value(row, unit=units[row["kpi"]]) for row in known]
        columns[head("interval")] = [writer.range(row, units[row["kpi"]]) for row in known]
        return pa.table(columns | {"n": [row["n"] for row in known]})
    names = [(kpi_name(kpi, writer.language), group) for kpi, group in series]
    columns = {"KPI": [name for name, _ in names]} | ({by: [group for _, group in names]} if by else {})
    columns[head("first")] = [writer.value(found[0], unit=units[found[0]["kpi"]]) for found in series.values()]
    columns[head("trend")] = [_bars([row["value"] for row in found]) for found in series.values()]
    columns[head("last")] = [writer.value(found[-1], unit=units[found[-1]["kpi"]]) for found in series.values()]
    return pa.table(columns)


def _bars(values: Sequence[float]) -> str:
    """Values as bars of eight heights, from the least to the greatest."""
    least, most = min(values), max(values)
    if most <= least:
        return _BARS[3] * len(values)
    return "".join(_BARS[min(7, int(8 * (value - least) / (most - least)))] for value in values)


def _missing_table(rows: Sequence[Row], writer: _Writer) -> pa.Table:
    """Why KPIs have no value, each reason once."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row["value"] is None:
            named = reasons.setdefault(row["note"], [])
            name = kpi_name(row["kpi"], writer.language)
            if name not in named:
                named.append(name)
    language = writer.language
    return pa.table(
        {
            kpi_label("column_why", language): pa.array(list(reasons), pa.string()),
            kpi_label("column_kpis", language): pa.array(["; ".join(names) for names in reasons.values()], pa.string()),
        }
    )
