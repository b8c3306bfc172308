"""One customer: whom an identifier means, and everything that is known of that person."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from percorso.analyses.customer import PersonRow, history_of, persons_between
from percorso.analyses.customer_view import CustomerView, IdentifierSeen, value_of
from percorso.analyses.history import History
from percorso.analyses.person_messages import persons_of_messages
from percorso.analyses.relationship import lapse_limits
from percorso.analyses.spec import Scope
from percorso.errors import NotFound, SpecError, nearest_hint
from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import (
    Identifier,
    aliases_of,
    identifiers_of,
    known_spaces,
    messages_with,
    possible_identifiers,
    rows_of_messages,
)
from percorso.identity.masking import mask
from percorso.language.said import said
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.alias_table import alias_table_of
from percorso.store.journey_log import JourneyLog
from percorso.store.lake import Lake, LakeFile

__all__ = ["PERSON", "CustomerMatch", "ask_customer", "find_customers", "view_customer"]

#: The type that stands for Percorso's own ids of persons.
PERSON = "person"

_PERSON_ID = re.compile(r"[0-9a-f]{6,32}")
_ID_DIGITS = 32


@dataclass(frozen=True, slots=True)
class CustomerMatch:
    """A person that an identifier means.

    Parameters
    ----------
    person : str
        Id, 32 hex digits.
    kind : str
        "identified" or "anonymous".
    found_as : tuple of str
        Types of identifier under which it was found, with their space where they have one: "email",
        "user_id in shop"; "person" for its own id.
    first_us, last_us : int
        µs UTC.
    events, orders : int
    shared : bool
        It was found on the events of several persons, and is a name of none of them: a family's telephone.
    """

    person: str
    kind: str
    found_as: tuple[str, ...]
    first_us: int
    last_us: int
    events: int
    orders: int
    shared: bool = False


def ask_customer(
    workspace: Workspace,
    text: str,
    *,
    kind: str = "",
    space: str = "",
    as_of: str = "",
    timezone: str = "",
    personal: bool = False,
    log: JourneyLog | None = None,
) -> CustomerView:
    """Everything that is known of the person that an identifier means.

    Parameters
    ----------
    workspace, text, kind, space, log
        See :func:`find_customers`.
    as_of, timezone, personal
        See :func:`view_customer`.

    Raises
    ------
    NotFound
        It means nobody.
    SpecError
        It means several persons; `fields` list them.
    """
    log = fresh_log(workspace) if log is None else log
    found = find_customers(workspace, text, kind=kind, space=space, log=log)
    if len(found) > 1:
        ids = [match.person for match in found]
        raise SpecError(
            f"This is shared by {len(found)} persons."
            if any(match.shared for match in found)
            else f"{len(found)} persons are known by this.",
            hint=f"Ask for one of them: {', '.join(ids[:5])}{', …' if len(ids) > 5 else ''}.",
            fields={"persons": ids},
        )
    return view_customer(workspace, found[0].person, as_of=as_of, timezone=timezone, personal=personal, log=log)


def find_customers(
    workspace: Workspace, text: str, *, kind: str = "", space: str = "", log: JourneyLog | None = None
) -> tuple[CustomerMatch, ...]:
    """The persons that an identifier means, at least one.

    Parameters
    ----------
    workspace : Workspace
    text : str
        A person's id, or what it was before persons were joined, or at least its first 6 digits; or any identifier as
        the sources have it: user id, loyalty card, e-mail address, telephone number, card token, browser or device id,
        one of the workspace's own types.
    kind : str
        Only this type of identifier; "person" for Percorso's ids.
    space : str
        Only identifiers of this id space.
    log : JourneyLog, optional
        Default: the workspace's, built first where it is stale.

    Raises
    ------
    NotFound
        Nobody is known by it.
    SpecError
        There is no such type or space.
    """
    log = fresh_log(workspace) if log is None else log
    _check_kind(workspace, kind)
    by_id = _by_person_id(log, text, kind)
    if by_id and (kind == PERSON or len(text.strip()) == _ID_DIGITS):
        return by_id
    # Digits alone may be a customer number as well as the beginning of a person's id: the shop's own names go first.
    found = () if kind == PERSON else _by_identifier(workspace, log, text, kind, space)
    if not found and not by_id:
        raise NotFound(
            said("errors.nobody_known"),
            hint=said("errors.nobody_known_hint"),
        )
    return found or by_id


def view_customer(
    workspace: Workspace,
    person: str,
    *,
    as_of: str = "",
    timezone: str = "",
    personal: bool = False,
    log: JourneyLog | None = None,
) -> CustomerView:
    """Everything that is known of a person.

    Parameters
    ----------
    workspace : Workspace
    person : str
        Id, 32 hex digits; also one from before persons were joined.
    as_of : str
        ISO day or time; what came after has not happened. Default: the newest event.
    timezone : str
        Of `as_of`; default the workspace's.
    personal : bool
        Identifiers and traits as they are, not masked and left out.
    log : JourneyLog, optional
        Default: the workspace's, built first where it is stale.

    Raises
    ------
    NotFound
        There is no such person, or there was none yet.
    """
    log = fresh_log(workspace) if log is None else log
    where = _rows_by_id(log, person)
    if len(where) != 1:
        raise NotFound(said("errors.no_person"), hint=said("errors.no_person_id_hint"))
    asked = Scope(as_of=as_of, timezone=timezone or workspace.settings.workspace.timezone).as_of_us()
    as_of_us = log.as_of_us if asked is None else asked
    lapse = lapse_limits(log, workspace.settings.workspace.timezone, as_of_us)
    history = history_of(where[0], workspace.settings, as_of_us=as_of_us, lapse=lapse)
    if not history.events:
        raise NotFound(said("errors.not_seen_by_then"), hint=said("errors.not_seen_by_then_hint"))
    return CustomerView(
        history=history,
        value=value_of(history.orders, workspace.settings),
        identifiers=_identifiers(workspace, where[0], history, personal),
        traits=str(where[0].bucket.persons.arrow("traits")[where[0].row].as_py() or "") if personal else "",
        data_version=log.data_version,
    )


def _check_kind(workspace: Workspace, kind: str) -> None:
    allowed = (PERSON, *_kinds(workspace))
    if kind and kind not in allowed:
        raise SpecError(f"'{kind}' is no type of identifier.", hint=nearest_hint(kind, allowed))


def _kinds(workspace: Workspace) -> tuple[str, ...]:
    """Types of identifier, strong ones by falling priority, then weak ones."""
    return (*STRONG_COLUMNS, *workspace.settings.identity.own_types, *WEAK_COLUMNS)


def _rows_by_id(log: JourneyLog, text: str) -> list[PersonRow]:
    """Persons whose id begins with the text; where there is none, the one whom a whole id means by now."""
    digits = text.strip().lower()
    if not _PERSON_ID.fullmatch(digits):
        return []
    least, greatest = (bytes.fromhex(digits.ljust(_ID_DIGITS, end)) for end in "0f")
    found = persons_between(log, least, greatest)
    table = None if found or len(digits) < _ID_DIGITS else alias_table_of(log)
    if table is None:
        return found
    # An id is the keyed hash of the person's best identifier: with a better one the id changes, that hash does not.
    person, known = table.person_of(np.frombuffer(least, dtype=np.uint8).reshape(1, -1))
    return persons_between(log, person.tobytes(), person.tobytes()) if known[0] else []


def _by_person_id(log: JourneyLog, text: str, kind: str) -> tuple[CustomerMatch, ...]:
    return tuple(_match(where, [PERSON]) for where in _rows_by_id(log, text)) if kind in ("", PERSON) else ()


def _by_identifier(
    workspace: Workspace, log: JourneyLog, text: str, kind: str, space: str
) -> tuple[CustomerMatch, ...]:
    """The persons whose identifier it is; where it is nobody's alone, those on whose events it stands."""
    files = Lake(workspace.lake).live_files()
    rules = IdentifierRules(workspace.settings.identity, workspace.settings.workspace.country)
    spaces = known_spaces(files)
    if space and space not in spaces:
        raise SpecError(f"'{space}' is no id space of the lake.", hint=nearest_hint(space, spaces))
    kinds = (kind,) if kind else _kinds(workspace)
    possible = possible_identifiers(text, rules, kinds=kinds, spaces=(space,) if space else spaces)
    wanted = [one for one in possible if not space or one.space == space or kind]
    named = _named(workspace, log, [one for one in wanted if one.kind not in WEAK_COLUMNS])
    return named or _carrying(workspace, log, wanted, files, rules)


def _named(workspace: Workspace, log: JourneyLog, strong: Sequence[Identifier]) -> tuple[CustomerMatch, ...]:
    """The persons to whom strong identifiers belong: by their keyed hashes, without a look at the lake."""
    table = alias_table_of(log)
    if table is None:
        return ()
    persons, known = table.person_of(aliases_of(strong, workspace.secret))
    found: dict[bytes, list[Identifier]] = {}
    for at in np.flatnonzero(known).tolist():
        found.setdefault(persons[at].tobytes(), []).append(strong[at])
    there = [(where, found[person]) for person in sorted(found) for where in persons_between(log, person, person)]
    return tuple(_match(where, _names(ones)) for where, ones in there)


def _carrying(
    workspace: Workspace,
    log: JourneyLog,
    wanted: Sequence[Identifier],
    files: Sequence[LakeFile],
    rules: IdentifierRules,
) -> tuple[CustomerMatch, ...]:
    """The persons on whose events an identifier stands that is a name of none: only the lake knows them."""
    carried: dict[tuple[str, str], set[Identifier]] = {}
    for one, source, messages in messages_with(files, wanted, rules):
        for message in messages:
            carried.setdefault((source, message), set()).add(one)
    found = [
        (where, {one for message in theirs for one in carried[message]})
        for where, theirs in persons_of_messages(log, carried)
    ]
    persons = Counter(one for _, ones in found for one in ones)
    shared = {one for one, n in persons.items() if n > 1 and one.kind not in WEAK_COLUMNS}
    return tuple(replace(_match(where, _names(ones)), shared=not shared.isdisjoint(ones)) for where, ones in found)


def _names(identifiers: Iterable[Identifier]) -> list[str]:
    return [f"{one.kind} in {one.space}" if one.space else one.kind for one in sorted(identifiers)]


def _match(where: PersonRow, found_as: list[str]) -> CustomerMatch:
    persons = where.bucket.persons
    first, last, events, orders = (
        int(persons.values(name)[where.row]) for name in ("first_time", "last_time", "n_events", "n_orders")
    )
    kind = str(persons.arrow("kind")[where.row].as_py())
    return CustomerMatch(where.person, kind, tuple(found_as), first, last, events, orders)


def _identifiers(
    workspace: Workspace, where: PersonRow, history: History, personal: bool
) -> tuple[IdentifierSeen, ...]:
    """What stands on the person's events in the lake: best types first, then by number of events."""
    rules = IdentifierRules(workspace.settings.identity, workspace.settings.workspace.country)
    start = int(where.bucket.offsets()[where.row])
    theirs = np.arange(start, start + len(history.events))
    ids = where.bucket.cold_rows(theirs, ["message_id"]).column("message_id").to_pylist()
    messages: dict[str, set[str]] = {}
    for event, message in zip(history.events, ids, strict=True):
        messages.setdefault(event.source, set()).add(message)
    times = [event.time_us for event in history.events]
    seen: dict[Identifier, dict[tuple[str, str], int]] = {}
    rows = rows_of_messages(Lake(workspace.lake).live_files(), messages, first_us=min(times), last_us=max(times))
    for source, row in rows:
        for one in identifiers_of(row, rules):
            seen.setdefault(one, {})[source, row["message_id"]] = row["timestamp"]
    order = {kind: rank for rank, kind in enumerate(_kinds(workspace))}
    ranked = sorted(seen.items(), key=lambda item: (order.get(item[0].kind, len(order)), -len(item[1]), item[0]))
    return tuple(
        IdentifierSeen(
            kind=one.kind,
            space=one.space,
            value=one.value if personal else mask(one.kind, one.value),
            events=len(found),
            first_us=min(found.values()),
            last_us=max(found.values()),
            sources=tuple(sorted({source for source, _ in found})),
        )
        for one, found in ranked
    )
