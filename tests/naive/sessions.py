"""Plain twin of percorso.kernels.sessions."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Event", "actions", "contacts", "sessions"]


@dataclass(frozen=True)
class Event:
    time: int
    contact: str  # session, single, server, none
    key: int
    by_sender: bool
    conversation: int


def sessions(events: list[Event], timeout: int, sender_timeout: int) -> list[int | None]:
    """Session of each event of one person, numbered by first event."""
    numbers: list[int | None] = []
    last: dict[tuple[int, bool], tuple[int, int]] = {}
    n = 0
    for e in events:
        if e.contact != "session":
            numbers.append(None)
            continue
        at, number = last.get((e.key, e.by_sender), (None, None))
        if at is None or number is None or e.time - at > (sender_timeout if e.by_sender else timeout):
            number = n
            n += 1
        last[e.key, e.by_sender] = (e.time, number)
        numbers.append(number)
    return numbers


def contacts(events: list[Event], session: list[int | None], timeout: int, talk_timeout: int) -> list[int]:
    """Contact of each event of one person, numbered by first event."""
    numbers: list[int] = []
    n = 0
    for i, e in enumerate(events):
        before = range(i - 1, -1, -1)
        number = None
        if session[i] is not None:
            number = next((numbers[k] for k in before if session[k] == session[i]), None)
        elif e.contact in ("server", "none") and any(session[k] is not None for k in before):
            k = next(k for k in before if session[k] is not None)
            number = numbers[k] if e.time - events[k].time <= timeout else None
        talking = [
            k
            for k in before
            if session[k] is None
            and events[k].conversation
            and events[k].contact != "none"
            and k not in _joined(events, session, numbers, i, timeout)
        ]
        if number is None and e.contact == "single" and e.conversation and talking:
            k = talking[0]
            if events[k].conversation == e.conversation and e.time - events[k].time <= talk_timeout:
                number = numbers[k]
        if number is None and e.contact == "none":
            number = -1
        if number is None:
            number = n
            n += 1
        numbers.append(number)
    return numbers


def actions(pages: list[tuple[int, int]], together: int) -> int:
    """Actions of one session, of the (time, page) of each."""
    counted: list[tuple[int, int]] = []
    for time, page in pages:
        if not (counted and page and page == counted[-1][1] and time - counted[-1][0] <= together):
            counted.append((time, page))
    return len(counted)


def _joined(events: list[Event], session: list[int | None], numbers: list[int], until: int, timeout: int) -> set[int]:
    """Server events that joined a session."""
    joined = set()
    for i in range(until):
        if events[i].contact in ("server", "none") and session[i] is None:
            k = next((k for k in range(i - 1, -1, -1) if session[k] is not None), None)
            if k is not None and events[i].time - events[k].time <= timeout:
                joined.add(i)
    return joined
