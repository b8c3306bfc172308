"""Exact quantiles of many groups of values in few passes and bounded memory.

The values never stand in memory at once. Every wanted quantile is an order statistic; what is known of
it is an interval that holds it and its rank there. A pass over the values either counts an interval's
values in bins, which makes the interval a bin, or, where few enough are left in all, collects and selects
them. The first bins are logarithmic: durations span twelve decades. Two passes settle nearly all data
(counting, then collecting); ties, heavy bins and very many groups take further ones.

A pass is a pure function of the round and of the values, and its outcome (counts and collected values)
merges in any order, so that passes run in threads and tasks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.bits import floor_log2
from percorso.kernels.compile import I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, kernel

__all__ = ["Pass", "Round", "advance", "observe", "start_ranks", "start_round"]

#: How many values one pass may collect (8 bytes each, and 4 for whose they are).
COLLECT_LIMIT = 1 << 20
#: How many bins one pass may count (8 bytes each).
BIN_LIMIT = 1 << 20

_DONE, _COLLECT, _LINEAR, _LOG, _SAME, _WAITING = 0, 1, 2, 3, 4, 5
_FEWEST_BITS, _MOST_BITS = 6, 11


@dataclass(frozen=True, slots=True)
class Round:
    """What is known of each wanted quantile (shape (n_groups * n_targets,), group by group), and the next pass.

    ``lo`` and ``shift``: the interval [lo, lo + 2^shift) that holds it (shift 63: all of int64 >= 0); when
    settled ``lo`` is the value itself, -1 without values. ``rank`` and ``count``: its 0-based rank among the
    interval's values, and how many these are. ``mode``: what the next pass does with it. ``base``: where
    its bins begin.
    """

    n_targets: int
    lo: I64
    shift: I64
    rank: I64
    count: I64
    mode: U8
    base: I64
    bits: int
    n_bins: int

    @property
    def done(self) -> bool:
        return not self.mode.any()

    def values(self) -> I64:
        """The quantiles, shape (n_groups, n_targets); -1 where the group has no value."""
        return self.lo.reshape(-1, self.n_targets)


@dataclass(frozen=True, slots=True)
class Pass:
    """The outcome of one pass over some of the values."""

    bins: I64
    slots: tuple[I32, ...]  # of the collected values, in chunks
    values: tuple[I64, ...]

    def merge(self, other: Pass) -> Pass:
        """The outcome over both parts of the values."""
        return Pass(self.bins + other.bins, self.slots + other.slots, self.values + other.values)


def start_round(counts: I64, shares: Sequence[tuple[int, int]] = ((1, 2), (9, 10))) -> Round:
    """Begin to look for quantiles.

    Parameters
    ----------
    counts : int64, shape (n_groups,)
        How many values each group has.
    shares : sequence of (numerator, denominator)
        The wanted quantiles: the smallest value that at least this share of the values does not exceed
        (nearest rank, Hyndman and Fan's type 1, DuckDB's quantile_disc), so always one that occurs.
        Default the median and the 90th percentile.
    """
    return start_ranks(counts, np.stack([-(-counts * a // b) - 1 for a, b in shares], axis=1))


def start_ranks(counts: I64, ranks: I64) -> Round:
    """Begin to look for order statistics.

    Parameters
    ----------
    counts : int64, shape (n_groups,)
        How many values each group has.
    ranks : int64, shape (n_groups, n_targets)
        Positions in ascending order from 0, at least 0 and below the group's count; of a group without values any.
        Ranks that ascend in a group save passes.
    """
    n_targets = ranks.shape[1]
    rank = ranks.reshape(-1).astype(np.int64)
    each = np.repeat(counts, n_targets)
    if ((rank >= each) & (each > 0)).any() or ((rank < 0) & (each > 0)).any():
        raise ValueError("a rank lies outside its group")
    lo = np.where(each > 0, np.int64(0), np.int64(-1))
    return _plan(n_targets, lo, np.full(lo.shape, 63, np.int64), np.maximum(rank, 0), each, each > 0)


def _plan(n_targets: int, lo: I64, shift: I64, rank: I64, count: I64, open_: Bools) -> Round:
    """Decide what the next pass does: collect the smallest intervals within the limit, count the others in bins."""
    # Targets of one group that share an interval need it looked at once.
    same = np.zeros(lo.shape, np.bool_)
    grid = [a.reshape(-1, n_targets) for a in (lo, shift, open_, same)]
    for t in range(1, n_targets):
        grid[3][:, t] = (
            (grid[0][:, t] == grid[0][:, t - 1])
            & (grid[1][:, t] == grid[1][:, t - 1])
            & grid[2][:, t]
            & grid[2][:, t - 1]
        )
    active = np.flatnonzero(open_ & ~same)
    by_size = active[np.argsort(count[active], kind="stable")]
    few = by_size[np.cumsum(count[by_size]) <= COLLECT_LIMIT]
    many = by_size[len(few) : len(few) + max(BIN_LIMIT >> _FEWEST_BITS, 1)]
    mode = np.zeros(lo.shape, np.uint8)
    mode[active] = _WAITING
    mode[few] = _COLLECT
    mode[many] = np.where(shift[many] == 63, _LOG, _LINEAR)
    mode[same] = _SAME
    bits = int(np.clip(np.log2(BIN_LIMIT / max(len(many), 1)), _FEWEST_BITS, _MOST_BITS))
    base = np.full(lo.shape, -1, np.int64)
    base[many] = np.arange(len(many), dtype=np.int64) << bits
    return Round(n_targets, lo, shift, rank, count, mode, base, bits, len(many) << bits)


def observe(step: Round, group: I32, value: I64) -> Pass:
    """Do the pass that `step` asks for on some of the values.

    Parameters
    ----------
    step : Round
    group : int32, shape (n_values,)
        Group of each value; -1: none.
    value : int64, shape (n_values,)
        At least 0.
    """
    bins = np.zeros(step.n_bins, np.int64)
    collecting = bool((step.mode == _COLLECT).any())
    room = len(value) * step.n_targets if collecting else 0
    slot_out, value_out = np.empty(room, np.int32), np.empty(room, np.int64)
    n = _observe(
        group, value, step.n_targets, step.lo, step.shift, step.mode, step.base, step.bits, bins, slot_out, value_out
    )
    return Pass(bins, (slot_out[:n].copy(),), (value_out[:n].copy(),))


def advance(step: Round, outcome: Pass) -> Round:
    """The next round, after a pass over all values."""
    lo, shift, rank, count = step.lo.copy(), step.shift.copy(), step.rank.copy(), step.count.copy()
    looked_at, base = _first_of_same(step)
    mode = step.mode[looked_at]
    _select(np.concatenate(outcome.slots), np.concatenate(outcome.values), looked_at, mode, count, rank, lo)
    _narrow(outcome.bins, mode, base, step.bits, lo, shift, rank, count)
    open_ = (((mode == _LOG) | (mode == _LINEAR)) & (shift > 0)) | (mode == _WAITING)
    return _plan(step.n_targets, lo, shift, rank, count, open_)


def _first_of_same(step: Round) -> tuple[I64, I64]:
    """For each target the one whose pass answers for it, and where that one's bins begin."""
    looked_at = np.arange(len(step.lo), dtype=np.int64).reshape(-1, step.n_targets)
    mode = step.mode.reshape(-1, step.n_targets)
    for t in range(1, step.n_targets):
        looked_at[:, t] = np.where(mode[:, t] == _SAME, looked_at[:, t - 1], looked_at[:, t])
    flat = looked_at.reshape(-1)
    return flat, step.base[flat]


@kernel(inline="always")
def _log_bin(value: int, bits: int) -> int:
    """Bin of a value among 2^bits that grow with it: 2^(bits - 6) to each doubling, exact below."""
    fine = bits - 6
    if value < (1 << fine):
        return value
    e: int = floor_log2(value)
    return ((e - fine + 1) << fine) + (value >> (e - fine)) - (1 << fine)


@kernel(types.int64(I32_IN, I64_IN, types.int64, I64_IN, I64_IN, U8_IN, I64_IN, types.int64, I64_OUT, I32_OUT, I64_OUT))
def _observe(
    group: I32,
    value: I64,
    n_targets: int,
    lo: I64,
    shift: I64,
    mode: U8,
    base: I64,
    bits: int,
    bins: I64,
    slot_out: I32,
    value_out: I64,
) -> int:
    n = 0
    for i in range(group.shape[0]):
        g = group[i]
        if g < 0:
            continue
        v = value[i]
        for s in range(g * n_targets, (g + 1) * n_targets):
            m = mode[s]
            if m in (_DONE, _SAME, _WAITING):
                continue
            if m == _LOG:
                bins[base[s] + _log_bin(v, bits)] += 1
                continue
            offset = v - lo[s]
            if offset < 0 or (offset >> shift[s]) != 0:
                continue
            if m == _COLLECT:
                slot_out[n] = s
                value_out[n] = v
                n += 1
            else:
                bins[base[s] + (offset >> max(shift[s] - bits, 0))] += 1
    return n


@kernel(types.void(I64_IN, U8_IN, I64_IN, types.int64, I64_OUT, I64_OUT, I64_OUT, I64_OUT))
def _narrow(bins: I64, mode: U8, base: I64, bits: int, lo: I64, shift: I64, rank: I64, count: I64) -> None:
    """Make the interval of each target that was counted the bin that holds it."""
    fine = bits - 6
    for s in range(mode.shape[0]):
        if mode[s] != _LOG and mode[s] != _LINEAR:
            continue
        b = 0
        before = 0
        while before + bins[base[s] + b] <= rank[s]:
            before += bins[base[s] + b]
            b += 1
        rank[s] -= before
        count[s] = bins[base[s] + b]
        if mode[s] == _LINEAR:
            width = max(shift[s] - bits, 0)
            lo[s] += np.int64(b) << width
            shift[s] = width
        elif b < (1 << fine):
            lo[s] = b
            shift[s] = 0
        else:
            width = (b >> fine) - 1
            lo[s] = ((b & ((1 << fine) - 1)) + (1 << fine)) << width
            shift[s] = width


@kernel(types.void(I32_IN, I64_IN, I64_IN, U8_IN, I64_IN, I64_IN, I64_OUT))
def _select(slot: I32, value: I64, looked_at: I64, mode: U8, count: I64, rank: I64, lo: I64) -> None:
    """Settle the targets whose values were collected: `lo` becomes the value of their rank."""
    n = mode.shape[0]
    begin = np.zeros(n + 1, dtype=np.int64)
    for s in range(n):
        mine = count[s] if mode[s] == _COLLECT and looked_at[s] == s else 0
        begin[s + 1] = begin[s] + mine
    place = begin[:-1].copy()
    sorted_by_slot = np.empty(begin[n], dtype=np.int64)
    for i in range(slot.shape[0]):
        sorted_by_slot[place[slot[i]]] = value[i]
        place[slot[i]] += 1
    for s in range(n):
        if mode[s] == _COLLECT:
            first = looked_at[s]
            segment = sorted_by_slot[begin[first] : begin[first + 1]]
            lo[s] = np.partition(segment, rank[s])[rank[s]]
