"""Sessions and contacts against their plain twin."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from percorso.kernels.sessions import number_contacts, sessionise
from tests.naive import sessions as naive

KINDS = ["session", "single", "server"]
TIMEOUT, SENDER_TIMEOUT = 30, 100


@st.composite
def persons(draw: st.DrawFn) -> list[list[naive.Event]]:
    every = []
    for _ in range(draw(st.integers(0, 3))):
        time, events = 0, []
        for _ in range(draw(st.integers(1, 30))):
            time += draw(st.sampled_from([0, 1, 29, 30, 31, 99, 100, 101]))
            events.append(
                naive.Event(
                    time,
                    draw(st.sampled_from(KINDS)),
                    draw(st.integers(0, 3)),
                    draw(st.booleans()),
                    draw(st.sampled_from([0, 0, 7, 8])),
                )
            )
        every.append(events)
    return every


MANY_DEVICES = [[naive.Event(i // 8, "session", i % 40, i % 2 == 0, 0) for i in range(400)]]


@settings(max_examples=400, deadline=None)
@given(persons())
@example(MANY_DEVICES)
def test_equals_the_plain_twin(every: list[list[naive.Event]]) -> None:
    flat = [event for events in every for event in events]
    offsets = np.concatenate([[0], np.cumsum([len(events) for events in every])]).astype(np.int64)
    time = np.array([e.time for e in flat], dtype=np.int64)
    contact = np.array([KINDS.index(e.contact) for e in flat], dtype=np.int8)
    session, first = sessionise(
        offsets,
        time,
        contact,
        np.array([e.key for e in flat], dtype=np.int64),
        np.array([e.by_sender for e in flat], dtype=np.uint8),
        TIMEOUT,
        SENDER_TIMEOUT,
    )
    number = number_contacts(
        offsets,
        time,
        contact,
        session,
        np.array([e.conversation for e in flat], dtype=np.int64),
        TIMEOUT,
        SENDER_TIMEOUT,
    )
    n_sessions = n_contacts = 0
    for p, events in enumerate(every):
        here = slice(offsets[p], offsets[p + 1])
        told = naive.sessions(events, TIMEOUT, SENDER_TIMEOUT)
        assert session[here].tolist() == [-1 if s is None else s + n_sessions for s in told]
        contacts = naive.contacts(events, told, TIMEOUT, SENDER_TIMEOUT)
        assert number[here].tolist() == [c + n_contacts for c in contacts]
        n_sessions += len({s for s in told if s is not None})
        n_contacts += len(set(contacts))
    assert [int(np.flatnonzero(session == s)[0]) for s in range(n_sessions)] == first.tolist()
