"""Whose is each event: deduplication, clock correction, and identity rules sections 1 and 3.

In this version a person is one best strong identifier, or an anonymous stretch of a weak one; joining
strong identifiers to one another comes later. Every step is a function of the rows alone, never of their
order of arrival.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.identity.rows import MISSING, IdentifierTable, RowFiles
from percorso.kernels.interning import duplicate_groups
from percorso.kernels.placing import (
    RECORD_LOGIN,
    RECORD_QUERY,
    RECORD_SIGN_OUT,
    RULE_ANONYMOUS,
    RULE_SIGNED_OUT,
    choose_weak,
    logins_of,
    sweep_timelines,
)
from percorso.kernels.sorting import group_rows, sort_groups

__all__ = ["PLACING_RULES", "Placement", "place_rows"]

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_SKEW_US = 5 * 60_000_000

#: Names of the rules that place an event, by code. Codes 1 to 5 are those of percorso.kernels.placing.
PLACING_RULES = (
    "unidentified",
    "login_before",
    "login_after",
    "signed_out_same",
    "signed_out",
    "anonymous",
    "strong",
)
RULE_STRONG = 6


@dataclass(frozen=True, slots=True)
class Placement:
    """Where every row of the lake belongs.

    Attributes
    ----------
    person : int32, shape (n_rows,)
        Rank of the person's id among all persons; -1: unidentified; -2: a duplicate, left out.
    rule : uint8, shape (n_rows,)
        Code into PLACING_RULES.
    time : int64, shape (n_rows,)
        µs UTC, clock skew corrected and future times placed at received_at.
    future : uint8, shape (n_rows,)
    device : int32, shape (n_rows,)
        Weak identifier that tells devices apart; -1 none.
    person_ids : uint8, shape (n_persons, 16)
        Keyed hashes, sorted by bytes.
    identified : uint8, shape (n_persons,)
        1: has a strong identifier.
    n_duplicates : int
    """

    person: npt.NDArray[np.int32]
    rule: npt.NDArray[np.uint8]
    time: npt.NDArray[np.int64]
    future: npt.NDArray[np.uint8]
    device: npt.NDArray[np.int32]
    person_ids: npt.NDArray[np.uint8]
    identified: npt.NDArray[np.uint8]
    n_duplicates: int


def place_rows(
    rows: RowFiles, strong: IdentifierTable, weak: IdentifierTable, *, secret: bytes, backfill_us: int
) -> Placement:
    """Decide for every row: kept or duplicate, its time, its person, and by which rule."""
    keep = _kept(rows)
    device = np.where(rows.column("anonymous") >= 0, rows.column("anonymous"), rows.column("device"))
    time, future = _corrected_times(rows, keep, device)
    owner, sign_out, rule, chosen = _owners(rows, keep, time, len(weak), backfill_us)
    person, person_ids, identified = _persons(rows, keep, owner, sign_out, rule, chosen, strong, weak, secret)
    return Placement(
        person=person,
        rule=rule,
        time=time,
        future=future,
        device=device,
        person_ids=person_ids,
        identified=identified,
        n_duplicates=int(rows.n_rows - keep.sum()),
    )


def _kept(rows: RowFiles) -> npt.NDArray[np.uint8]:
    """1 for the copy of each message that counts: least received_at (none last), then least row hash."""
    keep = np.ones(rows.n_rows, dtype=np.uint8)
    bits = max(0, int(rows.n_rows).bit_length() - 11)
    copies, group = duplicate_groups(np.ascontiguousarray(rows.column("key")), min(bits, 16))
    if not len(copies):
        return keep
    received, row_key = rows.column("received")[copies], rows.column("row_key")[copies]
    # Row keys are bytes: compare them as big-endian numbers.
    big = row_key.view(np.uint64).byteswap()
    order = np.lexsort((big[:, 1], big[:, 0], received, group))
    keep[copies] = 0
    first = np.r_[True, group[order][1:] != group[order][:-1]]
    keep[copies[order[first]]] = 1
    return keep


def _corrected_times(
    rows: RowFiles, keep: npt.NDArray[np.uint8], device: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Times with clock skew taken out and future ones placed at received_at (definitions, section 6)."""
    time = np.array(rows.column("time"))
    skew = rows.column("skew")
    suspect = (keep == 1) & (device >= 0) & (skew != MISSING) & (np.abs(skew) > _SKEW_US)
    if suspect.any():
        # Only device-days with a suspicious request can have an offset beyond the limit.
        day = np.floor_divide(time, _DAY_US)
        unit = device.astype(np.int64) * 100_000 + day
        inside = (keep == 1) & (device >= 0) & np.isin(unit, np.unique(unit[suspect]))
        measured = inside & (skew != MISSING)
        units, at = np.unique(unit[measured], return_inverse=True)
        smallest = np.full(len(units), MISSING, dtype=np.int64)
        np.minimum.at(smallest, at, skew[measured])
        smallest[np.abs(smallest) <= _SKEW_US] = 0
        time[inside] += smallest[np.searchsorted(units, unit[inside])]
    received = rows.column("received")
    future = (received != MISSING) & (time > np.where(received == MISSING, 0, received) + _HOUR_US)
    time[future] = received[future]
    return time, future.astype(np.uint8)


def _owners(
    rows: RowFiles, keep: npt.NDArray[np.uint8], time: npt.NDArray[np.int64], n_weak: int, backfill_us: int
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """For every row: its owner (strong code, or -1), the row of the sign-out, the rule, the weak identifier."""
    strong, signed_out = np.array(rows.column("strong")), np.array(rows.column("signed_out"))
    weak = {name: np.array(rows.column(name)) for name in ("anonymous", "device")}
    has_login = logins_of(strong, weak["anonymous"], weak["device"], signed_out, keep, n_weak)
    chosen = choose_weak(strong, weak["anonymous"], weak["device"], keep, has_login)
    rule = np.zeros(rows.n_rows, dtype=np.uint8)
    rule[(keep == 1) & (strong >= 0)] = RULE_STRONG
    rule[chosen >= 0] = RULE_ANONYMOUS
    owner = np.where((keep == 1) & (strong >= 0), strong, np.int32(-1)).astype(np.int32)
    sign_out = np.full(rows.n_rows, -1, dtype=np.int64)

    on_timeline = (chosen >= 0) & (np.r_[has_login, np.uint8(0)][chosen] == 1)
    asked = np.zeros(n_weak + 1, dtype=np.uint8)
    asked[chosen[on_timeline]] = 1
    asked[n_weak] = 0
    pieces = [(np.flatnonzero(on_timeline), chosen[on_timeline], RECORD_QUERY)]
    for codes in weak.values():
        known = (keep == 1) & (codes >= 0) & (asked[codes] == 1)
        logins = np.flatnonzero(known & (strong >= 0) & (signed_out == 0))
        outs = np.flatnonzero(known & (signed_out == 1))
        pieces += [(logins, codes[logins], RECORD_LOGIN), (outs, codes[outs], RECORD_SIGN_OUT)]
    row = np.concatenate([piece[0] for piece in pieces])
    if len(row):
        unit = np.concatenate([piece[1] for piece in pieces]).astype(np.int32)
        record = np.concatenate([np.full(len(piece[0]), piece[2], dtype=np.int8) for piece in pieces])
        order, offsets = group_rows(unit, n_weak)
        text_offsets, text = rows.text()
        sequence, source = rows.column("sequence"), rows.column("source")
        sort_groups(order, offsets, row, time, source, sequence, text_offsets, text, record)
        sweep_timelines(order, offsets, record, row, strong, time, backfill_us, owner, sign_out, rule)
    return owner, sign_out, rule, chosen


def _persons(
    rows: RowFiles,
    keep: npt.NDArray[np.uint8],
    owner: npt.NDArray[np.int32],
    sign_out: npt.NDArray[np.int64],
    rule: npt.NDArray[np.uint8],
    chosen: npt.NDArray[np.int32],
    strong: IdentifierTable,
    weak: IdentifierTable,
    secret: bytes,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Rank of each row's person, the sorted person ids, and which are identified."""
    n_strong, n_weak = len(strong), len(weak)
    unit = np.full(rows.n_rows, -1, dtype=np.int64)
    unit[owner >= 0] = owner[owner >= 0]
    loose = (keep == 1) & (rule == RULE_ANONYMOUS)
    unit[loose] = n_strong + chosen[loose]
    after = np.flatnonzero((keep == 1) & (rule == RULE_SIGNED_OUT))
    composites, at = np.unique(
        np.stack([chosen[after].astype(np.int64), sign_out[after]], axis=1), axis=0, return_inverse=True
    )
    unit[after] = n_strong + n_weak + at.reshape(-1)

    used = np.unique(unit[unit >= 0])
    ids = _person_ids(used, n_strong, n_weak, composites, rows, strong, weak, secret)
    order = np.lexsort(ids.view(">u8").reshape(-1, 2).T[::-1])
    rank = np.full(n_strong + n_weak + len(composites) + 1, -1, dtype=np.int32)
    rank[used[order]] = np.arange(len(used), dtype=np.int32)
    person = rank[unit]  # unit -1 reads the last entry, which stays -1
    person[keep == 0] = -2
    return person, ids[order], (used[order] < n_strong).astype(np.uint8)


def _person_ids(
    used: npt.NDArray[np.int64],
    n_strong: int,
    n_weak: int,
    composites: npt.NDArray[np.int64],
    rows: RowFiles,
    strong: IdentifierTable,
    weak: IdentifierTable,
    secret: bytes,
) -> npt.NDArray[np.uint8]:
    """HMAC-SHA-256 (128 bits) of each used person's canonical identifier, uint8, shape (n_used, 16)."""
    named = used[used < n_strong]
    loose = used[(used >= n_strong) & (used < n_strong + n_weak)] - n_strong
    texts = strong.texts(named) + weak.texts(loose)
    if len(composites):
        offsets, text = rows.text()
        keys = weak.texts(composites[:, 0])
        for key, row in zip(keys, composites[:, 1], strict=True):
            texts.append(key + b"\0" + bytes(text[offsets[row] : offsets[row + 1]]))
    digest = hmac.digest
    joined = b"".join([digest(secret, text, "sha256")[:16] for text in texts])
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 16)
