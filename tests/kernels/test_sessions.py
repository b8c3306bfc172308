"""Sessions and contacts against their plain twin."""

from __future__ import annotations

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from percorso.kernels.sessions import count_actions, number_contacts, sessionise
from tests.naive import sessions as naive

KINDS = ["session", "single", "server", "none"]
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
        assert number[here].tolist() == [c + n_contacts if c >= 0 else -1 for c in contacts]
        n_sessions += len({s for s in told if s is not None})
        n_contacts += len(set(contacts) - {-1})
    assert [int(np.flatnonzero(session == s)[0]) for s in range(n_sessions)] == first.tolist()


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(-1, 1), st.integers(0, 2)), max_size=30),
)
def test_what_one_page_load_sends_is_one_action(rows: list[tuple[int, int, int, int]]) -> None:
    time = np.cumsum([row[0] for row in rows]).astype(np.int64)
    action, session, page = (np.array([row[k] for row in rows]) for k in (1, 2, 3))
    found = count_actions(time, session.astype(np.int32), (action > 0).astype(np.uint8), page.astype(np.int32), 2, 1)
    for s in range(2):
        inside = [(int(time[i]), int(page[i])) for i in range(len(rows)) if session[i] == s and action[i] > 0]
        assert found[s] == naive.actions(inside, 1)
