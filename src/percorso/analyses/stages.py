"""Stages: how many customers are at each, for how long, where they go from there, and where they leave.

Defined in docs/reference/stages.md. The plain twin is tests/naive/stages.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.contact_people import check_role, marked_persons
from percorso.analyses.contact_plan import ContactPlan, cell_of, group_at, shown_names
from percorso.analyses.contact_report import (
    OfNobody,
    by_name,
    few_warning,
    fold_with_nobody,
    order_totals,
    ratio_column,
    seconds_column,
    value_warnings,
    wilson_columns,
)
from percorso.analyses.kept import KEPT_TIMES, Kept, n_bytes
from percorso.analyses.outcomes import ABANDONED
from percorso.analyses.people import PersonTask
from percorso.analyses.quantiles import find_quantiles
from percorso.analyses.result import Result
from percorso.analyses.select import select_events
from percorso.analyses.spec import Scope
from percorso.analyses.stage_counts import (
    START,
    StageCounts,
    count_stages,
    no_stages,
    now_cells,
    plan_stages,
    stays_of,
    times_in,
)
from percorso.analyses.touchpoint_counts import end_cells, ends_of, own_orders
from percorso.analyses.worth import amounts_column
from percorso.errors import SpecError
from percorso.kernels.arrays import I64, Bools
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["STAGE_ROLES", "StagesSpec", "run_stages", "stage_people"]

#: Which persons of a stage one can ask for.
STAGE_ROLES = ("in", "progressed", "skipped", "regressed", "exited", "now")

_FROM_START = "(start)"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagesSpec:
    """All stages of the workspace's model.

    Parameters
    ----------
    scope : Scope
        Its break-down goes by each event; of stays by the event with which they begin, of journeys by the one that
        opened them.
    """

    scope: Scope = field(default_factory=Scope)


@dataclass(frozen=True, slots=True)
class _Found:
    counts: StageCounts
    nobody: OfNobody
    times: I64
    touchpoints: tuple[str, ...]


def run_stages(spec: StagesSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None) -> Result:
    """Answer a question about stages.

    Returns
    -------
    Result
        Table ``stages``, in the order of the model; without a break-down also ``moves`` and ``exits``.
    """
    basis = basis or Basis()
    plan = plan_stages(spec.scope, log, basis)
    found = _gather(plan, log, basis, threads)
    table = _table(plan, found, basis)
    tables = {"stages": table}
    if plan.by is None:
        tables |= {"moves": _moves(plan, found), "exits": _exits(plan, found)}
    counts = found.counts
    valueless = int(counts.valueless.sum()) + found.nobody.total[2]
    told = value_warnings(valueless, (*counts.missing, *found.nobody.missing), basis)
    warnings = (*few_warning(table, "stage"), *told)
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, _totals(found, basis), warnings)


def _gather(plan: ContactPlan, log: JourneyLog, basis: Basis, threads: int | None) -> _Found:
    touchpoints: GlobalCodes = global_codes(log, "touchpoint")
    kept = Kept(lambda bucket: times_in(plan, bucket), n_bytes, KEPT_TIMES)
    counts, nobody = fold_with_nobody(
        plan,
        log,
        lambda bucket: count_stages(plan, bucket, basis, touchpoints, kept),
        StageCounts.merge,
        no_stages(plan, len(touchpoints.values)),
        lambda bucket: own_orders(plan, bucket, basis),
        threads=threads,
    )
    moved = counts.moves.copy()
    moved[:, -1] = 0  # from the start there is no time
    measured = np.concatenate([counts.over, counts.further, moved.reshape(-1)])
    times = find_quantiles(log, kept, measured, threads=threads)
    return _Found(counts, nobody, times, touchpoints.values)


def _table(plan: ContactPlan, found: _Found, basis: Basis) -> pa.Table:
    counts, w = found.counts, plan.n_names
    cells = np.arange(plan.n_cells)
    anything = counts.events + counts.journeys + counts.now + counts.orders
    has_any = anything.reshape(plan.n_groups, w).sum(axis=1) > 0
    cells = cells[(has_any[cells // w] & (cells % w < w - 1)) | (counts.orders > 0)]
    columns: dict[str, Any] = {}
    if plan.by is not None:
        columns[by_name(plan)] = shown_names(plan.by.values).take(pa.array(cells // w))
    columns["stage"] = shown_names(plan.names.values).take(pa.array(cells % w))
    columns["persons"] = counts.persons[cells]
    columns |= wilson_columns("share", counts.persons[cells], np.full(len(cells), counts.active))
    columns |= {name: getattr(counts, name)[cells] for name in ("contacts", "events", "journeys", "stays")}
    columns["open_stays"] = (counts.stays - counts.over)[cells]
    columns["median_s"], columns["p90_s"] = (seconds_column(found.times[cells, n], counts.over[cells]) for n in (0, 1))
    columns |= {name: values[cells] for name, values in _directions(plan, counts).items()}
    columns |= {"entered": counts.entered[cells], "further": counts.further[cells]}
    columns |= wilson_columns("progression", counts.further[cells], counts.entered[cells])
    later = found.times[plan.n_cells + cells]
    columns["next_median_s"], columns["next_p90_s"] = (
        seconds_column(later[:, n], counts.further[cells]) for n in (0, 1)
    )
    exits = counts.exits.sum(axis=1)[cells]
    columns["exits"] = exits
    columns |= wilson_columns("exit_share", exits, np.full(len(cells), counts.abandoned))
    columns |= {"now": counts.now[cells], "orders": counts.orders[cells]}
    return pa.table(columns | {"value": amounts_column(counts.value[cells], basis.currency)})


def _directions(plan: ContactPlan, counts: StageCounts) -> dict[str, I64]:
    """Moves out of each cell by where they lead, and moves over it; within a group of the break-down."""
    w = plan.n_names
    moves = counts.moves.reshape(plan.n_groups, w, w)  # group, to, from (the last: from the start)
    to, source = np.indices((w, w))
    source = np.where(source == w - 1, START, source)
    found = {
        "progressed": np.where(to == source + 1, moves, 0),
        "skipped_ahead": np.where(to > source + 1, moves, 0),
        "regressed": np.where(to < source, moves, 0),
    }
    # A move from the start leads out of no stage: the column of "from none" is not shown.
    leaving = {name: part.sum(axis=1).reshape(-1) for name, part in found.items()}
    over = np.stack([np.where((source < s) & (s < to), moves, 0).sum(axis=(1, 2)) for s in range(w)], axis=1)
    return leaving | {"passed_over": over.reshape(-1)}


def _moves(plan: ContactPlan, found: _Found) -> pa.Table:
    """Moves between stages: from the start first, then in the order of the stages."""
    counts, w = found.counts, plan.n_names
    to, source = np.nonzero(counts.moves)
    order = np.lexsort((to, (source + 1) % w))
    to, source = to[order], source[order]
    names = pa.array([*plan.names.values[:-1], _FROM_START], pa.string())
    from_start = source == w - 1
    step = to - np.where(from_start, START, source)
    kinds = np.where(from_start, "enter", np.where(step < 0, "regress", np.where(step == 1, "progress", "skip")))
    median = found.times[2 * plan.n_cells + to * w + source, 0]
    return pa.table(
        {
            "from": names.take(pa.array(source)),
            "to": names.take(pa.array(to)),
            "kind": pa.array(kinds.tolist(), pa.string()),
            "count": counts.moves[to, source],
            "persons": counts.movers[to, source],
            "median_s": seconds_column(median, (~from_start).astype(np.int64)),
        }
    )


def _exits(plan: ContactPlan, found: _Found) -> pa.Table:
    """Where abandoned journeys end: by stage, the most frequent touchpoint first."""
    exits = found.counts.exits
    stage, name = np.nonzero(exits)
    order = np.lexsort((name, -exits[stage, name], stage))
    stage, name = stage[order], name[order]
    return pa.table(
        {
            "stage": shown_names(plan.names.values).take(pa.array(stage)),
            "touchpoint": shown_names(found.touchpoints).take(pa.array(name)),
            "journeys": exits[stage, name],
            "share": ratio_column(exits[stage, name], exits.sum(axis=1)[stage]),
        }
    )


def _totals(found: _Found, basis: Basis) -> dict[str, Any]:
    counts = found.counts
    return {
        "currency": basis.currency,
        "model": basis.stages.name,
        "persons": counts.active,
        "abandoned": counts.abandoned,
        "now": int(counts.now.sum()),
        **order_totals(counts.orders, counts.value, counts.valueless, found.nobody, basis),
    }


def stage_people(
    spec: StagesSpec, log: JourneyLog, stage: str, role: str = "in", group: str = "", *, basis: Basis | None = None
) -> PersonTask:
    """The persons behind a number of a stage.

    Parameters
    ----------
    spec : StagesSpec
    log : JourneyLog
    stage : str
    role : {"in", "progressed", "skipped", "regressed", "exited", "now"}
        With an event in it; who moved from it to the next, to a later, or to an earlier one; with a journey abandoned
        there; who are in it at the as-of time.
    group : str
        The break-down's value.
    basis : Basis, optional
    """
    check_role(role, STAGE_ROLES)
    basis = basis or Basis()
    plan = plan_stages(spec.scope, log, basis)
    cell = cell_of(plan, stage, group)
    if cell % plan.n_names == plan.n_names - 1:
        raise SpecError("Persons are at a stage or at none.", hint=", ".join(plan.names.values[:-1]))
    match role:
        case "in":
            return lambda bucket: _in_stage(plan, bucket, cell)
        case "now":
            return lambda bucket: now_cells(plan, bucket, basis) == cell
        case "exited":
            return lambda bucket: _exited(plan, bucket, cell)
        case _:
            return lambda bucket: _moved(plan, bucket, cell, role)


def _in_stage(plan: ContactPlan, bucket: Bucket, cell: int) -> Bools:
    rows = np.flatnonzero(plan.names.lut(bucket)[bucket.events.values("stage")] == cell % plan.n_names)
    mask = select_events(plan.scope, bucket).dense()
    rows = rows if mask is None else rows[mask[rows] != 0]
    person = np.searchsorted(bucket.offsets(), rows, side="right") - 1
    if plan.by is not None:
        group = group_at(plan, bucket, rows.astype(np.int32), person.astype(np.int32))
        person = person[group == cell // plan.n_names]
    return marked_persons(bucket, person.astype(np.int32))


def _exited(plan: ContactPlan, bucket: Bucket, cell: int) -> Bools:
    ends = ends_of(plan, bucket)
    stage = plan.names.lut(bucket).take(bucket.events.values("stage"))
    inside = (end_cells(ends, stage, ends.last) == cell) & (ends.state == ABANDONED)
    return marked_persons(bucket, bucket.table("journeys").values("person")[inside])


def _moved(plan: ContactPlan, bucket: Bucket, cell: int, role: str) -> Bools:
    stays = stays_of(plan, bucket)
    source, group = cell % plan.n_names, cell // plan.n_names
    mine = stays.inside & (stays.before == source) & (stays.cell // plan.n_names == group)
    step = stays.stage - source
    wanted = {"progressed": step == 1, "skipped": step > 1, "regressed": step < 0}[role]
    return marked_persons(bucket, stays.person[mine & wanted])
