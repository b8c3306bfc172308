"""Weak timelines: whose are the events that carry no strong identifier (identity rules, section 3)."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I8, I32, I64, U8
from percorso.kernels.compile import I8_IN, I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel

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


@kernel(I32_OUT(I32_IN, I32_IN, I32_IN, U8_IN, U8_IN))
def choose_weak(strong: I32, anonymous: I32, device: I32, keep: U8, has_login: U8) -> I32:
    """For each event without a strong identifier the weak one that decides; -1 for the others.

    The first of anonymous id and device id that has a login, else the first present.
    """
    chosen = np.full(strong.size, -1, dtype=np.int32)
    for i in range(strong.size):
        if not keep[i] or strong[i] >= 0:
            continue
        a, d = anonymous[i], device[i]
        if a >= 0 and has_login[a]:
            chosen[i] = a
        elif d >= 0 and has_login[d]:
            chosen[i] = d
        elif a >= 0:
            chosen[i] = a
        else:
            chosen[i] = d
    return chosen


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
