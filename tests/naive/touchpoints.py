"""Touchpoints in plain Python: the twin of percorso.kernels.touchpoints and .contact_roles."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.naive.channels import Asked, Log, Order, outcome


@dataclass
class Touchpoint:
    events: int = 0
    inbound: int = 0
    contacts_of: dict[str, set[tuple[int, int]]] = field(default_factory=lambda: defaultdict(set))
    places: Counter[str] = field(default_factory=Counter)
    stages: Counter[str] = field(default_factory=Counter)
    durations: dict[tuple[int, int], int] = field(default_factory=dict)
    journeys: dict[str, set[tuple[int, int]]] = field(default_factory=lambda: defaultdict(set))
    orders: list[Order] = field(default_factory=list)
    unidentified: list[Order] = field(default_factory=list)


def answer(log: Log, asked: Asked) -> tuple[dict[str, Touchpoint], dict[tuple[int, int], str]]:
    """Touchpoints by name, and the outcome of each journey that counts."""
    found: dict[str, Touchpoint] = defaultdict(Touchpoint)
    known = [event for event in log.events if event.person and asked.known(event, log)]
    for event in known:
        if not asked.inside(event.time):
            continue
        one = found[event.coded["touchpoint"]]
        one.events += 1
        one.inbound += event.inbound
        one.places[event.coded["place"]] += 1
        one.stages[event.coded["stage"]] += 1
        if event.contact is not None:
            one.contacts_of[event.person].add(event.contact)
            if event.duration_us is not None:
                one.durations[event.contact] = max(one.durations.get(event.contact, 0), event.duration_us)
    events = {event.at: event for event in log.events}
    for order in log.orders:
        event = events[order.at]
        if asked.known(event, log) and asked.inside(event.time):
            own = found[event.coded["touchpoint"]]
            (own.orders if order.person else own.unidentified).append(order)
    as_of = log.as_of if asked.as_of is None else asked.as_of
    outcomes = {}
    for key, journey in log.journeys.items():
        ended = outcome(journey, as_of)
        goal = journey.goal_at if ended == "converted" else None
        mine = [e for e in known if e.journey == key and (goal is None or e.at <= goal)]
        acted = [event for event in mine if event.inbound]
        if not journey.purchase or not asked.inside(journey.start) or journey.start > as_of or not acted:
            continue
        outcomes[key] = ended
        before = [event for event in acted if event.at != goal] or acted
        first, last = acted[0].coded["touchpoint"], before[-1].coded["touchpoint"]
        for name in {event.coded["touchpoint"] for event in mine}:
            roles = [role for role, of in (("first", first), ("last", last)) if name == of] or ["assist"]
            for role in ["journeys", ended, *roles]:
                found[name].journeys[role].add(key)
        if ended == "abandoned":
            found[last].journeys["exits"].add(key)
    return found, outcomes
