"""Counts by stage and something else: what stands in the cells of a journey map.

An event is in the cell of its stage; a contact in the cell of each stage in which it has an event. Events without a
stage (what the shop sent to somebody without a journey) are in no cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.contacts import Contacts
from percorso.kernels.arrays import I64, U8, U64, Bools
from percorso.kernels.cells import count_codes, count_contact_cells, count_event_cells
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["CellPlan", "Cells", "contact_cells", "event_cells", "event_counts", "no_cells", "plan_cells", "sum_cells"]


@dataclass(frozen=True, slots=True)
class CellPlan:
    """Rows and columns of a table of cells.

    Parameters
    ----------
    column : str
        A coded column of events: the columns of the table.
    stages : tuple of str
        Keys of the stages, in order: the rows.
    values : GlobalCodes
        The values of `column`.
    """

    column: str
    stages: tuple[str, ...]
    values: GlobalCodes

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.stages), len(self.values.values)


@dataclass(frozen=True, slots=True)
class Cells:
    """Counts of each cell, int64 of shape (n_stages, n_values): `number` of events or contacts, and of persons."""

    number: I64
    persons: I64

    def merge(self, other: Cells) -> Cells:
        return Cells(self.number + other.number, self.persons + other.persons)


def plan_cells(log: JourneyLog, column: str, stages: tuple[str, ...]) -> CellPlan:
    """A table of stages by the values of a column."""
    return CellPlan(column, stages, global_codes(log, column))


def no_cells(plan: CellPlan) -> Cells:
    """What merges without effect."""
    return Cells(np.zeros(plan.shape, np.int64), np.zeros(plan.shape, np.int64))


def sum_cells(plan: CellPlan, parts: list[Cells]) -> Cells:
    """Many partials as one."""
    total = no_cells(plan)
    for part in parts:
        total = total.merge(part)
    return total


def event_cells(plan: CellPlan, bucket: Bucket, keep: U8) -> Cells:
    """Events and persons of each cell, of one bucket.

    Parameters
    ----------
    plan : CellPlan
    bucket : Bucket
    keep : uint8 array, shape (n_events,) or (0,)
        Which events are in; of no elements: all.
    """
    events = bucket.events
    names = events.dictionary(plan.column)
    n_stages = len(events.dictionary("stage"))
    number, persons = np.zeros(n_stages * len(names), np.int64), np.zeros(n_stages * len(names), np.int64)
    skip = names.index("") if "" in names else -1
    count_event_cells(
        bucket.offsets(), keep, events.values("stage"), events.values(plan.column), len(names), skip, number, persons
    )
    return _global(plan, bucket, number, persons)


def event_counts(plan: CellPlan, bucket: Bucket, keep: U8) -> Cells:
    """As `event_cells`, but without persons, which are 0."""
    events = bucket.events
    names = events.dictionary(plan.column)
    number = np.zeros(len(events.dictionary("stage")) * len(names), np.int64)
    count_codes(keep, events.values("stage"), events.values(plan.column), len(names), number)
    return _global(plan, bucket, number, np.zeros_like(number))


def contact_cells(plan: CellPlan, bucket: Bucket, contacts: Contacts, stages: U64, wanted: Bools) -> Cells:
    """Contacts and persons of each cell, of one bucket; a contact's value is that of its first event.

    Parameters
    ----------
    plan : CellPlan
    bucket : Bucket
    contacts : Contacts
    stages : uint64 array, shape (n_contacts,)
        The stages of each, one bit each, in the bucket's own codes.
    wanted : bool array, shape (n_contacts,)
        Which of them count.
    """
    events = bucket.events
    names, n_stages = events.dictionary(plan.column), len(events.dictionary("stage"))
    nothing = names.index("") if "" in names else -1
    code = events.values(plan.column)[contacts.row].astype(np.int32)
    code[~wanted | (code == nothing)] = -1
    number, persons = np.zeros(n_stages * len(names), np.int64), np.zeros(n_stages * len(names), np.int64)
    count_contact_cells(stages, contacts.person, code, len(names), n_stages, number, persons)
    return _global(plan, bucket, number, persons)


def _global(plan: CellPlan, bucket: Bucket, number: I64, persons: I64) -> Cells:
    """A bucket's own rows and columns as the plan's; the row of no stage is left out."""
    known = bucket.events.dictionary("stage")
    rows = [(local, plan.stages.index(name)) for local, name in enumerate(known) if name in plan.stages]
    total = no_cells(plan)
    lut = plan.values.lut(bucket)
    for mine, target in ((number, total.number), (persons, total.persons)):
        table = mine.reshape(len(known), len(lut))
        for local, row in rows:
            target[row, lut] += table[local]
    return total
