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

from percorso.kernels.arrays import I32, U8
from percorso.kernels.compile import (
    I16_IN,
    I32_IN,
    I32_OUT,
    I64_IN,
    U8_IN,
    U8_OUT,
    kernel,
)

__all__ = [
    "PLACING_INPUT",
    "PlacingInput",
    "choose_weak",
    "identified_rows",
    "mark_affected",
    "mark_carried",
    "mark_logins",
    "mark_touched",
    "placing_input",
]


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


@kernel(types.void(PLACING_INPUT, U8_IN, types.int64, types.int64, U8_OUT, U8_OUT))
def mark_carried(rows: PlacingInput, affected: U8, begin: int, end: int, weak: U8, strong: U8) -> None:
    """Mark every w of affected rows without a person: whoever has a login among them can decide."""
    for i in range(begin, end):
        s = rows.sset[i]
        if not affected[i] or not rows.keep[i] or (s >= 0 and rows.person[s] >= 0):
            continue
        if rows.anonymous[i] >= 0:
            weak[rows.anonymous[i]] = 1
        if rows.device[i] >= 0:
            weak[rows.device[i]] = 1
        if s >= 0:
            for k in range(rows.offsets[s], rows.offsets[s + 1]):
                strong[rows.members[k]] = 1


@kernel(types.void(PLACING_INPUT, U8_IN, U8_IN, types.int64, types.int64, U8_OUT, U8_OUT))
def mark_logins(
    rows: PlacingInput, asked_weak: U8, asked_strong: U8, begin: int, end: int, weak: U8, strong: U8
) -> None:
    """Mark the asked weak and shared strong identifiers that have a login among the rows `begin` to before `end`.

    A login is an event with them and an unshared strong identifier, Signed Out excepted.
    """
    any_strong = bool(asked_strong.any())
    for i in range(begin, end):
        a, d, s = rows.anonymous[i], rows.device[i], rows.sset[i]
        concerned = (a >= 0 and asked_weak[a] != 0) or (d >= 0 and asked_weak[d] != 0)
        if s < 0 or not (concerned or any_strong):
            continue
        if not rows.keep[i] or rows.signed_out[i] or rows.person[s] < 0:
            continue
        if rows.anonymous[i] >= 0:
            weak[rows.anonymous[i]] = 1
        if rows.device[i] >= 0:
            weak[rows.device[i]] = 1
        for k in range(rows.offsets[s], rows.offsets[s + 1]):
            if rows.shared[rows.members[k]]:
                strong[rows.members[k]] = 1


@kernel(types.Tuple((U8_OUT, U8_OUT))(PLACING_INPUT))
def identified_rows(rows: PlacingInput) -> tuple[U8, U8]:
    """Rows that carry an unshared strong identifier, and rows that carry any weak or strong one; (n_rows,) each."""
    strong, weak = np.zeros(rows.sset.size, dtype=np.uint8), np.zeros(rows.sset.size, dtype=np.uint8)
    for i in range(rows.sset.size):
        s = rows.sset[i]
        strong[i] = s >= 0 and rows.person[s] >= 0
        weak[i] = s >= 0 or rows.anonymous[i] >= 0 or rows.device[i] >= 0
    return strong, weak


@kernel(types.void(PLACING_INPUT, U8_IN, U8_IN, types.int64, types.int64, U8_OUT, U8_OUT))
def mark_touched(rows: PlacingInput, changed: U8, set_changed: U8, begin: int, end: int, weak: U8, strong: U8) -> None:
    """Mark every w that a changed row carries, or a row whose set is now another person's or shared otherwise.

    Parameters
    ----------
    changed : uint8, shape (n_rows,)
    set_changed : uint8, shape (n_sets,)
    weak : uint8, shape (n_weak,), out
    strong : uint8, shape (n_strong,), out
    """
    for i in range(begin, end):
        s = rows.sset[i]
        if not changed[i] and (s < 0 or not set_changed[s]):
            continue
        if rows.anonymous[i] >= 0:
            weak[rows.anonymous[i]] = 1
        if rows.device[i] >= 0:
            weak[rows.device[i]] = 1
        if s >= 0:
            for k in range(rows.offsets[s], rows.offsets[s + 1]):
                strong[rows.members[k]] = 1


@kernel(types.void(PLACING_INPUT, U8_IN, U8_IN, U8_IN, U8_IN, types.int64, types.int64, U8_OUT))
def mark_affected(
    rows: PlacingInput, changed: U8, set_changed: U8, weak: U8, strong: U8, begin: int, end: int, affected: U8
) -> None:
    """Mark rows that must be placed again: changed ones, and those without a person that carry a touched w."""
    for i in range(begin, end):
        s = rows.sset[i]
        if changed[i] or (s >= 0 and set_changed[s]):
            affected[i] = 1
            continue
        if not rows.keep[i] or (s >= 0 and rows.person[s] >= 0):
            continue
        a, d = rows.anonymous[i], rows.device[i]
        if (a >= 0 and weak[a]) or (d >= 0 and weak[d]):
            affected[i] = 1
        elif s >= 0:
            for k in range(rows.offsets[s], rows.offsets[s + 1]):
                if strong[rows.members[k]]:
                    affected[i] = 1
                    break


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


@kernel(types.void(PLACING_INPUT, U8_IN, U8_IN, U8_IN, types.int64, types.int64, types.int64, I32_OUT, U8_OUT))
def choose_weak(
    rows: PlacingInput,
    affected: U8,
    weak: U8,
    strong: U8,
    n_scopes: int,
    begin: int,
    end: int,
    chosen: I32,
    asked: U8,
) -> None:
    """For each affected row without a person the w that decides; -1 for the others.

    Parameters
    ----------
    affected : uint8, shape (n_rows,)
    weak, strong : uint8
        From `mark_logins`.
    n_scopes : int
    chosen : int32, shape (n_rows,), out
    asked : uint8, shape (n_w * n_scopes,), out
        1 at ``w * n_scopes + scope``: the timeline has to be worked out. One without a login, on an ordinary
        source, has not: all its events are one anonymous person's.
    """
    for i in range(begin, end):
        chosen[i] = -1
        s = rows.sset[i]
        if not affected[i] or not rows.keep[i] or (s >= 0 and rows.person[s] >= 0):
            continue
        w = _choice(rows, i, weak, strong) if s >= 0 else _first(rows.anonymous[i], rows.device[i], weak)
        chosen[i] = w
        if w < 0:
            continue
        scope = rows.scope[rows.source[i]]
        has_login = strong[w >> 1] if w & 1 else weak[w >> 1]
        if scope > 0 or has_login:
            asked[w * n_scopes + scope] = 1
