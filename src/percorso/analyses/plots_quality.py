"""The quality of data as charts: what each source brought, how fresh it is, and what could not be used."""

from __future__ import annotations

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_contacts import MOST, left_out
from percorso.analyses.plots_telling import Row, joined, note, rows_of, subtitle
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.chart import Chart
from percorso.charts.heat import HeatRow, HeatTable, draw_heat
from percorso.charts.theme import ACCENT, SERIES
from percorso.language.measures import COUNT, DURATION, SHARE
from percorso.language.words import Words

__all__ = ["plot_freshness", "plot_known", "plot_sources", "plot_troubles"]

_DAY_S = 86_400


def _sources(result: Result) -> list[Row]:
    """Sources with events, those that brought most first."""
    rows = [row for row in rows_of(result, "sources") if row["events"]]
    return sorted(rows, key=lambda row: (-row["events"], row["source"]))


def plot_sources(result: Result, words: Words) -> Chart:
    """How many events each source brought."""
    rows = _sources(result)
    drawn = Bars(
        title=words.text("plots.sources"),
        subtitle=subtitle(result, words.text("plots.events"), words),
        note=joined([left_out(len(rows), words), note(result, FEW, words)]),
        bars=tuple(
            Bar(name=row["source"], value=row["events"], note=words.numbers.share(row["share"])) for row in rows[:MOST]
        ),
        measure=COUNT,
        name_head=words.text("plots.source"),
    )
    return draw_bars(drawn, words)


def plot_freshness(result: Result, words: Words) -> Chart:
    """For how long each source has brought nothing, the longest first; sources that have fallen silent stand out."""
    rows = [row for row in _sources(result) if row["days_since"] is not None]
    rows.sort(key=lambda row: (-row["days_since"], row["source"]))
    silent = {row["source"] for row in rows_of(result, "findings") if row["finding"] == "quiet_source"}
    drawn = Bars(
        title=words.text("plots.freshness"),
        subtitle=subtitle(result, words.text("plots.since_newest"), words),
        note=joined([left_out(len(rows), words), note(result, FEW, words)]),
        bars=tuple(
            Bar(
                name=row["source"],
                value=row["days_since"] * _DAY_S,
                note=words.text("plots.silent") if row["source"] in silent else "",
                colour=SERIES[3] if row["source"] in silent else ACCENT,
            )
            for row in rows[:MOST]
        ),
        measure=DURATION,
        name_head=words.text("plots.source"),
    )
    return draw_bars(drawn, words)


def plot_known(result: Result, words: Words) -> Chart:
    """Which share of the events of each source belongs to a person."""
    rows = [row for row in _sources(result) if row["unidentified_share"] is not None]
    rows.sort(key=lambda row: (row["unidentified_share"], row["source"]), reverse=True)
    drawn = Bars(
        title=words.text("plots.known"),
        subtitle=subtitle(result, words.text("plots.known_share"), words),
        note=joined([left_out(len(rows), words), note(result, FEW, words)]),
        bars=tuple(
            Bar(
                name=row["source"],
                value=1 - row["unidentified_share"],
                note=words.text("plots.n_of_nobody", n=row["unidentified"]) if row["unidentified"] else "",
            )
            for row in rows[:MOST]
        ),
        measure=SHARE,
        name_head=words.text("plots.source"),
    )
    return draw_bars(drawn, words)


def plot_troubles(result: Result, words: Words) -> Chart:
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
    drawn = HeatTable(
        title=words.text("plots.troubles"),
        subtitle=subtitle(result, words.text("plots.troubles_counts"), words),
        note=joined([left_out(len(rows), words), note(result, FEW, words)]),
        rows=tuple(HeatRow(row["source"], tuple(row[key] for key in columns), row["events"]) for row in rows[:MOST]),
        columns=tuple(columns.values()),
        measure=COUNT,
        row_head=words.text("plots.source"),
        n_head=words.name("unit", "events"),
    )
    return draw_heat(drawn, words)
