"""Weak timelines: whose are the events that carry no strong identifier (identity rules, section 3)."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I8, I32, I64, U8
from percorso.kernels.compile import I8_IN, I8_OUT, I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel

__all__ = [
    "RECORD_LOGIN",
    "RECORD_QUERY",
    "RECORD_SIGN_OUT",
    "RULE_ANONYMOUS",
    "RULE_LOGIN_AFTER",
    "RULE_LOGIN_BEFORE",
    "RULE_SIGNED_OUT",
    "RULE_SIGNED_OUT_SAME",
    "choose_weak",
    "logins_of",
    "sweep_timelines",
    "timeline_records",
]

# Order of records of one event: a Signed Out belongs to the login that it ends.
RECORD_LOGIN = 0
RECORD_QUERY = 1
RECORD_SIGN_OUT = 2

RULE_LOGIN_BEFORE = 1
RULE_LOGIN_AFTER = 2
RULE_SIGNED_OUT_SAME = 3
RULE_SIGNED_OUT = 4
RULE_ANONYMOUS = 5


@kernel(U8_OUT(I32_IN, I32_IN, I32_IN, U8_IN, U8_IN, types.int64))
def logins_of(strong: I32, anonymous: I32, device: I32, signed_out: U8, keep: U8, n_weak: int) -> U8:
    """Which weak identifiers have a login: an event with them and a strong identifier, Signed Out excepted.

    Returns
    -------
    uint8, shape (n_weak,)
    """
    has_login = np.zeros(n_weak, dtype=np.uint8)
    for i in range(strong.size):
        if keep[i] and strong[i] >= 0 and not signed_out[i]:
            if anonymous[i] >= 0:
                has_login[anonymous[i]] = 1
            if device[i] >= 0:
                has_login[device[i]] = 1
    return has_login


@kernel(U8_OUT(I32_IN, I32_IN, I32_IN, U8_IN, U8_IN, I32_OUT))
def choose_weak(strong: I32, anonymous: I32, device: I32, keep: U8, has_login: U8, chosen: I32) -> U8:
    """For each event without a strong identifier the weak one that decides; -1 for the others.

    The first of anonymous id and device id that has a login, else the first present.

    Parameters
    ----------
    chosen : int32, shape (n_rows,), out

    Returns
    -------
    uint8, shape (n_weak,)
        1: has a login, and decides for an event; its timeline has to be worked out.
    """
    asked = np.zeros(has_login.size, dtype=np.uint8)
    for i in range(strong.size):
        chosen[i] = -1
        if not keep[i] or strong[i] >= 0:
            continue
        a, d = anonymous[i], device[i]
        if a >= 0 and has_login[a]:
            chosen[i] = a
            asked[a] = 1
        elif d >= 0 and has_login[d]:
            chosen[i] = d
            asked[d] = 1
        elif a >= 0:
            chosen[i] = a
        else:
            chosen[i] = d
    return asked


@kernel(
    types.Tuple((I64_OUT, I32_OUT, I8_OUT))(
        I32_IN, I32_IN, I32_IN, U8_IN, U8_IN, I32_IN, U8_IN, types.int64, types.int64
    )
)
def timeline_records(
    strong: I32, anonymous: I32, device: I32, signed_out: U8, keep: U8, chosen: I32, asked: U8, part: int, n_parts: int
) -> tuple[I64, I32, I8]:
    """The records of the timelines of every `n_parts`-th weak identifier, from `part` on.

    Returns
    -------
    row : int64, shape (n_records,)
    timeline : int32, shape (n_records,)
        Number of the weak identifier within the part: its code // n_parts.
    record : int8, shape (n_records,)
        RECORD_LOGIN, RECORD_QUERY or RECORD_SIGN_OUT.
    """
    n = 0
    row = np.empty(0, dtype=np.int64)
    timeline = np.empty(0, dtype=np.int32)
    record = np.empty(0, dtype=np.int8)
    for write in range(2):  # count first, so that nothing grows
        if write:
            row, timeline, record = np.empty(n, np.int64), np.empty(n, np.int32), np.empty(n, np.int8)
            n = 0
        for i in range(strong.size):
            if not keep[i]:
                continue
            w = chosen[i]
            if w >= 0 and asked[w] and w % n_parts == part:
                if write:
                    row[n], timeline[n], record[n] = i, w // n_parts, RECORD_QUERY
                n += 1
            if strong[i] < 0 and not signed_out[i]:
                continue
            kind = RECORD_SIGN_OUT if signed_out[i] else RECORD_LOGIN
            for w in (anonymous[i], device[i]):
                if w >= 0 and asked[w] and w % n_parts == part:
                    if write:
                        row[n], timeline[n], record[n] = i, w // n_parts, kind
                    n += 1
    return row, timeline, record


@kernel(types.void(I64_IN, I64_IN, I8_IN, I64_IN, I32_IN, I64_IN, types.int64, I32_OUT, I64_OUT, U8_OUT))
def sweep_timelines(
    order: I64,
    offsets: I64,
    record: I8,
    row: I64,
    person: I32,
    time: I64,
    backfill: int,
    owner: I32,
    sign_out: I64,
    rule: U8,
) -> None:
    """Give every query record of every weak timeline its owner.

    Parameters
    ----------
    order : int64, shape (n_records,)
        Records by weak identifier and total order.
    offsets : int64, shape (n_weak + 1,)
    record : int8, shape (n_records,)
        RECORD_LOGIN, RECORD_QUERY or RECORD_SIGN_OUT.
    row : int64, shape (n_records,)
        Event row of the record.
    person : int32, shape (n_rows,)
        Person of a login's row; unused otherwise.
    time : int64, shape (n_rows,)
        µs UTC.
    backfill : int
        Events before the first login belong to it if it comes within this many µs.
    owner : int32, shape (n_rows,), out
        Person of the event, or -1: anonymous.
    sign_out : int64, shape (n_rows,), out
        For rule RULE_SIGNED_OUT: the row of the Signed Out that keys the anonymous person.
    rule : uint8, shape (n_rows,), out
    """
    largest = np.int64(0)
    for w in range(offsets.size - 1):
        largest = max(largest, offsets[w + 1] - offsets[w])
    next_login = np.empty(largest + 1, dtype=np.int64)
    for w in range(offsets.size - 1):
        lo, hi = offsets[w], offsets[w + 1]
        if lo == hi:
            continue
        coming = np.int64(-1)
        for i in range(hi - 1, lo - 1, -1):
            next_login[i - lo] = coming
            if record[order[i]] == RECORD_LOGIN:
                coming = order[i]
        login, ended_by = np.int64(-1), np.int64(-1)
        for i in range(lo, hi):
            r = order[i]
            kind = record[r]
            if kind == RECORD_LOGIN:
                login, ended_by = r, np.int64(-1)
            elif kind == RECORD_SIGN_OUT:
                if login >= 0 and ended_by < 0:
                    ended_by = row[r]
            else:
                event, after = row[r], next_login[i - lo]
                if login >= 0 and ended_by < 0:
                    owner[event], rule[event] = person[row[login]], RULE_LOGIN_BEFORE
                elif login >= 0:
                    if after >= 0 and person[row[after]] == person[row[login]]:
                        owner[event], rule[event] = person[row[login]], RULE_SIGNED_OUT_SAME
                    else:
                        owner[event], rule[event], sign_out[event] = -1, RULE_SIGNED_OUT, ended_by
                elif after >= 0 and time[row[after]] - time[event] <= backfill:
                    owner[event], rule[event] = person[row[after]], RULE_LOGIN_AFTER
                else:
                    owner[event], rule[event] = -1, RULE_ANONYMOUS
