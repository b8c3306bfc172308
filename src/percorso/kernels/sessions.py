"""Sessions and contacts: one pass over each person's events (definitions, sections 2 and 6)."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I8, I32, I64, U8
from percorso.kernels.compile import I8_IN, I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, kernel

__all__ = [
    "CONTACT_NONE",
    "CONTACT_SERVER",
    "CONTACT_SESSION",
    "CONTACT_SINGLE",
    "count_actions",
    "number_contacts",
    "sessionise",
]

CONTACT_SESSION = 0  # an inbound event of site or app: makes sessions
CONTACT_SINGLE = 1  # a contact by itself: call, receipt, message, parcel
CONTACT_SERVER = 2  # a server-side event: part of the session that is on, else a contact by itself
CONTACT_NONE = 3  # bookkeeping (identify, group, alias): part of the session that is on, else no contact


@kernel(types.Tuple((I32_OUT, I64_OUT))(I64_IN, I64_IN, I8_IN, I64_IN, U8_IN, types.int64, types.int64))
def sessionise(
    offsets: I64, time: I64, contact: I8, key: I64, by_sender: U8, timeout: int, sender_timeout: int
) -> tuple[I32, I64]:
    """Cut the session events of every person into sessions.

    A session is the events of one person and key (the sender's session id, else the device) with no gap
    above the time-out. Sessions of several devices may run side by side.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    time : int64, shape (n_events,)
        µs UTC, ascending within a person.
    contact : int8, shape (n_events,)
        Only CONTACT_SESSION events take part.
    key : int64, shape (n_events,)
        Hash of session id or device.
    by_sender : uint8, shape (n_events,)
        1 where the key is the sender's own session id.
    timeout, sender_timeout : int
        Largest gap in µs inside a session, without and with a sender's session id.

    Returns
    -------
    session : int32, shape (n_events,)
        Number of the session, -1 where there is none; sessions count by their first event.
    first_event : int64, shape (n_sessions,)
    """
    session = np.full(time.size, -1, dtype=np.int32)
    first_event = np.empty(time.size, dtype=np.int64)
    n_sessions = 0
    # Sessions that may still go on, the latest used last.
    open_key = np.empty(16, dtype=np.int64)
    open_sender = np.empty(16, dtype=np.uint8)
    open_last = np.empty(16, dtype=np.int64)
    open_session = np.empty(16, dtype=np.int32)
    for p in range(offsets.size - 1):
        n_open = 0
        for i in range(offsets[p], offsets[p + 1]):
            if contact[i] != CONTACT_SESSION:
                continue
            found = -1
            for s in range(n_open - 1, -1, -1):
                if open_key[s] == key[i] and open_sender[s] == by_sender[i]:
                    found = s
                    break
            limit = sender_timeout if by_sender[i] else timeout
            if found >= 0 and time[i] - open_last[found] <= limit:
                open_last[found] = time[i]
                session[i] = open_session[found]
                continue
            if found < 0:
                if n_open == open_key.size:
                    kept = 0
                    for s in range(n_open):
                        patience = sender_timeout if open_sender[s] else timeout
                        if time[i] - open_last[s] <= patience:
                            open_key[kept] = open_key[s]
                            open_sender[kept] = open_sender[s]
                            open_last[kept] = open_last[s]
                            open_session[kept] = open_session[s]
                            kept += 1
                    n_open = kept
                    if 2 * n_open > open_key.size:
                        open_key = np.append(open_key, np.empty(open_key.size, dtype=np.int64))
                        open_sender = np.append(open_sender, np.empty(open_sender.size, dtype=np.uint8))
                        open_last = np.append(open_last, np.empty(open_last.size, dtype=np.int64))
                        open_session = np.append(open_session, np.empty(open_session.size, dtype=np.int32))
                found = n_open
                n_open += 1
            open_key[found] = key[i]
            open_sender[found] = by_sender[i]
            open_last[found] = time[i]
            open_session[found] = n_sessions
            first_event[n_sessions] = i
            session[i] = n_sessions
            n_sessions += 1
    return session, first_event[:n_sessions].copy()


@kernel(I32_OUT(I64_IN, I64_IN, I8_IN, I32_IN, I64_IN, types.int64, types.int64))
def number_contacts(
    offsets: I64, time: I64, contact: I8, session: I32, conversation: I64, timeout: int, conversation_timeout: int
) -> I32:
    """Number each event's contact: the session; the conversation; else the event by itself.

    A server-side event joins the session that was active last, if that had an event within the time-out
    before it; it neither opens nor extends one.

    Parameters
    ----------
    conversation : int64, shape (n_events,)
        Hash of conversation or ticket id, 0 where there is none. Single contacts of one conversation with
        no gap above `conversation_timeout` are one contact.

    Returns
    -------
    int32, shape (n_events,)
        Counts within the bucket, by first event; -1: no contact.
    """
    number = np.empty(time.size, dtype=np.int32)
    of_session = np.full(session.max() + 1 if session.size else 0, -1, dtype=np.int32)
    n_contacts = 0
    for p in range(offsets.size - 1):
        active, active_last = -1, np.int64(0)
        talk, talk_contact, talk_last = np.int64(0), -1, np.int64(0)
        for i in range(offsets[p], offsets[p + 1]):
            s = session[i]
            if s >= 0:
                if of_session[s] < 0:
                    of_session[s] = n_contacts
                    n_contacts += 1
                number[i] = of_session[s]
                active, active_last = number[i], time[i]
                continue
            beside = contact[i] == CONTACT_SERVER or contact[i] == CONTACT_NONE
            if beside and active >= 0 and time[i] - active_last <= timeout:
                number[i] = active
                continue
            if contact[i] == CONTACT_NONE:
                number[i] = -1
                continue
            same_talk = conversation[i] != 0 and conversation[i] == talk and time[i] - talk_last <= conversation_timeout
            if contact[i] == CONTACT_SINGLE and same_talk:
                number[i] = talk_contact
            else:
                number[i] = n_contacts
                n_contacts += 1
            if conversation[i] != 0:
                talk, talk_contact, talk_last = conversation[i], number[i], time[i]
    return number


@kernel(I32_OUT(I64_IN, I32_IN, U8_IN, I32_IN, types.int64, types.int64))
def count_actions(time: I64, session: I32, action: U8, page: I32, n_sessions: int, together: int) -> I32:
    """Actions of each session; what one page load sends at once is one action.

    Parameters
    ----------
    time : int64, shape (n_events,)
        µs UTC, ascending within a session.
    session : int32, shape (n_events,)
    action : uint8, shape (n_events,)
        0: a mark that tools send on their own.
    page : int32, shape (n_events,)
        Code of the page, 0 where there is none.
    together : int
        Events of one page no further apart than this many µs are one action.

    Returns
    -------
    int32, shape (n_sessions,)
    """
    count = np.zeros(n_sessions, dtype=np.int32)
    last_time = np.zeros(n_sessions, dtype=np.int64)
    last_page = np.zeros(n_sessions, dtype=np.int32)
    for i in range(time.size):
        s = session[i]
        if s < 0 or not action[i]:
            continue
        if count[s] > 0 and page[i] != 0 and page[i] == last_page[s] and time[i] - last_time[s] <= together:
            continue
        count[s] += 1
        last_time[s], last_page[s] = time[i], page[i]
    return count
