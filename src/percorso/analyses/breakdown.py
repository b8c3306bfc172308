"""The value by which something counts in an answer that is broken down: that of one event, or of its person."""

from __future__ import annotations

import numpy as np

from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.errors import NotFound, nearest_hint
from percorso.kernels.arrays import I32, I64
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["group_code", "groups_of", "plan_breakdown"]

_PERSON = "person."


def plan_breakdown(by: str, log: JourneyLog) -> GlobalCodes | None:
    """The values of a field that has been checked; None for "": not broken down."""
    if not by:
        return None
    if by.startswith(_PERSON):
        return global_codes(log, by.removeprefix(_PERSON), table="persons")
    return global_codes(log, by)


def groups_of(by: GlobalCodes | None, bucket: Bucket, event: I32 | I64, person: I32) -> I32:
    """Global code of each, int32 of shape (n,); 0 where nothing is broken down.

    Parameters
    ----------
    by : GlobalCodes or None
    bucket : Bucket
    event, person : integer arrays, shape (n,)
        Whose field counts.
    """
    if by is None or not len(event):
        return np.zeros(len(event), np.int32)
    at = person if by.table == "persons" else event
    codes: I32 = by.lut(bucket)[bucket.table(by.table).values(by.column)[at]]
    return codes


def group_code(by: GlobalCodes | None, field: str, group: str) -> int:
    """Code of a value that a cell names; NotFound with the nearest."""
    values = ("",) if by is None else by.values
    if group not in values:
        raise NotFound(f"Nothing has {field} '{group}'.", hint=nearest_hint(group, values))
    return values.index(group)
