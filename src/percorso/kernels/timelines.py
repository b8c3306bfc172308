"""Sweep over timelines: the login that each event belongs to (identity rules, section 3).

What a timeline, a w and a scope are is told in :mod:`percorso.kernels.placing`.
"""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I8, I32, I64, U8
from percorso.kernels.compile import I8_IN, I8_OUT, I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel
from percorso.kernels.placing import PLACING_INPUT, PlacingInput

__all__ = [
    "RULE_ANONYMOUS",
    "RULE_LOGIN_AFTER",
    "RULE_LOGIN_BEFORE",
    "RULE_SHARED_SESSION",
    "RULE_SIGNED_OUT",
    "RULE_SIGNED_OUT_SAME",
    "sweep_timelines",
    "timeline_records",
]

# Order of records of one event: a Signed Out belongs to the login that it ends.
_LOGIN = 0
_QUERY = 1
_SIGN_OUT = 2
_PRESENT = 3  # on a shared source: the row is there, and is asked of another w

RULE_LOGIN_BEFORE = 1
RULE_LOGIN_AFTER = 2
RULE_SIGNED_OUT_SAME = 3
RULE_SIGNED_OUT = 4
RULE_ANONYMOUS = 5
RULE_SHARED_SESSION = 8


@kernel(
    types.Tuple((I64_OUT, I32_OUT, I8_OUT))(
        PLACING_INPUT, U8_IN, U8_IN, I32_IN, I32_IN, types.int64, types.int64, types.int64, types.int64, types.int64
    )
)
def timeline_records(
    rows: PlacingInput,
    asked_weak: U8,
    asked_strong: U8,
    chosen: I32,
    number: I32,
    n_scopes: int,
    part: int,
    n_parts: int,
    begin: int,
    end: int,
) -> tuple[I64, I32, I8]:
    """The records of every `n_parts`-th asked timeline, from `part` on, of the rows from `begin` to before `end`.

    Parameters
    ----------
    asked_weak, asked_strong : uint8
        Identifiers with a timeline that is asked, in any scope.
    chosen : int32, shape (n_rows,)
        From `choose_weak`.
    number : int32, shape (n_w * n_scopes,)
        Number of each asked timeline, -1 for the others.

    Returns
    -------
    row : int64, shape (n_records,)
    timeline : int32, shape (n_records,)
        Number of the timeline within the part: its number // n_parts.
    record : int8, shape (n_records,)
    """
    n = 0
    row = np.empty(1024, dtype=np.int64)
    timeline = np.empty(1024, dtype=np.int32)
    record = np.empty(1024, dtype=np.int8)
    any_strong = bool(asked_strong.any())
    for i in range(begin, end):
        a, d, s = rows.anonymous[i], rows.device[i], rows.sset[i]
        concerned = (a >= 0 and asked_weak[a] != 0) or (d >= 0 and asked_weak[d] != 0)
        if not rows.keep[i] or not (concerned or (any_strong and s >= 0)):
            continue
        person = rows.person[s] if s >= 0 else np.int32(-1)
        scope = rows.scope[rows.source[i]]
        first = rows.offsets[s] if s >= 0 else np.int64(0)
        last = rows.offsets[s + 1] if s >= 0 else np.int64(0)
        is_end = rows.signed_out[i] != 0
        if n + 2 * (last - first + 2) > row.size:
            row = np.append(row, np.empty(row.size, dtype=np.int64))
            timeline = np.append(timeline, np.empty(timeline.size, dtype=np.int32))
            record = np.append(record, np.empty(record.size, dtype=np.int8))
        if person < 0 and not is_end and scope == 0:
            if chosen[i] >= 0:
                t = number[np.int64(chosen[i]) * n_scopes]
                if t >= 0 and (n_parts == 1 or t % n_parts == part):
                    row[n], timeline[n], record[n] = i, (t if n_parts == 1 else t // n_parts), _QUERY
                    n += 1
            continue
        for k in range(first - 2, last):
            if k == first - 2:
                w = np.int64(2) * rows.anonymous[i]
            elif k == first - 1:
                w = np.int64(2) * rows.device[i]
            elif rows.shared[rows.members[k]]:
                w = np.int64(2) * rows.members[k] + 1
            else:
                continue
            if w < 0:
                continue
            t = number[w * n_scopes + scope]
            if t < 0 or (n_parts > 1 and t % n_parts != part):
                continue
            if n_parts > 1:
                t = t // n_parts
            if person < 0 and chosen[i] == w:
                row[n], timeline[n], record[n] = i, t, _QUERY
                n += 1
            elif person < 0 and scope > 0 and not is_end:
                row[n], timeline[n], record[n] = i, t, _PRESENT
                n += 1
            if person >= 0 or is_end:
                row[n], timeline[n], record[n] = i, t, _SIGN_OUT if is_end else _LOGIN
                n += 1
    return row[:n].copy(), timeline[:n].copy(), record[:n].copy()


@kernel(
    types.void(
        PLACING_INPUT,
        I64_IN,
        I64_IN,
        I8_IN,
        I64_IN,
        I64_IN,
        types.int64,
        types.int64,
        I32_OUT,
        I64_OUT,
        U8_OUT,
        I64_OUT,
    )
)
def sweep_timelines(
    rows: PlacingInput,
    order: I64,
    offsets: I64,
    record: I8,
    row: I64,
    time: I64,
    backfill: int,
    gap: int,
    owner: I32,
    key_row: I64,
    rule: U8,
    scratch: I64,
) -> None:
    """Give every query record of every timeline its owner.

    Parameters
    ----------
    order : int64, shape (n_records,)
        Records by timeline and total order.
    offsets : int64, shape (n_timelines + 1,)
    record : int8, shape (n_records,)
    row : int64, shape (n_records,)
        Event row of the record.
    time : int64, shape (n_rows,)
        µs UTC.
    backfill : int
        Events before the first login belong to it if it comes within this many µs.
    gap : int
        On a shared source a gap above this many µs ends the session.
    owner : int32, shape (n_rows,), out
        Strong code of the person, or -1: an anonymous one.
    key_row : int64, shape (n_rows,), out
        For RULE_SIGNED_OUT and RULE_SHARED_SESSION the row that keys the anonymous person together with the w.
    rule : uint8, shape (n_rows,), out
    scratch : int64, shape (>= n_records of the longest timeline + 1,)
    """
    for t in range(offsets.size - 1):
        begin, end = offsets[t], offsets[t + 1]
        lo = begin
        while lo < end:
            hi = end
            first = row[order[lo]]
            is_session = rows.scope[rows.source[first]] > 0
            if is_session:
                hi = lo + 1
                while hi < end:
                    here, before = row[order[hi]], row[order[hi - 1]]
                    if here != before:
                        solo = not rows.client[here] or not rows.client[before]
                        if solo or time[here] - time[before] > gap:
                            break
                    hi += 1
            coming = np.int64(-1)
            for i in range(hi - 1, lo - 1, -1):
                scratch[i - lo] = coming
                if record[order[i]] == _LOGIN:
                    coming = order[i]
            login, ended_by = np.int64(-1), np.int64(-1)
            for i in range(lo, hi):
                r = order[i]
                kind = record[r]
                if kind == _LOGIN:
                    login, ended_by = r, np.int64(-1)
                elif kind == _SIGN_OUT:
                    if login >= 0 and ended_by < 0:
                        ended_by = row[r]
                elif kind == _QUERY:
                    event, after = row[r], scratch[i - lo]
                    if login >= 0:
                        last = rows.person[rows.sset[row[login]]]
                        if ended_by < 0:
                            owner[event], rule[event] = last, RULE_LOGIN_BEFORE
                        elif after >= 0 and rows.person[rows.sset[row[after]]] == last:
                            owner[event], rule[event] = last, RULE_SIGNED_OUT_SAME
                        else:
                            owner[event], rule[event], key_row[event] = -1, RULE_SIGNED_OUT, ended_by
                    elif after >= 0 and time[row[after]] - time[event] <= backfill:
                        owner[event], rule[event] = rows.person[rows.sset[row[after]]], RULE_LOGIN_AFTER
                    elif is_session:
                        owner[event], rule[event], key_row[event] = -1, RULE_SHARED_SESSION, first
                    else:
                        owner[event], rule[event] = -1, RULE_ANONYMOUS
            lo = hi
