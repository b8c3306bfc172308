"""Touchpoints: what customers meet, at which stage, what it leads to, and where they leave.

Defined in docs/reference/touchpoints.md. The plain twin is tests/naive/touchpoints.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.codes import global_codes
from percorso.analyses.contact_people import check_role, marked_persons
from percorso.analyses.contact_plan import NOTHING, ContactPlan, cell_of, plan_contacts, shown_names
from percorso.analyses.contact_report import (
    OfNobody,
    by_name,
    few_warning,
    fold_with_nobody,
    order_columns,
    order_totals,
    period_weeks,
    ratio_column,
    reach_columns,
    role_columns,
    time_columns,
    value_warnings,
    wilson_columns,
    young_warning,
)
from percorso.analyses.conversion_points import points_table
from percorso.analyses.kept import KEPT_TIMES, Kept, n_bytes
from percorso.analyses.outcomes import ABANDONED
from percorso.analyses.people import PersonTask
from percorso.analyses.quantiles import find_quantiles
from percorso.analyses.result import Result
from percorso.analyses.spec import Scope
from percorso.analyses.touchpoint_counts import (
    TouchpointCounts,
    count_touchpoints,
    durations_in,
    end_cells,
    ends_of,
    names_of_events,
    no_touchpoints,
    own_orders,
    pairs_of,
    present_in,
)
from percorso.kernels.arrays import I32, I64, Bools
from percorso.kernels.contact_counts import INBOUND, OUTBOUND, PERSONS
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["TOUCHPOINT_ROLES", "TouchpointsSpec", "run_touchpoints", "touchpoint_people"]

#: Which persons of a touchpoint one can ask for.
TOUCHPOINT_ROLES = ("reached", "first", "last", "assist", "bought", "exited")


@dataclass(frozen=True, slots=True, kw_only=True)
class TouchpointsSpec:
    """All touchpoints.

    Parameters
    ----------
    scope : Scope
        Its break-down goes by each event, of journeys by the event that opened them.
    """

    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class _Found:
    counts: TouchpointCounts
    nobody: OfNobody
    places: tuple[str, ...]
    stages: tuple[str, ...]
    durations: Kept[tuple[I32, I64]]


def run_touchpoints(
    spec: TouchpointsSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None
) -> Result:
    """Answer a question about touchpoints.

    Returns
    -------
    Result
        Table ``touchpoints``; without a break-down also ``stages`` and ``conversion_points``.
    """
    basis = basis or Basis()
    plan = plan_contacts(spec.scope, log, "touchpoint", basis)
    found = _gather(plan, log, basis, threads)
    counts = found.counts
    time = find_quantiles(log, found.durations, counts.measured, threads=threads)
    table = _table(plan, found, time, basis)
    tables = {"touchpoints": table}
    if plan.by is None:
        tables["stages"] = _stages(plan, found, basis)
        tables["conversion_points"] = points_table(counts.points, "touchpoint", plan.names.values, basis.currency)
    valueless = int(counts.valueless.sum()) + found.nobody.total[2]
    warnings = value_warnings(valueless, (*counts.missing, *found.nobody.missing), basis)
    young = young_warning(plan, "touchpoints", tables.values(), log)
    warnings = (*young, *few_warning(table, "touchpoint"), *warnings)
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, _totals(plan, found, basis), warnings)


def _gather(plan: ContactPlan, log: JourneyLog, basis: Basis, threads: int | None) -> _Found:
    places, stages = global_codes(log, "place"), global_codes(log, "stage")
    durations = Kept(lambda bucket: durations_in(plan, bucket), n_bytes, KEPT_TIMES)
    counts, nobody = fold_with_nobody(
        plan,
        log,
        lambda bucket: count_touchpoints(plan, bucket, basis, places, stages, durations),
        TouchpointCounts.merge,
        no_touchpoints(plan.n_cells, len(places.values), len(stages.values)),
        lambda bucket: own_orders(plan, bucket, basis),
        threads=threads,
    )
    return _Found(counts, nobody, places.values, stages.values, durations)


def _table(plan: ContactPlan, found: _Found, time: I64, basis: Basis) -> pa.Table:
    counts = found.counts
    events = counts.directions.sum(axis=1)
    shown = np.flatnonzero(events + counts.roles[:, 0] + counts.orders + found.nobody.cells[0])
    group, name = shown // max(plan.n_names, 1), shown % max(plan.n_names, 1)
    order = np.lexsort((name, -events[shown], -counts.contacts[shown, PERSONS], group))
    cells = shown[order]
    columns: dict[str, Any] = {}
    if plan.by is not None:
        columns[by_name(plan)] = shown_names(plan.by.values).take(pa.array(group[order]))
    columns["touchpoint"] = shown_names(plan.names.values).take(pa.array(name[order]))
    columns["place"] = _most(counts.places[cells], found.places)
    columns["direction"] = _directions(counts.directions[cells])
    columns["stage"] = _most(_without_none(counts.stages[cells], found.stages), found.stages)
    columns["events"] = events[cells]
    weeks = period_weeks(plan, counts.first_us)
    reach = reach_columns(counts.contacts[cells], counts.active, weeks)
    columns |= {key: value for key, value in reach.items() if key not in ("inbound", "outbound")}
    columns |= time_columns(counts.contacts[cells], counts.measured[cells], counts.time_us[cells], time[cells])
    columns |= role_columns(counts.roles[cells])
    columns["exits"] = counts.exits[cells]
    columns |= wilson_columns("exit_share", counts.exits[cells], np.full(len(cells), int(counts.journeys[ABANDONED])))
    money = (counts.orders, counts.value, *found.nobody.cells[:2])
    return pa.table(columns | order_columns(money, cells, basis))


def _without_none(counts: I64, values: tuple[str, ...]) -> I64:
    """Events without a stage are of none, however many they are."""
    known = counts.copy()
    if "" in values:
        known[:, values.index("")] = 0
    return known


def _most(counts: I64, values: tuple[str, ...]) -> pa.Array:
    """The most frequent value of each row, of equals the first by name; null where there is none."""
    if not counts.size:
        return pa.nulls(len(counts), pa.string())
    best = counts.argmax(axis=1)
    is_known = (counts > 0).sum(axis=1) > 0
    shown = zip(best.tolist(), is_known.tolist(), strict=True)
    return pa.array([values[at] or NOTHING if is_any else None for at, is_any in shown], pa.string())


def _directions(counts: I64) -> pa.Array:
    names = {(True, False): "inbound", (False, True): "outbound", (True, True): "both"}
    return pa.array([names.get((inbound > 0, outbound > 0)) for inbound, outbound in counts.tolist()], pa.string())


def _stages(plan: ContactPlan, found: _Found, basis: Basis) -> pa.Table:
    """Events of each touchpoint by stage, in the order of the stages."""
    keys = [stage.key for stage in basis.stages.stages]
    rank = {name: keys.index(name) if name in keys else len(keys) for name in found.stages}
    by_stage = found.counts.stages
    name, stage = np.nonzero(by_stage)
    ranks = np.array([rank[found.stages[at]] for at in stage.tolist()], np.int64)
    order = np.lexsort((stage, ranks, name))
    name, stage = name[order], stage[order]
    events = by_stage[name, stage]
    return pa.table(
        {
            "touchpoint": shown_names(plan.names.values).take(pa.array(name)),
            "stage": shown_names(found.stages).take(pa.array(stage)),
            "events": events,
            "share": ratio_column(events, by_stage.sum(axis=1)[name]),
        }
    )


def _totals(plan: ContactPlan, found: _Found, basis: Basis) -> dict[str, Any]:
    counts = found.counts
    return {
        "currency": basis.currency,
        "persons": counts.active,
        "events": int(counts.directions.sum()),
        "inbound_events": int(counts.directions[:, INBOUND].sum()),
        "outbound_events": int(counts.directions[:, OUTBOUND].sum()),
        "weeks": period_weeks(plan, counts.first_us),
        "journeys": int(counts.journeys.sum()),
        "converted": int(counts.journeys[1]),
        "abandoned": int(counts.journeys[ABANDONED]),
        "open": int(counts.journeys[0]),
        **order_totals(counts.orders, counts.value, counts.valueless, found.nobody, basis),
    }


def touchpoint_people(
    spec: TouchpointsSpec,
    log: JourneyLog,
    touchpoint: str,
    role: str = "reached",
    group: str = "",
    *,
    basis: Basis | None = None,
) -> PersonTask:
    """The persons behind a number of a touchpoint.

    Parameters
    ----------
    spec : TouchpointsSpec
    log : JourneyLog
    touchpoint : str
    role : {"reached", "first", "last", "assist", "bought", "exited"}
        With a contact that has it; with a journey in which it is the first, the last, or present and neither; with an
        order of its own; with an abandoned journey that ends there.
    group : str
        The break-down's value.
    """
    check_role(role, TOUCHPOINT_ROLES)
    plan = plan_contacts(spec.scope, log, "touchpoint", basis)
    cell = cell_of(plan, touchpoint, group)
    if role == "reached":
        return lambda bucket: _reached(plan, bucket, cell)
    if role == "bought":
        return lambda bucket: _bought(plan, bucket, cell)
    return lambda bucket: _by_role(plan, bucket, cell, role)


def _reached(plan: ContactPlan, bucket: Bucket, cell: int) -> Bools:
    pairs = pairs_of(plan, bucket)
    return marked_persons(bucket, pairs.person[pairs.cell == cell])


def _bought(plan: ContactPlan, bucket: Bucket, cell: int) -> Bools:
    bought = own_orders(plan, bucket, Basis())
    return marked_persons(bucket, bought.orders.person[bought.cell == cell])


def _by_role(plan: ContactPlan, bucket: Bucket, cell: int, role: str) -> Bools:
    ends, name = ends_of(plan, bucket), names_of_events(plan, bucket)
    first, last = (end_cells(ends, name, row) == cell for row in (ends.first, ends.last))
    if role == "assist":
        row, offsets = present_in(plan, bucket, name)
        journey = np.repeat(np.arange(len(ends.state)), np.diff(offsets))
        mine = (ends.base[journey] + name[row] == cell) & (row <= ends.last_row[journey]) & (ends.first[journey] >= 0)
        inside = np.zeros(len(ends.state), np.bool_)
        inside[journey[mine]] = True
        inside &= ~(first | last)
    else:
        inside = {"first": first, "last": last, "exited": last & (ends.state == ABANDONED)}[role]
    return marked_persons(bucket, bucket.table("journeys").values("person")[inside])
