"""Touchpoints: events by what stands beside them, and with which events journeys begin and end."""

from __future__ import annotations

from numba import types

from percorso.kernels.arrays import I32, I64, U8, Bools
from percorso.kernels.compile import BOOL_IN, I32_IN, I32_OUT, I64_OUT2, U8_IN, kernel

__all__ = ["count_events", "journey_ends"]


@kernel(types.void(I32_IN, BOOL_IN, I32_IN, I32_IN, I64_OUT2, I64_OUT2, I64_OUT2))
def count_events(
    cell: I32, inbound: Bools, place: I32, stage: I32, by_direction: I64, by_place: I64, by_stage: I64
) -> None:
    """Events of each cell by direction, place and stage.

    Parameters
    ----------
    cell : int32, shape (n_events,)
        -1: the event is out.
    inbound, place, stage : shape (n_events,)
    by_direction, by_place, by_stage : int64, shape (n_cells, n_values), out
        Added to. Directions are inbound and outbound.
    """
    for i in range(cell.shape[0]):
        c = cell[i]
        if c < 0:
            continue
        by_direction[c, 0 if inbound[i] else 1] += 1
        by_place[c, place[i]] += 1
        by_stage[c, stage[i]] += 1


@kernel(types.void(I32_IN, U8_IN, U8_IN, BOOL_IN, U8_IN, I32_IN, I32_OUT, I32_OUT))
def journey_ends(
    journey: I32, keep: U8, direction: U8, acts: Bools, state: U8, goal: I32, first_out: I32, last_out: I32
) -> None:
    """The events with which journeys begin, and with which they end or come to their goal.

    Parameters
    ----------
    journey : int32, shape (n_events,)
        -1: none.
    keep : uint8, shape (n_events,) or (0,)
        1 in, 0 out; of no elements: all in.
    direction : uint8, shape (n_events,)
    acts : bool, shape (n_directions,)
        Which directions are inbound; other events are passed over.
    state : uint8, shape (n_journeys,)
        3: not asked for.
    goal : int32, shape (n_journeys,)
        The event that is the goal; what comes after it is passed over. Without one the largest int32.
    first_out, last_out : int32, shape (n_journeys,), out
        First event; last one before the goal, or the goal where there is none before. -1: none.
    """
    for j in range(state.shape[0]):
        first_out[j] = last_out[j] = -1
    every = keep.shape[0] == 0
    for i in range(journey.shape[0]):
        j = journey[i]
        if j < 0 or not acts[direction[i]] or state[j] == 3 or i > goal[j]:
            continue
        if not (every or keep[i] != 0):
            continue
        if first_out[j] < 0:
            first_out[j] = i
        if i < goal[j] or last_out[j] < 0:
            last_out[j] = i
