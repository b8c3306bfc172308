"""The tables that users' SQL sees: the journey log, in words, times and amounts.

Every table is one part a bucket; columns are decoded as they are read. docs/reference/sql.md documents
what stands here (a test compares them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from percorso.analyses.outcomes import ALL_OUTCOMES, journey_outcomes
from percorso.analyses.people import hex_ids
from percorso.engines.sql import Part, View, quote_name, quote_text
from percorso.money import exponent
from percorso.store.journey_log import (
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
TABLES = ("events", "sessions", "journeys", "persons")

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
_PERSON_FLAGS = {"is_bot": FLAG_BOT, "is_heavy": FLAG_HEAVY}


@dataclass(frozen=True, slots=True)
class _Place:
    """One bucket, and its position among all: numbers of sessions and journeys begin with it."""

    position: int
    bucket: Bucket
    log: JourneyLog


def log_views(log: JourneyLog, *, identifiers: Identifiers | None = None) -> dict[str, View]:
    """The tables of a journey log.

    Parameters
    ----------
    log : JourneyLog
    identifiers : callable, optional
        If given, columns with personal data are there too.
    """
    makers: dict[str, Callable[[_Place, Identifiers | None], Part]] = {
        "events": _events,
        "sessions": _sessions,
        "journeys": _journeys,
        "persons": _persons,
    }
    places = [_Place(position, bucket, log) for position, bucket in enumerate((*log.buckets, log.unidentified))]

    def view(name: str) -> View:
        make = makers[name]
        # The last part has no persons and no identifiers, so asking it for the columns costs nothing.
        columns = tuple(make(places[-1], identifiers and _no_identifiers).columns)
        return View(columns, lambda: [make(place, identifiers) for place in places])

    return {name: view(name) for name in TABLES}


def _no_identifiers(bucket: Bucket) -> Mapping[str, pa.Array]:
    return {name: pa.nulls(bucket.n_persons, pa.list_(pa.string())) for name in IDENTIFIERS}


def _events(place: _Place, identifiers: Identifiers | None) -> Part:
    bucket, events = place.bucket, place.bucket.events
    properties = [name for name in events.names if name.startswith("prop.")]
    arrays = {name: events.arrow(name) for name in events.names} | {
        "person": _person_of_events(bucket),
        "time": events.arrow("time").cast(_UTC),
    }
    columns = {
        "person": "person",
        "time": "time",
        **_texts(name for name in CODED_COLUMNS if name != "currency"),
        **_money(place.log, "events"),
        "score": "nullif(score, 'nan'::double)",
        **{f"{name}_no": _number(place, name) for name in ("session", "contact", "journey", "order")},
        **_flags(_EVENT_FLAGS),
        **{name.replace(".", "_", 1): _text(name) for name in properties},
    }
    if identifiers is not None:
        cold = bucket.table("cold")
        arrays |= {name: cold.arrow(name) for name in PERSONAL_COLUMNS["events"]}
        columns |= _texts(PERSONAL_COLUMNS["events"])
    return Part(pa.table(arrays), columns)


def _person_of_events(bucket: Bucket) -> pa.Array:
    """Each event's person as run-end encoded column: as long as there are persons, not events."""
    if not bucket.n_persons:
        return pa.nulls(bucket.n_events, pa.string())
    ends = pa.array(bucket.offsets()[1:].astype(np.int32))
    return pa.RunEndEncodedArray.from_arrays(ends, hex_ids(bucket.persons.arrow("person_id")))


def _sessions(place: _Place, _: Identifiers | None) -> Part:
    sessions = place.bucket.table("sessions")
    arrays = _arrays(sessions, place.bucket)
    texts = ("place", "channel", "channel_rule", "campaign", "device", "landing", "source")
    columns = {
        "session_no": _row_number(place),
        "person": "person",
        "start_time": _time("start"),
        "end_time": _time('"end"'),
        **_texts(texts),
        "n_events": "n_events",
        "is_engaged": "engaged <> 0",
    }
    return Part(_with_rows(arrays), columns)


def _journeys(place: _Place, _: Identifiers | None) -> Part:
    journeys = place.bucket.table("journeys")
    outcome = pa.DictionaryArray.from_arrays(
        pa.array(journey_outcomes(place.bucket, place.log.as_of_us)), pa.array(ALL_OUTCOMES)
    )
    columns = {
        "journey_no": _row_number(place),
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
        "order_no": _number(place, "order"),
        **_money(place.log, "journeys"),
    }
    return Part(_with_rows(_arrays(journeys, place.bucket) | {"outcome": outcome}), columns)


def _persons(place: _Place, identifiers: Identifiers | None) -> Part:
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
    return Part(pa.table(arrays), columns)


def _arrays(table: Table, bucket: Bucket) -> dict[str, pa.Array]:
    """The columns of a table of which each row belongs to a person, that in words."""
    person = pa.DictionaryArray.from_arrays(table.arrow("person"), hex_ids(bucket.persons.arrow("person_id")))
    return {name: table.arrow(name) for name in table.names} | {"person": person}


def _with_rows(arrays: Mapping[str, pa.Array]) -> pa.Table:
    table = pa.table(dict(arrays))
    return table.append_column("row", pa.array(np.arange(len(table), dtype=np.int32)))


def _row_number(place: _Place) -> str:
    return f"{place.position}::bigint << 32 | row"


def _number(place: _Place, name: str) -> str:
    """What counts within the bucket, as a number that is alone in the log."""
    column = quote_name(name)
    return f"case when {column} >= 0 then {place.position}::bigint << 32 | {column} end"


def _time(column: str) -> str:
    return f"make_timestamptz(nullif({column}, -1))"


def _text(name: str) -> str:
    return f"nullif({quote_name(name)}, '')"


def _texts(names: Iterable[str]) -> dict[str, str]:
    return {name: _text(name) for name in names}


def _flags(flags: Mapping[str, int]) -> dict[str, str]:
    return {name: f"flags & {flag} <> 0" for name, flag in flags.items()}


def _money(log: JourneyLog, table: str) -> dict[str, str]:
    """Value in units of its currency, as exact decimal with as many places as any currency there needs."""
    currencies = [name for name in log.global_dictionary(table, "currency") if name]
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
