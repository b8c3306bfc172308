"""The persons behind any number of an answer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TypeAlias

from percorso.analyses.basis import Basis
from percorso.analyses.flow import FlowSpec, flow_people
from percorso.analyses.funnel import FunnelSpec, funnel_people
from percorso.analyses.people import PersonTask
from percorso.analyses.result import Result
from percorso.analyses.select import plan_scope
from percorso.analyses.variants import VariantsSpec, variant_people
from percorso.errors import SpecError
from percorso.services.people_of_contacts import ContactCell, SpecOfContacts, task_of_contacts
from percorso.services.people_over_time import CellOverTime, SpecOverTime, task_of
from percorso.services.question import log_and_basis, people_answer
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog

__all__ = ["Cell", "FlowCell", "FunnelCell", "VariantCell", "ask_people"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelCell:
    """Persons who did a step (by position or text), or with `dropped` those for whom it was the last."""

    step: int | str
    dropped: bool = False
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowCell:
    """Persons who went from `source` to `target`; where the flow has steps, at that position."""

    source: str
    target: str
    position: int | None = None
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantCell:
    """Persons with that path; without a path, those whose paths are not among the shown."""

    path: tuple[str, ...] = ()
    group: str = ""


Cell: TypeAlias = FunnelCell | FlowCell | VariantCell | CellOverTime | ContactCell


def ask_people(
    workspace: Workspace,
    spec: FunnelSpec | FlowSpec | VariantsSpec | SpecOfContacts | SpecOverTime,
    cell: Cell,
    *,
    log: JourneyLog | None = None,
    threads: int | None = None,
) -> Result:
    """The persons behind a cell of the answer to `spec`.

    Returns
    -------
    Result
        Table ``people`` (person as 32 hex digits of its keyed hash, kind, first_time, last_time, n_events, n_sessions,
        n_orders), total ``count``.

    Raises
    ------
    SpecError
        The cell belongs to another kind of question.
    NotFound
        The answer has no such cell.
    """
    log, basis = log_and_basis(workspace, log)
    task = _task(spec, cell, log, basis)
    as_of_us = plan_scope(spec.scope, log, basis).as_of_us
    return people_answer(task, spec, log, basis, as_of_us, threads=threads, cell=asdict(cell))


def _task(
    spec: FunnelSpec | FlowSpec | VariantsSpec | SpecOfContacts | SpecOverTime,
    cell: Cell,
    log: JourneyLog,
    basis: Basis,
) -> PersonTask:
    match spec, cell:
        case FunnelSpec(), FunnelCell():
            return funnel_people(spec, log, cell.step, dropped=cell.dropped, group=cell.group, basis=basis)
        case FlowSpec(), FlowCell():
            return flow_people(
                spec, log, cell.source, cell.target, position=cell.position, group=cell.group, basis=basis
            )
        case VariantsSpec(), VariantCell():
            return variant_people(spec, log, cell.path or None, group=cell.group, basis=basis)
        case _:
            task = task_of(spec, cell, log, basis) or task_of_contacts(spec, cell, log, basis)
            if task is not None:
                return task
            raise SpecError(
                "This cell belongs to another kind of question.",
                hint="A funnel has steps, a flow has edges, variants have paths.",
            )
