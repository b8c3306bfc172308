"""Journeys: how they end, how long they take, and where the abandoned ones stop."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from percorso.analyses.intervals import FEW
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.lines import Line, LinePoint, Lines, draw_lines
from percorso.charts.theme import stage_colour
from percorso.language.measures import COUNT, DURATION, SHARE
from percorso.reports.document import Figure, Piece, ReportTable, Section
from percorso.reports.page import WIDTH, Page

__all__ = ["abandoned_by_stage", "make_journeys"]

_LENGTHS = ("contacts", "sessions", "active_days")


def make_journeys(page: Page) -> Section:
    """How purchase journeys end, how fast they convert, where they stop."""
    words = page.words
    answer = page.answer("journeys")
    title, lead = words.text("report.journeys"), words.text("report.journeys_lead")
    if answer is None or not answer.tables["conversion"].num_rows:
        return page.section("journeys", title, lead, [page.missing(words.text("report.journeys_missing"))], answer)
    pieces: list[Piece] = [Figure(_outcomes(page, answer))]
    stopped = page.answer("journeys_by_stage")
    if stopped is not None and abandoned_by_stage(stopped):
        pieces.append(Figure(_stops(page, stopped)))
    if any(row["conversion"] for row in answer.tables["curve"].to_pylist()):
        pieces.append(Figure(_curve(page, answer)))
    lengths = _lengths(page, answer)
    if lengths is not None:
        pieces.append(lengths)
    return page.section("journeys", title, lead, pieces, answer)


def abandoned_by_stage(answer: Result) -> list[tuple[str, int]]:
    """Abandoned purchase journeys by the furthest stage they reached, in the order of the answer."""
    rows = answer.tables["outcomes"].to_pylist()
    return [
        (row["stage_reached"], row["journeys"]) for row in rows if row["outcome"] == "abandoned" and row["journeys"]
    ]


def _outcomes(page: Page, answer: Result) -> Any:
    words = page.words
    rows = [row for row in answer.tables["outcomes"].to_pylist() if row["kind"] == "purchase"]
    bars = tuple(
        Bar(
            name=page.name("outcome", row["outcome"]),
            value=row["share"],
            low=row["low"],
            high=row["high"],
            note=words.text("charts.n", n=row["journeys"]),
        )
        for row in rows
    )
    n = sum(row["journeys"] for row in rows)
    drawn = Bars(
        width=WIDTH,
        title=words.text("report.outcomes"),
        subtitle=f"{page.name('unit', 'journeys')} · {page.told_period()}",
        note=page.few(n),
        bars=bars,
        measure=SHARE,
    )
    return draw_bars(drawn, page.words)


def _stops(page: Page, answer: Result) -> Any:
    found = dict(abandoned_by_stage(answer))
    keys = [stage.key for stage in page.basis.stages.stages if stage.key in found]
    total = sum(found.values())
    bars = tuple(
        Bar(
            name=page.stage(key),
            value=found[key],
            note=page.words.numbers.share(found[key] / total),
            colour=stage_colour(key, at),
        )
        for at, key in enumerate(keys)
    )
    drawn = Bars(
        width=WIDTH,
        title=page.words.text("report.stops"),
        subtitle=page.words.text("report.stops_subtitle"),
        note=page.few(total),
        bars=bars,
        name_head=page.name("unit", "stage"),
    )
    return draw_bars(drawn, page.words)


def _curve(page: Page, answer: Result) -> Any:
    words = page.words
    rows = [row for row in answer.tables["curve"].to_pylist() if row["conversion"] is not None]
    points = tuple(
        LinePoint(x=float(at), value=row["conversion"], low=row["low"], high=row["high"], n=row["at_risk"])
        for at, row in enumerate(rows)
    )
    labels = tuple((float(at), page.words.numbers.duration(row["within_s"])) for at, row in enumerate(rows))
    drawn = Lines(
        width=WIDTH,
        title=words.text("report.curve"),
        subtitle=words.text("report.curve_subtitle"),
        lines=(Line(points=points),),
        measure=SHARE,
        labels=labels,
        x_title=words.text("report.since_first"),
    )
    return draw_lines(drawn, page.words)


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
