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
    RULE_ANONYMOUS,
    RULE_SIGNED_OUT,
    choose_weak,
    logins_of,
    sweep_timelines,
    timeline_records,
)
from percorso.kernels.sorting import group_rows, sort_groups

__all__ = ["PLACING_RULES", "Placement", "person_id", "place_rows"]

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US
_SKEW_US = 5 * 60_000_000
_DAYS = 10_000_000  # more than there are days in the years 1 to 9999

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

#: Scratch memory that placing a row takes at most: three timeline records, or one key.
_BYTES_PER_ROW = 96


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
    anonymous, device : int32, shape (n_rows,)
        Weak identifiers' codes; -1 none.
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
    anonymous: npt.NDArray[np.int32]
    device: npt.NDArray[np.int32]
    person_ids: npt.NDArray[np.uint8]
    identified: npt.NDArray[np.uint8]
    n_duplicates: int


def person_id(secret: bytes, identifier: bytes) -> bytes:
    """The 16 bytes that stand for a person: HMAC-SHA-256 of the canonical identifier, cut to 128 bits.

    Parameters
    ----------
    secret : bytes
        The workspace's key.
    identifier : bytes
        ``type\\0space\\0value`` in UTF-8, the value in its normal form.
    """
    return hmac.digest(secret, identifier, "sha256")[:16]


def place_rows(
    rows: RowFiles,
    strong: IdentifierTable,
    weak: IdentifierTable,
    *,
    secret: bytes,
    backfill_us: int,
    memory_bytes: int,
) -> Placement:
    """Decide for every row: kept or duplicate, its time, its person, and by which rule.

    Columns stay on disk; what has to be sorted is sorted in parts that fit into `memory_bytes`.
    """
    n_parts = 1 + rows.n_rows * _BYTES_PER_ROW // max(memory_bytes, 1)
    _keep_one_copy(rows, n_parts)
    _correct_times(rows)
    _find_owners(rows, len(weak), backfill_us, n_parts)
    person_ids, identified = _number_persons(rows, strong, weak, secret)
    return Placement(
        person=rows.column("person"),
        rule=rows.column("rule"),
        time=rows.column("time"),
        future=rows.column("future"),
        anonymous=rows.column("anonymous"),
        device=rows.column("device"),
        person_ids=person_ids,
        identified=identified,
        n_duplicates=sum(int((rows.column("keep")[here] == 0).sum()) for here in rows.chunks()),
    )


def _keep_one_copy(rows: RowFiles, n_parts: int) -> None:
    """Set `keep` on the copy of each message that counts: least received_at (none last), then least row hash."""
    keep, keys = rows.column("keep"), rows.column("key")
    keep[:] = 1
    for part in range(n_parts):
        if n_parts == 1:
            copies, group = duplicate_groups(np.ascontiguousarray(keys), _part_bits(len(keys)))
        else:
            mine = [here.start + np.flatnonzero(keys[here, 1] % np.uint64(n_parts) == part) for here in rows.chunks()]
            inside = np.concatenate(mine)
            copies, group = duplicate_groups(np.ascontiguousarray(keys[inside]), _part_bits(len(inside)))
            copies = inside[copies]
        if not len(copies):
            continue
        received, row_key = rows.column("received")[copies], rows.column("row_key")[copies]
        # Row keys are bytes: compare them as big-endian numbers.
        big = row_key.byteswap()
        order = np.lexsort((big[:, 1], big[:, 0], received, group))
        first = np.r_[True, group[order][1:] != group[order][:-1]]
        keep[copies] = 0
        keep[copies[order[first]]] = 1


def _part_bits(n_rows: int) -> int:
    """How finely to scatter rows so that a part fits the processor's cache."""
    return min(max(0, n_rows.bit_length() - 11), 16)


def _correct_times(rows: RowFiles) -> None:
    """Take clock skew out of `time`, and place future times at received_at (definitions, section 6)."""
    keep, time, skew, received = (rows.column(name) for name in ("keep", "time", "skew", "received"))
    suspects = [
        _device_days(rows, here)[
            (keep[here] == 1) & (skew[here] != MISSING) & (np.abs(skew[here]) > _SKEW_US) & (_device(rows, here) >= 0)
        ]
        for here in rows.chunks()
    ]
    # Only device-days with a suspicious request can have an offset beyond the limit.
    units = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *suspects]))
    if len(units):
        smallest = np.full(len(units), MISSING, dtype=np.int64)
        for here in rows.chunks():
            unit = _device_days(rows, here)
            measured = (keep[here] == 1) & (skew[here] != MISSING) & np.isin(unit, units)
            np.minimum.at(smallest, np.searchsorted(units, unit[measured]), skew[here][measured])
        smallest[np.abs(smallest) <= _SKEW_US] = 0
        for here in rows.chunks():
            unit = _device_days(rows, here)
            inside = (_device(rows, here) >= 0) & np.isin(unit, units)
            time[here][inside] += smallest[np.searchsorted(units, unit[inside])]
    future = rows.column("future")
    for here in rows.chunks():
        arrived = received[here]
        late = (arrived != MISSING) & (time[here] > np.where(arrived == MISSING, 0, arrived) + _HOUR_US)
        future[here] = late
        time[here] = np.where(late, arrived, time[here])


def _device(rows: RowFiles, here: slice) -> npt.NDArray[np.int32]:
    """The weak identifier that tells devices apart; -1: none."""
    anonymous = rows.column("anonymous")[here]
    return np.where(anonymous >= 0, anonymous, rows.column("device")[here])


def _device_days(rows: RowFiles, here: slice) -> npt.NDArray[np.int64]:
    """A number for each device and UTC day of the event's own time."""
    days: npt.NDArray[np.int64] = np.floor_divide(rows.column("time")[here], _DAY_US)
    return _device(rows, here).astype(np.int64) * _DAYS + days


def _find_owners(rows: RowFiles, n_weak: int, backfill_us: int, n_parts: int) -> None:
    """Fill in owner (strong code, or -1), rule, the deciding weak identifier, and the row of the sign-out."""
    strong, anonymous, device = (rows.column(name) for name in ("strong", "anonymous", "device"))
    signed_out, keep, chosen = (rows.column(name) for name in ("signed_out", "keep", "chosen"))
    owner, sign_out, rule = (rows.column(name) for name in ("owner", "sign_out", "rule"))
    has_login = logins_of(strong, anonymous, device, signed_out, keep, n_weak)
    asked = choose_weak(strong, anonymous, device, keep, has_login, chosen)
    for here in rows.chunks():
        known = (keep[here] == 1) & (strong[here] >= 0)
        owner[here] = np.where(known, strong[here], -1)
        rule[here] = np.where(known, RULE_STRONG, np.where(chosen[here] >= 0, RULE_ANONYMOUS, 0))
    text_offsets, text = rows.text()
    time, source, sequence = (rows.column(name) for name in ("time", "source", "sequence"))
    for part in range(n_parts):
        row, timeline, record = timeline_records(
            strong, anonymous, device, signed_out, keep, chosen, asked, part, n_parts
        )
        if len(row):
            order, offsets = group_rows(timeline, 1 + n_weak // n_parts)
            sort_groups(order, offsets, row, time, source, sequence, text_offsets, text, record)
            sweep_timelines(order, offsets, record, row, strong, time, backfill_us, owner, sign_out, rule)


def _number_persons(
    rows: RowFiles, strong: IdentifierTable, weak: IdentifierTable, secret: bytes
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Fill in `person`, the rank of each row's person; returns the sorted ids, and which are identified."""
    n_strong, n_weak = len(strong), len(weak)
    rule, chosen, sign_out = (rows.column(name) for name in ("rule", "chosen", "sign_out"))
    after = np.concatenate(
        [np.zeros(0, dtype=np.int64)]
        + [here.start + np.flatnonzero(rule[here] == RULE_SIGNED_OUT) for here in rows.chunks()]
    )
    composites, at = np.unique(
        np.stack([chosen[after].astype(np.int64), sign_out[after]], axis=1), axis=0, return_inverse=True
    )
    composite_of = at.reshape(-1)
    n_units = n_strong + n_weak + len(composites)
    used_flag = np.zeros(n_units + 1, dtype=np.bool_)
    person, keep, owner = (rows.column(name) for name in ("person", "keep", "owner"))
    for here in rows.chunks():
        unit = np.where(owner[here] >= 0, owner[here], -1).astype(np.int64)
        unit = np.where((keep[here] == 1) & (rule[here] == RULE_ANONYMOUS), n_strong + chosen[here], unit)
        first, last = np.searchsorted(after, (here.start, here.stop))
        unit[after[first:last] - here.start] = n_strong + n_weak + composite_of[first:last]
        used_flag[unit] = True  # unit -1 marks the last entry, which is nobody's
        person[here] = unit
    used = np.flatnonzero(used_flag[:-1])
    ids = _person_ids(used, n_strong, n_weak, composites, rows, strong, weak, secret)
    order = np.lexsort(ids.view(">u8").reshape(-1, 2).T[::-1])
    rank = np.full(n_units + 1, -1, dtype=np.int32)
    rank[used[order]] = np.arange(len(used), dtype=np.int32)
    for here in rows.chunks():
        person[here] = np.where(keep[here] == 1, rank[person[here]], -2)
    return ids[order], (used[order] < n_strong).astype(np.uint8)


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
        sources = [rows.sources[rank].encode() for rank in rows.column("source")[composites[:, 1]]]
        for key, source, row in zip(keys, sources, composites[:, 1], strict=True):
            # The source belongs to it: message ids are unique within their source only.
            texts.append(b"\0".join([key, source, bytes(text[offsets[row] : offsets[row + 1]])]))
    joined = b"".join([person_id(secret, text) for text in texts])
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 16)
