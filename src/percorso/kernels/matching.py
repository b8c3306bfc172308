"""Which event serves which step, where an event may be several: a bipartite matching.

Grown one event at a time by augmenting paths (Kuhn 1955, doi:10.1002/nav.3800020109); steps are at most 15, so sets of
them are bits of an integer, step s being bit s - 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from percorso.kernels.compile import kernel

__all__ = ["MOST_STEPS", "augment", "can_serve", "count_bits"]

#: Steps, at most.
MOST_STEPS = 15


@kernel()
def count_bits(bits: Any) -> Any:
    n = 0
    while bits:
        bits &= bits - 1
        n += 1
    return n


@kernel()
def augment(event: Any, allowed: Any, bits: Any, served_by: Any, parent: Any, queue: Any) -> Any:
    """Let `event` serve one of its allowed steps, moving others if need be; False if it cannot.

    ``served_by[s]`` is the event that serves step s (from 0), -1 for none.
    """
    seen = np.int64(0)
    head, tail = 0, 0
    options = np.int64(bits[event]) & allowed
    came = -1
    while True:
        for s in range(MOST_STEPS):
            if (options >> s) & 1 and not (seen >> s) & 1:
                seen |= np.int64(1) << s
                parent[s] = came
                queue[tail] = s
                tail += 1
        if head == tail:
            return False
        s = queue[head]
        head += 1
        if served_by[s] < 0:
            while parent[s] >= 0:
                served_by[s] = served_by[parent[s]]
                s = parent[s]
            served_by[s] = event
            return True
        options = np.int64(bits[served_by[s]]) & allowed
        came = s


@kernel()
def can_serve(need: Any, lo: Any, hi: Any, bits: Any, disjoint: Any, served_by: Any, parent: Any, queue: Any) -> Any:
    """Can distinct events of [lo, hi) serve all steps of the bit set `need`, each of which some event is?"""
    if disjoint:
        return True
    wanted = count_bits(need)
    served_by[:] = -1
    n = 0
    for event in range(lo, hi):
        if np.int64(bits[event]) & need and augment(event, need, bits, served_by, parent, queue):
            n += 1
            if n == wanted:
                return True
    return False
