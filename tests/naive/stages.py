"""Stages in plain Python: the twin of percorso.kernels.stages and percorso.analyses.stage_counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from tests.naive.channels import Asked, Event, Log, outcome

START = "(start)"


@dataclass
class Stage:
    persons: set[str] = field(default_factory=set)
    contacts: set[tuple[int, int]] = field(default_factory=set)
    events: int = 0
    journeys: set[tuple[int, int]] = field(default_factory=set)
    stays: list[int | None] = field(default_factory=list)  # how long each lasts; None: it is not over
    further: dict[str, int | None] = field(default_factory=dict)  # by person: how long after first coming to it
    exits: Counter[str] = field(default_factory=Counter)
    orders: list[int] = field(default_factory=list)


@dataclass
class Answer:
    stages: dict[str, Stage] = field(default_factory=lambda: defaultdict(Stage))
    moves: dict[tuple[str, str], list[tuple[str, int | None]]] = field(default_factory=lambda: defaultdict(list))


def stays(events: Sequence[Event]) -> list[tuple[str, Event]]:
    """Runs of one person's inbound events at one stage: the stage and the first event of each."""
    acted = [event for event in events if event.inbound and event.coded["stage"]]
    return [(stage, next(run)) for stage, run in groupby(acted, key=lambda event: event.coded["stage"])]


def answer(log: Log, asked: Asked, order: Sequence[str]) -> Answer:
    found = Answer()
    known = [event for event in log.events if event.person and asked.known(event, log)]
    for event in known:
        if asked.inside(event.time) and event.coded["stage"]:
            one = found.stages[event.coded["stage"]]
            one.persons.add(event.person)
            one.events += 1
            if event.contact is not None:
                one.contacts.add(event.contact)
    for person, events in groupby(known, key=lambda event: event.person):
        walk(person, stays(list(events)), asked, order, found)
    count_journeys(log, asked, known, found)
    by_at = {event.at: event for event in known}
    for bought in log.orders:
        if bought.at in by_at and asked.inside(by_at[bought.at].time):
            found.stages[by_at[bought.at].coded["stage"]].orders.append(bought.value or 0)
    return found


def walk(person: str, path: list[tuple[str, Event]], asked: Asked, order: Sequence[str], found: Answer) -> None:
    for n, (stage, event) in enumerate(path):
        if not asked.inside(event.time):
            continue
        one = found.stages[stage]
        later = path[n + 1 :]
        one.stays.append(later[0][1].time - event.time if later else None)
        before = path[n - 1] if n else None
        gap = event.time - before[1].time if before else None
        found.moves[before[0] if before else START, stage].append((person, gap))
        if person not in one.further:
            beyond = [e.time - event.time for s, e in later if order.index(s) > order.index(stage)]
            one.further[person] = beyond[0] if beyond else None


def count_journeys(log: Log, asked: Asked, known: Sequence[Event], found: Answer) -> None:
    as_of = log.as_of if asked.as_of is None else asked.as_of
    for key, journey in log.journeys.items():
        if not asked.inside(journey.start):
            continue
        mine = [event for event in known if event.journey == key]
        for stage in {event.coded["stage"] for event in mine} - {""}:
            found.stages[stage].journeys.add(key)
        acted = [event for event in mine if event.inbound]
        if journey.purchase and acted and outcome(journey, as_of) == "abandoned":
            found.stages[acted[-1].coded["stage"]].exits[acted[-1].coded["touchpoint"]] += 1
