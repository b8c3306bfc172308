"""How long each journey is: events, contacts, sessions and days with an event, in all and up to its goal."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8
from percorso.kernels.compile import I32_IN, I64_IN, U8_IN, array_out, kernel

__all__ = ["N_MEASURES", "measure_journeys"]

#: Columns: events, contacts, sessions, days; contacts, sessions and days up to the goal.
N_MEASURES = 7

_DAY_US = 86_400_000_000
_OUT = array_out(types.int32, 2)


@kernel(
    types.void(
        I64_IN,
        I32_IN,
        I64_IN,
        U8_IN,
        I32_IN,
        I32_IN,
        I32_IN,
        types.int64,
        I64_IN,
        I64_IN,
        types.int64,
        types.int64,
        _OUT,
    )
)
def measure_journeys(
    offsets: I64,
    rows: I32,
    time: I64,
    keep: U8,
    contact: I32,
    session: I32,
    goal: I32,
    as_of: int,
    zone_begins: I64,
    zone_offsets: I64,
    n_contacts: int,
    n_sessions: int,
    out: I32,
) -> None:
    """Measure every journey.

    Parameters
    ----------
    offsets : int64, shape (n_journeys + 1,)
    rows : int32, shape (n_kept,)
        Events of each journey, in row order, so by time.
    time : int64, shape (n_events,)
        µs UTC.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    contact, session : int32, shape (n_events,)
        -1: none.
    goal : int32, shape (n_journeys,)
        Row of the event that reached the goal; -1: none.
    as_of : int
        Later events have not happened.
    zone_begins, zone_offsets : int64, shape (n_segments,)
        Offsets of the time zone, for its days; see percorso.events.zones.
    n_contacts, n_sessions : int
    out : int32, shape (n_journeys, N_MEASURES)
        Comes as zeros.
    """
    every = keep.size == 0
    met_contact = np.full(n_contacts, -1, dtype=np.int32)
    met_session = np.full(n_sessions, -1, dtype=np.int32)
    for j in range(offsets.size - 1):
        events = contacts = sessions = days = 0
        day = np.int64(-(2**62))
        segment = -1
        for k in range(offsets[j], offsets[j + 1]):
            i = rows[k]
            t = time[i]
            if t > as_of:
                break
            if every or keep[i] != 0:
                events += 1
                c, s = contact[i], session[i]
                if c >= 0 and met_contact[c] != j:
                    met_contact[c] = j
                    contacts += 1
                if s >= 0 and met_session[s] != j:
                    met_session[s] = j
                    sessions += 1
                if segment < 0:
                    segment = np.searchsorted(zone_begins, t, side="right") - 1
                while segment + 1 < zone_begins.size and zone_begins[segment + 1] <= t:
                    segment += 1
                here = (t + zone_offsets[segment]) // _DAY_US
                if here != day:
                    day = here
                    days += 1
            if i == goal[j]:
                out[j, 4], out[j, 5], out[j, 6] = contacts, sessions, days
        out[j, 0], out[j, 1], out[j, 2], out[j, 3] = events, contacts, sessions, days
