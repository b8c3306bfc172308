"""Everything that the lake holds on a person: rows, copies of them, identifiers, and where these stand elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from percorso.analyses.customer import PersonRow
from percorso.events.event import EVENT_SCHEMA, IDENTIFIER_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier, aliases_of, identifiers_of, rows_with
from percorso.identity.mentions import Mentions
from percorso.services.workspace import Workspace
from percorso.store.alias_table import alias_table_of
from percorso.store.journey_log import Bucket, JourneyLog
from percorso.store.lake import Lake, LakeFile

__all__ = [
    "NAMING_COLUMNS",
    "TEXT_COLUMNS",
    "Carried",
    "PersonRows",
    "identifier_rules",
    "matching_rejects",
    "person_rows",
    "rows_elsewhere",
]

#: Columns whose text is an identifier.
NAMING_COLUMNS = (*IDENTIFIER_COLUMNS, "previous_id", "other_ids")

TEXT_COLUMNS = [field.name for field in EVENT_SCHEMA if pa.types.is_string(field.type) and field.name != "source"]

#: Source -> message ids.
Messages = Mapping[str, Collection[str]]

#: Marks rows of a file, shape (n_rows,).
_Wanted = Callable[[LakeFile, pa.Table], npt.NDArray[np.bool_]]


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
    first_us, last_us : int
    sources : tuple of str
    """

    identifier: Identifier
    spellings: frozenset[str]
    own: bool
    rows: int
    first_us: int
    last_us: int
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

    def mentions(self) -> Mentions:
        """Finds the person's own identifiers in texts."""
        return Mentions({one.identifier: one.spellings for one in self.own})


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
    own = _own(workspace, log, where, files, messages, seen, rules)
    carried = tuple(_carried(one, at, rows, one in own, rules) for one, at in sorted(seen.items()))
    return PersonRows(rows, messages, carried)


def rows_elsewhere(files: Sequence[LakeFile], of: PersonRows, rules: IdentifierRules) -> pa.Table:
    """Rows of others in which one of the person's own identifiers stands, as an identifier or inside a text."""
    own = [one.identifier for one in of.own]
    mentions = of.mentions()
    carrying: dict[str, set[str]] = {}
    for source, row in rows_with(files, own, rules):
        if row["message_id"] not in of.messages.get(source, ()):
            carrying.setdefault(source, set()).add(row["message_id"])
    users = {text for one in of.own for text in one.spellings if one.identifier.kind == "user_id"}

    def wanted(file: LakeFile, table: pa.Table) -> npt.NDArray[np.bool_]:
        marks = _is_in(table.column("message_id"), carrying.get(file.source, ()))
        marks |= _is_in(table.column("previous_id"), users)
        for name in (field.name for field in table.schema if pa.types.is_string(field.type)):
            marks |= _rows_where(table.column(name), mentions, of_identifier=name in NAMING_COLUMNS)
        return marks & ~_is_in(table.column("message_id"), of.messages.get(file.source, ()))

    return _filtered(files, wanted, TEXT_COLUMNS)


def matching_rejects(workspace: Workspace, of: PersonRows) -> pa.Table:
    """Rejected rows that hold one of the person's own identifiers; columns as in `REJECTED`."""
    rejected = Lake(workspace.lake).rejected()
    mentions = of.mentions()
    texts = zip(*(rejected.column(name).to_pylist() for name in ("raw", "detail")), strict=True)
    keep = [any(text and mentions.in_line(text) for text in pair) for pair in texts]
    return rejected.filter(pa.array(keep, pa.bool_()))


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
    return _filtered(mine, lambda file, ids: _is_in(ids.column("message_id"), messages[file.source]), ["message_id"])


def _filtered(files: Sequence[LakeFile], wanted: _Wanted, columns: Sequence[str]) -> pa.Table:
    """Rows that `wanted(file, row group)` marks, with all columns; it is shown `columns` alone."""
    found = [EVENT_SCHEMA.empty_table()]
    for file in files:
        with pq.ParquetFile(file.path, memory_map=True) as parquet:
            for group in range(parquet.num_row_groups):
                shown = parquet.read_row_group(group, columns=list(columns))
                marks = wanted(file, shown)
                if marks.any():
                    found.append(_as_events(parquet.read_row_group(group).filter(pa.array(marks)), file.source))
    return pa.concat_tables(found).combine_chunks()


def _as_events(rows: pa.Table, source: str) -> pa.Table:
    """Rows of a file as `EVENT_SCHEMA`; what an older format lacks is null."""
    arrays = [
        pa.repeat(pa.scalar(source, pa.string()), len(rows))
        if field.name == "source"
        else rows.column(field.name).cast(field.type)
        if field.name in rows.schema.names
        else pa.nulls(len(rows), field.type)
        for field in EVENT_SCHEMA
    ]
    return pa.table(arrays, schema=EVENT_SCHEMA)


def _is_in(column: pa.ChunkedArray, values: Collection[str]) -> npt.NDArray[np.bool_]:
    if not values:
        return np.zeros(len(column), np.bool_)
    marks: npt.NDArray[np.bool_] = pc.is_in(column, pa.array(sorted(values), pa.string())).to_numpy()
    return marks


def _rows_where(column: pa.ChunkedArray, mentions: Mentions, *, of_identifier: bool) -> npt.NDArray[np.bool_]:
    """Rows of a text column in which an identifier stands."""
    marks = np.zeros(len(column), np.bool_)
    if column.null_count == len(column):
        return marks
    at = np.flatnonzero(mentions.likely(column).to_numpy(zero_copy_only=False))
    for row, text in zip(at, column.take(pa.array(at)).to_pylist(), strict=True):
        marks[row] = bool(mentions.spans(text, of_identifier=of_identifier))
    return marks


def _seen(rows: pa.Table, rules: IdentifierRules) -> dict[Identifier, list[int]]:
    """Identifiers on the rows, each with the rows it stands on."""
    seen: dict[Identifier, list[int]] = {}
    names = ["id_space", *IDENTIFIER_COLUMNS, "other_ids"]
    for at, row in enumerate(rows.select(names).to_pylist()):
        for one in identifiers_of(row, rules):
            seen.setdefault(one, []).append(at)
    return seen


def _own(
    workspace: Workspace,
    log: JourneyLog,
    where: PersonRow,
    files: Sequence[LakeFile],
    messages: Messages,
    seen: Collection[Identifier],
    rules: IdentifierRules,
) -> set[Identifier]:
    """Identifiers that are this person's: as the alias table says, else those that nobody else has."""
    undecided = set(seen)
    own: set[Identifier] = set()
    aliases = alias_table_of(log)
    strong = [one for one in sorted(seen) if one.kind not in WEAK_COLUMNS]
    if aliases is not None:
        persons, found = aliases.person_of(aliases_of(strong, workspace.secret))
        mine = [
            bool(there) and bytes(person).hex() == where.person for person, there in zip(persons, found, strict=True)
        ]
        own = {one for one, is_mine in zip(strong, mine, strict=True) if is_mine}
        undecided -= set(strong)
    for source, row in rows_with(files, undecided, rules) if undecided else ():
        if row["message_id"] not in messages.get(source, ()):
            undecided -= set(identifiers_of(row, rules))
    return own | undecided


def _carried(one: Identifier, at: Sequence[int], rows: pa.Table, own: bool, rules: IdentifierRules) -> Carried:
    mine = rows.take(pa.array(at))
    times = mine.column("timestamp").cast(pa.int64()).to_pylist()
    sources = tuple(sorted(set(mine.column("source").to_pylist())))
    return Carried(one, frozenset(_spellings(one, mine, rules)), own, len(at), min(times), max(times), sources)


def _spellings(one: Identifier, rows: pa.Table, rules: IdentifierRules) -> Iterator[str]:
    """The raw values of an identifier."""
    if one.kind in IDENTIFIER_COLUMNS:
        yield from set(rows.column(one.kind).to_pylist())
        return
    for text in set(rows.column("other_ids").to_pylist()):
        raw = msgspec.json.decode(text).get(one.kind)
        if raw is not None and rules.normalise(one.kind, str(raw)) == one.value:
            yield str(raw)
