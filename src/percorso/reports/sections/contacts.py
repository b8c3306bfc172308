"""Channels and places: whom they reach, what converts, and how journeys change between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from percorso.analyses.intervals import FEW
from percorso.analyses.plots_contacts import closed_journeys, plot_conversion, plot_reach, plot_switches_of
from percorso.analyses.plots_telling import name_of, rows_of, unit
from percorso.analyses.result import Result
from percorso.language.measures import COUNT, NUMBER, SHARE
from percorso.language.words import Words
from percorso.reports.document import Note, Piece, ReportTable, Section
from percorso.reports.page import Page

__all__ = ["make_channels", "make_places"]

Row = Mapping[str, Any]


def make_channels(page: Page) -> Section:
    """What brought contacts."""
    words = page.words
    answer = page.answer("channels")
    lead = words.text("report.channels_lead")
    if answer is None or not answer.table.num_rows:
        missing = page.missing(words.text("report.channels_missing"))
        return page.section("channels", words.text("report.channels"), lead, [missing], answer)
    pieces = _common(page, answer, "channel")
    pieces.append(Note(words.text("report.channels_note"), "muted"))
    return page.section("channels", words.text("report.channels"), lead, pieces, answer)


def make_places(page: Page) -> Section:
    """Where contacts happen."""
    words = page.words
    answer = page.answer("places")
    lead = words.text("report.places_lead")
    if answer is None or not answer.table.num_rows:
        return page.section(
            "places", words.text("report.places"), lead, [page.missing(words.text("report.places_missing"))], answer
        )
    pieces = _common(page, answer, "place")
    pieces += _researched(page, answer)
    return page.section("places", words.text("report.places"), lead, pieces, answer)


def _common(page: Page, answer: Result, field: str) -> list[Piece]:
    rows = answer.table.to_pylist()
    pieces: list[Piece] = [page.figure(plot_reach(answer, page.words))]
    if any(row["journeys"] for row in rows):
        pieces.append(page.figure(plot_conversion(answer, page.words)))
    pieces.append(_table(page, rows, field))
    if rows_of(answer, "switches"):
        pieces.append(page.figure(plot_switches_of(answer, page.words)))
    else:
        pieces.append(page.missing(page.words.text("report.no_switches")))
    return pieces


def _table(page: Page, rows: Sequence[Row], field: str) -> ReportTable:
    words = page.words
    show = words.numbers.show
    heads = (
        unit(field, words),
        words.text("map.persons"),
        words.text("report.contacts"),
        words.text("report.per_person"),
        words.text("report.journeys_head"),
        words.text("report.conversion_head"),
        words.text("plots.role_first"),
        words.text("plots.role_between"),
        words.text("plots.role_last"),
        words.text("report.orders_head"),
        words.text("report.nobody_head"),
        words.text("report.value_head"),
    )
    shown = tuple(
        (
            name_of(field, row[field], words),
            show(row["persons"], COUNT),
            show(row["contacts"], COUNT),
            show(row["frequency"], NUMBER),
            show(row["journeys"], COUNT),
            _conversion(row, words),
            show(row.get("first"), COUNT),
            show(row.get("assist"), COUNT),
            show(row.get("last"), COUNT),
            show(row["orders"], COUNT),
            show(row["unidentified_orders"], COUNT),
            page.amount(row["value"]),
        )
        for row in rows
    )
    caption = words.text("report.all_channels") if field == "channel" else words.text("report.all_places")
    return ReportTable(caption, heads, shown)


def _conversion(row: Row, words: Words) -> str:
    """Conversion of a row, or why it has none."""
    if closed_journeys(row) < FEW:
        return words.text("report.too_few")
    return words.text("report.too_early") if row["conversion"] is None else words.numbers.show(row["conversion"], SHARE)


def _researched(page: Page, answer: Result) -> list[Piece]:
    """Research in one place, purchase in another."""
    words = page.words
    numbers = words.numbers
    pieces: list[Piece] = []
    for row in rows_of(answer, "ropo"):
        found = _researched_note(row, page)
        if found:
            pieces.append(Note(found))
    if answer.totals.get("several_share") is not None:
        ends = answer.totals["several_interval"] or (None, None)
        share = numbers.interval(answer.totals["several_share"], ends[0], ends[1], SHARE)
        pieces.append(Note(words.text("report.several_places", share=share)))
    return pieces


def _researched_note(row: Row, page: Page) -> str:
    if not row.get("orders") or row.get("share") is None:
        return ""
    share = page.words.numbers.interval(row["share"], row.get("share_low"), row.get("share_high"), SHARE)
    if row["orders"] < FEW:
        return ""
    if row["way"] == "online, then store":
        return page.words.text("report.ropo", share=share, n=row["orders"])
    return page.words.text("report.reverse_ropo", share=share, n=row["orders"])
