"""What stands at the head of a journey map, of whom and when, and at its foot, how to read it."""

from __future__ import annotations

import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from percorso.analyses.intervals import FEW
from percorso.language.measures import money
from percorso.language.tax import tax_note
from percorso.language.words import capital
from percorso.maps.told import Told
from percorso.maps.view import Tile
from percorso.money import exponent
from percorso.time import zone_of

__all__ = ["how_to_read", "subtitle", "tiles"]


def how_to_read(told: Told) -> str:
    """How to read the map."""
    say = told.words
    said = [say.text("map.how", few=FEW), say.text("map.seam")]
    if not told.answer.spec.scope.include_bots:
        said.append(say.text("map.bots_out"))
    said.append(tax_note(told.answer.totals["tax"], say))
    return " ".join(said)


def subtitle(told: Told, persona: str) -> str:
    who = told.words.text("map.persona", name=persona) if persona else told.words.text("map.all_customers")
    return f"{capital(_period(told))} · {who}"


def _period(told: Told) -> str:
    """From when to when; the end is the as-of time, unless the period ends before it or begins after it."""
    scope, numbers = told.answer.spec.scope, told.words.numbers
    zone = zone_of(scope.timezone)
    start, end = scope.start_us(), scope.end_us()
    first = None if start is None else _day(start, zone)
    asked = None if end is None else _day(end - 1, zone)
    last = _day(told.answer.as_of_us, zone)
    last = last if asked is None else min(last, asked)
    if first is None:
        return told.words.text("map.up_to", day=numbers.day(last))
    if first <= last:
        return numbers.period(first, last)
    return told.words.text("map.since", day=numbers.day(first)) if asked is None else numbers.period(first, asked)


def _day(time_us: int, zone: ZoneInfo) -> datetime.date:
    moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(microseconds=time_us)
    return moment.astimezone(zone).date()


def tiles(told: Told) -> tuple[Tile, ...]:
    """Persons, orders of customers and what they are worth; below them what there is beside."""
    totals, numbers, say = told.answer.totals, told.words.numbers, told.words
    currency = totals["currency"]
    euro = money(currency, exponent(currency))
    minor, minor_beside = (_minor(totals[name], currency) for name in ("value", "unidentified_value"))
    orders, beside = totals["orders"], totals["unidentified_orders"]
    average = numbers.show(minor / orders if orders else None, euro)
    unknown = every = ""
    if beside:
        unknown = say.text("map.unidentified", n=int(beside), value=numbers.brief(minor_beside, euro))
        every = say.text("map.average_all", value=numbers.show((minor + minor_beside) / (orders + beside), euro))
    return (
        Tile(say.text("map.persons"), numbers.count(totals["persons"])),
        Tile(say.text("map.orders"), numbers.count(orders), unknown),
        Tile(say.text("map.value"), numbers.brief(minor, euro)),
        Tile(say.text("map.average"), average, every),
    )


def _minor(amount: Decimal, currency: str) -> int:
    return int(amount.scaleb(exponent(currency)))
