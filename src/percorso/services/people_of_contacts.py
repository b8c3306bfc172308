"""The persons behind the numbers of channels, places, touchpoints and stages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, channel_people
from percorso.analyses.people import PersonTask
from percorso.analyses.places import PlacesSpec, place_people
from percorso.analyses.stages import StagesSpec, stage_people
from percorso.analyses.touchpoints import TouchpointsSpec, touchpoint_people
from percorso.store.journey_log import JourneyLog

__all__ = ["ContactCell", "SpecOfContacts", "task_of_contacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactCell:
    """Persons of a channel, place, touchpoint or stage.

    Parameters
    ----------
    name : str
        As the table shows it.
    role : str
        "" is "reached", of stages "in". Others: new, first, last, assist, bought (channels and places); first, last,
        assist, bought, exited (touchpoints); progressed, skipped, regressed, exited, now (stages).
    group : str
        The break-down's value.
    """

    name: str
    role: str = ""
    group: str = ""


SpecOfContacts: TypeAlias = ChannelsSpec | PlacesSpec | TouchpointsSpec | StagesSpec


def task_of_contacts(spec: object, cell: object, log: JourneyLog, basis: Basis) -> PersonTask | None:
    """What marks the persons of a cell; None if it is no cell of these questions."""
    if not isinstance(cell, ContactCell):
        return None
    name, role, group = cell.name, cell.role or "reached", cell.group
    match spec:
        case ChannelsSpec():
            return channel_people(spec, log, name, role, group, basis=basis)
        case PlacesSpec():
            return place_people(spec, log, name, role, group, basis=basis)
        case TouchpointsSpec():
            return touchpoint_people(spec, log, name, role, group, basis=basis)
        case StagesSpec():
            return stage_people(spec, log, name, cell.role or "in", group, basis=basis)
        case _:
            return None
