"""Which order journeys care keeps open, and the last thing a person did in a journey that is open."""

from __future__ import annotations

from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools, Codes
from percorso.kernels.compile import BOOL_IN, I32_IN, I64_IN, I64_OUT, U8_IN, U16_IN, U32_IN, kernel

__all__ = ["last_care", "last_inbound"]


@kernel(
    *(
        types.void(I32_IN, BOOL_IN, codes, BOOL_IN, U8_IN, BOOL_IN, U8_IN, I64_IN, I64_OUT)
        for codes in (U8_IN, U16_IN, U32_IN)
    )
)
def last_care(
    journey: I32,
    of_order: Bools,
    event: Codes,
    cares: Bools,
    signal: U8,
    cares_by_signal: Bools,
    keep: U8,
    time: I64,
    closes: I64,
) -> None:
    """The last event of each order journey that keeps it open.

    Parameters
    ----------
    journey : int32, shape (n_events,)
        -1: none.
    of_order : bool, shape (n_journeys,)
    event, signal : codes, shape (n_events,)
    cares, cares_by_signal : bool, shape (n_codes,)
        Which of them keep a journey open.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    time : int64, shape (n_events,)
        µs UTC.
    closes : int64, shape (n_journeys,), in and out
        Becomes the time of the last such event, where that is later.
    """
    every = keep.shape[0] == 0
    for i in range(journey.shape[0]):
        j = journey[i]
        if j < 0 or not of_order[j] or not (every or keep[i] != 0):
            continue
        if (cares[event[i]] or cares_by_signal[signal[i]]) and time[i] > closes[j]:
            closes[j] = time[i]


@kernel(types.void(I32_IN, BOOL_IN, I32_IN, U8_IN, BOOL_IN, U8_IN, I64_OUT))
def last_inbound(journey: I32, is_open: Bools, person: I32, direction: U8, acts: Bools, keep: U8, latest: I64) -> None:
    """The last inbound event of each person in a journey that is open.

    Parameters
    ----------
    journey : int32, shape (n_events,)
        -1: none.
    is_open : bool, shape (n_journeys,)
    person : int32, shape (n_journeys,)
    direction : uint8, shape (n_events,)
    acts : bool, shape (n_directions,)
        Which directions are inbound.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    latest : int64, shape (n_persons,), out
        Row of it; where there is none, what it holds stays.
    """
    every = keep.shape[0] == 0
    for i in range(journey.shape[0]):
        j = journey[i]
        if j >= 0 and is_open[j] and acts[direction[i]] and (every or keep[i] != 0):
            latest[person[j]] = i
