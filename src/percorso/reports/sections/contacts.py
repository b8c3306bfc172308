"""Channels and places: whom they reach, what converts, and how journeys change between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from percorso.analyses.intervals import FEW
from percorso.analyses.result import Result
from percorso.charts.bars import Bar, Bars, draw_bars
from percorso.charts.dots import Dot, Dots, draw_dots
from percorso.charts.heat import Switches, draw_switches
from percorso.language.measures import COUNT, NUMBER, SHARE
from percorso.reports.document import Figure, Note, Piece, ReportTable, Section
from percorso.reports.page import WIDTH, Page

__all__ = ["make_channels", "make_places"]

_MOST, _MOST_SWITCHES = 12, 8

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


def _common(page: Page, answer: Result, unit: str) -> list[Piece]:
    rows = answer.table.to_pylist()
    pieces: list[Piece] = [Figure(_reach(page, rows, unit))]
    converting = [row for row in rows if row["journeys"]]
    if converting:
        pieces.append(Figure(_conversion(page, converting, unit)))
    pieces.append(_table(page, rows, unit))
    pieces += _switches(page, answer, unit)
    return pieces


def _reach(page: Page, rows: Sequence[Row], unit: str) -> Any:
    words = page.words
    bars = tuple(
        Bar(
            name=page.name(unit, row[unit]),
            value=row["share"],
            low=row["share_low"],
            high=row["share_high"],
            note=words.text("charts.n", n=row["persons"]),
        )
        for row in rows[:_MOST]
    )
    title = words.text("report.reach_channel") if unit == "channel" else words.text("report.reach_place")
    more = words.text("plots.not_shown", n=len(rows) - _MOST) if len(rows) > _MOST else ""
    drawn = Bars(
        width=WIDTH,
        title=title,
        subtitle=f"{words.text('report.share_of_persons')} · {page.told_period()}",
        note=more,
        bars=bars,
        measure=SHARE,
        name_head=page.name("unit", unit),
    )
    return draw_bars(drawn, page.words)


def _conversion(page: Page, rows: Sequence[Row], unit: str) -> Any:
    words = page.words
    enough = [row for row in rows if row["journeys"] >= FEW]
    few = [row for row in rows if row["journeys"] < FEW]
    enough.sort(key=lambda row: -row["conversion"])
    dots = tuple(
        Dot(
            name=page.name(unit, row[unit]),
            value=row["conversion"],
            low=row["conversion_low"],
            high=row["conversion_high"],
            n=row["journeys"],
        )
        for row in enough[:_MOST]
    )
    title = words.text("report.conversion_channel") if unit == "channel" else words.text("report.conversion_place")
    names = ", ".join(page.name(unit, row[unit]) for row in few)
    drawn = Dots(
        width=WIDTH,
        title=title,
        subtitle=f"{words.text('report.of_journeys_with')} · {page.told_period()}",
        note=words.text("report.too_few_journeys", few=FEW, names=names) if few else "",
        dots=dots,
        measure=SHARE,
        zero=True,
        name_head=page.name("unit", unit),
    )
    return draw_dots(drawn, page.words)


def _table(page: Page, rows: Sequence[Row], unit: str) -> ReportTable:
    words = page.words
    show = words.numbers.show
    heads = (
        page.name("unit", unit),
        words.text("report.persons"),
        words.text("report.contacts"),
        words.text("report.per_person"),
        words.text("report.journeys_head"),
        words.text("report.conversion_head"),
        words.text("report.first_head"),
        words.text("report.assist_head"),
        words.text("report.last_head"),
        words.text("report.orders_head"),
        words.text("report.value_head"),
    )
    shown = tuple(
        (
            page.name(unit, row[unit]),
            show(row["persons"], COUNT),
            show(row["contacts"], COUNT),
            show(row["frequency"], NUMBER),
            show(row["journeys"], COUNT),
            show(row["conversion"], SHARE) if row["journeys"] >= FEW else words.text("report.too_few"),
            show(row.get("first"), COUNT),
            show(row.get("assist"), COUNT),
            show(row.get("last"), COUNT),
            show(row["orders"] + row["unidentified_orders"], COUNT),
            page.amount(row["value"] + row["unidentified_value"]),
        )
        for row in rows
    )
    caption = words.text("report.all_channels") if unit == "channel" else words.text("report.all_places")
    return ReportTable(caption, heads, shown)


def _switches(page: Page, answer: Result, unit: str) -> list[Piece]:
    words, totals = page.words, answer.totals
    moves = answer.tables["switches"].to_pylist()
    if not moves:
        return [Note(words.text("report.no_switches"), "missing")]
    weight: dict[str, int] = {}
    for row in moves:
        for end in (row["from"], row["to"]):
            weight[end] = weight.get(end, 0) + row["count"]
    keys = sorted(weight, key=lambda key: (-weight[key], key))[:_MOST_SWITCHES]
    count = {(row["from"], row["to"]): row["count"] for row in moves}
    rate, ends = totals["switch_rate"], totals["switch_rate_interval"] or (None, None)
    shown = page.words.numbers.interval(rate, ends[0], ends[1], SHARE)
    drawn = Switches(
        width=WIDTH,
        title=words.text("report.switches_channel") if unit == "channel" else words.text("report.switches_place"),
        subtitle=words.text("report.switches_subtitle", share=shown),
        note=words.text("plots.not_shown", n=len(weight) - len(keys)) if len(weight) > len(keys) else "",
        names=tuple(page.name(unit, key) for key in keys),
        counts=tuple(tuple(None if a == b else count.get((a, b), 0) for b in keys) for a in keys),
        unit=page.name("unit", "contacts"),
    )
    return [Figure(draw_switches(drawn, page.words))]


def _researched(page: Page, answer: Result) -> list[Piece]:
    """Research in one place, purchase in another."""
    words = page.words
    numbers = words.numbers
    pieces: list[Piece] = []
    for row in answer.tables["ropo"].to_pylist() if "ropo" in answer.tables else ():
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
