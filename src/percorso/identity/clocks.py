"""How many events stand at another time than they say, because the clock of their device was wrong."""

from __future__ import annotations

import numpy as np

from percorso.identity.rows import SKEWED
from percorso.identity.state import IdentityState

__all__ = ["count_corrected"]


def count_corrected(state: IdentityState, start_us: int | None = None, end_us: int | None = None) -> dict[str, int]:
    """Events whose time was put right, by source; sources without any are not named.

    Parameters
    ----------
    state : IdentityState
    start_us, end_us : int, optional
        Of the time that was put right: from the one to before the other.
    """
    rows = state.rows
    # Without a device whose clock is off, which is the rule, nothing has to be read.
    if rows.reference(SKEWED) is None or not len(state.arrays.get("skew_units", ())):
        return {}
    counts = np.zeros(len(rows.sources), np.int64)
    stamp, time, source = rows.column("stamp"), state.arrays["time"], rows.column("source")
    kept, future = state.arrays["keep"], state.arrays["future"]
    for part in rows.chunks():
        moved = (stamp[part] != time[part]) & (kept[part] == 1) & (future[part] == 0)
        if start_us is not None:
            moved &= time[part] >= start_us
        if end_us is not None:
            moved &= time[part] < end_us
        counts += np.bincount(source[part][moved], minlength=len(counts))
    return {name: count for name, count in zip(rows.sources, counts.tolist(), strict=True) if count}
