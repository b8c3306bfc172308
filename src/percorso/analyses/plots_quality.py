"""The quality of data as charts: what each source brought, how fresh it is, and what could not be used."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from percorso.analyses.plots_telling import MOST, Row, left_out, rows_of
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars
from percorso.charts.heat import HeatRow, HeatTable
from percorso.charts.theme import ACCENT, SERIES
from percorso.language.measures import COUNT, DURATION, SHARE, Measure
from percorso.language.words import Words

__all__ = ["plot_freshness", "plot_known", "plot_sources", "plot_troubles"]

_DAY_S = 86_400


def _sources(result: Result) -> list[Row]:
    """Sources with events, those that brought most first."""
    rows = [row for row in rows_of(result, "sources") if row["events"]]
    return sorted(rows, key=lambda row: (-row["events"], row["source"]))


def plot_sources(result: Result, words: Words) -> Bars:
    """How many events each source brought."""
    return _source_bars(
        words.text("plots.sources"),
        words.text("plots.events"),
        _sources(result),
        lambda row: Bar(name=row["source"], value=row["events"], note=words.numbers.share(row["share"])),
        COUNT,
        words,
    )


def plot_freshness(result: Result, words: Words) -> Bars:
    """For how long each source has brought nothing, the longest first; sources that have fallen silent stand out."""
    rows = [row for row in _sources(result) if row["days_since"] is not None]
    rows.sort(key=lambda row: (-row["days_since"], row["source"]))
    silent = {row["source"] for row in rows_of(result, "findings") if row["finding"] == "quiet_source"}

    def bar(row: Row) -> Bar:
        is_silent = row["source"] in silent
        return Bar(
            name=row["source"],
            value=row["days_since"] * _DAY_S,
            note=words.text("plots.silent") if is_silent else "",
            colour=SERIES[3] if is_silent else ACCENT,
        )

    title, counted = words.text("plots.freshness"), words.text("plots.since_newest")
    return _source_bars(title, counted, rows, bar, DURATION, words)


def plot_known(result: Result, words: Words) -> Bars:
    """Which share of the events of each source belongs to a person."""
    rows = [row for row in _sources(result) if row["unidentified_share"] is not None]
    rows.sort(key=lambda row: (row["unidentified_share"], row["source"]), reverse=True)

    def bar(row: Row) -> Bar:
        nobody = words.text("plots.n_of_nobody", n=row["unidentified"]) if row["unidentified"] else ""
        return Bar(name=row["source"], value=1 - row["unidentified_share"], note=nobody)

    return _source_bars(words.text("plots.known"), words.text("plots.known_share"), rows, bar, SHARE, words)


def _source_bars(
    title: str, counted: str, rows: Sequence[Row], bar: Callable[[Row], Bar], measure: Measure, words: Words
) -> Bars:
    """A bar for each source, the first of them."""
    return Bars(
        title=title,
        subtitle=counted,
        note=left_out(len(rows), words),
        bars=tuple(bar(row) for row in rows[:MOST]),
        measure=measure,
        name_head=words.text("plots.source"),
    )


def plot_troubles(result: Result, words: Words) -> HeatTable:
    """What of each source was rejected, came twice, is by robots, or was put right."""
    rows = sorted(rows_of(result, "sources"), key=lambda row: (-row["events"], row["source"]))
    columns = {
        "rejected": words.text("plots.rejected"),
        "duplicates": words.text("plots.duplicates"),
        "bots": words.text("plots.bots"),
        "corrected": words.text("plots.corrected"),
        "future": words.text("plots.future"),
        "stageless": words.text("plots.stageless"),
    }
    return HeatTable(
        title=words.text("plots.troubles"),
        subtitle=words.text("plots.troubles_counts"),
        note=left_out(len(rows), words),
        rows=tuple(HeatRow(row["source"], tuple(row[key] for key in columns), row["events"]) for row in rows[:MOST]),
        columns=tuple(columns.values()),
        measure=COUNT,
        row_head=words.text("plots.source"),
        n_head=words.name("unit", "events"),
    )
