"""Flow: how often one node directly follows another, how many persons go that way, and how long it takes.

Defined in docs/reference/flow.md. The plain twin is tests/naive/flow.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.case_orders import with_case_orders
from percorso.analyses.edges import (
    END,
    SQUARE_NODES,
    START,
    EdgePartial,
    count_edges,
    count_square,
    edge_times_us,
    persons_on_edge,
    square_edges,
    sum_edges,
)
from percorso.analyses.paths import PathPlan, PathSpec, check_node, plan_paths
from percorso.analyses.people import PersonTask
from percorso.analyses.result import Result
from percorso.analyses.steps import count_steps, persons_on_link, shown_links
from percorso.engines.buckets import sum_buckets
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.kernels.arrays import I64
from percorso.store.journey_log import JourneyLog

__all__ = ["END", "START", "FlowSpec", "flow_people", "run_flow"]

_MOST_STEPS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowSpec(PathSpec):
    """The flow between nodes: all edges, or with `steps` the links by position from or to one node.

    Parameters
    ----------
    counts_only : bool
        No persons and times: several times faster.
    steps : int
        0: all edges. Else follow paths for so many links from the first `from_node` of each case forward, or
        from its first `to_node` backward.
    from_node, to_node : str
        One of them with `steps`.
    top : int
        With `steps`: how many nodes to tell apart at each position; the rest is "(other)".
    """

    counts_only: bool = False
    steps: int = 0
    from_node: str = ""
    to_node: str = ""
    top: int = 10

    def __post_init__(self) -> None:
        PathSpec.__post_init__(self)
        if not 0 <= self.steps <= _MOST_STEPS:
            raise SpecError(f"One can follow 1 to {_MOST_STEPS} steps, not {self.steps}.")
        if self.top < 1:
            raise SpecError("At least one node is shown at each position.")
        if self.steps and bool(self.from_node) == bool(self.to_node):
            raise SpecError("Steps go from one node forward or to one backward.", hint="Name one: from or to.")
        if not self.steps and (self.from_node or self.to_node):
            raise SpecError("A flow from or to a node has a number of steps.", hint="Say how many, such as 3.")
        if self.steps and self.scope.by:
            raise SpecError("Steps cannot be broken down.", hint="Select with a condition instead.")


def run_flow(spec: FlowSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None) -> Result:
    """Answer a flow.

    Parameters
    ----------
    spec : FlowSpec
    log : JourneyLog
    basis : Basis, optional
        With it, and not for `counts_only`, the totals hold orders and value of the cases.
    threads : int, optional

    Returns
    -------
    Result
        Table ``edges`` (from, to, count, probability, persons, median_s, p90_s; the break-down's value before
        them), or with `steps` table ``links`` (position, from, to, count, share).
    """
    plan = plan_paths(spec, log, basis)
    if spec.steps:
        return _run_steps(spec, plan, log, threads)
    if spec.counts_only and not spec.scope.by and len(plan.nodes.values) + 2 <= SQUARE_NODES:
        edges = _count_plainly(plan, log, threads)
    else:
        edges = sum_buckets(log, lambda bucket: count_edges(plan, bucket), _edges_together, threads=threads)
    if spec.counts_only:
        return _result(spec, plan, log, edges, None)
    answer = _result(spec, plan, log, edges, edge_times_us(plan, log, edges, threads=threads))
    return answer if basis is None else with_case_orders(answer, plan, log, basis, threads=threads)


def _count_plainly(plan: PathPlan, log: JourneyLog, threads: int | None) -> EdgePartial:
    return square_edges(sum_buckets(log, lambda bucket: count_square(plan, bucket), _squares_added, threads=threads))


def _edges_together(parts: Iterable[EdgePartial]) -> EdgePartial:
    return sum_edges(list(parts))


def _squares_added(squares: Iterable[I64]) -> I64:
    every = iter(squares)
    total = next(every).copy()
    for square in every:
        total += square
    return total


def _run_steps(spec: FlowSpec, plan: PathPlan, log: JourneyLog, threads: int | None) -> Result:
    anchor = check_node(plan, spec.from_node or spec.to_node)
    links = count_steps(plan, log, anchor, spec.steps, forward=bool(spec.from_node), threads=threads)
    table = shown_links(plan, links, spec.top, forward=bool(spec.from_node))
    totals = {"cases": links.n_cases}
    return Result({"links": table}, spec, log.data_version, plan.scope.as_of_us, totals)


def _result(spec: FlowSpec, plan: PathPlan, log: JourneyLog, edges: EdgePartial, times: I64 | None) -> Result:
    w = len(plan.nodes.values) + 2
    group, source, target = edges.keys // (w * w), edges.keys // w % w, edges.keys % w
    order = np.lexsort((target, source, -edges.count, group))
    _, of_source = np.unique(edges.keys // w, return_inverse=True)
    outgoing = np.bincount(of_source, weights=edges.count)[of_source]
    names = pa.array([*plan.nodes.values, START, END], pa.string())
    columns: dict[str, Any] = {}
    if plan.by is not None:
        columns[spec.scope.by] = pa.array(plan.by.values, pa.string()).take(pa.array(group[order]))
    columns["from"] = names.take(pa.array(source[order]))
    columns["to"] = names.take(pa.array(target[order]))
    columns["count"] = edges.count[order]
    columns["probability"] = (edges.count / outgoing)[order]
    totals: dict[str, Any] = {
        "cases": int(edges.count[source == w - 2].sum()),
        "nodes": int(edges.count[target != w - 1].sum()),
    }
    if times is not None:
        columns["persons"] = edges.persons[order]
        columns["median_s"], columns["p90_s"] = (_seconds(times[order, i]) for i in (0, 1))
        totals["persons"] = edges.n_persons
    return Result({"edges": pa.table(columns)}, spec, log.data_version, plan.scope.as_of_us, totals)


def _seconds(time_us: I64) -> pa.Array:
    return pa.array(time_us / 1e6, mask=time_us < 0)


def flow_people(
    spec: FlowSpec,
    log: JourneyLog,
    source: str,
    target: str,
    *,
    position: int | None = None,
    group: str = "",
    basis: Basis | None = None,
) -> PersonTask:
    """The persons behind an edge, or with `steps` behind a link.

    Parameters
    ----------
    spec : FlowSpec
    log : JourneyLog
    source, target : str
        Nodes, "(start)" or "(end)" included.
    position : int, optional
        With `steps`: the link's position.
    group : str
        The break-down's value.
    basis : Basis, optional
        As of `run_flow`.
    """
    plan = plan_paths(spec, log, basis)
    ends = tuple(_end_code(plan, name) for name in (source, target))
    if spec.steps:
        if position is None:
            raise SpecError("A link has a position.", hint="Give the position that the table shows.")
        anchor = check_node(plan, spec.from_node or spec.to_node)
        key = (position, ends[0], ends[1])
        return lambda bucket: persons_on_link(plan, bucket, anchor, spec.steps, key, forward=bool(spec.from_node))
    values = ("",) if plan.by is None else plan.by.values
    if group not in values:
        raise NotFound(f"No path has {spec.scope.by} '{group}'.", hint=nearest_hint(group, values))
    edge = (values.index(group), ends[0], ends[1])
    return lambda bucket: persons_on_edge(plan, bucket, edge)


def _end_code(plan: PathPlan, name: str) -> int:
    if name in (START, END):
        return len(plan.nodes.values) + (name == END)
    return check_node(plan, name)
