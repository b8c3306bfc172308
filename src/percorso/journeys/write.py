"""Write a bucket's tables, and say in the manifest what stands in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.store.files import AnyPath
from percorso.store.journey_log import (
    FLAG_BOT,
    FLAG_ENGAGED,
    FLAG_FUTURE,
    FLAG_GOAL,
    FLAG_HEAVY,
    FLAG_ORDER,
    FLAG_SAME_ORDER,
    FLAG_SESSION_START,
)
from percorso.store.log_files import write_table

__all__ = ["write_bucket"]

_FLAGS = (
    FLAG_BOT,
    FLAG_HEAVY,
    FLAG_FUTURE,
    FLAG_SAME_ORDER,
    FLAG_ORDER,
    FLAG_GOAL,
    FLAG_ENGAGED,
    FLAG_SESSION_START,
)


def write_bucket(index: int, tables: Mapping[str, pa.RecordBatch], folder: AnyPath) -> dict[str, Any]:
    """Write the tables of a bucket and return its entry in the manifest.

    The entry depends on the tables alone, so that it is the same for tables built at once and merged ones.

    Parameters
    ----------
    index : int
        Number of the bucket.
    tables : mapping
        Name of the table -> its rows.
    folder : AnyPath
        The journey log.
    """
    files = {name: write_table(folder, name, table) for name, table in sorted(tables.items())}
    return {"index": index, "files": files, **_counts(tables)}


def _counts(rows: Mapping[str, pa.RecordBatch]) -> dict[str, Any]:
    time = rows["events"].column("time").to_numpy()
    flags = rows["events"].column("flags").to_numpy()
    combinations = np.bincount(flags, minlength=1)
    present = np.flatnonzero(combinations)
    solid = time[(flags & FLAG_FUTURE) == 0] if (present & FLAG_FUTURE).any() else time
    return {
        "n_events": len(time),
        **{f"n_{name}": rows[name].num_rows for name in ("persons", "sessions", "journeys")},
        # Orders of nobody have no person; they count as events only.
        "n_orders": int((rows["orders"].column("person").to_numpy() >= 0).sum()),
        "flag_counts": {str(flag): int(combinations[present[(present & flag) != 0]].sum()) for flag in _FLAGS},
        "min_time_us": int(time.min()) if len(time) else None,
        "max_time_us": int(time.max()) if len(time) else None,
        "newest_us": int(solid.max()) if len(solid) else None,
    }
