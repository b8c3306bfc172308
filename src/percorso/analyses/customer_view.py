"""The answer about one customer, as a frozen value, as JSON and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import pyarrow as pa

from percorso.analyses.history import History, HistoryEvent, HistoryJourney, HistoryOrder
from percorso.analyses.result import RESULT_FORMAT, time_text
from percorso.language.said import said
from percorso.money import RateTable, convert
from percorso.settings import CURRENCY_EXPONENTS, Settings
from percorso.time import day_of

__all__ = ["CustomerValue", "CustomerView", "IdentifierSeen", "major", "value_of"]

_UTC = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class CustomerValue:
    """What a customer's orders are worth, in minor units of the workspace's currency.

    Parameters
    ----------
    currency : str
    gross, net : int
        Of all orders; without what was cancelled or given back.
    without_rate : tuple of str
        Currencies of orders that are left out for want of a rate, one an order.
    """

    currency: str
    gross: int
    net: int
    without_rate: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IdentifierSeen:
    """An identifier on a person's events in the lake; `value` is masked, or raw where that was asked for."""

    kind: str
    space: str
    value: str
    events: int
    first_us: int
    last_us: int
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CustomerView:
    """Everything that is known of a person.

    Parameters
    ----------
    history : History
        Events, journeys, orders, stage and relationship, as of a time.
    value : CustomerValue
    identifiers : tuple of IdentifierSeen
    traits : str
        JSON object; "" where there are none, or personal data was not asked for.
    data_version : str
        Hash of the journey log.
    """

    history: History
    value: CustomerValue
    identifiers: tuple[IdentifierSeen, ...]
    traits: str
    data_version: str

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the totals lack."""
        lacking = self.value.without_rate
        if not lacking:
            return ()
        names = ", ".join(sorted(set(lacking)))
        return (said("warnings.missing_rate_of", n=len(lacking), names=names),)

    @property
    def table(self) -> pa.Table:
        """The timeline, oldest event first; amounts in units of their currency."""
        return pa.Table.from_pylist([_timed(event) for event in self.history.events], schema=_TIMELINE)

    def as_json(self, *, limit: int | None = None) -> dict[str, Any]:
        """JSON-ready; `limit` keeps the newest events of the timeline."""
        history = self.history
        events = history.events
        shown = events if limit is None else events[max(len(events) - limit, 0) :]
        return {
            "person": history.person,
            "kind": history.kind,
            "relationship": history.relationship,
            "stage": history.stage or None,
            "first_seen": time_text(events[0].time_us),
            "last_seen": time_text(events[-1].time_us),
            "events": len(events),
            "sessions": history.sessions,
            "value": {
                "currency": self.value.currency,
                "gross": major(self.value.gross, self.value.currency),
                "net": major(self.value.net, self.value.currency),
            },
            "orders": [_order_json(order) for order in history.orders],
            "journeys": [_journey_json(journey) for journey in history.journeys],
            "timeline": [{**_timed(event), "time": time_text(event.time_us)} for event in shown],
            "timeline_total": len(events),
            "identifiers": [_identifier_json(one) for one in self.identifiers],
            **({"traits": msgspec.json.decode(self.traits)} if self.traits else {}),
            "format": RESULT_FORMAT,
            "as_of": time_text(history.as_of_us),
            "data_version": self.data_version,
            "warnings": list(self.warnings),
        }


def major(minor: int | None, currency: str) -> float | None:
    """Minor units as units of their currency.

    Examples
    --------
    >>> major(1250, "EUR"), major(500, "JPY"), major(None, "EUR")
    (12.5, 500.0, None)
    """
    return None if minor is None else minor / 10.0 ** CURRENCY_EXPONENTS.get(currency, 2)


def value_of(orders: Sequence[HistoryOrder], settings: Settings) -> CustomerValue:
    """The orders' worth in the workspace's currency, at the rates of the days of the orders."""
    target, zone = settings.workspace.currency, settings.workspace.timezone
    rates = RateTable.of(settings.rates)
    gross = net = 0
    lacking = []
    for order in orders:
        if order.value is None:
            continue
        day = day_of(order.time_us, zone)
        worth = convert(order.value, order.currency, day, rates, target)
        kept = convert(order.net, order.currency, day, rates, target)
        if worth is None or kept is None:
            lacking.append(order.currency)
        else:
            gross, net = gross + worth, net + kept
    return CustomerValue(target, gross, net, tuple(lacking))


_TEXTS = (
    "event",
    "touchpoint",
    "place",
    "channel",
    "direction",
    "signal",
    "stage",
    "source",
    "page",
    "product",
    "category",
    "campaign",
    "device",
)
_TIMELINE = pa.schema(
    [
        pa.field("time", _UTC),
        *(pa.field(name, pa.string()) for name in _TEXTS),
        pa.field("value", pa.float64()),
        pa.field("currency", pa.string()),
        pa.field("score", pa.float64()),
        *(pa.field(name, pa.int64()) for name in ("session", "journey", "order")),
        pa.field("placed_by", pa.string()),
        pa.field("marks", pa.list_(pa.string())),
    ]
)


def _timed(event: HistoryEvent) -> dict[str, Any]:
    return {
        "time": event.time_us,
        **{name: getattr(event, name) or None for name in _TEXTS},
        "value": major(event.value, event.currency),
        "currency": event.currency or None,
        **{name: getattr(event, name) for name in ("score", "session", "journey", "order", "placed_by")},
        "marks": list(event.marks),
    }


def _journey_json(journey: HistoryJourney) -> dict[str, Any]:
    return {
        "journey": journey.number,
        "kind": journey.kind,
        "start": time_text(journey.start_us),
        "end": time_text(journey.end_us),
        "outcome": journey.outcome,
        "is_open": journey.is_open,
        "stage": journey.stage,
        "events": journey.events,
        "contacts": journey.contacts,
        "sessions": journey.sessions,
        "channels": list(journey.channels),
        "places": list(journey.places),
        "value": major(journey.value, journey.currency),
        "currency": journey.currency or None,
        "order": journey.order,
    }


def _order_json(order: HistoryOrder) -> dict[str, Any]:
    return {
        "order": order.number,
        "time": time_text(order.time_us),
        "place": order.place or None,
        "channel": order.channel or None,
        "status": order.status,
        "value": major(order.value, order.currency),
        "refunded": major(order.refunded, order.currency) if order.currency else None,
        "currency": order.currency or None,
        **{
            name: None if time_us is None else time_text(time_us)
            for name, time_us in (
                ("delivered", order.delivered_us),
                ("promised", order.promised_us),
                ("contacted", order.contacted_us),
            )
        },
        "flags": list(order.flags),
    }


def _identifier_json(one: IdentifierSeen) -> dict[str, Any]:
    return {
        "type": one.kind,
        "space": one.space or None,
        "value": one.value,
        "events": one.events,
        "first_seen": time_text(one.first_us),
        "last_seen": time_text(one.last_us),
        "sources": list(one.sources),
    }
