"""Channels and places in plain Python: the twin of percorso.kernels.contact_counts and .contact_roles."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

OUTCOMES = ("open", "converted", "abandoned")
OUT = 1 | 2 | 4 | 8  # robots, heavy persons, future events, copies of orders


@dataclass(frozen=True)
class Event:
    at: int  # position in the log: ascending within a person
    person: str  # "" is nobody
    time: int
    contact: tuple[int, int] | None
    journey: tuple[int, int] | None
    in_session: bool
    flags: int
    coded: Mapping[str, str]
    categories: frozenset[str] = frozenset()
    duration_us: int | None = None

    @property
    def inbound(self) -> bool:
        return self.coded["direction"] == "inbound"


@dataclass(frozen=True)
class Journey:
    person: str
    purchase: bool
    start: int
    closes: int  # intent and time-out
    goal_time: int | None
    goal_at: int | None
    first_at: int | None
    outlasts: int = 0  # of an order journey: how long it stays open after the order or care
    timeout: int = 0


@dataclass(frozen=True)
class Order:
    at: int
    person: str
    time: int
    value: int | None
    purchase: tuple[int, int] | None


@dataclass(frozen=True)
class Log:
    events: Sequence[Event]
    journeys: Mapping[tuple[int, int], Journey]
    orders: Sequence[Order]
    as_of: int


@dataclass(frozen=True)
class Asked:
    """Period and as-of time in µs, and what else an event must meet."""

    start: int | None = None
    end: int | None = None
    as_of: int | None = None
    keep: Callable[[Event], bool] = lambda event: True

    def known(self, event: Event, log: Log) -> bool:
        limit = log.as_of if self.as_of is None else self.as_of
        return not event.flags & OUT and event.time <= limit and self.keep(event)

    def inside(self, time: int) -> bool:
        return (self.start is None or time >= self.start) and (self.end is None or time < self.end)


@dataclass
class Cell:
    inbound: int = 0
    outbound: int = 0
    contacts_of: Counter[str] = field(default_factory=Counter)
    new_persons: set[str] = field(default_factory=set)
    durations: list[int] = field(default_factory=list)
    journeys: dict[str, set[tuple[int, int]]] = field(default_factory=lambda: defaultdict(set))
    orders: list[Order] = field(default_factory=list)
    unidentified: list[Order] = field(default_factory=list)


@dataclass
class Answer:
    cells: dict[str, Cell] = field(default_factory=lambda: defaultdict(Cell))
    active: set[str] = field(default_factory=set)
    outcomes: dict[tuple[int, int], str] = field(default_factory=dict)
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    names_of: dict[tuple[int, int], list[str]] = field(default_factory=dict)


def outcome(journey: Journey, as_of: int) -> str:
    if journey.goal_time is not None and journey.goal_time <= as_of:
        return "converted"
    return "abandoned" if journey.closes <= as_of else "open"


def conversion(mine: Mapping[str, set[tuple[int, int]]], log: Log, as_of: int) -> float | None:
    """Converted of the closed journeys; None where there are none, or too few opened their time-out ago."""
    closed = mine["converted"] | mine["abandoned"]
    old = [key for key in closed if log.journeys[key].start + log.journeys[key].timeout <= as_of]
    return len(mine["converted"]) / len(closed) if len(old) >= (30 if len(closed) >= 30 else 1) else None


def contacts(events: Sequence[Event]) -> dict[tuple[int, int], list[Event]]:
    found: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        if event.contact is not None:
            found[event.contact].append(event)
    return found


def duration(events: Sequence[Event]) -> int | None:
    if events[0].in_session:
        return events[-1].time - events[0].time
    told = [event.duration_us for event in events if event.duration_us is not None]
    return max(told, default=None)


def answer(log: Log, asked: Asked, column: str) -> Answer:
    found = Answer()
    known = [event for event in log.events if event.person and asked.known(event, log)]
    inside = [event for event in known if asked.inside(event.time)]
    found.active = {event.person for event in inside}
    by_contact = contacts(inside)
    for events in by_contact.values():
        cell = found.cells[events[0].coded[column]]
        cell.inbound += events[0].inbound
        cell.outbound += not events[0].inbound
        cell.contacts_of[events[0].person] += 1
        time = duration(events)
        if time is not None:
            cell.durations.append(time)
    seen = set()
    for event in log.events:
        if event.contact is None or event.flags & OUT or event.person in seen or not event.person:
            continue
        seen.add(event.person)
        if event in inside:
            found.cells[event.coded[column]].new_persons.add(event.person)
    roles(log, asked, column, known, found)
    orders(log, asked, column, by_contact, found)
    return found


def journey_contacts(log: Log, asked: Asked, known: Sequence[Event]) -> dict[tuple[int, int], list[Event]]:
    """For each purchase journey that opens in the period, first events of its contacts up to the goal, in order.

    The first event in the journey says when a contact comes; the first event of the contact says what it is.
    """
    as_of = log.as_of if asked.as_of is None else asked.as_of
    head = {contact: events[0] for contact, events in contacts(known).items()}
    found: dict[tuple[int, int], list[Event]] = {}
    for key, journey in log.journeys.items():
        if not journey.purchase or not asked.inside(journey.start) or journey.start > as_of:
            continue
        last = journey.goal_at if outcome(journey, as_of) == "converted" else None
        mine = [e for e in known if e.journey == key and e.contact is not None and (last is None or e.at <= last)]
        heads = [head[contact] for contact in dict.fromkeys(e.contact for e in mine) if contact is not None]
        if any(event.inbound for event in heads):
            found[key] = heads
    return found


def roles(log: Log, asked: Asked, column: str, known: Sequence[Event], found: Answer) -> None:
    as_of = log.as_of if asked.as_of is None else asked.as_of
    for key, heads in journey_contacts(log, asked, known).items():
        found.outcomes[key] = outcome(log.journeys[key], as_of)
        names = [event.coded[column] for event in heads if event.inbound]
        for name in {event.coded[column] for event in heads}:
            mine = found.cells[name].journeys
            mine["journeys"].add(key)
            mine[found.outcomes[key]].add(key)
            if name == names[0]:
                mine["first"].add(key)
            if name == names[-1]:
                mine["last"].add(key)
            if name not in (names[0], names[-1]):
                mine["assist"].add(key)
        found.names_of[key] = [name for name in names if name]
        found.moves.update(pairwise(found.names_of[key]))


def orders(
    log: Log, asked: Asked, column: str, by_contact: Mapping[tuple[int, int], Sequence[Event]], found: Answer
) -> None:
    events = {event.at: event for event in log.events}
    for order in log.orders:
        event = events[order.at]
        if not asked.known(event, log) or not asked.inside(event.time):
            continue
        if not order.person:
            found.cells[event.coded[column]].unidentified.append(order)
        else:
            own = event if event.contact is None else by_contact[event.contact][0]
            found.cells[own.coded[column]].orders.append(order)
