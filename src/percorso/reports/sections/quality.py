"""The quality of the data: what to know before trusting a figure."""

from __future__ import annotations

from percorso.analyses.quality_findings import PROBLEM, say_fault
from percorso.analyses.result import Result
from percorso.reports.document import Callout, Note, Piece, ReportTable, Section
from percorso.reports.page import Page

__all__ = ["make_quality"]


def make_quality(page: Page) -> Section:
    """Findings, sources, robots, rejected rows."""
    words = page.words
    answer = page.answer("quality")
    title, lead = words.text("report.quality"), words.text("report.quality_lead")
    if answer is None:
        return page.section("quality", title, lead, [page.missing(words.text("report.quality_missing"))])
    pieces: list[Piece] = list(_findings(page, answer))
    if not pieces:
        pieces.append(Note(words.text("report.quality_good")))
    pieces += [_sources(page, answer), _robots(page, answer)]
    rejected = _rejected(page, answer)
    pieces.append(Note(words.text("report.nothing_rejected"), "muted") if rejected is None else rejected)
    if page.spec.scope.persons:
        # Of all persons, whoever the report is of: its orders are not those of the other sections.
        return page.section("quality", title, words.text("report.quality_of_all"), pieces)
    return page.section("quality", title, lead, pieces, answer)


def _findings(page: Page, answer: Result) -> list[Callout]:
    found = []
    for row in answer.tables["findings"].to_pylist():
        meaning, advice = say_fault(row, answer.totals, page.words)
        is_problem = row["level"] == PROBLEM
        label = page.words.text("report.problem") if is_problem else page.words.text("report.notice")
        found.append(Callout(label, meaning, advice, row["level"]))
    return found


def _sources(page: Page, answer: Result) -> ReportTable:
    words = page.words
    numbers = words.numbers
    heads = (
        words.text("report.source_head"),
        words.text("report.events_head"),
        words.text("report.first_event"),
        words.text("report.newest_event"),
        words.text("report.days_since"),
        words.text("report.last_import"),
        words.text("report.rejected_head"),
        words.text("report.bots_head"),
        words.text("report.orders_head"),
        words.text("report.nobody_head"),
    )
    rows = tuple(
        (
            row["source"],
            numbers.count(row["events"]),
            page.day(row["first_event"]),
            page.day(row["newest_event"]),
            "–" if row["days_since"] is None else numbers.count(int(row["days_since"])),
            page.day(row["last_import"]),
            numbers.count(row["rejected"]),
            "–" if row["bot_share"] is None else numbers.share(row["bot_share"]),
            numbers.count(row["orders"]),
            numbers.count(row["unidentified_orders"]),
        )
        for row in answer.table.to_pylist()
    )
    return ReportTable(words.text("report.sources"), heads, rows)


def _robots(page: Page, answer: Result) -> ReportTable:
    words = page.words
    numbers = words.numbers
    plain, inside = answer.tables["bots"].to_pylist()
    names = {
        "events": words.text("report.events_head"),
        "persons": words.text("map.persons"),
        "sessions": words.text("report.sessions_head"),
        "orders": words.text("report.orders_head"),
    }
    rows = [(name, numbers.count(plain[key]), numbers.count(inside[key])) for key, name in names.items()]
    rows.append((words.text("report.value_head"), page.amount(plain["value"]), page.amount(inside["value"])))
    heads = (words.text("report.measure_head"), words.text("report.without_bots"), words.text("report.with_bots"))
    return ReportTable(words.text("report.robots"), heads, tuple(rows))


def _rejected(page: Page, answer: Result) -> ReportTable | None:
    words = page.words
    rows = tuple(
        (row["source"], words.title("rejection", row["reason"]), words.numbers.count(row["rows"]))
        for row in answer.tables["rejected"].to_pylist()
    )
    heads = (words.text("report.source_head"), words.text("report.reason_head"), words.text("report.rows_head"))
    return ReportTable(words.text("report.rejected_rows"), heads, rows, words=(0, 1)) if rows else None
