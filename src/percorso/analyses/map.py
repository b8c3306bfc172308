"""The measured journey map: persona by stage, every cell from data.

Defined in docs/reference/map.md. What is counted for the map alone is in `map_lanes` and `feedback`, whose plain twins
are in tests/naive/map.py; stages and KPIs are those of their own analyses, so that they agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.feedback import feedback_rows
from percorso.analyses.intervals import wilson
from percorso.analyses.jackknife import ratio_interval
from percorso.analyses.kpis import KpiInputs, KpisSpec, run_kpis
from percorso.analyses.map_lanes import LANES, LaneCounts, LanePlan, count_lanes, lane_rows, plan_lanes, signal_rows
from percorso.analyses.result import Result
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope
from percorso.analyses.stages import StagesSpec, run_stages
from percorso.errors import SpecError
from percorso.kernels.arrays import I64
from percorso.settings import MapGoal
from percorso.settings.stages import StageModel
from percorso.store.journey_log import JourneyLog

__all__ = ["MAP_KPIS", "MapSpec", "purchases_end_at", "run_map"]

_MOST = 100
_LEAST_PERSONS = 5
_BEFORE_ORDER = ("aware", "consider", "convert")

#: KPIs that stand on the map, by the signal whose stage they belong to.
MAP_KPIS: Mapping[str, tuple[str, ...]] = {
    "aware": ("new_persons", "bounce_rate"),
    "consider": ("consideration_rate", "newsletter_rate", "sign_up_rate"),
    "convert": ("cart_abandonment",),
    "order": ("conversion_rate", "average_order_value", "time_to_convert"),
    "care": ("repeat_purchase_180", "late_delivery", "return_rate", "contact_rate"),
    "advocate": ("nps", "review_rate", "referrals_sent"),
}

_CELLS = pa.schema(
    [
        ("stage", pa.string()),
        ("lane", pa.string()),
        ("rank", pa.int64()),
        ("item", pa.string()),
        ("items", pa.int64()),
        ("number", pa.int64()),
        ("persons", pa.int64()),
        ("share", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
    ]
)
_FEEDBACK = pa.schema(
    [
        ("stage", pa.string()),
        ("kind", pa.string()),
        ("survey", pa.string()),
        ("n", pa.int64()),
        *((name, pa.float64()) for name in ("satisfaction", "low", "high", "mean")),
        *((name, pa.float64()) for name in ("good", "good_low", "good_high", "nps", "nps_low", "nps_high")),
    ]
)
_SIGNALS = pa.schema(
    [
        ("stage", pa.string()),
        ("signal", pa.string()),
        ("hits", pa.int64()),
        ("n", pa.int64()),
        *((name, pa.float64()) for name in ("share", "low", "high")),
    ]
)
_GOALS = pa.schema([("stage", pa.string()), ("customer", pa.string()), ("brand", pa.string())])


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSpec:
    """The journey map of all customers, or with the scope's persona of one.

    Parameters
    ----------
    top : int
        Items told apart in each lane and stage.
    scope : Scope
    """

    top: int = 5
    scope: Scope = field(default_factory=Scope)

    def __post_init__(self) -> None:
        if not 1 <= self.top <= _MOST:
            raise SpecError(f"1 to {_MOST} items can be told apart, not {self.top}.")
        if self.scope.by:
            raise SpecError("A map is broken down by stage.", hint="Leave out --by; make a map of each persona.")


def run_map(
    spec: MapSpec,
    log: JourneyLog,
    basis: Basis | None = None,
    inputs: KpiInputs | None = None,
    goals: Iterable[MapGoal] = (),
    *,
    kpis: Result | None = None,
    language: str = "en",
    threads: int | None = None,
) -> Result:
    """Answer a map.

    Parameters
    ----------
    spec : MapSpec
    log : JourneyLog
    basis : Basis, optional
    inputs : KpiInputs, optional
        What KPIs take beside the log.
    goals : iterable of MapGoal
        What the team wrote; those of another persona than the spec's are left out.
    kpis : Result, optional
        An answer of the same scope with at least the map's KPIs, where the caller has asked for them already; what it
        warns of is the caller's to say.
    language : {"en", "it"}
        Of the reasons why a KPI is missing.
    threads : int, optional

    Returns
    -------
    Result
        Tables ``stages``, ``cells``, ``feedback``, ``signals``, ``moves``, ``exits``, ``goals``, ``kpis``.
    """
    basis = basis or Basis()
    stages = run_stages(StagesSpec(scope=spec.scope), log, basis, threads=threads)
    plan = plan_lanes(plan_scope(spec.scope, log, basis), log, basis)
    found = count_lanes(plan, log, threads=threads)
    of_stage = {row["stage"]: row for row in stages.table.to_pylist()}
    rows = [_stage_row(plan, found, at, of_stage.get(key, {})) for at, key in enumerate(plan.stages)]
    persons = [row["persons"] for row in rows]
    shown = [lane for lane in LANES if lane != "events"]
    wanted = tuple(kpi for kpis in MAP_KPIS.values() for kpi in kpis)
    warnings = stages.warnings
    if kpis is None:
        kpis = run_kpis(KpisSpec(scope=spec.scope, kpis=wanted), log, basis, inputs, language=language, threads=threads)
        warnings = tuple(dict.fromkeys((*warnings, *kpis.warnings)))
    tables = {
        "stages": pa.Table.from_pylist(rows, schema=_stages_schema(stages)),
        "cells": pa.Table.from_pylist(lane_rows(plan, found, persons, top=spec.top, lanes=shown), schema=_CELLS),
        "feedback": pa.Table.from_pylist(feedback_rows(plan.feedback, found.feedback), schema=_FEEDBACK),
        "signals": pa.Table.from_pylist(signal_rows(plan, found, _visits(plan, found)), schema=_SIGNALS),
        "moves": _moves(stages),
        "exits": _exits(stages),
        "goals": pa.Table.from_pylist(list(_goals(goals, spec.scope.persona, plan.stages)), schema=_GOALS),
        "kpis": _placed(kpis.table, basis),
    }
    totals = {**stages.totals, "tax": basis.tax, "signals_told": list(plan.told)}
    return Result(tables, spec, log.data_version, stages.as_of_us, totals, warnings)


def _stage_row(plan: LanePlan, found: LaneCounts, at: int, row: Mapping[str, Any]) -> dict[str, Any]:
    """What is said of a stage as a whole; a stage that nobody is in has counts of 0 and no shares."""
    persons = int(row.get("persons", 0))
    contacts = int(found.contacts[at].sum())
    low, high = _spread(found.contacts[at], found.persons[at])
    journeys, exits = int(row.get("journeys", 0)), int(row.get("exits", 0))
    can_end = journeys > 0 and purchases_end_at(plan.basis.stages, at)
    exit_low, exit_high = (wilson(min(exits, journeys), journeys) if can_end else None) or (None, None)
    return {
        "stage": plan.stages[at],
        "persons": persons,
        "share": row.get("share"),
        "low": row.get("share_low"),
        "high": row.get("share_high"),
        "inbound_contacts": contacts,
        "contacts": int(row.get("contacts", 0)),
        "events": int(row.get("events", 0)),
        "contacts_each": contacts / persons if persons else None,
        "contacts_low": low,
        "contacts_high": high,
        "time_median_s": row.get("median_s"),
        "entered": int(row.get("entered", 0)),
        "next_share": row.get("progression"),
        "next_low": row.get("progression_low"),
        "next_high": row.get("progression_high"),
        "journeys": journeys,
        "exits": exits,
        "exit_share": exits / journeys if can_end else None,
        "exit_low": exit_low,
        "exit_high": exit_high,
        "now": int(row.get("now", 0)),
        "orders": int(row.get("orders", 0)),
        "value": row.get("value", 0),
    }


def purchases_end_at(model: StageModel, at: int) -> bool:
    """Can a purchase journey be abandoned at a stage? Not at one that only an order, or what follows one, reaches."""
    return not set(_BEFORE_ORDER).isdisjoint(model.stages[at].signals)


def _spread(contacts: I64, persons: I64) -> tuple[float | None, float | None]:
    """Interval of contacts each; none of so few persons, or of persons so equal, that it would have no width."""
    interval = ratio_interval(contacts, persons) if persons.sum() >= _LEAST_PERSONS else None
    if interval is None or interval[0] == interval[1]:
        return None, None
    return max(interval[0], 0.0), interval[1]


def _stages_schema(stages: Result) -> pa.Schema:
    whole = ("persons", "inbound_contacts", "contacts", "events", "entered", "journeys", "exits", "now", "orders")
    names = (
        *("stage", "persons", "share", "low", "high", "inbound_contacts", "contacts", "events", "contacts_each"),
        *("contacts_low", "contacts_high", "time_median_s", "entered", "next_share", "next_low", "next_high"),
        *("journeys", "exits", "exit_share", "exit_low", "exit_high", "now", "orders", "value"),
    )
    kinds = {"stage": pa.string(), "value": stages.table.schema.field("value").type, **dict.fromkeys(whole, pa.int64())}
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in names])


def _visits(plan: LanePlan, found: LaneCounts) -> list[int]:
    """Visits to site and app in each stage."""
    places = plan.cells["places"].values.values
    at = [n for n, name in enumerate(places) if name in ("site", "app")]
    return [int(found.cells["places"].number[stage, at].sum()) for stage in range(len(plan.stages))]


def _moves(stages: Result) -> pa.Table:
    """Moves out of each stage, the most frequent first, as shares of all moves out of it."""
    rows = [row for row in stages.tables["moves"].to_pylist() if not row["from"].startswith("(")]
    out: dict[str, int] = {}
    for row in rows:
        out[row["from"]] = out.get(row["from"], 0) + row["count"]
    order = list(out)
    rows.sort(key=lambda row: (order.index(row["from"]), -row["count"]))
    return pa.table(
        {
            "stage": pa.array([row["from"] for row in rows], pa.string()),
            "to": pa.array([row["to"] for row in rows], pa.string()),
            "count": pa.array([row["count"] for row in rows], pa.int64()),
            "share": pa.array([row["count"] / out[row["from"]] for row in rows], pa.float64()),
        }
    )


def _exits(stages: Result) -> pa.Table:
    return stages.tables["exits"].rename_columns(["stage", "touchpoint", "count", "share"])


def _goals(goals: Iterable[MapGoal], persona: str, stages: tuple[str, ...]) -> Iterable[dict[str, str]]:
    for goal in goals:
        if goal.stage in stages and goal.persona in ("", persona):
            yield {"stage": goal.stage, "customer": goal.customer, "brand": goal.brand}


def _placed(kpis: pa.Table, basis: Basis) -> pa.Table:
    """The KPIs at the stages of the workspace's own model, in the order of the map."""
    stage_of = {
        kpi: basis.stages.stages[basis.stages.stage_of(signal)].key
        for signal, names in MAP_KPIS.items()
        for kpi in names
    }
    stages = [stage.key for stage in basis.stages.stages]
    order = list(stage_of)
    rows = [row for row in kpis.to_pylist() if row["kpi"] in stage_of]
    rows.sort(key=lambda row: (stages.index(stage_of[row["kpi"]]), order.index(row["kpi"])))
    return pa.Table.from_pylist([row | {"stage": stage_of[row["kpi"]]} for row in rows], schema=kpis.schema)
