"""The journey map's own counts in plain Python: the twin of percorso.analyses.map_lanes and .feedback."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.naive.channels import Asked, Event, Log

#: Lane -> column, counted by, direction.
LANES = {
    "touchpoints": ("touchpoint", "events", "inbound"),
    "messages": ("touchpoint", "contacts", "outbound"),
    "places": ("place", "contacts", "inbound"),
    "channels": ("channel", "contacts", "inbound"),
    "pages": ("page", "events", "inbound"),
    "categories": ("category", "events", "inbound"),
    "campaigns": ("campaign", "contacts", "inbound"),
    "actions": ("event", "events", "inbound"),
}
ASKING = {"Product Reviewed", "Survey Answered", "Survey Sent", "Survey Shown", "Survey Dismissed", "Source Declared"}
ASKING |= {"Review Requested"}
SCALES = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7), "review": (1, 5), "other": (1, 5)}


@dataclass
class Cell:
    number: int = 0
    persons: set[str] = field(default_factory=set)


def lanes(log: Log, asked: Asked) -> dict[tuple[str, str, str], Cell]:
    """By stage, lane and item."""
    found: dict[tuple[str, str, str], Cell] = defaultdict(Cell)
    known = [event for event in log.events if event.person and asked.known(event, log) and asked.inside(event.time)]
    first: dict[tuple[int, int], Event] = {}
    seen: set[tuple[object, ...]] = set()
    for event in known:
        if event.contact is not None:
            first.setdefault(event.contact, event)
    for event in known:
        stage = event.coded["stage"]
        for lane, (column, counted, direction) in LANES.items():
            if counted == "events":
                one, item = event, event.coded[column]
            elif event.contact is not None and (lane, event.contact, stage) not in seen:
                seen.add((lane, event.contact, stage))
                one, item = first[event.contact], first[event.contact].coded[column]
            else:
                continue
            if stage and item and one.coded["direction"] == direction:
                found[stage, lane, item].number += 1
                found[stage, lane, item].persons.add(event.person)
    return found


def by_group(log: Log, asked: Asked) -> tuple[Counter[tuple[str, int]], Counter[tuple[str, int]]]:
    """Inbound contacts, and persons, by stage and group of persons: the last byte of a person's id."""
    known = [event for event in log.events if event.person and asked.known(event, log) and asked.inside(event.time)]
    first: dict[tuple[int, int], Event] = {}
    for event in known:
        if event.contact is not None:
            first.setdefault(event.contact, event)
    known = [event for event in known if event.coded["stage"]]
    contacts = {
        (event.coded["stage"], event.contact, event.person)
        for event in known
        if event.contact is not None and first[event.contact].inbound
    }
    persons = {(event.coded["stage"], event.person) for event in known}
    return (
        Counter((stage, int(person[-2:], 16)) for stage, _, person in contacts),
        Counter((stage, int(person[-2:], 16)) for stage, person in persons),
    )


@dataclass(frozen=True)
class Answered:
    """An answer on a scale: its event, kind and name of the survey or "", the top of its scale or None, its score."""

    event: Event
    kind: str
    survey: str
    scale: float | None
    score: float


@dataclass(frozen=True)
class Placed:
    """An answer that counts: where, what, whose, its share of the scale; is it a good or a bad one of a survey."""

    stage: str
    kind: str
    survey: str
    person: str
    share: float
    good: bool
    bad: bool


def feedback(log: Log, asked: Asked, answers: Sequence[Answered], after_order: str) -> list[Placed]:
    """The answers that count, each at the stage that it is about; `answers` in the order of their events."""
    counts: dict[tuple[object, ...], tuple[Answered, str, str, float]] = {}
    for n, one in enumerate(answers):
        event, name = one.event, one.event.coded["event"]
        if not (event.person and asked.known(event, log) and asked.inside(event.time)):
            continue
        is_survey = name == "Survey Answered"
        kind = (one.kind or "other") if is_survey else "review" if name == "Product Reviewed" else "other"
        survey = one.survey if is_survey else ""
        top = one.scale if one.scale is not None and one.scale > 1 else float(SCALES.get(kind, SCALES["other"])[1])
        if 0 <= one.score <= top:  # a later answer takes the place of an earlier one to the same survey
            counts[(event.person, kind, survey) if is_survey else (n,)] = one, kind, survey, top
    found = []
    for one, kind, survey, top in counts.values():
        stage = stage_about(log, one.event, after_order)
        if stage:
            least = SCALES.get(kind, SCALES["other"])[0]
            share = max((one.score - least) / (top - least), 0)
            good, bad = judged(kind, one.score, top)
            found.append(Placed(stage, kind, survey, one.event.person, share, good, bad))
    return found


def stage_about(log: Log, event: Event, after_order: str) -> str:
    """That of the person's last event before the answer, within the order's journey where it is about an order."""
    journey = log.journeys[event.journey] if event.journey is not None else None
    of_order = journey is not None and not journey.purchase
    stage = after_order if of_order else event.coded["stage"]
    for before in log.events:
        if before.at >= event.at or before.person != event.person or before.coded["event"] in ASKING:
            continue
        if before.coded["stage"] and (not of_order or before.journey == event.journey):
            stage = before.coded["stage"]
    return stage


def judged(kind: str, score: float, top: float) -> tuple[bool, bool]:
    """Is it a good answer, or a bad one, as the KPIs nps, csat and ces count them?"""
    if kind == "nps":
        return score * 10 / top >= 9, score * 10 / top <= 6
    if kind == "csat":
        return score >= top - 1, False
    return kind == "ces" and score >= math.ceil(top * 5 / 7), False


def payments(log: Log, asked: Asked) -> tuple[Counter[str], Counter[str]]:
    """Payments that failed, and orders on site and app, by stage."""
    failed: Counter[str] = Counter()
    for event in log.events:
        if event.person and asked.known(event, log) and asked.inside(event.time) and event.coded["stage"]:
            failed[event.coded["stage"]] += event.coded["event"] == "Payment Failed"
    paid: Counter[str] = Counter()
    for order in log.orders:
        event = log.events[order.at]
        is_in = event.person and asked.known(event, log) and asked.inside(event.time) and event.coded["stage"]
        if is_in and event.coded["place"] in ("site", "app"):
            paid[event.coded["stage"]] += 1
    return failed, paid
