"""Places: where contacts happen, whom they reach, how journeys go between them, and what is bought where.

Defined in docs/reference/places.md. The plain twin is tests/naive/places.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.contact_moves import Moves, breadth_table, count_moves, move_totals, moves_table
from percorso.analyses.contact_people import contact_people
from percorso.analyses.contact_plan import ContactPlan, ContactsBy, plan_contacts
from percorso.analyses.contact_report import (
    Gathered,
    contact_table,
    contact_totals,
    contact_warnings,
    gather,
    young_warning,
)
from percorso.analyses.contact_roles import JourneyContacts, names_at
from percorso.analyses.conversion_points import points_table
from percorso.analyses.people import PersonTask
from percorso.analyses.researched import Researched, count_researched, researched_table
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["PlacesSpec", "place_people", "run_places"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacesSpec:
    """All places.

    Parameters
    ----------
    scope : Scope
        Its break-down goes by the first event of contacts and journeys, and by the event of orders.
    """

    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class _Beside:
    """Of places only: moves between devices, and orders after research elsewhere."""

    devices: Moves
    researched: Researched

    def merge(self, other: _Beside) -> _Beside:
        return _Beside(self.devices.merge(other.devices), self.researched.merge(other.researched))


def run_places(spec: PlacesSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None) -> Result:
    """Answer a question about places.

    Returns
    -------
    Result
        Table ``places``; without a break-down also ``switches``, ``breadth``, ``conversion_points``, ``ropo``,
        ``devices`` and ``device_breadth``.
    """
    basis = basis or Basis()
    plan, devices = plan_contacts(spec.scope, log, "place", basis), global_codes(log, "device")

    def beside(bucket: Bucket, found: ContactsBy, of: JourneyContacts) -> _Beside:
        moves = count_moves(bucket, of, names_at(devices, bucket, found, of), len(devices.values))
        return _Beside(moves, count_researched(plan, bucket, basis))

    found = gather(plan, log, basis, beside=beside if plan.by is None else None, threads=threads)
    table = contact_table(plan, found, "place", basis)
    totals = contact_totals(found, basis) | move_totals(found.moves)
    tables = {"places": table}
    if plan.by is None:
        tables |= _tables_beside(plan, found, devices, basis)
        totals |= move_totals(found.beside.devices, "device_")
    young = young_warning(plan, "places", tables.values(), log)
    warnings = (*young, *contact_warnings(table, "place", found, basis))
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, totals, warnings)


def _tables_beside(plan: ContactPlan, found: Gathered, devices: GlobalCodes, basis: Basis) -> dict[str, Any]:
    beside: _Beside = found.beside
    tables: dict[str, pa.Table] = {
        "switches": moves_table(found.moves, plan.names.values),
        "breadth": breadth_table(found.moves, "places"),
        "conversion_points": points_table(found.points, "place", plan.names.values, basis.currency),
        "ropo": researched_table(beside.researched, basis),
        "devices": moves_table(beside.devices, devices.values),
        "device_breadth": breadth_table(beside.devices, "devices"),
    }
    return tables


def place_people(
    spec: PlacesSpec,
    log: JourneyLog,
    place: str,
    role: str = "reached",
    group: str = "",
    *,
    basis: Basis | None = None,
) -> PersonTask:
    """The persons behind a number of a place; see `contact_people.ROLES_OF_PEOPLE`."""
    return contact_people(plan_contacts(spec.scope, log, "place", basis), place, role, group)
