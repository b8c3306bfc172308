"""How purchase journeys go from one place, channel or device to the next, and how those with several convert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.contact_plan import shown_names
from percorso.analyses.contact_roles import JourneyContacts
from percorso.analyses.intervals import wilson
from percorso.analyses.jackknife import N_GROUPS, person_groups, share_interval, sum_by_group
from percorso.analyses.outcomes import CONVERTED, OPEN
from percorso.analyses.survival import TOO_YOUNG, watched_enough
from percorso.kernels.arrays import F64, I32, I64, U8, Bools
from percorso.kernels.contact_roles import contact_moves
from percorso.store.journey_log import Bucket

__all__ = ["SIZE_STARTS", "Moves", "breadth_table", "count_moves", "move_totals", "moves_table", "no_moves"]

#: Up to so many pairs of names, moves are counted in a square; above, those that occur are sorted.
_SQUARE = 1 << 16

#: Lower ends of the classes of journeys by their number of inbound contacts.
SIZE_STARTS = (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 30, 50, 100)

_N_BREADTHS = 4  # 0, 1, 2, and 3 or more different names
_SHOWN = ("1", "2", "3+")
_Z_95 = 1.959963984540054


def _no_breadths() -> I64:
    return np.zeros(_N_BREADTHS, np.int64)


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves from each inbound contact of a journey to the next.

    Parameters
    ----------
    keys, count : int64 array, shape (n_pairs,)
        ``from * n_names + to``, ascending, also where both are equal; and how often.
    sizes : int64 array, shape (4, n_sizes, 2)
        Closed journeys by their number of different names (3: three or more), by class of their number of contacts,
        and by whether they converted or were abandoned.
    by_group : int64 array, shape (2, 256)
        Changes, and moves, by group of persons.
    several : int
        Journeys with two contacts or more.
    still_open : int64 array, shape (4,)
        Open journeys by their number of different names: how they end is not known.
    watched : int64 array, shape (4,)
        Closed journeys that opened their time-out ago or earlier, alike.
    """

    keys: I64
    count: I64
    sizes: I64
    by_group: I64
    several: int
    still_open: I64 = field(default_factory=_no_breadths)
    watched: I64 = field(default_factory=_no_breadths)

    def merge(self, other: Moves) -> Moves:
        keys, at = np.unique(np.concatenate([self.keys, other.keys]), return_inverse=True)
        count = np.zeros(len(keys), np.int64)
        np.add.at(count, at, np.concatenate([self.count, other.count]))
        return Moves(
            keys,
            count,
            self.sizes + other.sizes,
            self.by_group + other.by_group,
            self.several + other.several,
            self.still_open + other.still_open,
            self.watched + other.watched,
        )


def no_moves() -> Moves:
    """Nothing counted yet."""
    none, sizes = np.zeros(0, np.int64), np.zeros((_N_BREADTHS, len(SIZE_STARTS), 2), np.int64)
    return Moves(none, none, sizes, np.zeros((2, N_GROUPS), np.int64), 0)


def count_moves(bucket: Bucket, of: JourneyContacts, names: I32, n_names: int) -> Moves:
    """Moves in the journeys of one bucket.

    Parameters
    ----------
    bucket : Bucket
    of : JourneyContacts
    names : int32, shape (n_nodes,)
        Name of each contact of `of`; -1: passed over.
    n_names : int
    """
    n_journeys = len(of.state)
    key = np.empty(len(of.row), np.int64)
    contacts, changes, widths = (np.empty(n_journeys, np.int32) for _ in range(3))
    n = contact_moves(
        of.offsets, names, of.inbound, of.row, of.last_row, of.state, n_names, key, contacts, changes, widths
    )
    if n_names * n_names <= _SQUARE:
        square = np.bincount(key[:n], minlength=n_names * n_names)
        keys = np.flatnonzero(square)
        count = square[keys]
    else:
        keys, count = np.unique(key[:n], return_counts=True)
    group = person_groups(bucket)[bucket.table("journeys").values("person")]
    by_group = np.stack([sum_by_group(group, each.astype(np.int64)) for each in (changes, np.maximum(contacts - 1, 0))])
    several = int((contacts > 1).sum())
    by_width = _sizes(contacts, widths, of.state, of.is_old)
    return Moves(keys.astype(np.int64), count.astype(np.int64), by_width[0], by_group, several, *by_width[1:])


def _sizes(contacts: I32, widths: I32, state: U8, is_old: Bools) -> tuple[I64, I64, I64]:
    """Closed journeys by number of names, size and outcome; open ones, and old closed ones, by number of names."""
    breadth, n = np.minimum(widths, _N_BREADTHS - 1), len(SIZE_STARTS)
    is_open = (contacts > 0) & (state == OPEN)
    closed = (contacts > 0) & (state != OPEN)
    size = np.searchsorted(SIZE_STARTS, contacts[closed], side="right") - 1
    where = (breadth[closed] * n + size) * 2 + (state[closed] == CONVERTED)
    sizes = np.bincount(where, minlength=_N_BREADTHS * n * 2).reshape(_N_BREADTHS, n, 2)
    counts = (np.bincount(breadth[some], minlength=_N_BREADTHS) for some in (is_open, closed & is_old))
    still_open, watched = (count.astype(np.int64) for count in counts)
    return sizes.astype(np.int64), still_open, watched


def moves_table(moves: Moves, names: Sequence[str]) -> pa.Table:
    """Changes from one name to another, the most frequent first; `share` is of all moves, changes or not."""
    n, total = max(len(names), 1), int(moves.count.sum())
    source, target = moves.keys // n, moves.keys % n
    changes = np.flatnonzero(source != target)
    order = changes[np.lexsort((target[changes], source[changes], -moves.count[changes]))]
    shown, count = shown_names(names), moves.count[order]
    return pa.table(
        {
            "from": shown.take(pa.array(source[order])),
            "to": shown.take(pa.array(target[order])),
            "count": count,
            "share": count / max(total, 1),
        }
    )


def move_totals(moves: Moves, prefix: str = "") -> dict[str, Any]:
    """Rate of changes with its interval, and the journeys with several names."""
    changes, every = moves.by_group
    n_moves, journeys = int(every.sum()), moves.sizes.sum(axis=(1, 2)) + moves.still_open
    counted, several = int(journeys[1:].sum()), int(journeys[2:].sum())
    found = {
        "moves": n_moves,
        "switches": int(changes.sum()),
        "switch_rate": int(changes.sum()) / n_moves if n_moves else None,
        "switch_rate_interval": share_interval(changes, every),
        "journeys_with_two_contacts": moves.several,
        "journeys_with_several": several,
        "several_share": several / counted if counted else None,
        "several_interval": wilson(several, counted),
    }
    return {f"{prefix}{name}": list(value) if isinstance(value, tuple) else value for name, value in found.items()}


def breadth_table(moves: Moves, column: str) -> pa.Table:
    """Conversion of closed journeys with one, two, three or more names, beside those with one of as many contacts.

    ::

        matched = Σ_s w_s c_1s / n_1s,   w_s = n_ks / Σ n_ks,   over the classes s that both have
        difference = Σ_s w_s (c_ks / n_ks − c_1s / n_1s)
        variance = Σ_s w_s² (p̃_ks (1 − p̃_ks) / n_ks + p̃_1s (1 − p̃_1s) / n_1s),   p̃ = (c + 1) / (n + 2)

    n and c are closed journeys and converted ones with k names in the size class s; open ones stand beside. Where too
    few have been watched (see `percorso.analyses.survival.watched_enough`) conversion is missing, and the match where
    that is so of either of the two. Directly
    standardised rates: Rothman, Greenland and Lash (2008), Modern Epidemiology, chapter 15; one success and one failure
    added, so that a class in which all or none convert is not taken for certain: Agresti and Caffo (2000),
    doi:10.1080/00031305.2000.10474560.
    """
    rows = []
    for k, shown in enumerate(_SHOWN, start=1):
        n, converted = moves.sizes[k].sum(axis=1), moves.sizes[k][:, 1]
        total, hits, still_open = int(n.sum()), int(converted.sum()), int(moves.still_open[k])
        told = _is_told(moves, k)
        low, high = (wilson(hits, total) if told else None) or (None, None)
        row = {column: shown, "journeys": total + still_open, "converted": hits, "open": still_open}
        row |= {"conversion": hits / total if total and told else None, "conversion_low": low, "conversion_high": high}
        row["conversion_missing"] = None if told or not row["journeys"] else TOO_YOUNG
        has_match = k > 1 and told and _is_told(moves, 1)
        rows.append(row | _matched(n, converted, moves.sizes[1].sum(axis=1), moves.sizes[1][:, 1], has_match))
    kinds = dict.fromkeys(("journeys", "converted", "open"), pa.int64())
    kinds |= dict.fromkeys((column, "conversion_missing"), pa.string())
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, kinds.get(name, pa.float64())) for name in rows[0]]))


def _is_told(moves: Moves, k: int) -> bool:
    """Have enough of the closed journeys with k names been watched?"""
    return watched_enough(int(moves.sizes[k].sum()), int(moves.watched[k]))


def _matched(n: I64, converted: I64, n_one: I64, converted_one: I64, has_match: bool) -> dict[str, float | None]:
    """The columns about the match; missing for journeys with one name, which are what others are matched with."""
    both = np.flatnonzero((n > 0) & (n_one > 0))
    names = ("matched_conversion", "difference", "difference_low", "difference_high", "matched_share")
    if not has_match or not len(both):
        return dict.fromkeys(names, None)
    weight = n[both] / n[both].sum()
    matched = float(weight @ (converted_one[both] / n_one[both]))
    difference = float(weight @ (converted[both] / n[both])) - matched
    variance = _variance(converted[both], n[both]) + _variance(converted_one[both], n_one[both])
    half = _Z_95 * float(np.sqrt(weight**2 @ variance))
    low, high = max(difference - half, -1.0), min(difference + half, 1.0)
    share = float(n[both].sum() / n.sum())
    return dict(zip(names, (matched, difference, low, high, share), strict=True))


def _variance(hits: I64, n: I64) -> F64:
    share = (hits + 1) / (n + 2)
    variance: F64 = share * (1 - share) / n
    return variance
