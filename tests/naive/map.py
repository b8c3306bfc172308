"""The journey map's own counts in plain Python: the twin of percorso.analyses.map_lanes and .feedback."""

from __future__ import annotations

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


@dataclass(frozen=True)
class Answered:
    """An answer on a scale: its event, the kind that it says or "", the top of its scale or None, its score."""

    event: Event
    kind: str
    scale: float | None
    score: float


def feedback(log: Log, asked: Asked, answers: Sequence[Answered], after_order: str) -> Counter[tuple[str, str, float]]:
    """How many answers of each stage, kind and share of the scale there are."""
    found: Counter[tuple[str, str, float]] = Counter()
    for one in answers:
        event = one.event
        if not (event.person and asked.known(event, log) and asked.inside(event.time)):
            continue
        journey = log.journeys[event.journey] if event.journey is not None else None
        of_order = journey is not None and not journey.purchase
        stage = after_order if of_order else event.coded["stage"]
        for before in log.events:
            if before.at >= event.at or before.person != event.person or before.coded["event"] in ASKING:
                continue
            if before.coded["stage"] and (not of_order or before.journey == event.journey):
                stage = before.coded["stage"]
        if not stage:
            continue
        kind = one.kind or ("review" if event.coded["event"] == "Product Reviewed" else "other")
        least, most = map(float, SCALES.get(kind, SCALES["other"]))
        most = one.scale if one.scale is not None and one.scale > least else most
        found[stage, kind, min(max((one.score - least) / (most - least), 0), 1)] += 1
    return found
