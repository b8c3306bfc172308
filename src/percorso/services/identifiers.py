"""The one identifier that a typed text means, where a command changes what it names and must not guess."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from percorso.errors import NotFound, NothingImported, SpecError
from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier, identifiers_of, known_spaces, possible_identifiers, rows_with
from percorso.identity.masking import mask
from percorso.language.said import said
from percorso.services.workspace import Workspace
from percorso.store.lake import Lake, LakeFile

__all__ = ["known_identifier", "masked_name", "readings"]

_PRECISELY = "type:value or type:space:value, such as email:anna@example.it or user_id:shop:1042"


def known_identifier(workspace: Workspace, text: str) -> Identifier:
    """The strong identifier of the lake that a text means.

    Parameters
    ----------
    workspace : Workspace
    text : str
        An identifier as the sources write it, alone or as ``type:value`` or ``type:space:value``.

    Raises
    ------
    NothingImported
        The lake is empty.
    NotFound
        No event carries it.
    SpecError
        It means several identifiers, which `fields` list, masked; or a browser or device, which never joins persons.
    """
    files = Lake(workspace.lake).live_files()
    if not files:
        raise NothingImported(said("errors.no_events"), hint=said("errors.import_first"))
    rules = IdentifierRules(workspace.settings.identity, workspace.settings.workspace.country)
    strong = (*STRONG_COLUMNS, *workspace.settings.identity.own_types)
    seen: tuple[Identifier, ...] = ()
    for possible in readings(text, rules, (*strong, *WEAK_COLUMNS), known_spaces(files)):
        seen = seen or _seen(files, possible, rules)
    found = [one for one in seen if one.kind in strong]
    if len(found) > 1:
        raise _ambiguous(found)
    if seen and not found:
        raise SpecError(
            f"This is known only as {_a(seen[0].kind)}, which says nothing about persons: several may share it.",
            hint=f"Give a {', '.join(strong[:-1])} or {strong[-1]}.",
        )
    if not found:
        raise NotFound(
            said("errors.no_identifier"),
            hint=said("errors.no_identifier_hint", how=_PRECISELY),
        )
    return found[0]


def masked_name(identifier: Identifier) -> str:
    """What to call an identifier where it may be read by anybody.

    Examples
    --------
    >>> masked_name(Identifier("user_id", "shop", "user-1042")), masked_name(Identifier("email", "", "a@b.it"))
    ('user_id u…42 in shop', 'email a•••@b.it')
    """
    where = f" in {identifier.space}" if identifier.space else ""
    return f"{identifier.kind} {mask(identifier.kind, identifier.value)}{where}"


def readings(
    text: str, rules: IdentifierRules, kinds: Sequence[str], spaces: Sequence[str]
) -> Iterator[tuple[Identifier, ...]]:
    """Everything that the text can mean, the most precise reading first: the first with an event counts."""
    kind, colon, value = text.strip().partition(":")
    if colon and kind in kinds:
        space, colon, rest = value.partition(":")
        if colon and space in spaces:
            precise = possible_identifiers(rest, rules, kinds=(kind,), spaces=(space,))
            yield tuple(one for one in precise if one.space == space)
        yield possible_identifiers(value, rules, kinds=(kind,), spaces=spaces)
    yield possible_identifiers(text, rules, kinds=kinds, spaces=spaces)


def _seen(files: Sequence[LakeFile], possible: Iterable[Identifier], rules: IdentifierRules) -> tuple[Identifier, ...]:
    """Those that stand on an event of the lake, in the given order.

    What has been found is sought no further: an identifier may stand on half of all events.
    """
    order = tuple(possible)
    missing = set(order)
    for file in files:
        while missing:
            rows = rows_with([file], missing, rules)
            found = next((ones for _, row in rows if (ones := missing.intersection(identifiers_of(row, rules)))), None)
            if found is None:
                break
            missing -= found
    return tuple(one for one in order if one not in missing)


def _ambiguous(found: Sequence[Identifier]) -> SpecError:
    names = [masked_name(one) for one in found]
    return SpecError(
        f"This can mean {len(found)} identifiers: {'; '.join(names)}.",
        hint=f"Say which one: {_PRECISELY}.",
        fields={
            "identifiers": [
                {"type": one.kind, "space": one.space or None, "value": mask(one.kind, one.value)} for one in found
            ]
        },
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
