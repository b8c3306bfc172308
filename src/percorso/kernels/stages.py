"""Stages: the stays of persons in them, one after the other, and who gets further."""

from __future__ import annotations

import numpy as np
from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.compile import BOOL_IN, I32_IN, I32_OUT, I64_IN, I64_OUT, U8_IN, kernel

__all__ = ["FURTHER_NOT", "NOT_FIRST", "stage_progress", "stage_stays"]

#: What `stage_progress` says of a stay that is not the person's first in its stage, and of one that nothing follows.
NOT_FIRST, FURTHER_NOT = -2, -1


@kernel(types.int64(I64_IN, I32_IN, BOOL_IN, U8_IN, I32_OUT, I32_OUT, I32_OUT))
def stage_stays(
    offsets: I64, stage: I32, inbound: Bools, keep: U8, person_out: I32, stage_out: I32, row_out: I32
) -> int:
    """The stays of each person: runs of inbound events at one stage.

    Parameters
    ----------
    offsets : int64, shape (n_persons + 1,)
    stage : int32, shape (n_events,)
        -1: none; the event is passed over.
    inbound : bool, shape (n_events,)
        Other events are passed over.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    person_out, stage_out, row_out : int32, shape (n_events,), out
        Of each stay: whose, at which stage, and the event with which it begins.

    Returns
    -------
    int
        How many stays there are.
    """
    every = keep.shape[0] == 0
    n = 0
    for p in range(offsets.shape[0] - 1):
        now = -1
        for i in range(offsets[p], offsets[p + 1]):
            s = stage[i]
            if s < 0 or s == now or not inbound[i] or not (every or keep[i] != 0):
                continue
            now = s
            person_out[n] = p
            stage_out[n] = s
            row_out[n] = i
            n += 1
    return n


@kernel(types.void(I32_IN, I32_IN, I64_IN, BOOL_IN, types.int64, I64_OUT))
def stage_progress(person: I32, stage: I32, time: I64, counted: Bools, n_stages: int, out: I64) -> None:
    """Whether, and when, each person gets further than a stage after first coming to it.

    Parameters
    ----------
    person, stage, time : shape (n_stays,)
        Of each stay, in order: whose, at which stage, and when it begins.
    counted : bool, shape (n_stays,)
        A person comes to a stage with the first stay that counts.
    n_stages : int
    out : int64, shape (n_stays,), out
        Time from a person's first counted stay at a stage to her next stay at any later one; -1: there is none;
        -2: the stay is not the first that counts.
    """
    first = np.full(n_stages, -1, dtype=np.int64)
    whose = -1
    for i in range(stage.shape[0]):
        out[i] = -2
        if person[i] != whose:
            whose = person[i]
            first[:] = -1
        t = stage[i]
        for s in range(t):
            if first[s] >= 0 and out[first[s]] == -1:
                out[first[s]] = time[i] - time[first[s]]
        if counted[i] and first[t] < 0:
            first[t] = i
            out[i] = -1
