"""Journeys: how they end, how long they take, and where the abandoned ones stop."""

from __future__ import annotations

from collections.abc import Mapping

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_journeys import plot_curve, plot_outcomes
from percorso.analyses.plots_telling import name_of, rows_of, stage_hue, unit
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars
from percorso.language.measures import COUNT, DURATION
from percorso.reports.document import Figure, Piece, ReportTable, Section
from percorso.reports.page import Page

__all__ = ["abandoned_by_stage", "make_journeys"]


def make_journeys(page: Page) -> Section:
    """How purchase journeys end, how fast they convert, where they stop."""
    words = page.words
    answer = page.answer("journeys")
    title, lead = words.text("report.journeys"), words.text("report.journeys_lead")
    if answer is None or not answer.tables["conversion"].num_rows:
        return page.section("journeys", title, lead, [page.missing(words.text("report.journeys_missing"))], answer)
    pieces: list[Piece] = [page.figure(plot_outcomes(answer, words), title=words.text("report.outcomes"))]
    stopped = abandoned_by_stage(page)
    if stopped:
        pieces.append(_stops(page, stopped))
    if any(row["conversion"] for row in rows_of(answer, "curve")):
        pieces.append(page.figure(plot_curve(answer, words)))
    lengths = _lengths(page, answer)
    if lengths is not None:
        pieces.append(lengths)
    return page.section("journeys", title, lead, pieces, answer)


def abandoned_by_stage(page: Page) -> dict[str, int]:
    """Abandoned purchase journeys by the furthest stage they reached, in the order of the model; the map has them."""
    answer = page.answer("map") or page.answer("stages")
    rows = [] if answer is None else rows_of(answer, "stages")
    return {row["stage"]: row["exits"] for row in rows if row["exits"]}


def _stops(page: Page, stopped: Mapping[str, int]) -> Figure:
    words, total = page.words, sum(stopped.values())
    bars = tuple(
        Bar(
            name=name_of("stage", key, words),
            value=count,
            note=words.numbers.share(count / total),
            colour=stage_hue(key, words),
        )
        for key, count in stopped.items()
    )
    return page.figure(
        Bars(
            title=words.text("report.stops"),
            subtitle=words.text("report.stops_subtitle"),
            note=page.few(total),
            bars=bars,
            name_head=unit("stage", words),
        )
    )


def _lengths(page: Page, answer: Result) -> ReportTable | None:
    words = page.words
    numbers = words.numbers
    rows: list[tuple[str, ...]] = []
    for row in answer.tables["times"].to_pylist():
        rows.append(
            (
                words.text("report.time_to_convert"),
                numbers.count(row["n"]),
                numbers.interval(row["median_s"], row["median_low_s"], row["median_high_s"], DURATION),
                numbers.duration(row["p90_s"]),
            )
        )
    names: Mapping[str, str] = {
        "contacts": words.text("report.contacts_to_convert"),
        "sessions": words.text("report.sessions_to_convert"),
        "active_days": words.text("report.days_to_convert"),
    }
    for row in answer.tables["lengths"].to_pylist():
        if row["outcome"] == "converted" and row["measure"] in names:
            median = numbers.interval(row["median"], row["median_low"], row["median_high"], COUNT)
            rows.append((names[row["measure"]], numbers.count(row["n"]), median, numbers.show(row["p90"], COUNT)))
    if not rows:
        return None
    n = answer.tables["times"].to_pylist()[0]["n"] if answer.tables["times"].num_rows else 0
    caption = words.text("report.lengths")
    heads = (
        words.text("report.measure_head"),
        words.text("report.journeys_head"),
        words.text("report.median_head"),
        words.text("report.nine_in_ten_head"),
    )
    return ReportTable(caption + (f" ({page.few(n)})" if n < FEW else ""), heads, tuple(rows))
