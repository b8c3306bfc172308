"""Weak timelines: whose are the events that carry no unshared strong identifier (identity rules, section 3).

A timeline is that of a *w*: a weak identifier, or a strong one that many persons share. They are numbered
together: ``2 * code`` for weak ones, ``2 * code + 1`` for shared strong ones. On a source that many people
share (a kiosk, a till tablet) a w has a timeline of its own, the *scope* of the source: 0 is that of all
ordinary sources.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import types

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I16_IN, I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, U8_OUT, kernel

__all__ = [
    "AFFECTED",
    "CARRIES",
    "CHANGED",
    "HOLDS",
    "OTHERWISE",
    "PERSONLESS",
    "PLACING_INPUT",
    "SET_CHANGED",
    "PlacingInput",
    "asked_on_shared",
    "decided_by",
    "mark_affected",
    "mark_carried",
    "mark_carriers",
    "mark_logins",
    "mark_touched",
    "place_affected",
    "placing_input",
]

_BLOCK = 4096

# Kernels that take `rows_of` do so for these rows, and for those from `begin` to before `end`.

#: Marks of rows. New, or counts and did not, or the other way round, or its time is another: so it is affected.
CHANGED = 1
#: To be placed again.
AFFECTED = 1
#: Counts, and carries a w that something touched.
CARRIES = 2
#: May differ from the last build without being affected: by its time, as a copy of an order, by reference.
OTHERWISE = 4

#: Marks of sets; an array of them has one more at the end, for rows without a set.
SET_CHANGED = 1  # another person than in the last build, or other members are shared
PERSONLESS = 2
HOLDS = 4  # a shared identifier that something touched

RULE_ANONYMOUS = 5
RULE_STRONG = 6


class PlacingInput(NamedTuple):
    """All rows, and the sets of strong identifiers that stand on them.

    `person` and `shared` are what the resolution says: the strong code that names a set's person, -1 none, and
    which strong identifiers are shared.
    """

    sset: npt.NDArray[np.int32]  # (n_rows,) -1 none
    anonymous: npt.NDArray[np.int32]  # (n_rows,) weak codes, -1 none
    device: npt.NDArray[np.int32]  # (n_rows,)
    signed_out: npt.NDArray[np.uint8]  # (n_rows,)
    keep: npt.NDArray[np.uint8]  # (n_rows,) 0: a copy that does not count
    source: npt.NDArray[np.int16]  # (n_rows,)
    client: npt.NDArray[np.uint8]  # (n_rows,) 1: sent by a browser or an app
    scope: npt.NDArray[np.int32]  # (n_sources,) 0: an ordinary source, else 1, 2, ...
    person: npt.NDArray[np.int32]  # (n_sets,)
    offsets: npt.NDArray[np.int64]  # (n_sets + 1,)
    members: npt.NDArray[np.int32]  # strong codes by falling priority
    shared: npt.NDArray[np.uint8]  # (n_strong,)


PLACING_INPUT = types.NamedTuple(
    (I32_IN, I32_IN, I32_IN, U8_IN, U8_IN, I16_IN, U8_IN, I32_IN, I32_IN, I64_IN, I32_IN, U8_IN), PlacingInput
)


def placing_input(**arrays: npt.NDArray[np.generic]) -> PlacingInput:
    """The input as the kernels take it: read-only views, whatever the arrays are."""
    views = {}
    for name, array in arrays.items():
        views[name] = np.ascontiguousarray(array).view(np.ndarray)
        views[name].flags.writeable = False
    return PlacingInput(**views)


@kernel(types.void(PLACING_INPUT, U8_IN, U8_IN, types.int64, types.int64, U8_OUT, U8_OUT))
def mark_touched(rows: PlacingInput, sets: U8, marks: U8, begin: int, end: int, weak: U8, strong: U8) -> None:
    """Mark every w that a changed row carries, or a row whose set is now another person's or shared otherwise.

    Parameters
    ----------
    sets : uint8, shape (n_sets + 1,)
        Marks of sets.
    marks : uint8, shape (n_rows,)
        Marks of rows.
    weak : uint8, shape (n_weak + 1,), out
        The last is that of rows without one, and stays as it is.
    strong : uint8, shape (n_strong,), out
    """
    found = np.empty(_BLOCK, dtype=np.int64)
    for start in range(begin, end, _BLOCK):
        n = 0
        for i in range(start, min(start + _BLOCK, end)):
            found[n] = i
            n += int((marks[i] & CHANGED) | (sets[rows.sset[i]] & SET_CHANGED))
        for i in found[:n]:
            s = rows.sset[i]
            if rows.anonymous[i] >= 0:
                weak[rows.anonymous[i]] = 1
            if rows.device[i] >= 0:
                weak[rows.device[i]] = 1
            if s >= 0:
                for k in range(rows.offsets[s], rows.offsets[s + 1]):
                    strong[rows.members[k]] = 1


@kernel(types.void(PLACING_INPUT, U8_IN, U8_IN, types.int64, types.int64, U8_OUT))
def mark_affected(rows: PlacingInput, sets: U8, weak: U8, begin: int, end: int, marks: U8) -> None:
    """Mark rows that must be placed again: changed ones, and those without a person that carry a touched w.

    Rows that count and carry a touched w are marked as such.
    """
    found = np.empty(_BLOCK, dtype=np.int64)
    for start in range(begin, end, _BLOCK):
        n = 0
        for i in range(start, min(start + _BLOCK, end)):
            found[n] = i
            concerned = sets[rows.sset[i]] & (HOLDS | SET_CHANGED) | weak[rows.anonymous[i]] | weak[rows.device[i]]
            n += int(concerned != 0)
        for i in found[:n]:
            of_set = sets[rows.sset[i]]
            marks[i] |= of_set & SET_CHANGED
            if weak[rows.anonymous[i]] | weak[rows.device[i]] | (of_set & HOLDS) and rows.keep[i]:
                marks[i] |= CARRIES
                if of_set & PERSONLESS:
                    marks[i] |= AFFECTED


@kernel(types.void(PLACING_INPUT, U8_IN, U8_IN, types.int64, types.int64, U8_OUT))
def mark_carriers(rows: PlacingInput, sets: U8, weak: U8, begin: int, end: int, marks: U8) -> None:
    """Mark rows that count and carry a marked w."""
    found = np.empty(_BLOCK, dtype=np.int64)
    for start in range(begin, end, _BLOCK):
        n = 0
        for i in range(start, min(start + _BLOCK, end)):
            found[n] = i
            n += int(sets[rows.sset[i]] & HOLDS | weak[rows.anonymous[i]] | weak[rows.device[i]] != 0)
        for i in found[:n]:
            if rows.keep[i]:
                marks[i] |= CARRIES


@kernel(types.void(PLACING_INPUT, I64_IN, U8_IN, U8_IN, types.int64, types.int64, U8_OUT, U8_OUT))
def mark_carried(
    rows: PlacingInput, rows_of: I64, sets: U8, marks: U8, begin: int, end: int, weak: U8, strong: U8
) -> None:
    """Mark every w of affected rows without a person: whoever has a login among them can decide."""
    for k in range(rows_of.size + end - begin):
        i = rows_of[k] if k < rows_of.size else begin + k - rows_of.size
        if not marks[i] & AFFECTED:
            continue
        s = rows.sset[i]
        if not rows.keep[i] or not sets[s] & PERSONLESS:
            continue
        if rows.anonymous[i] >= 0:
            weak[rows.anonymous[i]] = 1
        if rows.device[i] >= 0:
            weak[rows.device[i]] = 1
        if s >= 0:
            for j in range(rows.offsets[s], rows.offsets[s + 1]):
                strong[rows.members[j]] = 1


@kernel(types.void(PLACING_INPUT, I64_IN, U8_IN, types.int64, types.int64, U8_OUT, U8_OUT))
def mark_logins(rows: PlacingInput, rows_of: I64, marks: U8, begin: int, end: int, weak: U8, strong: U8) -> None:
    """Mark the weak and shared strong identifiers that have a login among the rows marked as carriers.

    A login is an event with them and an unshared strong identifier, Signed Out excepted. An identifier is marked
    rightly if all rows with it are carriers.
    """
    for k in range(rows_of.size + end - begin):
        i = rows_of[k] if k < rows_of.size else begin + k - rows_of.size
        if not marks[i] & CARRIES:
            continue
        s = rows.sset[i]
        if s < 0 or rows.signed_out[i] or rows.person[s] < 0:
            continue
        if rows.anonymous[i] >= 0:
            weak[rows.anonymous[i]] = 1
        if rows.device[i] >= 0:
            weak[rows.device[i]] = 1
        for j in range(rows.offsets[s], rows.offsets[s + 1]):
            if rows.shared[rows.members[j]]:
                strong[rows.members[j]] = 1


@kernel()
def _first(a: int, d: int, weak: U8) -> Any:
    """The w of a row without strong identifiers; a tuple of arrays handed to a callee costs more than all of this."""
    if a >= 0 and (weak[a] or d < 0 or not weak[d]):
        return np.int64(2) * a
    return np.int64(2) * d if d >= 0 else np.int64(-1)


@kernel(types.int64(PLACING_INPUT, types.int64, U8_IN, U8_IN))
def _choice(rows: PlacingInput, i: int, weak: U8, strong: U8) -> Any:
    """The first w of a row that has a login, else the first present, else -1."""
    a, d, s = rows.anonymous[i], rows.device[i], rows.sset[i]
    if a >= 0 and weak[a]:
        return np.int64(2) * a
    first = np.int64(2) * a if a >= 0 else np.int64(-1)
    if s >= 0:
        for k in range(rows.offsets[s], rows.offsets[s + 1]):
            m = rows.members[k]
            if rows.shared[m]:
                w = np.int64(2) * m + 1
                if strong[m]:
                    return w
                if first < 0:
                    first = w
    if d >= 0 and (weak[d] or first < 0):
        return np.int64(2) * d
    return first


@kernel(
    types.void(PLACING_INPUT, I64_IN, U8_IN, U8_IN, U8_IN, types.int64, types.int64, I32_OUT, U8_OUT, U8_OUT, U8_OUT)
)
def place_affected(
    rows: PlacingInput,
    rows_of: I64,
    marks: U8,
    weak: U8,
    strong: U8,
    begin: int,
    end: int,
    unit: I32,
    rule: U8,
    asked_weak: U8,
    asked_strong: U8,
) -> None:
    """Unit and rule of the affected rows, as percorso.identity.placement tells; where a w decides, the anonymous one's.

    So far: whose the event of a timeline is, `sweep_timelines` says.

    Parameters
    ----------
    weak, strong : uint8
        From `mark_logins`.
    unit : int32, shape (n_rows,), out
        ``4 * code + kind``; -1: nobody yet, -2: a copy that does not count.
    rule : uint8, shape (n_rows,), out
    asked_weak, asked_strong : uint8, out
        1: the w's timeline on ordinary sources has to be worked out. One without a login has not: all its events are
        one anonymous person's.
    """
    for k in range(rows_of.size + end - begin):
        i = rows_of[k] if k < rows_of.size else begin + k - rows_of.size
        if not marks[i] & AFFECTED:
            continue
        s = rows.sset[i]
        person = rows.person[s] if s >= 0 else np.int32(-1)
        if not rows.keep[i]:
            unit[i], rule[i] = -2, 0
            continue
        if person >= 0:
            unit[i], rule[i] = 4 * person, RULE_STRONG
            continue
        w = _choice(rows, i, weak, strong) if s >= 0 else _first(rows.anonymous[i], rows.device[i], weak)
        if w < 0:
            unit[i], rule[i] = -1, 0
            continue
        unit[i], rule[i] = 4 * (w >> 1) + (3 if w & 1 else 1), RULE_ANONYMOUS
        if rows.scope[rows.source[i]] == 0:
            if w & 1:
                if strong[w >> 1]:
                    asked_strong[w >> 1] = 1
            elif weak[w >> 1]:
                asked_weak[w >> 1] = 1


@kernel()
def decided_by(unit: int) -> Any:
    """The w that an anonymous person is that of, from its unit; -1 for other units."""
    if unit < 0 or not unit & 1:
        return np.int64(-1)
    return 2 * np.int64(unit >> 2) + (1 if unit & 2 else 0)


@kernel(I64_OUT(PLACING_INPUT, I64_IN, U8_IN, I32_IN, types.int64, types.int64, types.int64))
def asked_on_shared(rows: PlacingInput, rows_of: I64, marks: U8, unit: I32, n_scopes: int, begin: int, end: int) -> I64:
    """``w * n_scopes + scope`` of affected rows on shared sources that a w decides."""
    n = 0
    for k in range(rows_of.size + end - begin):
        i = rows_of[k] if k < rows_of.size else begin + k - rows_of.size
        if marks[i] & AFFECTED and rows.scope[rows.source[i]] > 0 and decided_by(unit[i]) >= 0:
            n += 1
    found = np.empty(n, dtype=np.int64)
    n = 0
    for k in range(rows_of.size + end - begin):
        i = rows_of[k] if k < rows_of.size else begin + k - rows_of.size
        if marks[i] & AFFECTED and rows.scope[rows.source[i]] > 0 and decided_by(unit[i]) >= 0:
            found[n] = decided_by(unit[i]) * n_scopes + rows.scope[rows.source[i]]
            n += 1
    return found
