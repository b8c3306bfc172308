"""What a text means that asks for an explanation: an identifier of the identity state, or a person."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.events.event import WEAK_COLUMNS
from percorso.identity.event_evidence import rows_of_message, rows_with_weak
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier
from percorso.language.said import said
from percorso.services.customer import PERSON, find_customers
from percorso.services.identifiers import masked_name, readings
from percorso.services.identity_state import KnownIdentity
from percorso.services.person_where import place_of

__all__ = ["Asked", "what_is_meant"]

_PERSON_ID = re.compile(r"[0-9a-f]{32}")
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """What a text means: a strong identifier, a weak one, or a person by its unit; exactly one of them."""

    strong: int | None = None
    weak: int | None = None
    unit: int | None = None


def what_is_meant(known: KnownIdentity, text: str, kind: str, space: str) -> Asked:
    """What a text means; a whole id of a person goes first, then identifiers, then the beginning of an id.

    Raises
    ------
    NotFound
        No event carries it.
    SpecError
        It means several, which `fields` list; or there is no such type or space.
    """
    kinds = (*known.kinds, *WEAK_COLUMNS)
    spaces = sorted({*known.state.strong.spaces, *known.state.weak.spaces} - {""})
    if kind and kind not in (PERSON, *kinds):
        raise SpecError(f"'{kind}' is no type of identifier.", hint=nearest_hint(kind, (PERSON, *kinds)))
    if space and space not in spaces:
        raise SpecError(f"'{space}' is no id space of your sources.", hint=nearest_hint(space, spaces))
    if kind == PERSON or (not kind and _PERSON_ID.fullmatch(text.strip().lower())):
        return _asked_person(known, text)
    settings = known.workspace.settings
    rules = IdentifierRules(settings.identity, settings.workspace.country)
    for possible in readings(text, rules, (kind,) if kind else kinds, (space,) if space else spaces):
        strong, weak = _codes(known, possible)
        if len(strong) + len(weak) > 1:
            raise _ambiguous(known, strong, weak)
        if strong:
            return Asked(strong=strong[0])
        if weak:
            return Asked(weak=weak[0])
    if kind:
        raise NotFound(said("errors.no_identifier"), hint=said("errors.as_asked"))
    return _asked_person(known, text)


def _codes(known: KnownIdentity, possible: Sequence[Identifier]) -> tuple[list[int], list[int]]:
    """Codes of those that stand on an event: strong ones, and where there are none, weak ones."""
    state = known.state
    strong = [state.strong.find(one.kind, one.space, one.value) for one in possible if one.kind in known.kinds]
    strong = [code for code in strong if code >= 0 and known.graph.live[code]]
    if strong:
        return strong, []
    weak = [state.weak.find(one.kind, one.space, one.value) for one in possible if one.kind in WEAK_COLUMNS]
    return [], [code for code in weak if code >= 0 and len(rows_with_weak(state, code))]


def _ambiguous(known: KnownIdentity, strong: Sequence[int], weak: Sequence[int]) -> SpecError:
    found = [known.identifier(code) for code in strong] + [known.identifier(code, weak=True) for code in weak]
    shown = [known.shown(code) for code in strong] + [known.shown(code, weak=True) for code in weak]
    return SpecError(
        f"This can mean {len(found)} identifiers: {'; '.join(masked_name(one) for one in found)}.",
        hint="Say which one with --type and --space.",
        fields={"identifiers": [one.as_json() for one in shown]},
    )


def _asked_person(known: KnownIdentity, text: str) -> Asked:
    """The person with an id, by the first of its events."""
    found = find_customers(known.workspace, text, kind=PERSON, log=known.log)
    if len(found) > 1:
        ids = [match.person for match in found]
        raise SpecError(
            f"{len(ids)} persons have an id that begins so.",
            hint=f"Give more digits: {', '.join(ids[:_MOST_NAMED])}{', …' if len(ids) > _MOST_NAMED else ''}.",
            fields={"persons": ids},
        )
    where = place_of(known.log, found[0].person)
    first = np.array([int(where.bucket.offsets()[where.row])])
    message = where.bucket.cold_rows(first, ["message_id"]).column("message_id").to_pylist()[0]
    codes, names = where.bucket.events.values("source"), where.bucket.events.dictionary("source")
    row = rows_of_message(known.state, message)[names[int(codes[first[0]])]]
    return Asked(unit=int(known.state.arrays["unit"][row]))
