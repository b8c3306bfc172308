"""`percorso customer ID`: one person's orders, journeys, identifiers and timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.analyses.customer_view import CustomerView
from percorso.analyses.history import History, HistoryEvent, HistoryJourney, HistoryOrder
from percorso.analyses.result import time_text
from percorso.cli.context import command_line, words_of, workspace_of
from percorso.cli.options import AsOfOption, TimezoneOption
from percorso.cli.output import Format, Output, Section, warning_lines, write_page, write_table, writing
from percorso.cli.progress import ready_log
from percorso.cli.texts import Formatter, day_text, local_text, money_of, money_text, span_text
from percorso.language.words import ENGLISH, Words
from percorso.services.customer import CustomerMatch, find_customers, view_customer
from percorso.settings import CURRENCY_EXPONENTS
from percorso.time import zone_of

__all__ = ["register"]

_SHOWN_EVENTS = 50
_SHOWN_PERSONS = 50  # a till's account stands on the receipts of thousands
_SHOWN_DIGITS = 12
_SHOWN_MARKS = ("bot", "heavy", "future", "same_order")
_LABEL = 13  # letters of the longest label in English
_SHOWN_CHANNELS = 1  # one, and how many more: the page fits 80 columns


def register(app: typer.Typer) -> None:
    """Add `customer` to the command line."""
    app.command("customer")(customer)


@writing
def customer(
    ctx: typer.Context,
    identifier: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A person's id (or 6 digits of it), user id, e-mail, phone, card, device id, ..."
        ),
    ],
    kind: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="What the id is: person, user_id, email, phone, ...")
    ] = "",
    space: Annotated[str, typer.Option(metavar="SPACE", help="Only ids of this id space.")] = "",
    as_of: AsOfOption = "",
    timezone: TimezoneOption = "",
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Newest events to show.")] = _SHOWN_EVENTS,
    every: Annotated[bool, typer.Option("--all", help="Show all events.")] = False,
    personal: Annotated[bool, typer.Option("--personal", help="Show identifiers and traits as they are.")] = False,
    *,
    target: Output,
) -> None:
    """Show one customer: relationship, stage, orders, value, journeys, identifiers, timeline.

    Identifiers are masked unless --personal is given. CSV and Parquet hold the timeline.
    """
    workspace, words = workspace_of(ctx), words_of(ctx)
    zone = zone_of(timezone or workspace.settings.workspace.timezone)
    log = ready_log(workspace, words)
    found = find_customers(workspace, identifier, kind=kind, space=space, log=log)
    if len(found) > 1:
        _tell_several(found, target, zone, command_line(ctx), words)
        return
    view = view_customer(workspace, found[0].person, as_of=as_of, timezone=zone.key, personal=personal, log=log)
    shown = None if every else limit
    if target.format is Format.table:
        write_page(_head(view, zone, words), [*_sections(view, zone, shown, words)], target, words)
    else:
        body = view.as_json(limit=shown) if target.format is Format.json else None
        table = view.table if shown is None else view.table.slice(max(view.table.num_rows - shown, 0))
        write_table(table, target, body=body, warnings=view.warnings, words=words)


def _tell_several(found: tuple[CustomerMatch, ...], output: Output, zone: ZoneInfo, command: str, words: Words) -> None:
    """The persons to choose from."""
    shown, people = found, output.format is Format.table
    if people and len(found) > _SHOWN_PERSONS:
        shown = tuple(sorted(found, key=lambda match: -match.events)[:_SHOWN_PERSONS])
    rows = [
        {
            "person": match.person[:_SHOWN_DIGITS] if people else match.person,
            "kind": match.kind,
            "found as": ", ".join(match.found_as),
            "first seen": local_text(match.first_us, zone, words if people else ENGLISH),
            "last seen": local_text(match.last_us, zone, words if people else ENGLISH),
            "events": match.events,
            "orders": match.orders,
        }
        for match in shown
    ]
    known = words.text("terminal.known_by_this", n=len(found))
    if any(match.shared for match in found):
        known = words.text("terminal.shared_by", n=len(found))
    note = words.text("terminal.ask_for_one", known=known, command=f"{command} customer {rows[0]['person']}")
    if len(shown) < len(found):
        note = f"{words.text('terminal.most_events_shown', n=len(shown))} {note}"
    body = {"persons": [_match_json(match) for match in found]}
    write_table(pa.Table.from_pylist(rows), output, body=body, notes=[note], words=words)


def _match_json(match: CustomerMatch) -> dict[str, Any]:
    body = asdict(match)
    first, last = body.pop("first_us"), body.pop("last_us")
    return {**body, "first_seen": time_text(first), "last_seen": time_text(last)}


def _head(view: CustomerView, zone: ZoneInfo, words: Words) -> str:
    history, value = view.history, view.value
    worth = words.text(
        "terminal.worth",
        value=_worth(value.net, value.currency, words) or "",
        orders=words.text("counted.orders", n=len(history.orders)),
    )
    if value.net != value.gross:
        worth += f" ({words.text('terminal.worth_before', value=_amounts(value.currency)(value.gross, words))})"
    first, last = (local_text(event.time_us, zone, words) for event in (history.events[0], history.events[-1]))
    events = words.text("counted.events", n=len(history.events))
    lines = {
        words.text("terminal.relationship"): _relationship(history.relationship, words),
        words.text("terminal.stage_now"): _stage_now(history.stage, words),
        words.text("terminal.seen"): words.text("terminal.seen_from_to", first=first, last=last),
        words.text("terminal.activity"): f"{events}, {words.text('counted.sessions', n=history.sessions)}",
        words.text("terminal.value"): worth,
        words.text("terminal.as_of_label"): f"{local_text(history.as_of_us, zone, words)} {zone.key}",
    }
    if history.kind == "anonymous":
        lines[words.text("terminal.known_by")] = words.text("terminal.known_by_device")
    if view.traits:
        lines[words.text("terminal.traits")] = view.traits
    width = max(_LABEL, *map(len, lines))
    told = [f"  {name:<{width}} {text}" for name, text in lines.items()]
    warned = [f"  {line}" for line in warning_lines(view.warnings, words)]
    return "\n".join([_title(history, words), "", *told, *warned])


def _title(history: History, words: Words) -> str:
    """Whoever has a live order is a customer, anybody else a person."""
    if history.relationship != "prospect":
        return words.text("terminal.customer", person=history.person)
    return words.text("terminal.customer_without_order", person=history.person)


def _relationship(code: str, words: Words) -> str:
    """What it is called, and in brackets what it means."""
    match code:
        case "prospect":
            return words.text("terminal.is_prospect")
        case "new":
            return words.text("terminal.is_new")
        case "repeat":
            return words.text("terminal.is_repeat")
        case "ambassador":
            return words.text("terminal.is_ambassador")
        case "at_risk":
            return words.text("terminal.is_at_risk")
        case _:
            return words.text("terminal.is_lost")


def _stage_now(stage: str, words: Words) -> str:
    return words.code("stage", stage) if stage else words.text("terminal.no_stage")


def _amounts(currency: str) -> Formatter:
    return money_text(CURRENCY_EXPONENTS.get(currency, 2))


def _worth(minor: int | None, currency: str, words: Words) -> str | None:
    return None if minor is None else money_of(_amounts(currency)(minor, words), currency, words)


def _sections(view: CustomerView, zone: ZoneInfo, limit: int | None, words: Words) -> Iterable[Section]:
    """The tables of the page; those without rows are left out."""
    history = view.history
    if history.orders:
        yield Section(words.text("terminal.orders"), _orders(view, zone, words))
    if history.journeys:
        journeys = [_journey(journey, zone, words) for journey in history.journeys]
        yield Section(words.text("terminal.journeys"), pa.Table.from_pylist(journeys))
    if view.identifiers:
        yield Section(words.text("terminal.identifiers"), _identifiers(view, zone, words))
    events = history.events if limit is None else history.events[max(len(history.events) - limit, 0) :]
    more = len(history.events) - len(events)
    notes = (words.text("terminal.earlier_events", n=more),) if more else ()
    timeline = pa.Table.from_pylist([_event(event, zone, words) for event in events])
    yield Section(words.text("terminal.timeline"), timeline, notes=notes)


def _orders(view: CustomerView, zone: ZoneInfo, words: Words) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "#": order.number,
                "time": local_text(order.time_us, zone, words),
                "place": order.place,
                "channel": order.channel,
                "status": _status(order, words),
                "value": _worth(order.value, order.currency, words),
                "refunded": _amounts(order.currency)(order.refunded, words) if order.refunded else None,
            }
            for order in view.history.orders
        ],
        schema=_schema("#", "time place channel status value refunded"),
    )


def _status(order: HistoryOrder, words: Words) -> str:
    return ", ".join(words.code("value", code.replace("_", " ")) for code in (order.status, *order.flags))


def _journey(journey: HistoryJourney, zone: ZoneInfo, words: Words) -> dict[str, Any]:
    return {
        "#": journey.number,
        "kind": journey.kind,
        "begun": day_text(journey.start_us, zone, words),
        "lasted": span_text(journey.end_us - journey.start_us, words).split()[0],
        "outcome": journey.outcome,
        "contacts": journey.contacts,
        "value": _worth(journey.value, journey.currency, words) or "",
        "channels": _few(tuple(words.code("channel", name) for name in journey.channels)),
    }


def _few(names: tuple[str, ...]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - _SHOWN_CHANNELS
    return ", ".join(names[:_SHOWN_CHANNELS]) + (f" +{more}" if more > 0 else "")


def _identifiers(view: CustomerView, zone: ZoneInfo, words: Words) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "type": one.kind,
                "space": one.space,
                "value": one.value,
                "events": one.events,
                "last seen": day_text(one.last_us, zone, words),
            }
            for one in view.identifiers
        ]
    )


def _event(event: HistoryEvent, zone: ZoneInfo, words: Words) -> dict[str, Any]:
    marks = [words.code("value", mark.replace("_", " ")) for mark in event.marks if mark in _SHOWN_MARKS]
    return {
        "time": local_text(event.time_us, zone, words),
        "#": "" if event.journey is None else str(event.journey),
        "event": f"{event.event} ({', '.join(marks)})" if marks else event.event,
        "place": event.place,
        "channel": event.channel,
        "stage": event.stage,
    }


def _schema(number: str, texts: str) -> pa.Schema:
    return pa.schema([pa.field(number, pa.int64()), *(pa.field(name, pa.string()) for name in texts.split())])
