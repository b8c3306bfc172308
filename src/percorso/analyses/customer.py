"""One person's history as of a time, out of the journey log: events, journeys, orders, stage and relationship.

What happened after the as-of time has not happened. Outcomes come from :mod:`percorso.analyses.outcomes`, so that they
are those of every other answer.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.analyses.history import History, HistoryEvent, HistoryJourney, HistoryOrder, relationship_of
from percorso.analyses.outcomes import ALL_OUTCOMES, journey_outcomes
from percorso.analyses.relationship import LapseLimits, limits_of_person
from percorso.journeys.event_rules import EVENT_RULES
from percorso.journeys.signals import CANCEL, CARE, CARE_IF_ORDER, DELIVERED, REFUND, RETURN
from percorso.settings import Settings
from percorso.store.journey_log import (
    FLAG_BOT,
    FLAG_FUTURE,
    FLAG_GOAL,
    FLAG_HEAVY,
    FLAG_ORDER,
    FLAG_SAME_ORDER,
    Bucket,
    JourneyLog,
    Table,
)
from percorso.time import day_of

__all__ = ["PersonRow", "history_of", "persons_between"]

_MARKS = {
    "bot": FLAG_BOT,
    "heavy": FLAG_HEAVY,
    "future": FLAG_FUTURE,
    "same_order": FLAG_SAME_ORDER,
    "order": FLAG_ORDER,
    "goal": FLAG_GOAL,
}
_EVENT_TEXTS = (
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
    "currency",
)

#: Events that keep an order's journey open, and those that change its status.
_CARE = [n for n, r in EVENT_RULES.items() if r.signal in (CARE, CARE_IF_ORDER, CANCEL, REFUND, RETURN, DELIVERED)]
_REFUNDS = [name for name, rule in EVENT_RULES.items() if rule.signal == REFUND]
_RETURNS = [name for name, rule in EVENT_RULES.items() if rule.signal == RETURN]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Where a person stands in the log."""

    bucket: Bucket
    row: int

    @property
    def person(self) -> str:
        """The person's id, 32 hex digits."""
        return bytes(self.bucket.persons.arrow("person_id")[self.row].as_py()).hex()


def persons_between(log: JourneyLog, least: bytes, greatest: bytes) -> list[PersonRow]:
    """The persons whose ids lie between two, both included, by id.

    Parameters
    ----------
    log : JourneyLog
    least, greatest : bytes, length 16
    """
    bits = log.bucket_bits
    first, last = (int.from_bytes(one[:2], "big") >> (16 - bits) for one in (least, greatest))
    found = []
    for bucket in log.buckets[first : last + 1]:
        ids = bucket.persons.arrow("person_id")
        low = bisect_left(_Ids(ids), least)
        found += [PersonRow(bucket, row) for row in range(low, bisect_right(_Ids(ids), greatest))]
    return found


@dataclass(frozen=True, slots=True)
class _Ids(Sequence[bytes]):
    """A column of ids, for bisection: only those that are looked at are decoded."""

    column: pa.Array

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, row: Any) -> Any:
        return self.column[row].as_py()


def history_of(where: PersonRow, settings: Settings, *, as_of_us: int, lapse: LapseLimits | None = None) -> History:
    """What is known of a person at a time.

    Parameters
    ----------
    where : PersonRow
    settings : Settings
        Time zone of days, stages, and how long orders stay open.
    as_of_us : int
        Events after it are left out, µs UTC.
    lapse : LapseLimits, optional
        When a customer is at risk, and lost; without it nobody is.
    """
    part = _part_of(where, as_of_us)
    orders = tuple(_orders(part, settings.workspace.timezone))
    journeys = tuple(_journeys(part, orders, settings))
    advocated = part.column("time")[part.texts("signal") == "advocate"].tolist()
    zone = settings.workspace.timezone
    return History(
        person=where.person,
        kind=str(where.bucket.persons.arrow("kind")[where.row].as_py()),
        relationship=relationship_of(
            orders,
            advocated,
            as_of_us=as_of_us,
            timezone=zone,
            limits_days=None if lapse is None else limits_of_person(lapse, where.bucket, where.row, as_of_us),
        ),
        stage=_stage_now(part, journeys, settings),
        as_of_us=as_of_us,
        sessions=_distinct(part.column("session")),
        events=tuple(_events(part)),
        journeys=journeys,
        orders=orders,
    )


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of one person in a bucket's tables, up to the as-of time."""

    bucket: Bucket
    as_of_us: int
    start: int
    n_events: int
    journeys: range
    orders: range
    _texts: dict[str, npt.NDArray[np.object_]] = field(default_factory=dict)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Numbers of the person's events, shape (n_events,)."""
        return self.bucket.events.values(name)[self.start : self.start + self.n_events]

    def texts(self, name: str) -> npt.NDArray[np.object_]:
        """Texts of the person's events, shape (n_events,)."""
        if name not in self._texts:
            column = self.bucket.events.arrow(name).slice(self.start, self.n_events).cast(pa.string())
            self._texts[name] = column.to_numpy(zero_copy_only=False)
        return self._texts[name]

    def by(self, name: str, rows: range) -> list[npt.NDArray[np.int64]]:
        """For each row of another table the positions of the events that name it in a column, in order."""
        values = self.column(name)
        order = np.argsort(values, kind="stable")
        ends = np.searchsorted(values[order], np.arange(rows.start, rows.stop + 1))
        return [order[ends[i] : ends[i + 1]] for i in range(len(rows))]


def _part_of(where: PersonRow, as_of_us: int) -> _Part:
    bucket, offsets = where.bucket, where.bucket.offsets()
    start, end = int(offsets[where.row]), int(offsets[where.row + 1])
    n_events = int(np.searchsorted(bucket.events.values("time")[start:end], as_of_us, side="right"))

    def begun(table: str, time: str) -> range:
        rows = bucket.table(table)  # by person, then time
        first, last = np.searchsorted(rows.values("person"), (where.row, where.row + 1))
        return range(int(first), int(first + np.count_nonzero(rows.values(time)[first:last] <= as_of_us)))

    return _Part(bucket, as_of_us, start, n_events, begun("journeys", "start"), begun("orders", "time"))


def _distinct(codes: npt.NDArray[Any]) -> int:
    return len(np.unique(codes[codes >= 0]))


def _texts(table: Table, name: str, rows: range) -> list[str]:
    return [str(text) for text in table.arrow(name).slice(rows.start, len(rows)).cast(pa.string()).to_pylist()]


def _numbers(table: Table, name: str, rows: range) -> list[int]:
    return [int(number) for number in table.values(name)[rows.start : rows.stop]]


def _number(index: int, rows: range) -> int | None:
    """Position of a row among the person's, from 1."""
    return index - rows.start + 1 if index in rows else None


def _events(part: _Part) -> Iterator[HistoryEvent]:
    texts = {name: part.texts(name).tolist() for name in _EVENT_TEXTS}
    placing, scores = part.texts("placing").tolist(), part.column("score").tolist()
    time, value, flags = (part.column(name).tolist() for name in ("time", "value", "flags"))
    session, journey, order = (part.column(name).tolist() for name in ("session", "journey", "order"))
    known = [number for number in session if number >= 0]
    sessions = range(min(known), max(known) + 1) if known else range(0)
    for i in range(part.n_events):
        yield HistoryEvent(
            time_us=time[i],
            **{name: texts[name][i] for name in _EVENT_TEXTS},
            value=value[i] if texts["currency"][i] else None,
            score=scores[i] if scores[i] == scores[i] else None,  # NaN is none
            session=_number(session[i], sessions),
            journey=_number(journey[i], part.journeys),
            order=_number(order[i], part.orders),
            placed_by=placing[i],
            marks=tuple(name for name, flag in _MARKS.items() if flags[i] & flag),
        )


def _journeys(part: _Part, orders: Sequence[HistoryOrder], settings: Settings) -> Iterator[HistoryJourney]:
    table, rows = part.bucket.table("journeys"), part.journeys
    kinds, currencies = _texts(table, "kind", rows), _texts(table, "currency", rows)
    starts, values, named = (_numbers(table, name, rows) for name in ("start", "value", "order"))
    outcomes = [ALL_OUTCOMES[code] for code in journey_outcomes(part.bucket, part.as_of_us)[rows.start : rows.stop]]
    care = np.isin(part.texts("event"), _CARE) | np.isin(part.texts("signal"), ["care", "advocate"])
    time, contact, session = (part.column(name) for name in ("time", "contact", "session"))
    for at, inside in enumerate(part.by("journey", rows)):
        is_order, converted = kinds[at] == "order", outcomes[at] == "converted"
        contacts = inside[np.sort(np.unique(contact[inside], return_index=True)[1])]
        contacts = contacts[contact[contacts] >= 0]
        # Until so long after the order, its delivery or the last care on it (definitions, section 4).
        closes = max([starts[at], *time[inside[care[inside]]].tolist()]) + settings.journeys.order_open_us
        order = _number(named[at], part.orders) if is_order or converted else None
        yield HistoryJourney(
            number=at + 1,
            kind=kinds[at],
            start_us=starts[at],
            end_us=int(time[inside[-1]]) if len(inside) else starts[at],
            outcome=outcomes[at],
            is_open=closes >= part.as_of_us if is_order else outcomes[at] == "open",
            stage=str(part.texts("stage")[inside[-1]]) if len(inside) else _after_order(settings),
            events=len(inside),
            contacts=len(contacts),
            sessions=_distinct(session[inside]),
            channels=_names(part.texts("channel")[contacts]),
            places=_names(part.texts("place")[contacts]),
            value=values[at] if converted and currencies[at] else None,
            currency=currencies[at] if converted else "",
            order=order,
        )


def _names(texts: npt.NDArray[np.object_]) -> tuple[str, ...]:
    """The different ones, in the order of their first appearance."""
    return tuple(dict.fromkeys(text for text in texts.tolist() if text))


def _after_order(settings: Settings) -> str:
    return settings.stages.stages[settings.stages.after_order].key


def _orders(part: _Part, timezone: str) -> Iterator[HistoryOrder]:
    table, rows = part.bucket.table("orders"), part.orders
    texts = {name: _texts(table, name, rows) for name in ("place", "channel", "status", "currency")}
    numbers = {
        name: _numbers(table, name, rows)
        for name in ("time", "value", "ended", "delivered", "refunded", "returned", "contacted", "event")
    }
    promises, advocate = _promises(part), part.texts("signal") == "advocate"
    refund, returned = np.isin(part.texts("event"), _REFUNDS), np.isin(part.texts("event"), _RETURNS)
    currency, value = part.texts("currency"), part.column("value")
    for at, inside in enumerate(part.by("order", rows)):
        refunds = inside[refund[inside]]
        same_money = refunds[currency[refunds] == texts["currency"][at]]
        # The build's sum, as far as it had been given back by then.
        given_back = min(int(np.abs(value[same_money]).sum()), numbers["refunded"][at])
        status, delivered = texts["status"][at], _until(numbers["delivered"][at], part.as_of_us)
        telling = [numbers["event"][at] - part.start, *inside.tolist()]
        promised = next((promises[event] for event in telling if event in promises), None)
        changed = numbers["returned" if status == "returned" else "ended"][at]
        if changed > part.as_of_us or (status == "part_refunded" and not len(refunds)):
            # What it was before: at most this, as what ends an order ends its changes.
            status = "returned" if returned[inside].any() else "part_refunded" if len(refunds) else "live"
        yield HistoryOrder(
            number=at + 1,
            time_us=numbers["time"][at],
            place=texts["place"][at],
            channel=texts["channel"][at],
            status=status,
            value=numbers["value"][at] if texts["currency"][at] else None,
            refunded=given_back,
            currency=texts["currency"][at],
            delivered_us=delivered,
            promised_us=promised,
            contacted_us=_until(numbers["contacted"][at], part.as_of_us),
            is_late=delivered is not None
            and promised is not None
            and day_of(delivered, timezone) > day_of(promised, timezone),
            is_advocated=bool(advocate[inside].any()),
        )


def _until(time_us: int, as_of_us: int) -> int | None:
    """A time that has come by then; -1 is none."""
    return time_us if -1 != time_us <= as_of_us else None


def _promises(part: _Part) -> dict[int, int]:
    """Times promised by the person's events, by their positions."""
    details = part.bucket.table("details")
    event = details.values("event")
    first, last = np.searchsorted(event, (part.start, part.start + part.n_events))
    told = details.values("promised")[first:last]
    return {int(event[first + at]) - part.start: int(told[at]) for at in np.flatnonzero(told >= 0)}


def _stage_now(part: _Part, journeys: Sequence[HistoryJourney], settings: Settings) -> str:
    """Stage of the latest inbound event in an open journey; the order that opens an order journey is its first one."""
    is_open = [part.journeys[journey.number - 1] for journey in journeys if journey.is_open]
    inbound = np.flatnonzero((part.texts("direction") == "inbound") & np.isin(part.column("journey"), is_open))
    latest, stage = (int(inbound[-1]), str(part.texts("stage")[inbound[-1]])) if len(inbound) else (-1, "")
    bought = part.bucket.table("orders").values("event")
    for journey in journeys:
        if journey.kind == "order" and journey.is_open and journey.order is not None:
            event = int(bought[part.orders[journey.order - 1]]) - part.start
            if event > latest:
                latest, stage = event, _after_order(settings)
    return stage
