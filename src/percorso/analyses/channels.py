"""Channels: what brought contacts, whom they reach, and what they are in the journeys that buy.

Defined in docs/reference/channels.md. The plain twin is tests/naive/channels.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa

from percorso.analyses.ad_costs import AdCosts, cost_columns
from percorso.analyses.basis import Basis
from percorso.analyses.contact_moves import breadth_table, move_totals, moves_table
from percorso.analyses.contact_people import contact_people
from percorso.analyses.contact_plan import NOTHING, plan_contacts
from percorso.analyses.contact_report import (
    contact_table,
    contact_totals,
    contact_warnings,
    gather,
    young_warning,
)
from percorso.analyses.conversion_points import points_table
from percorso.analyses.people import PersonTask
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.store.journey_log import JourneyLog

__all__ = ["ChannelsSpec", "channel_people", "run_channels", "takes_costs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsSpec:
    """All channels.

    Parameters
    ----------
    scope : Scope
        Its break-down goes by the first event of contacts and journeys, and by the event of orders.
    """

    scope: Scope = field(default_factory=Scope)


def run_channels(
    spec: ChannelsSpec,
    log: JourneyLog,
    basis: Basis | None = None,
    *,
    costs: AdCosts | None = None,
    threads: int | None = None,
) -> Result:
    """Answer a question about channels.

    Parameters
    ----------
    spec : ChannelsSpec
    log : JourneyLog
    basis : Basis, optional
    costs : AdCosts, optional
        Of the question's period; shown where neither a condition, a rule of persons nor a break-down tells apart what
        costs cannot.
    threads : int, optional

    Returns
    -------
    Result
        Table ``channels``; without a break-down also ``switches``, ``breadth`` and ``conversion_points``.
    """
    basis = basis or Basis()
    plan = plan_contacts(spec.scope, log, "channel", basis)
    found = gather(plan, log, basis, threads=threads)
    table = contact_table(plan, found, "channel", basis)
    warnings = contact_warnings(table, "channel", found, basis)
    totals = contact_totals(found, basis) | move_totals(found.moves)
    if costs is not None and costs.by_channel and takes_costs(spec.scope):
        table, more = _with_costs(table, costs, basis)
        warnings += more
    tables = {"channels": table}
    if plan.by is None:
        tables |= {
            "switches": moves_table(found.moves, plan.names.values),
            "breadth": breadth_table(found.moves, "channels"),
            "conversion_points": points_table(found.points, "channel", plan.names.values, basis.currency),
        }
    warnings = (*young_warning(plan, "channels", tables.values(), log), *warnings)
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, totals, warnings)


def takes_costs(scope: Scope) -> bool:
    """True if all contacts of a channel are in, as all of its costs are."""
    return not (scope.where.strip() or scope.persons.strip() or scope.by)


def _with_costs(table: pa.Table, costs: AdCosts, basis: Basis) -> tuple[pa.Table, tuple[str, ...]]:
    """The table with its costs, and what cost something but brought nothing."""
    channels = table.column("channel").to_pylist()
    inbound, new = (table.column(name).to_numpy() for name in ("inbound", "new_persons"))
    for name, values in cost_columns(costs, channels, inbound, new, basis).items():
        table = table.append_column(name, values)
    idle = sorted(name or NOTHING for name in set(costs.by_channel) - set(channels) if costs.by_channel[name])
    told = (f"Cost without a contact: {', '.join(idle)}.",) if idle else ()
    lacking = sum(one.orders for one in costs.missing)
    return table, told + (
        (f"{lacking:,} ad costs have no rate to {basis.currency}: they are left out.",) if lacking else ()
    )


def channel_people(
    spec: ChannelsSpec,
    log: JourneyLog,
    channel: str,
    role: str = "reached",
    group: str = "",
    *,
    basis: Basis | None = None,
) -> PersonTask:
    """The persons behind a number of a channel; see `contact_people.ROLES_OF_PEOPLE`."""
    return contact_people(plan_contacts(spec.scope, log, "channel", basis), channel, role, group)
