"""The persons behind the numbers of journeys, retention, lifecycle and time-outs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from percorso.analyses.basis import Basis
from percorso.analyses.journeys import JourneysSpec, journeys_people
from percorso.analyses.lifecycle import LifecycleSpec, lifecycle_people
from percorso.analyses.people import PersonTask
from percorso.analyses.retention import RetentionSpec, retention_people
from percorso.analyses.timeouts import TimeoutsSpec, timeouts_people
from percorso.store.journey_log import JourneyLog

__all__ = ["CellOverTime", "JourneysCell", "LifecycleCell", "RetentionCell", "SpecOverTime", "TimeoutCell", "task_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneysCell:
    """Persons with a journey that ended so: converted, abandoned, open, kept, returned, cancelled."""

    outcome: str
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionCell:
    """Persons of a cohort; with `k` those who came back so many periods later, or with `stayed` False who did not."""

    cohort: str
    k: int | None = None
    stayed: bool = True
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleCell:
    """Persons in a state (active, new, returning, resurrecting, dormant) in an interval, or with a relationship now."""

    what: str
    interval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeoutCell:
    """Buyers whom a time-out of so many days would cut off from what they did before."""

    days: int


SpecOverTime: TypeAlias = JourneysSpec | RetentionSpec | LifecycleSpec | TimeoutsSpec
CellOverTime: TypeAlias = JourneysCell | RetentionCell | LifecycleCell | TimeoutCell


def task_of(spec: object, cell: object, log: JourneyLog, basis: Basis) -> PersonTask | None:
    """What marks the persons of a cell; None if it is no cell of these questions."""
    match spec, cell:
        case JourneysSpec(), JourneysCell():
            return journeys_people(spec, log, cell.outcome, group=cell.group, basis=basis)
        case RetentionSpec(), RetentionCell():
            return retention_people(spec, log, cell.cohort, cell.k, stayed=cell.stayed, group=cell.group, basis=basis)
        case LifecycleSpec(), LifecycleCell():
            return lifecycle_people(spec, log, cell.what, cell.interval, basis=basis)
        case TimeoutsSpec(), TimeoutCell():
            return timeouts_people(spec, log, cell.days, basis=basis)
        case _:
            return None
