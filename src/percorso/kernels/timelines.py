"""Sweep over timelines: the login that each event belongs to (identity rules, section 3).

What a timeline, a w and a scope are is told in :mod:`percorso.kernels.placing`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import types

from percorso.kernels.arrays import I8, I32, I64, U8
from percorso.kernels.compile import I8_IN, I8_OUT, I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel
from percorso.kernels.placing import AFFECTED, CARRIES, PLACING_INPUT, RULE_ANONYMOUS, PlacingInput, decided_by

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

_BLOCK = 4096

RULE_LOGIN_BEFORE = 1
RULE_LOGIN_AFTER = 2
RULE_SIGNED_OUT_SAME = 3
RULE_SIGNED_OUT = 4
RULE_SHARED_SESSION = 8


@kernel()
def _number(w: Any, scope: Any, weak: I32, strong: I32, pairs: I64, n_scopes: int, n_ordinary: int) -> Any:
    """Number of an asked timeline, -1 for the others."""
    if scope == 0:
        return np.int64(strong[w >> 1] if w & 1 else weak[w >> 1])
    at = np.searchsorted(pairs, w * n_scopes + scope)
    return n_ordinary + at if at < pairs.size and pairs[at] == w * n_scopes + scope else np.int64(-1)


@kernel(
    types.Tuple((I64_OUT, I32_OUT, I8_OUT))(
        PLACING_INPUT,
        I64_IN,
        U8_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        I64_IN,
        types.int64,
        types.int64,
        types.int64,
        types.int64,
        types.int64,
        types.int64,
        types.int64,
    )
)
def timeline_records(
    rows: PlacingInput,
    rows_of: I64,
    marks: U8,
    unit: I32,
    number_weak: I32,
    number_strong: I32,
    pairs: I64,
    n_ordinary: int,
    n_scopes: int,
    most: int,
    part: int,
    n_parts: int,
    begin: int,
    end: int,
) -> tuple[I64, I32, I8]:
    """The records of every `n_parts`-th asked timeline, from `part` on, of some rows.

    Parameters
    ----------
    rows_of : int64
    begin, end : int
        Rows from `begin` to before `end` as well.
    marks : uint8, shape (n_rows,)
        Every row with a w of an asked timeline is marked as a carrier.
    unit : int32, shape (n_rows,)
        From `place_affected`. Parts may write the units of their own timelines meanwhile: a row asks one of them.
    number_weak, number_strong : int32
        Number of each asked timeline on ordinary sources, -1 for the others; `n_ordinary` in all.
    pairs : int64, shape (n_pairs,)
        ``w * n_scopes + scope`` of those on shared sources, sorted: their numbers follow.
    most : int
        Members of the largest set.

    Returns
    -------
    row : int64, shape (n_records,)
    timeline : int32, shape (n_records,)
        Number of the timeline within the part: its number // n_parts.
    record : int8, shape (n_records,)
    """
    n, room = 0, 2 * (most + 2)
    row = np.empty(1024, dtype=np.int64)
    timeline = np.empty(1024, dtype=np.int32)
    record = np.empty(1024, dtype=np.int8)
    n_rows = rows_of.size + end - begin
    carriers = np.empty(_BLOCK, dtype=np.int64)
    for start in range(0, n_rows, _BLOCK):
        n_carriers = 0
        for k in range(start, min(start + _BLOCK, n_rows)):
            i = rows_of[k] if k < rows_of.size else begin + k - rows_of.size
            carriers[n_carriers] = i
            n_carriers += int(marks[i] & CARRIES != 0)
        if n + n_carriers * room > row.size:  # an array that grows in the loop over rows would cost more than all else
            size = max(2 * row.size, n + n_carriers * room)
            row = np.append(row[:n], np.empty(size - n, dtype=np.int64))
            timeline = np.append(timeline[:n], np.empty(size - n, dtype=np.int32))
            record = np.append(record[:n], np.empty(size - n, dtype=np.int8))
        for i in carriers[:n_carriers]:
            s = rows.sset[i]
            person = rows.person[s] if s >= 0 else np.int32(-1)
            scope = rows.scope[rows.source[i]]
            is_end = rows.signed_out[i] != 0
            chosen = decided_by(unit[i]) if person < 0 and marks[i] & AFFECTED else np.int64(-1)
            if person < 0 and not is_end and scope == 0:
                if chosen >= 0:
                    t = _number(chosen, scope, number_weak, number_strong, pairs, n_scopes, n_ordinary)
                    if t >= 0 and (n_parts == 1 or t % n_parts == part):
                        row[n], timeline[n], record[n] = i, (t if n_parts == 1 else t // n_parts), _QUERY
                        n += 1
                continue
            first = rows.offsets[s] if s >= 0 else np.int64(0)
            last = rows.offsets[s + 1] if s >= 0 else np.int64(0)
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
                t = _number(w, scope, number_weak, number_strong, pairs, n_scopes, n_ordinary)
                if t < 0 or (n_parts > 1 and t % n_parts != part):
                    continue
                if n_parts > 1:
                    t = t // n_parts
                if person < 0 and chosen == w:
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
    types.Tuple((I64_OUT, I64_OUT))(
        PLACING_INPUT, I64_IN, I64_IN, I8_IN, I64_IN, I64_IN, types.int64, types.int64, I32_OUT, U8_OUT
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
    unit: I32,
    rule: U8,
) -> tuple[I64, I64]:
    """Give the event of every query record of every timeline its person and rule.

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
    unit, rule : int32 and uint8, shape (n_rows,), in and out
        In: that of the w's anonymous person, which it keeps where the timeline does not say otherwise.

    Returns
    -------
    event : int64, shape (n_keyed,)
        Rows with RULE_SIGNED_OUT or RULE_SHARED_SESSION: the caller has yet to name their persons.
    key_row : int64, shape (n_keyed,)
        The row that keys the person together with the w.
    """
    longest = np.int64(0)
    for t in range(offsets.size - 1):
        longest = max(longest, offsets[t + 1] - offsets[t])
    scratch = np.empty(longest, dtype=np.int64)
    # Memory that nothing is written to is none.
    keyed, key_row, n_keyed = np.empty(order.size, dtype=np.int64), np.empty(order.size, dtype=np.int64), 0
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
                    key = np.int64(-1)
                    if login >= 0:
                        last = rows.person[rows.sset[row[login]]]
                        if ended_by < 0:
                            unit[event], rule[event] = 4 * last, RULE_LOGIN_BEFORE
                        elif after >= 0 and rows.person[rows.sset[row[after]]] == last:
                            unit[event], rule[event] = 4 * last, RULE_SIGNED_OUT_SAME
                        else:
                            rule[event], key = RULE_SIGNED_OUT, ended_by
                    elif after >= 0 and time[row[after]] - time[event] <= backfill:
                        unit[event], rule[event] = 4 * rows.person[rows.sset[row[after]]], RULE_LOGIN_AFTER
                    elif is_session:
                        rule[event], key = RULE_SHARED_SESSION, first
                    if key >= 0:
                        keyed[n_keyed], key_row[n_keyed] = event, key
                        n_keyed += 1
            lo = hi
    return keyed[:n_keyed].copy(), key_row[:n_keyed].copy()
