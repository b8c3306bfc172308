"""The one person whom a command is about, which must not guess."""

from __future__ import annotations

from collections.abc import Sequence

from percorso.analyses.customer import PersonRow, persons_between
from percorso.errors import NotFound, SpecError
from percorso.language.said import said
from percorso.services.customer import CustomerMatch
from percorso.store.journey_log import JourneyLog

__all__ = ["one_customer", "place_of"]

_MOST_IDS = 5


def one_customer(found: Sequence[CustomerMatch]) -> CustomerMatch:
    """The person who was found.

    Raises
    ------
    SpecError
        There are several; `fields` list them.
    """
    if len(found) > 1:
        ids = [match.person for match in found]
        raise SpecError(
            f"{len(found)} persons are known by this; nothing was done.",
            hint=f"Name one of them: {', '.join(ids[:_MOST_IDS])}{', …' if len(ids) > _MOST_IDS else ''}.",
            fields={"persons": ids},
        )
    return found[0]


def place_of(log: JourneyLog, person: str) -> PersonRow:
    """Where a person stands in the log.

    Raises
    ------
    NotFound
        There is no such person.
    """
    exact = bytes.fromhex(person)
    for where in persons_between(log, exact, exact):
        return where
    raise NotFound(said("errors.no_person"), hint=said("errors.no_person_hint"))
