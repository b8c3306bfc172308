"""The tables that users' SQL sees: the journey log, in words, times and amounts.

Every table is one part a bucket; columns are decoded as they are read. docs/reference/sql.md documents
what stands here (a test compares them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.analyses.outcomes import ALL_OUTCOMES, journey_outcomes
from percorso.analyses.people import hex_ids
from percorso.engines.sql import Part, View, quote_name, quote_text
from percorso.events.consent import CONSENT_CHANNELS
from percorso.events.details import CODED_DETAILS
from percorso.money import exponent
from percorso.store.columns import whole
from percorso.store.journey_log import (
    BUILD_COLUMNS,
    CODED_COLUMNS,
    FLAG_BOT,
    FLAG_ENGAGED,
    FLAG_FUTURE,
    FLAG_GOAL,
    FLAG_HEAVY,
    FLAG_ORDER,
    FLAG_SAME_ORDER,
    FLAG_SESSION_START,
    Bucket,
    JourneyLog,
    Table,
)

__all__ = ["IDENTIFIERS", "PERSONAL_COLUMNS", "TABLES", "Identifiers", "log_views"]

#: Tables, in the order of the docs.
TABLES = ("events", "sessions", "journeys", "orders", "persons", "details")

#: Identifiers of persons, as lists; raw, so with personal data only.
IDENTIFIERS = ("user_id", "loyalty_id", "email", "phone", "card_token", "anonymous_id", "device_id")

#: Columns that may say who somebody is: there with personal data only.
PERSONAL_COLUMNS = {
    "events": ("message_id", "url", "referrer", "title", "text", "properties"),
    "persons": ("traits", *IDENTIFIERS),
}

#: Gives, for one bucket, a list of raw values for each person and each of IDENTIFIERS.
Identifiers = Callable[[Bucket], Mapping[str, pa.Array]]

_UTC = pa.timestamp("us", tz="UTC")

_EVENT_FLAGS = {
    "is_bot": FLAG_BOT,
    "is_heavy": FLAG_HEAVY,
    "is_future": FLAG_FUTURE,
    "is_same_order": FLAG_SAME_ORDER,
    "is_order": FLAG_ORDER,
    "is_goal": FLAG_GOAL,
    "is_engaged": FLAG_ENGAGED,
    "is_session_start": FLAG_SESSION_START,
}
#: Columns of the log that SQL has words of its own for.
_RENAMED = {"placing": "placed_by"}

_CONSENTS = tuple(f"consent_{channel}" for channel in CONSENT_CHANNELS)

_PERSON_FLAGS = {"is_bot": FLAG_BOT, "is_heavy": FLAG_HEAVY}


@dataclass(frozen=True, slots=True)
class _Place:
    """One bucket, and its position among all: numbers of sessions and journeys begin with it."""

    position: int
    bucket: Bucket
    log: JourneyLog


#: Columns of one bucket as they stand in the log, and by name of each column of the view how it is read from them.
_Rows: TypeAlias = tuple[dict[str, pa.Array], dict[str, str]]


def log_views(log: JourneyLog, *, identifiers: Identifiers | None = None) -> dict[str, View]:
    """The tables of a journey log.

    Parameters
    ----------
    log : JourneyLog
    identifiers : callable, optional
        If given, columns with personal data are there too.
    """
    makers: dict[str, Callable[[_Place, Identifiers | None], _Rows]] = {
        "events": _events,
        "sessions": _sessions,
        "journeys": _journeys,
        "orders": _orders,
        "persons": _persons,
        "details": _details,
    }
    places = [_Place(position, bucket, log) for position, bucket in enumerate((*log.buckets, log.unidentified))]

    def view(name: str) -> View:
        make = makers[name]
        # The last place has no persons and no identifiers, so asking it for the columns costs nothing.
        _, columns = make(places[-1], identifiers and _no_identifiers)
        return View(tuple(columns), lambda: _parts([make(place, identifiers) for place in places]))

    return {name: view(name) for name in TABLES}


def _parts(every: Sequence[_Rows]) -> list[Part]:
    """Buckets with the same types as one part: DuckDB binds a few tables many times faster than 65.

    Their types differ in the width of codes only, as some buckets have more distinct values than others.
    """
    alike: dict[pa.Schema, list[pa.RecordBatch]] = {}
    for arrays, _ in every:
        batch = pa.RecordBatch.from_pydict(arrays)
        alike.setdefault(batch.schema, []).append(batch)
    columns = every[0][1]
    return [Part(pa.Table.from_batches(batches), columns) for batches in alike.values()]


def _constant(value: int, n: int) -> pa.Array:
    """A column of `n` equal numbers that takes no room."""
    ends, values = (pa.array([number] if n else [], kind) for number, kind in ((n, pa.int32()), (value, pa.int64())))
    return pa.RunEndEncodedArray.from_arrays(ends, values)


def _no_identifiers(bucket: Bucket) -> Mapping[str, pa.Array]:
    return {name: pa.nulls(bucket.n_persons, pa.list_(pa.string())) for name in IDENTIFIERS}


def _events(place: _Place, identifiers: Identifiers | None) -> _Rows:
    bucket, events = place.bucket, place.bucket.events
    properties = [name for name in events.names if name.startswith("prop.")]
    arrays = {name: events.arrow(name) for name in events.names if name not in BUILD_COLUMNS} | {
        "person": _person_of_events(bucket),
        "time": events.arrow("time").cast(_UTC),
        "bucket": _constant(place.position, bucket.n_events),
    }
    columns = {
        "person": "person",
        "time": "time",
        **{_RENAMED.get(name, name): _text(name) for name in CODED_COLUMNS if name != "currency"},
        **_money(place.log, "events"),
        "score": _measure("score"),
        **{f"{name}_no": _number(name) for name in ("session", "contact", "journey", "order")},
        **_flags(_EVENT_FLAGS),
        **{name.replace(".", "_", 1): _text(name) for name in properties},
    }
    if identifiers is not None:
        texts = bucket.cold(PERSONAL_COLUMNS["events"])
        arrays |= {name: whole(texts.column(name)) for name in texts.column_names}
        columns |= _texts(PERSONAL_COLUMNS["events"])
    return arrays, columns


def _person_of_events(bucket: Bucket) -> pa.Array:
    """Each event's person as run-end encoded column: as long as there are persons, not events."""
    if not bucket.n_persons:
        n = bucket.n_events
        return pa.RunEndEncodedArray.from_arrays(pa.array([n] * (n > 0), pa.int32()), pa.nulls(n > 0, pa.string()))
    ends = pa.array(bucket.offsets()[1:].astype(np.int32))
    return pa.RunEndEncodedArray.from_arrays(ends, hex_ids(bucket.persons.arrow("person_id")))


def _sessions(place: _Place, _: Identifiers | None) -> _Rows:
    sessions = place.bucket.table("sessions")
    texts = ("place", "channel", "channel_rule", "campaign", "device", "landing", "source")
    columns = {
        "session_no": _ROW_NUMBER,
        "person": "person",
        "start_time": _time("start"),
        "end_time": _time('"end"'),
        **_texts(texts),
        "n_events": "n_events",
        "is_engaged": "engaged <> 0",
    }
    return _arrays(sessions, place), columns


def _journeys(place: _Place, _: Identifiers | None) -> _Rows:
    journeys = place.bucket.table("journeys")
    outcome = pa.DictionaryArray.from_arrays(
        pa.array(journey_outcomes(place.bucket, place.log.as_of_us)), pa.array(ALL_OUTCOMES)
    )
    columns = {
        "journey_no": _ROW_NUMBER,
        "person": "person",
        "kind": "kind",
        "outcome": "outcome",
        "start_time": _time("start"),
        "end_time": _time('"end"'),
        "goal_time": _time("goal_time"),
        **_texts(("first_channel", "first_place", "stage_reached")),
        "n_events": "n_events",
        "n_contacts": "n_contacts",
        "n_sessions": "n_sessions",
        "order_no": _number("order"),
        **_money(place.log, "journeys"),
    }
    return _arrays(journeys, place) | {"outcome": outcome}, columns


def _orders(place: _Place, _: Identifiers | None) -> _Rows:
    orders = place.bucket.table("orders")
    money = _money(place.log, "orders")
    times = {f"{name}_time": _time(name) for name in ("ended", "delivered", "promised", "returned", "contacted")}
    columns = {
        "order_no": _ROW_NUMBER,
        "person": "person",
        "time": _time("time"),
        **_texts(("place", "channel", "status")),
        **money,
        "refunded": money["value"].replace("value::", "refunded::"),
        **times,
        # A promise is kept on its day.
        "is_late": _if_both("delivered", "promised", f"{_time('delivered')}::date > {_time('promised')}::date"),
        "is_contacted": "contacted <> -1",
        "is_advocated": "advocated <> 0",
        "journey_no": _number("journey"),
        "purchase_journey_no": _number("purchase"),
    }
    return _arrays(orders, place), columns


def _details(place: _Place, _: Identifiers | None) -> _Rows:
    bucket, details = place.bucket, place.bucket.table("details")
    event = pa.array(details.values("event"))
    numbers = ("session", "contact", "journey", "order")
    texts = ("event", "place", "channel", "direction", "source")
    arrays = {name: details.arrow(name) for name in details.names if name != "event"}
    arrays |= {name: bucket.events.arrow(name).take(event) for name in (*texts, *numbers, "time", "score")}
    arrays["person"] = _persons_of_events(bucket, details.values("event"))
    arrays["bucket"] = _constant(place.position, len(details))
    columns = {
        "person": "person",
        "time": _time("time"),
        **_texts(texts),
        "score": _measure("score"),
        **{name: _measure(name) for name in ("duration_s", "scale", "points")},
        **{f"{name}_time": _time(name) for name in ("promised", "expires")},
        **_texts(CODED_DETAILS),
        "is_automatic": "automatic <> 0",
        "is_member": "member <> 0",
        **{name: f"case when {name} >= 0 then {name} <> 0 end" for name in ("asked", *_CONSENTS)},
        **{f"{name}_no": _number(name) for name in ("talk", *numbers)},
    }
    return arrays, columns


def _persons_of_events(bucket: Bucket, event: npt.NDArray[np.int32]) -> pa.Array:
    """Persons of some events, null for nobody."""
    if not bucket.n_persons:
        return pa.nulls(len(event), pa.dictionary(pa.int32(), pa.string()))
    person = np.searchsorted(bucket.offsets(), event, side="right") - 1
    ids = hex_ids(bucket.persons.arrow("person_id"))
    return pa.DictionaryArray.from_arrays(pa.array(person.astype(np.int32)), ids)


def _persons(place: _Place, identifiers: Identifiers | None) -> _Rows:
    persons = place.bucket.persons
    arrays = {name: persons.arrow(name) for name in persons.names if name != "person_id"}
    arrays["person"] = hex_ids(persons.arrow("person_id"))
    times = ("first_time", "last_time", "first_order_time", "last_order_time")
    columns = {
        "person": "person",
        **_texts(("kind", "first_channel", "first_place", "country", "device")),
        **{name: _time(name) for name in times},
        **{name: name for name in ("n_events", "n_sessions", "n_orders")},
        **_flags(_PERSON_FLAGS),
    }
    if identifiers is not None:
        arrays |= identifiers(place.bucket)
        columns |= _texts(("traits",)) | {name: name for name in IDENTIFIERS}
    return arrays, columns


def _arrays(table: Table, place: _Place) -> dict[str, pa.Array]:
    """The columns of a table of which each row belongs to a person, that in words, and what numbers the rows."""
    person_ids = hex_ids(place.bucket.persons.arrow("person_id"))
    return {name: table.arrow(name) for name in table.names} | {
        "person": pa.DictionaryArray.from_arrays(_or_null(table.arrow("person")), person_ids),
        "bucket": _constant(place.position, len(table)),
        "row": pa.array(np.arange(len(table), dtype=np.int32)),
    }


def _or_null(rows: pa.Array) -> pa.Array:
    """Row numbers with null for -1: an order of nobody."""
    numbers = rows.to_numpy()
    return pa.array(numbers, mask=numbers < 0) if (numbers < 0).any() else rows


#: What counts within the bucket, as a number that is alone in the log.
_ROW_NUMBER = "bucket << 32 | row"


def _number(name: str) -> str:
    column = quote_name(name)
    return f"case when {column} >= 0 then bucket << 32 | {column} end"


def _time(column: str) -> str:
    return f"make_timestamptz(nullif({column}, -1))"


def _measure(name: str) -> str:
    return f"nullif({name}, 'nan'::double)"


def _if_both(one: str, other: str, condition: str) -> str:
    """Null where one of two times is not known."""
    return f"case when {one} <> -1 and {other} <> -1 then {condition} end"


def _text(name: str) -> str:
    return f"nullif({quote_name(name)}, '')"


def _texts(names: Iterable[str]) -> dict[str, str]:
    return {name: _text(name) for name in names}


def _flags(flags: Mapping[str, int]) -> dict[str, str]:
    return {name: f"flags & {flag} <> 0" for name, flag in flags.items()}


def _money(log: JourneyLog, table: str) -> dict[str, str]:
    """Value in units of its currency, as exact decimal with as many places as any currency there needs."""
    of_nobody = log.unidentified.table(table).dictionary("currency")
    currencies = sorted({*log.global_dictionary(table, "currency"), *of_nobody} - {""})
    places = max([2, *map(exponent, currencies)])
    units = " ".join(
        f"when {quote_text(name)} then {_unit(exponent(name), places)}" for name in currencies if exponent(name) != 2
    )
    factor = f"case currency {units} else {_unit(2, places)} end" if units else _unit(2, places)
    return {
        "value": f"case when currency <> '' then value::decimal(19, 0) * {factor} end",
        "currency": _text("currency"),
    }


def _unit(minor_places: int, places: int) -> str:
    """One minor unit as decimal."""
    digits = f"1{'0' * (places - minor_places)}".rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}::decimal({places + 1}, {places})"
