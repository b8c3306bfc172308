"""A year of a shop whose customers are known: a test of who is found to be one person.

Nothing here knows how Percorso decides. People visit with cookies that they clear, sign in or do not, buy as guests, at
the till with a card or with nothing, write to support, share telephones and tablets, and mistype addresses. How often
they do is written beside each share; where a share could be counted in more than one way, it is that of what was
recorded: 3 % of the cookies and apps seen in the year, 3 % of the telephone numbers that stand on some event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.events.event import EVENT_SCHEMA
from tests.identity.pair_metrics import Metrics, pair_metrics
from tests.identity.truth_people import People, Visits, make_people, make_visits

__all__ = ["IDENTIFIERS", "REFERENCES", "SHARED_SOURCES", "Metrics", "Truth", "make_truth", "pair_metrics"]

I64 = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

YEAR_START_US = 1_735_689_600_000_000  # 2025-01-01 UTC
SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
DAY_US = 86_400 * SECOND_US
YEAR_DAYS = 365

#: Source -> kind. All share one id space; the till numbers its receipts by itself.
SOURCES = {
    "web": "web",
    "app": "app",
    "tablet": "web",
    "shop": "server",
    "till": "pos",
    "crm": "crm",
    "newsletter": "email",
    "courier": "delivery",
    "support": "support",
    "callcentre": "support",
}
SHARED_SOURCES = ("tablet",)

IDENTIFIERS = ("user_id", "loyalty_id", "email", "phone", "card_token", "anonymous_id", "device_id")
REFERENCES = ("order_id", "return_id", "ticket_id")
BLOCKED = ("guest", "null")
TELLING = ("Signed In", "Loyalty Joined", "Profile Updated")  # identify messages
AGENT = 100_000_000  # code of the call centre's e-mail address

SHARED_PHONES = 0.03
WRONG_EMAILS = 0.01  # of orders: half are gifts, half mistyped
BLOCKED_VALUES = 0.04  # of the page views without an account


class Truth(NamedTuple):
    """`rows` in EVENT_SCHEMA, by time; `person` and `connected` of each row, int64, shape (n_rows,).

    Two rows have the same `connected` if they are of one true person and lie in one component of the graph between
    that person's own rows and the identifiers on them: strong, weak and reference keys, blocked values left out.
    """

    rows: pa.Table
    person: I64
    connected: I64


def make_truth(n_people: int, seed: int) -> Truth:
    """A year of `n_people`, about 25 events each.

    Examples
    --------
    >>> shop = make_truth(100, seed=1)
    >>> len(shop.rows) == len(shop.person) == len(shop.connected)
    True
    """
    rng = np.random.default_rng(seed)
    people = make_people(n_people, rng)
    events = _Events()
    _add_visits(events, people, make_visits(people, rng), rng)
    _add_store(events, people, rng)
    _add_tablet(events, people, rng)
    _add_talk(events, people, rng)
    columns = events.columns()
    columns["phone"] = _shared_phones(columns["phone"], people, rng)
    return Truth(_table(columns, n_people, rng), columns["person"], _connected(columns, n_people))


# ------------------------------------------------------------------------------------------- events


class _Events:
    """Rows as they are made: columns of codes, -1 where there is nothing."""

    def __init__(self) -> None:
        self._parts: list[dict[str, npt.NDArray[Any]]] = []
        self._numbers = dict.fromkeys(REFERENCES, 0)

    def add(self, source: str, name: str, person: I64, time: I64, **codes: I64) -> None:
        n = len(person)
        part = {key: codes.get(key, np.full(n, -1)) for key in (*IDENTIFIERS, *REFERENCES)}
        fixed = {"source": source, "name": name, "type": "identify" if name in TELLING else "track"}
        part |= {key: np.full(n, value, dtype=object) for key, value in fixed.items()}
        self._parts.append(part | {"person": person, "time": time})

    def fresh(self, kind: str, n: int) -> I64:
        """New reference numbers."""
        self._numbers[kind] += n
        return np.arange(self._numbers[kind] - n, self._numbers[kind])

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """All columns, by time."""
        every = {key: np.concatenate([part[key] for part in self._parts]) for key in self._parts[0]}
        order = np.argsort(every["time"], kind="stable")
        return {key: values[order] for key, values in every.items()}


def _add_visits(events: _Events, people: People, visits: Visits, rng: np.random.Generator) -> None:
    """Page views, sign-ins, sign-outs and orders of all visits, some seconds apart."""
    n = len(visits.person)
    start = YEAR_START_US + (visits.year * YEAR_DAYS * DAY_US).astype(np.int64)
    n_pages = 2 + rng.geometric(0.35, n)
    visit = np.repeat(np.arange(n), n_pages)
    step = np.arange(len(visit)) - np.repeat(np.cumsum(n_pages) - n_pages, n_pages)
    time = start[visit] + step * MINUTE_US + rng.integers(0, 50, len(visit)) * SECOND_US
    # Half of the trackers put the user id on every event after the sign-in.
    known = visits.signs_in[visit] & (step > 1) & (visits.device[visit] % 2 == 0)
    user = np.where(known, visits.user[visit], -1)
    nobody = (user < 0) & (rng.random(len(visit)) < BLOCKED_VALUES)
    user[nobody] = 2 * len(people) + rng.integers(0, len(BLOCKED), int(nobody.sum()))
    _add_seen(events, "Product Viewed", visits, visit, time, user_id=user)

    inside = np.flatnonzero(visits.signs_in)
    names = {"user_id": visits.user[inside], "email": visits.email[inside]}
    _add_seen(events, "Signed In", visits, inside, start[inside] + 55 * SECOND_US, **names)
    buying = np.flatnonzero((rng.random(n) < 0.13) & (visits.email >= 0) & visits.speaks)
    _add_orders(events, people, visits, buying, (start + (n_pages + 3) * MINUTE_US)[buying], rng)
    leaving = inside[visits.signs_out[inside]]
    _add_seen(events, "Signed Out", visits, leaving, (start + (n_pages + 6) * MINUTE_US)[leaving])


def _add_seen(events: _Events, name: str, visits: Visits, visit: I64, time: I64, **codes: I64) -> None:
    """Events that site and app see themselves."""
    for is_app, source, device in ((False, "web", "anonymous_id"), (True, "app", "device_id")):
        here = visits.is_app[visit] == is_app
        told = {column: values[here] for column, values in codes.items()} | {device: visits.device[visit[here]]}
        events.add(source, name, visits.person[visit[here]], time[here], **told)


def _add_orders(
    events: _Events, people: People, visits: Visits, visit: I64, time: I64, rng: np.random.Generator
) -> None:
    """Orders on the site, the shop system's record of them, and what happens afterwards."""
    n, n_people = len(visit), len(people)
    person, order = visits.person[visit], events.fresh("order_id", n)
    other = (rng.random(n) < 0.15) & (people.second_email[person] >= 0)
    email = np.where(other, people.second_email[person], visits.email[visit])
    wrong, gift = rng.random(n) < WRONG_EMAILS, rng.random(n) < 0.5
    email = np.where(wrong, np.where(gift, people.email[rng.integers(0, n_people, n)], 3 * n_people + order), email)
    names = {
        "email": email,
        "phone": np.where(rng.random(n) < 0.6, people.phone[person], -1),
        "user_id": np.where(visits.signs_in[visit], visits.user[visit], -1),
        "order_id": order,
    }
    _add_seen(events, "Order Completed", visits, visit, time, **names)
    events.add("shop", "Order Completed", person, time + SECOND_US, **names)
    for name, days, share in (("Order Shipped", 1, 1.0), ("Order Delivered", 3, 0.95)):
        some = rng.random(n) < share
        events.add("courier", name, person[some], time[some] + days * DAY_US, order_id=order[some])
    back = rng.random(n) < 0.08
    numbers = events.fresh("return_id", int(back.sum()))
    later = time[back] + 7 * DAY_US
    events.add("shop", "Return Requested", person[back], later, order_id=order[back], return_id=numbers)
    events.add("courier", "Return Received", person[back], later + 4 * DAY_US, return_id=numbers)


def _moments(n: int, rng: np.random.Generator) -> I64:
    """Times in the year, by day, int64 µs."""
    return YEAR_START_US + rng.integers(0, YEAR_DAYS, n) * DAY_US + rng.integers(8 * 3600, 20 * 3600, n) * SECOND_US


def _often(people: People, rate: float, some: Flags, rng: np.random.Generator) -> I64:
    """People, each as often as it happens to them."""
    return np.repeat(np.arange(len(people)), np.where(some, rng.poisson(rate * people.level), 0))


def _add_store(events: _Events, people: People, rng: np.random.Generator) -> None:
    """Receipts with loyalty card, payment card or nothing; how members registered."""
    goes = rng.random(len(people)) < 0.55
    person = _often(people, 1.6, goes, rng)
    n = len(person)
    card = np.where(rng.random(n) < 0.3, people.card[person], -1)
    loyalty = np.where(rng.random(n) < 0.75, people.loyalty[person], -1)
    number = events.fresh("order_id", n)
    events.add(
        "till", "Order Completed", person, _moments(n, rng), loyalty_id=loyalty, card_token=card, order_id=number
    )
    member = np.flatnonzero((people.loyalty >= 0) & (rng.random(len(people)) < 0.85))
    names = {"loyalty_id": people.loyalty[member], "email": people.email[member], "phone": people.phone[member]}
    events.add("crm", "Loyalty Joined", member, _moments(len(member), rng), **names)
    linked = np.flatnonzero((people.loyalty >= 0) & (people.user >= 0) & (rng.random(len(people)) < 0.4))
    names = {"loyalty_id": people.loyalty[linked], "user_id": people.user[linked]}
    events.add("shop", "Profile Updated", linked, _moments(len(linked), rng), **names)


def _add_tablet(events: _Events, people: People, rng: np.random.Generator) -> None:
    """The tablet on the counter: some sign in, half of them sign out."""
    person = _often(people, 0.06, np.ones(len(people), dtype=np.bool_), rng)
    tablet = 10_000_000 + rng.integers(0, 1 + len(people) // 2000, len(person))
    start = _moments(len(person), rng)
    for minute in range(3):
        events.add("tablet", "Product Viewed", person, start + minute * MINUTE_US, anonymous_id=tablet)
    signs = (rng.random(len(person)) < 0.4) & (people.user[person] >= 0)
    names = {"user_id": people.user[person[signs]], "anonymous_id": tablet[signs]}
    events.add("tablet", "Signed In", person[signs], start[signs] + 30 * SECOND_US, **names)
    signs &= rng.random(len(person)) < 0.5
    events.add("tablet", "Signed Out", person[signs], start[signs] + 4 * MINUTE_US, anonymous_id=tablet[signs])


def _add_talk(events: _Events, people: People, rng: np.random.Generator) -> None:
    """Newsletters and tickets; the call centre writes its own address on each of its tickets."""
    person = _often(people, 2.5, (people.email >= 0) & (rng.random(len(people)) < 0.5), rng)
    events.add("newsletter", "Email Link Clicked", person, _moments(len(person), rng), email=people.email[person])
    person = _often(people, 0.12, (people.email >= 0) | (people.phone >= 0), rng)
    calls = _half(people.phone[person] >= 0, people.email[person] >= 0, rng)
    names = {
        "phone": np.where(calls, people.phone[person], -1),
        "email": np.where(calls, -1, people.email[person]),
    }
    _add_tickets(events, "support", person, names, rng)
    person = _often(people, 0.12, (people.phone >= 0) | (people.user >= 0), rng)
    calls = _half(people.phone[person] >= 0, people.user[person] >= 0, rng)
    names = {
        "phone": np.where(calls, people.phone[person], -1),
        "user_id": np.where(calls, -1, people.user[person]),
        "email": np.full(len(person), AGENT),
    }
    _add_tickets(events, "callcentre", person, names, rng)


def _half(one: Flags, other: Flags, rng: np.random.Generator) -> Flags:
    """Where both can be, half of them; else the one that can be."""
    return one & (~other | (rng.random(len(one)) < 0.5))


def _add_tickets(events: _Events, source: str, person: I64, names: dict[str, I64], rng: np.random.Generator) -> None:
    start, ticket = _moments(len(person), rng), events.fresh("ticket_id", len(person))
    events.add(source, "Ticket Opened", person, start, ticket_id=ticket, **names)
    events.add(source, "Ticket Closed", person, start + 2 * DAY_US, ticket_id=ticket)


# ------------------------------------------------------------------------------------- what comes of it


def _shared_phones(phone: I64, people: People, rng: np.random.Generator) -> I64:
    """Make numbers those of the other one at home, too, until SHARED_PHONES of all that remain are shared."""
    recorded = np.unique(phone[phone >= 0])
    pairs = recorded[(recorded % 2 == 1) & np.isin(people.mate[recorded], recorded)]
    n = round(SHARED_PHONES * len(recorded) / (1 + SHARED_PHONES))
    given_up = rng.permutation(pairs)[:n]
    return np.where(np.isin(phone, given_up), phone - 1, phone)


def _connected(columns: Mapping[str, npt.NDArray[Any]], n_people: int) -> I64:
    """Components of rows and identifiers inside each person, as the smallest row of each."""
    person, n = columns["person"], len(columns["person"])
    rows, keys = [], []
    for number, kind in enumerate((*IDENTIFIERS, *REFERENCES)):
        codes = columns[kind]
        here = np.flatnonzero((codes >= 0) & ~((kind == "user_id") & (codes >= 2 * n_people)))
        rows.append(here)
        keys.append(np.stack([person[here], np.full(len(here), number), codes[here]]))
    row = np.concatenate(rows)
    _, node = np.unique(np.concatenate(keys, axis=1), axis=1, return_inverse=True)
    label, before = np.arange(n), np.full(n, -1)
    while not np.array_equal(label, before):
        before = label
        least = np.full(int(node.max(initial=0)) + 1, n)
        np.minimum.at(least, node, label[row])
        label = label.copy()
        np.minimum.at(label, row, least[node])
        label = label[label]
    return label


def _texts(kind: str, codes: I64, n_people: int, rng: np.random.Generator) -> pa.Array:
    """What stands in the source: one spelling for a code, but for addresses some people type in capitals."""
    distinct, at = np.unique(codes, return_inverse=True)
    texts = [_text(kind, int(code), n_people) for code in distinct]
    if kind != "email":
        return pa.array(texts, pa.string()).take(pa.array(at))
    shouted = rng.random(len(codes)) < 0.03
    both = pa.array([*texts, *(text and text.upper() for text in texts)], pa.string())
    return both.take(pa.array(at + shouted * len(texts)))


def _text(kind: str, code: int, n_people: int) -> str | None:
    if code < 0:
        return None
    if kind == "user_id":
        return f"U{code:07d}" if code < 2 * n_people else BLOCKED[code - 2 * n_people]
    if kind == "email":
        return f"persona.{code}@posta.example"
    return f"34{code:08d}" if kind == "phone" else f"{kind[:2].upper()}-{code}"


def _table(columns: Mapping[str, npt.NDArray[Any]], n_people: int, rng: np.random.Generator) -> pa.Table:
    n = len(columns["person"])
    source = columns["source"]
    told: dict[str, Any] = {name: _texts(name, columns[name], n_people, rng) for name in (*IDENTIFIERS, *REFERENCES)}
    told |= {
        "batch": pa.array(np.ones(n, dtype=np.int64)),
        "row_key": pa.FixedSizeBinaryArray.from_buffers(pa.binary(16), n, [None, pa.py_buffer(rng.bytes(16 * n))]),
        "message_id": pa.array([f"m{number}" for number in range(n)]),
        "timestamp": pa.array(columns["time"]).cast(pa.timestamp("us", tz="UTC")),
        "sequence": pa.array(np.zeros(n, dtype=np.int64)),
        "source_kind": pa.array([SOURCES[name] for name in source.tolist()]),
        "id_space": pa.repeat(pa.scalar("shop"), n),
        "ref_space": pa.array(np.where(source == "till", "till", "shop")),
    }
    told |= {name: pa.array(columns[name], pa.string()) for name in ("source", "name", "type")}
    arrays = [told[field.name] if field.name in told else pa.nulls(n, field.type) for field in EVENT_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=EVENT_SCHEMA)
