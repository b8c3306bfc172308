"""Everything that the lake holds on a person: rows, copies of them, identifiers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from percorso.analyses.customer import PersonRow
from percorso.engines.ranges import in_parallel
from percorso.events.event import EVENT_SCHEMA, IDENTIFIER_COLUMNS, WEAK_COLUMNS
from percorso.identity.former import former_identifiers
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier, aliases_of, identifiers_of, messages_with
from percorso.identity.mentions import Mentions
from percorso.services.person_scan import is_in, marked_rows
from percorso.services.workspace import Workspace
from percorso.store.alias_table import alias_table_of
from percorso.store.journey_log import Bucket, JourneyLog
from percorso.store.lake import Lake, LakeFile

__all__ = ["Carried", "PersonRows", "held_without_events", "identifier_rules", "person_rows"]

#: Source -> message ids.
Messages = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Carried:
    """An identifier on a person's rows.

    Parameters
    ----------
    identifier : Identifier
    spellings : frozenset of str
        As the sources write it.
    own : bool
        It is this person's alone.
    rows : int
    first_us, last_us : int or None
        µs UTC; None: it stands on none.
    sources : tuple of str
    """

    identifier: Identifier
    spellings: frozenset[str]
    own: bool
    rows: int
    first_us: int | None
    last_us: int | None
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PersonRows:
    """What stands in the lake.

    Parameters
    ----------
    rows : pyarrow.Table
        `EVENT_SCHEMA`: events of the person and all copies of them, in the order of the lake's files.
    messages : mapping of str to set of str
    carried : tuple of Carried
    """

    rows: pa.Table
    messages: Messages
    carried: tuple[Carried, ...]

    @property
    def own(self) -> tuple[Carried, ...]:
        return tuple(one for one in self.carried if one.own)

    def mentions(self, country: str) -> Mentions:
        """Finds the person's own identifiers in texts; `country` is the workspace's."""
        return Mentions({one.identifier: one.spellings for one in self.own}, country=country)


def identifier_rules(workspace: Workspace) -> IdentifierRules:
    """The workspace's rules of identifiers."""
    return IdentifierRules(workspace.settings.identity, workspace.settings.workspace.country)


def person_rows(workspace: Workspace, log: JourneyLog, where: PersonRow) -> PersonRows:
    """Everything of one person.

    Parameters
    ----------
    workspace : Workspace
    log : JourneyLog
        Fresh.
    where : PersonRow
    """
    files = Lake(workspace.lake).live_files()
    messages = _messages_of(where)
    rows = _rows_of(files, messages)
    rules = identifier_rules(workspace)
    seen = _seen(rows, rules)
    former = {one for row in rows.select(["id_space", "previous_id"]).to_pylist() for one in _former(row, rules)}
    own = _own(workspace, log, where, files, messages, seen, former, rules)
    carried = tuple(_carried(one, at, rows, one in own, rules) for one, at in sorted(seen.items()))
    return PersonRows(rows, messages, carried)


def held_without_events(identifiers: Collection[Identifier], written: str) -> PersonRows:
    """What is held on somebody of whom no event is there: nothing; the identifiers are taken for that person's own.

    Parameters
    ----------
    identifiers : collection of Identifier
    written : str
        As somebody typed them.
    """
    spellings = frozenset((written,))
    carried = tuple(Carried(one, spellings, True, 0, None, None, ()) for one in sorted(identifiers))
    return PersonRows(EVENT_SCHEMA.empty_table(), {}, carried)


def _messages_of(where: PersonRow) -> dict[str, set[str]]:
    """Source and message id of each of the person's events."""
    offsets = where.bucket.offsets()
    start, stop = int(offsets[where.row]), int(offsets[where.row + 1])
    sources = where.bucket.events.arrow("source").slice(start, stop - start).cast(pa.string()).to_pylist()
    messages: dict[str, set[str]] = {}
    for source, message in zip(sources, _message_ids(where.bucket, start, stop), strict=True):
        messages.setdefault(source, set()).add(message)
    return messages


def _message_ids(bucket: Bucket, start: int, stop: int) -> list[str]:
    """Message ids of events, by their rows in the bucket."""
    ids: list[str] = bucket.cold_rows(np.arange(start, stop), ["message_id"]).column("message_id").to_pylist()
    return ids


def _rows_of(files: Sequence[LakeFile], messages: Messages) -> pa.Table:
    """All rows of the lake with these message ids: whatever else they say, they tell of the same events."""
    mine = [file for file in files if file.source in messages]
    return marked_rows(mine, lambda file, ids: is_in(ids.column("message_id"), messages[file.source]), ["message_id"])


def _seen(rows: pa.Table, rules: IdentifierRules) -> dict[Identifier, list[int]]:
    """Identifiers on the rows, each with the rows it stands on; among them accounts that were taken over."""
    seen: dict[Identifier, list[int]] = {}
    names = ["id_space", *IDENTIFIER_COLUMNS, "other_ids", "previous_id"]
    for at, row in enumerate(rows.select(names).to_pylist()):
        for one in dict.fromkeys((*identifiers_of(row, rules), *_former(row, rules))):
            seen.setdefault(one, []).append(at)
    return seen


def _former(row: Mapping[str, Any], rules: IdentifierRules) -> tuple[Identifier, ...]:
    """The user id that is said to have been this person's. A browser's stands on rows of its own."""
    meant = former_identifiers(row["previous_id"] or "", row["id_space"], rules)
    return tuple(one for one in meant if one.kind == "user_id")


def _own(
    workspace: Workspace,
    log: JourneyLog,
    where: PersonRow,
    files: Sequence[LakeFile],
    messages: Messages,
    seen: Collection[Identifier],
    former: Collection[Identifier],
    rules: IdentifierRules,
) -> set[Identifier]:
    """Identifiers that are this person's: as the alias table says, else those that nobody else has."""
    undecided = set(seen)
    own: set[Identifier] = set()
    aliases = alias_table_of(log)
    strong = [one for one in sorted(seen) if one.kind not in WEAK_COLUMNS]
    if aliases is not None:
        persons, found = aliases.person_of(aliases_of(strong, workspace.secret))
        for one, person, known in zip(strong, persons, found, strict=True):
            if known and bytes(person).hex() == where.person:
                own.add(one)
            # One that the graph does not know is shared; but for a user id that a `previous_id` alone names.
            if known or one not in former:
                undecided.discard(one)
    return own | (undecided - _of_others(files, messages, undecided, rules))


def _of_others(
    files: Sequence[LakeFile], messages: Messages, identifiers: Collection[Identifier], rules: IdentifierRules
) -> set[Identifier]:
    """Those of the identifiers that stand on rows of others."""
    if not identifiers:
        return set()
    found = in_parallel(files, lambda file: list(messages_with([file], identifiers, rules)))
    return {one for hits in found for one, source, ids in hits if not set(ids) <= set(messages.get(source, ()))}


def _carried(one: Identifier, at: Sequence[int], rows: pa.Table, own: bool, rules: IdentifierRules) -> Carried:
    mine = rows.take(pa.array(at))
    times = mine.column("timestamp").cast(pa.int64()).to_pylist()
    sources = tuple(sorted(set(mine.column("source").to_pylist())))
    return Carried(one, frozenset(_spellings(one, mine, rules)), own, len(at), min(times), max(times), sources)


def _spellings(one: Identifier, rows: pa.Table, rules: IdentifierRules) -> Iterator[str]:
    """The raw values of an identifier."""
    if one.kind in IDENTIFIER_COLUMNS:
        raws = set(rows.column(one.kind).to_pylist())
        if one.kind == "user_id":
            raws |= set(rows.column("previous_id").to_pylist())
        yield from (raw for raw in raws if raw is not None and rules.normalise(one.kind, raw) == one.value)
        return
    for text in set(rows.column("other_ids").drop_null().to_pylist()):
        raw = msgspec.json.decode(text).get(one.kind)
        if raw is not None and rules.normalise(one.kind, str(raw)) == one.value:
            yield str(raw)
