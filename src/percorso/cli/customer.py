"""`percorso customer ID`: one person's orders, journeys, identifiers and timeline."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer

from percorso.analyses.customer_view import CustomerView
from percorso.analyses.history import HistoryEvent, HistoryJourney
from percorso.analyses.result import time_text
from percorso.cli.context import command_line, workspace_of
from percorso.cli.options import AsOfOption, TimezoneOption
from percorso.cli.output import (
    Format,
    FormatOption,
    JsonOption,
    Output,
    OutputOption,
    Section,
    output_of,
    write_page,
    write_table,
)
from percorso.cli.progress import ready_log
from percorso.cli.texts import count_of, local_text, money_text, span_text
from percorso.services.customer import CustomerMatch, find_customers, view_customer
from percorso.settings import CURRENCY_EXPONENTS
from percorso.time import zone_of

__all__ = ["register"]

_SHOWN_EVENTS = 50
_SHOWN_PERSONS = 50  # a till's account stands on the receipts of thousands
_SHOWN_DIGITS = 12
_SHOWN_CHANNELS = 1  # one, and how many more: the page fits 80 columns

_RELATIONSHIPS = {
    "prospect": "prospect (no order)",
    "new": "new customer (orders on one day)",
    "repeat": "repeat customer (orders on several days)",
    "ambassador": "ambassador (a customer who speaks well of you)",
    "at_risk": "at risk (no order for longer than most who order again take)",
    "lost": "lost (no order for longer than nearly all who order again take)",
}


def register(app: typer.Typer) -> None:
    """Add `customer` to the command line."""
    app.command("customer")(customer)


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
    output_format: FormatOption = None,
    as_json: JsonOption = False,
    output: OutputOption = None,
) -> None:
    """Show one customer: relationship, stage, orders, value, journeys, identifiers, timeline.

    Identifiers are masked unless --personal is given. CSV and Parquet hold the timeline.
    """
    workspace = workspace_of(ctx)
    chosen = output_of(output_format, output, as_json)
    zone = zone_of(timezone or workspace.settings.workspace.timezone)
    log = ready_log(workspace)
    found = find_customers(workspace, identifier, kind=kind, space=space, log=log)
    if len(found) > 1:
        _tell_several(found, chosen, zone, command_line(ctx))
        return
    view = view_customer(workspace, found[0].person, as_of=as_of, timezone=zone.key, personal=personal, log=log)
    shown = None if every else limit
    if chosen.format is Format.table:
        write_page(_head(view, zone), [*_sections(view, zone, shown)], chosen)
    else:
        body = view.as_json(limit=shown) if chosen.format is Format.json else None
        table = view.table if shown is None else view.table.slice(max(view.table.num_rows - shown, 0))
        write_table(table, chosen, body=body, warnings=view.warnings)


def _tell_several(found: tuple[CustomerMatch, ...], output: Output, zone: ZoneInfo, command: str) -> None:
    """The persons to choose from."""
    shown = found
    if output.format is Format.table and len(found) > _SHOWN_PERSONS:
        shown = tuple(sorted(found, key=lambda match: -match.events)[:_SHOWN_PERSONS])
    rows = [
        {
            "person": match.person if output.format is not Format.table else match.person[:_SHOWN_DIGITS],
            "kind": match.kind,
            "found as": ", ".join(match.found_as),
            "first seen": local_text(match.first_us, zone),
            "last seen": local_text(match.last_us, zone),
            "events": match.events,
            "orders": match.orders,
        }
        for match in shown
    ]
    known = "This is shared by {} persons." if any(match.shared for match in found) else "{} persons are known by this."
    note = f"{known.format(len(found))} Ask for one by its id: {command} customer {rows[0]['person']}"
    if len(shown) < len(found):
        note = f"The {len(shown)} with most events are shown; --format json lists all. {note}"
    body = {"persons": [_match_json(match) for match in found]}
    write_table(pa.Table.from_pylist(rows), output, body=body, notes=[note])


def _match_json(match: CustomerMatch) -> dict[str, Any]:
    body = asdict(match)
    first, last = body.pop("first_us"), body.pop("last_us")
    return {**body, "first_seen": time_text(first), "last_seen": time_text(last)}


def _head(view: CustomerView, zone: ZoneInfo) -> str:
    history, value = view.history, view.value
    amount = _amounts(value.currency)
    orders = count_of(len(history.orders), "order")
    worth = f"{amount(value.net)} {value.currency} from {orders}"
    if value.net != value.gross:
        worth += f" ({amount(value.gross)} before what was given back)"
    first, last = history.events[0].time_us, history.events[-1].time_us
    lines = {
        "Relationship": _RELATIONSHIPS[history.relationship],
        "Stage now": history.stage or "none (no journey is open)",
        "Seen": f"{local_text(first, zone)} to {local_text(last, zone)}",
        "Activity": f"{count_of(len(history.events), 'event')}, {count_of(history.sessions, 'session')}",
        "Value": worth,
        "As of": f"{local_text(history.as_of_us, zone)} {zone.key}",
    }
    if history.kind == "anonymous":
        lines["Known by"] = "a browser, device or shared identifier alone"
    if view.traits:
        lines["Traits"] = view.traits
    told = [f"  {name:<13} {text}" for name, text in lines.items()]
    return "\n".join([f"Customer {history.person}", "", *told, *(f"  Warning: {text}" for text in view.warnings)])


def _amounts(currency: str) -> Callable[[int], str]:
    return money_text(CURRENCY_EXPONENTS.get(currency, 2))


def _worth(minor: int | None, currency: str) -> str | None:
    return None if minor is None else f"{_amounts(currency)(minor)} {currency}"


def _sections(view: CustomerView, zone: ZoneInfo, limit: int | None) -> Iterable[Section]:
    """The tables of the page; those without rows are left out."""
    history = view.history
    if history.orders:
        yield Section("Orders", _orders(view, zone))
    if history.journeys:
        yield Section("Journeys", pa.Table.from_pylist([_journey(journey, zone) for journey in history.journeys]))
    if view.identifiers:
        yield Section("Identifiers on the events", _identifiers(view, zone))
    events = history.events if limit is None else history.events[max(len(history.events) - limit, 0) :]
    more = len(history.events) - len(events)
    notes = (f"{count_of(more, 'earlier event')} not shown: raise --limit, or use --all.",) if more else ()
    yield Section("Timeline", pa.Table.from_pylist([_event(event, zone) for event in events]), notes=notes)


def _orders(view: CustomerView, zone: ZoneInfo) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "#": order.number,
                "time": local_text(order.time_us, zone),
                "place": order.place,
                "channel": order.channel,
                "status": ", ".join([order.status.replace("_", " "), *order.flags]),
                "value": _worth(order.value, order.currency),
                "refunded": _amounts(order.currency)(order.refunded) if order.refunded else None,
            }
            for order in view.history.orders
        ],
        schema=_schema("#", "time place channel status value refunded"),
    )


def _journey(journey: HistoryJourney, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "#": journey.number,
        "kind": journey.kind,
        "begun": _day(journey.start_us, zone),
        "lasted": span_text(journey.end_us - journey.start_us).split()[0],
        "outcome": journey.outcome,
        "contacts": journey.contacts,
        "value": _worth(journey.value, journey.currency) or "",
        "channels": _few(journey.channels),
    }


def _few(names: tuple[str, ...]) -> str:
    """The first of them, and how many more there are."""
    more = len(names) - _SHOWN_CHANNELS
    return ", ".join(names[:_SHOWN_CHANNELS]) + (f" +{more}" if more > 0 else "")


def _identifiers(view: CustomerView, zone: ZoneInfo) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "type": one.kind,
                "space": one.space,
                "value": one.value,
                "events": one.events,
                "last seen": _day(one.last_us, zone),
            }
            for one in view.identifiers
        ]
    )


def _event(event: HistoryEvent, zone: ZoneInfo) -> dict[str, Any]:
    marks = [mark.replace("_", " ") for mark in event.marks if mark in ("bot", "heavy", "future", "same_order")]
    return {
        "time": local_text(event.time_us, zone),
        "#": "" if event.journey is None else str(event.journey),
        "event": f"{event.event} ({', '.join(marks)})" if marks else event.event,
        "place": event.place,
        "channel": event.channel,
        "stage": event.stage,
    }


def _schema(number: str, texts: str) -> pa.Schema:
    return pa.schema([pa.field(number, pa.int64()), *(pa.field(name, pa.string()) for name in texts.split())])


def _day(time_us: int, zone: ZoneInfo) -> str:
    return local_text(time_us, zone)[:10]
