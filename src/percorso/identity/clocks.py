"""Events that stand at another time than they say, because the clock of their device was wrong.

The log keeps their times in a table of its own, which the manifest names under ``clocks``::

    clocks-<hash>.arrow      source (coded), time (µs UTC, put right), by source and time
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.identity.placement import Placement
from percorso.identity.rows import SKEWED, RowFiles
from percorso.store.files import AnyPath
from percorso.store.journey_log import JourneyLog
from percorso.store.log_files import coded_column, write_table
from percorso.store.mapped import log_table

__all__ = ["corrected_rows", "count_corrected", "is_corrected", "write_clocks"]


def corrected_rows(rows: RowFiles, placement: Placement) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """Rank of the source, and time, of every event whose time was put right; each of shape (n,)."""
    found = [np.zeros(0, dtype=np.int64)]
    # Without a device whose clock is off, which is the rule, nothing has to be read.
    if rows.reference(SKEWED) is not None and len(placement.skews.units):
        stamp, time = rows.column("stamp"), placement.time
        for part in rows.chunks():
            moved = is_corrected(stamp[part], time[part], placement.future[part]) & (placement.keep[part] == 1)
            found.append(part.start + np.flatnonzero(moved))
    some = np.concatenate(found)
    return rows.source_rank()[some], np.asarray(placement.time[some])


def is_corrected(
    stamp: npt.NDArray[np.int64], time: npt.NDArray[np.int64], future: npt.NDArray[np.uint8]
) -> npt.NDArray[np.bool_]:
    """Which events stand at another time than they say; those from the future were placed, not put right."""
    found: npt.NDArray[np.bool_] = (stamp != time) & (future == 0)
    return found


def write_clocks(
    folder: AnyPath, source: npt.NDArray[np.int16], time: npt.NDArray[np.int64], sources: Sequence[str]
) -> str:
    """Write the table, and return its name; "" where there is nothing in it.

    Parameters
    ----------
    folder : AnyPath
        The log's.
    source : int16, shape (n,)
        Ranks.
    time : int64, shape (n,)
        µs UTC.
    sources : sequence of str
        By rank, the bytes of their names.
    """
    if not len(source):
        return ""
    order = np.lexsort((time, source))
    columns: list[Any] = [coded_column(source[order].astype(np.int64), pa.array(sources, pa.string()))]
    columns.append(pa.array(np.ascontiguousarray(time[order])))
    return write_table(folder, "clocks", pa.RecordBatch.from_arrays(columns, ["source", "time"]))


def count_corrected(log: JourneyLog, start_us: int | None = None, end_us: int | None = None) -> dict[str, int] | None:
    """Events whose time was put right, by source; sources without any are not named. None: the log does not say.

    Parameters
    ----------
    log : JourneyLog
    start_us, end_us : int, optional
        Of the time that was put right: from the one to before the other.

    Raises
    ------
    Corrupt
        The table cannot be read.
    """
    name = log.manifest.get("clocks")
    if not name:
        return None if name is None else {}
    batch = log_table(log.folder, str(name))
    time, coded = batch.column("time").to_numpy(), batch.column("source")
    inside = np.ones(len(time), dtype=np.bool_)
    if start_us is not None:
        inside &= time >= start_us
    if end_us is not None:
        inside &= time < end_us
    names = coded.dictionary.to_pylist()
    counts = np.bincount(coded.indices.to_numpy()[inside], minlength=len(names))
    return {name: count for name, count in zip(names, counts.tolist(), strict=True) if count}
