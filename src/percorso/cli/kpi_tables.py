"""KPIs as people read them: a table for each stage, in words, and below why others are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from percorso.analyses.kpi_catalogue import STAGES
from percorso.analyses.result import Result
from percorso.cli.output import Layout, Section
from percorso.language.kpi_words import kpi_label, kpi_name
from percorso.language.measures import COUNT, DURATION, NUMBER, POINTS, SHARE, Measure, money
from percorso.language.numbers import Numbers
from percorso.money import exponent

__all__ = ["kpi_sections", "measure_of"]

_RATIO = Measure("number", decimals=2)
_BARS = "▁▂▃▄▅▆▇█"
_ALL_PERIODS = 4  # of so many KPIs and fewer the periods are written out


def measure_of(unit: str, currency: str) -> Measure:
    """What the numbers of a KPI are. Amounts are units of the currency in answers, minor units in a measure."""
    measures = {
        "count": COUNT,
        "share": SHARE,
        "points": POINTS,
        "duration": DURATION,
        "ratio": _RATIO,
        "score": NUMBER,
    }
    return money(currency, exponent(currency)) if unit == "money" else measures[unit]


class _Writer:
    """Values of KPIs as texts of a language."""

    def __init__(self, currency: str, language: str) -> None:
        self.numbers = Numbers(language)
        self.language = language
        self._currency = currency

    def value(self, value: float | None, unit: str) -> str:
        return "–" if value is None else self.numbers.show(self._scaled(value, unit), measure_of(unit, self._currency))

    def range(self, low: float | None, high: float | None, unit: str) -> str:
        if low is None or high is None:
            return ""
        ends = self._scaled(low, unit), self._scaled(high, unit)
        return self.numbers.range(*ends, measure_of(unit, self._currency))

    def change(self, row: Mapping[str, Any]) -> str:
        """The difference, and in brackets its interval."""
        unit, value = row["unit"], row["difference"]
        if value is None:
            return "–"
        measure = measure_of(unit, self._currency).difference
        text = self.numbers.signed(self._scaled(value, unit), measure)
        if row["diff_low"] is None:
            return text
        low, high = (self._scaled(row[name], unit) for name in ("diff_low", "diff_high"))
        return f"{text} ({self.numbers.range(low, high, measure)})"

    def verdict(self, row: Mapping[str, Any]) -> str:
        """Whether a change is more than chance, and for the better."""
        low, high = row["diff_low"], row["diff_high"]
        if low is None or low <= 0 <= high:
            return "" if low is None else kpi_label("no_clear_change", self.language)
        if row["better"] == "neither":
            return kpi_label("changed", self.language)
        return kpi_label("better" if (low > 0) == (row["better"] == "up") else "worse", self.language)

    def target(self, row: Mapping[str, Any]) -> str:
        if row["target"] is None:
            return ""
        said = {True: "on_target", False: "off_target", None: "no_value"}[row["on_target"]]
        return f"{self.value(row['target'], row['unit'])}, {kpi_label(said, self.language)}"

    def _scaled(self, value: float, unit: str) -> float:
        return value * 10.0 ** exponent(self._currency) if unit == "money" else value


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
    layout = Layout(secondary=("n", kpi_label("column_before", language)))
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


def _stage_table(rows: Sequence[Mapping[str, Any]], by: str, writer: _Writer) -> pa.Table:
    def head(key: str) -> str:
        return kpi_label(f"column_{key}", writer.language)

    columns: dict[str, list[Any]] = {"KPI": [kpi_name(row["kpi"], writer.language) for row in rows]}
    if "survey" in rows[0]:
        columns[head("survey")] = [row["survey"] or "–" for row in rows]
    if by:
        columns[by] = [row[by] for row in rows]
    columns[head("value")] = [writer.value(row["value"], row["unit"]) for row in rows]
    columns[head("interval")] = [writer.range(row["low"], row["high"], row["unit"]) for row in rows]
    columns["n"] = [row["n"] for row in rows]
    if any(row["previous"] is not None for row in rows):
        columns[head("before")] = [writer.value(row["previous"], row["unit"]) for row in rows]
        columns[head("change")] = [writer.change(row) for row in rows]
        columns[""] = [writer.verdict(row) for row in rows]
    if any(row["target"] is not None for row in rows):
        columns[head("target")] = [writer.target(row) for row in rows]
    return pa.table(columns)


def _trend_table(rows: Sequence[Mapping[str, Any]], units: Mapping[str, str], by: str, writer: _Writer) -> pa.Table:
    """Each period of a few KPIs; of many a line of bars each, from the first to the last period."""
    known = [row for row in rows if row["value"] is not None]
    series: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in known:
        series.setdefault((row["kpi"], row[by] if by else ""), []).append(row)

    def head(key: str) -> str:
        return kpi_label(f"column_{key}", writer.language)

    if len({kpi for kpi, _ in series}) <= _ALL_PERIODS:
        columns: dict[str, list[Any]] = {"KPI": [kpi_name(row["kpi"], writer.language) for row in known]}
        if by:
            columns[by] = [row[by] for row in known]
        columns[head("period")] = [row["period"] + ("" if row["complete"] else " *") for row in known]
        columns[head("value")] = [writer.value(row["value"], units[row["kpi"]]) for row in known]
        columns[head("interval")] = [writer.range(row["low"], row["high"], units[row["kpi"]]) for row in known]
        return pa.table(columns | {"n": [row["n"] for row in known]})
    names = [(kpi_name(kpi, writer.language), group) for kpi, group in series]
    columns = {"KPI": [name for name, _ in names]} | ({by: [group for _, group in names]} if by else {})
    columns[head("first")] = [writer.value(found[0]["value"], units[found[0]["kpi"]]) for found in series.values()]
    columns[head("trend")] = [_bars([row["value"] for row in found]) for found in series.values()]
    columns[head("last")] = [writer.value(found[-1]["value"], units[found[-1]["kpi"]]) for found in series.values()]
    return pa.table(columns)


def _bars(values: Sequence[float]) -> str:
    """Values as bars of eight heights, from the least to the greatest."""
    least, most = min(values), max(values)
    if most <= least:
        return _BARS[3] * len(values)
    return "".join(_BARS[min(7, int(8 * (value - least) / (most - least)))] for value in values)


def _missing_table(rows: Sequence[Mapping[str, Any]], writer: _Writer) -> pa.Table:
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
