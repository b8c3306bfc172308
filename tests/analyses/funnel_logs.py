"""Random logs for funnels, and the naive answer to a funnel about them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

from percorso.analyses.funnel_spec import FunnelSpec
from percorso.settings.durations import parse_duration_us
from tests.log_builder import DAY, HOUR, Row
from tests.naive import funnel as naive

__all__ = ["counts_of", "naive_counts", "random_rows"]

PLACES = ("site", "store", "")


def random_rows(seed: int, n_rows: int, *, names: str = "ABCD", n_persons: int = 12, coarse: bool = True) -> list[Row]:
    """Rows of a few persons over ten days; with `coarse` at whole hours of two days, so that many times are equal."""
    chance = random.Random(seed)
    rows = []
    for _ in range(n_rows):
        person = chance.randrange(n_persons)
        time = chance.randrange(48) * HOUR if coarse else chance.randrange(10 * DAY)
        session = f"s{chance.randrange(3)}" if chance.random() < 0.9 else ""
        journey = f"j{chance.randrange(2)}" if chance.random() < 0.9 else ""
        coded = {"place": chance.choice(PLACES)}
        event = chance.choice(names)
        rows.append(Row(person=f"p{person}", time=time, event=event, coded=coded, session=session, journey=journey))
    return rows


def naive_counts(spec: FunnelSpec, rows: Sequence[Row]) -> list[int]:
    """Attempts that did each step, for steps and exclusions that are names of events, or alternatives of them."""
    rules = naive.Rules(
        n_steps=len(spec.steps),
        within=parse_duration_us(spec.within) if spec.within else float("inf"),
        step_within=parse_duration_us(spec.step_within) if spec.step_within else float("inf"),
        order=spec.order,
        start=spec.start,
        every=spec.count == "totals",
        optional=frozenset(at for at, step in enumerate(spec.steps, 1) if step in spec.optional),
        exclude=tuple((exclusion.after, exclusion.before or len(spec.steps)) for exclusion in spec.exclusions()),
    )
    excluded = [text.split("@")[0].split("|") for text in spec.exclude]
    units: dict[tuple[str, str], list[naive.Event]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.time):
        unit = {"sessions": row.session, "journeys": row.journey}.get(spec.count, "all")
        if not unit:
            continue
        units[row.person, unit].append(
            naive.Event(
                row.time,
                frozenset(at for at, step in enumerate(spec.steps, 1) if row.event in step.split("|")),
                frozenset(at for at, names in enumerate(excluded) if row.event in names),
            )
        )
    attempts = [attempt for events in units.values() for attempt in naive.attempts(events, rules)]
    return [sum(step in attempt.steps for attempt in attempts) for step in range(1, len(spec.steps) + 1)]


def counts_of(result: object) -> list[int]:
    """Column `count` of a funnel's answer."""
    return list(result.table.column("count").to_pylist())  # type: ignore[attr-defined]
