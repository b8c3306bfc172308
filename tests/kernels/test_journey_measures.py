"""Lengths of journeys against their plain twin, also with events after the goal."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from percorso.kernels.journey_measures import N_MEASURES, measure_journeys
from tests.naive import journey_lengths as naive

HOUR = 3_600_000_000
NOTHING = np.zeros(0, np.uint8)
#: A contact and a session (-1: none), hours since the event before, is it kept.
EVENTS = st.tuples(st.integers(-1, 2), st.integers(-1, 1), st.sampled_from((0, 1, 13, 24)), st.booleans())
#: The events of a journey, and which of them is the goal; -1: none.
JOURNEYS = st.lists(EVENTS, max_size=7).flatmap(
    lambda events: st.tuples(st.just(events), st.integers(-1, len(events) - 1))
)


@given(st.lists(JOURNEYS, max_size=4), st.integers(0, 80), st.booleans(), st.sampled_from((0, 11, -10)))
def test_measures_equal_the_plain_ones(
    journeys: list[tuple[list[tuple[int, int, int, bool]], int]], as_of: int, masked: bool, zone: int
) -> None:
    plain: list[list[naive.Row]] = []
    goals: list[int] = []
    for events, goal in journeys:
        first, time = sum(map(len, plain)), 0
        goals.append(first + goal if goal >= 0 else -1)
        plain.append([])
        for contact, session, gap, kept in events:
            time += gap * HOUR
            plain[-1].append(
                naive.Row(
                    number=first + len(plain[-1]),
                    time=time,
                    day=datetime.fromtimestamp((time + zone * HOUR) / 1e6, UTC).date(),
                    contact=contact if contact >= 0 else None,
                    session=session if session >= 0 else None,
                    kept=kept or not masked,
                )
            )
    rows = [row for journey in plain for row in journey]
    out = np.zeros((len(plain), N_MEASURES), np.int32)
    measure_journeys(
        np.cumsum([0, *map(len, plain)]).astype(np.int64),
        np.arange(len(rows), dtype=np.int32),
        np.array([row.time for row in rows], np.int64),
        np.array([row.kept for row in rows], np.uint8) if masked else NOTHING,
        np.array([-1 if row.contact is None else row.contact for row in rows], np.int32),
        np.array([-1 if row.session is None else row.session for row in rows], np.int32),
        np.array(goals, np.int32),
        as_of * HOUR,
        np.array([-(1 << 62)], np.int64),
        np.array([zone * HOUR], np.int64),
        3,
        2,
        out,
    )
    expected = [
        naive.measures(journey, as_of * HOUR, goal if goal >= 0 else None)
        for journey, goal in zip(plain, goals, strict=True)
    ]
    assert out.tolist() == expected
