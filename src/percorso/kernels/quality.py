"""What a look at the quality of data counts: events by source and what is the matter with them; who is active."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, U16
from percorso.kernels.compile import I32_IN, I64_IN, I64_OUT, I64_OUT2, U8_IN, U8_OUT, U16_IN, kernel

__all__ = ["INBOUND", "NO_STAGE", "N_CELLS", "WITHOUT_BOTS", "WITH_BOTS", "count_events", "mark_active"]

#: Bits of a cell beside the four flags that put events out (bot, heavy, future, copy of an order: 1, 2, 4, 8).
NO_STAGE, INBOUND = 16, 32
N_CELLS = 64

#: Bits of what `mark_active` says of a person.
WITHOUT_BOTS, WITH_BOTS = 1, 2

_FLAGS, _FUTURE, _BOT = 15, 4, 1


@kernel(
    types.void(
        *(I32_IN, U8_IN, U16_IN, I64_IN, U8_IN, types.int64, U8_IN, types.int64),
        *(types.int64, types.int64, types.int64, types.int64, I64_OUT2, I64_OUT, I64_OUT),
    ),
    types.void(
        *(I32_IN, U16_IN, U16_IN, I64_IN, U8_IN, types.int64, U8_IN, types.int64),
        *(types.int64, types.int64, types.int64, types.int64, I64_OUT2, I64_OUT, I64_OUT),
    ),
)
def count_events(
    lut: I32,
    source: U8 | U16,
    flags: U16,
    time: I64,
    stage: U8,
    no_stage: int,
    direction: U8,
    inbound: int,
    start_us: int,
    end_us: int,
    future_end_us: int,
    as_of_us: int,
    cells: I64,
    first: I64,
    newest: I64,
) -> None:
    """Events of a period by source and cell; first and newest time of each source, whatever the period.

    Parameters
    ----------
    lut : int32, shape (n_local_sources,)
        Row of `cells` of each code of `source`.
    source : uint8 or uint16, shape (n_events,)
    flags : uint16, shape (n_events,)
    time : int64, shape (n_events,)
        µs UTC.
    stage, direction : uint8, shape (n_events,)
        Codes; `no_stage` and `inbound` are those of "no stage" and of inbound, -1 where there is none.
    start_us, end_us, future_end_us : int
        Events with ``start_us <= time < end_us`` count; those that are flagged as future up to `future_end_us`.
    as_of_us : int
        Later events and future ones are nobody's first or newest.
    cells : int64, shape (n_sources, 64), out
        Added to. The column is the four lowest flags, plus NO_STAGE, plus INBOUND.
    first, newest : int64, shape (n_sources,), out
        Made smaller and larger.
    """
    for i in range(time.size):
        s, t, flag = lut[source[i]], time[i], flags[i] & _FLAGS
        is_future = flag & _FUTURE != 0
        if not is_future and t <= as_of_us:
            if t < first[s]:
                first[s] = t
            if t > newest[s]:
                newest[s] = t
        if t < start_us or t >= (future_end_us if is_future else end_us):
            continue
        cell = np.int64(flag)
        if stage[i] == no_stage:
            cell += NO_STAGE
        if direction[i] == inbound:
            cell += INBOUND
        cells[s, cell] += 1


@kernel(types.void(I64_IN, U16_IN, I64_IN, types.int64, types.int64, types.int64, U8_OUT))
def mark_active(offsets: I64, flags: U16, time: I64, out_flags: int, start_us: int, end_us: int, active: U8) -> None:
    """Who has an event in the period: with events of robots in, and without.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    flags : uint16, shape (n_events,)
    time : int64, shape (n_events,)
    out_flags : int
        Flags that put an event out, that of robots apart.
    start_us, end_us : int
    active : uint8, shape (n_persons,), out
        WITHOUT_BOTS, WITH_BOTS, both or none.
    """
    for p in range(offsets.size - 1):
        found = 0
        for i in range(offsets[p], offsets[p + 1]):
            if time[i] < start_us or time[i] >= end_us or (flags[i] & out_flags) != 0:
                continue
            found |= WITH_BOTS
            if (flags[i] & _BOT) == 0:
                found |= WITHOUT_BOTS
                break
        active[p] = found
