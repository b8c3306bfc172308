"""Where a person's identifiers stand beside the person's own events: in rows of others and in rejected rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from percorso.engines.ranges import in_parallel
from percorso.events.event import EVENT_SCHEMA, IDENTIFIER_COLUMNS, ITEM_TYPE
from percorso.identity.former import former_identifiers
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier, messages_with
from percorso.identity.mentions import Mentions, Standing
from percorso.services.person_rows import PersonRows
from percorso.services.person_scan import is_in, marked_rows, where_coded
from percorso.store.lake import ImportRecord, Lake, LakeFile
from percorso.store.mapped import open_parquet

__all__ = ["NAMING_COLUMNS", "TEXT_COLUMNS", "Elsewhere", "Rejected", "matching_rejects", "rows_elsewhere", "standing"]

#: Columns whose text is an identifier.
NAMING_COLUMNS = (*IDENTIFIER_COLUMNS, "previous_id", "other_ids")

#: What Percorso itself writes, or what an event is known by to the build, names nobody.
_OUR_WORDS = ("source", "source_kind", "type", "id_space", "ref_space", "currency", "click_id")

TEXT_COLUMNS = [field.name for field in EVENT_SCHEMA if pa.types.is_string(field.type) and field.name not in _OUR_WORDS]

#: Columns in which people and tools write what they like.
_FREE_COLUMNS = ("url", "referrer", "title", "text", "properties", "traits")

_ITEM_TEXTS = [field.name for field in ITEM_TYPE if pa.types.is_string(field.type)]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What stands in the rows of others.

    Parameters
    ----------
    rows : pyarrow.Table
        `EVENT_SCHEMA`: rows in which an identifier stands for certain.
    doubtful : int
        Rows, beside those, with a text in which a short one stands that may mean somebody else or nobody.
    """

    rows: pa.Table
    doubtful: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """Rejected rows that hold an identifier; columns as in `REJECTED`.

    `doubtful`: rows, beside those, in which a short one stands that may be anything.
    """

    rows: pa.Table
    doubtful: int


def rows_elsewhere(files: Sequence[LakeFile], of: PersonRows, rules: IdentifierRules, mentions: Mentions) -> Elsewhere:
    """Rows of others in which one of the person's own identifiers stands: in a column for it, or inside a text."""
    own = {one.identifier for one in of.own}
    if not own:
        return Elsewhere(EVENT_SCHEMA.empty_table(), 0)
    carrying = _carrying(files, of, own, rules)

    doubtful: list[int] = []  # of each part; adding to a list is one step in any thread

    def mark(file: LakeFile, table: pa.Table) -> npt.NDArray[np.bool_]:
        others = ~is_in(table.column("message_id"), of.messages.get(file.source, ()))
        marks = is_in(table.column("message_id"), carrying.get(file.source, ()))
        marks |= _taken_over(table, own, rules)
        for name in (name for name in table.column_names if name in TEXT_COLUMNS or name == "items"):
            marks |= _naming(table, name, mentions)
        if mentions.has_doubtful:
            doubtful.append(int((_doubtful(table, mentions) & others & ~marks).sum()))
        return marks & others

    found = marked_rows(files, mark, ["id_space", *TEXT_COLUMNS, "items"])
    return Elsewhere(found, sum(doubtful))


def matching_rejects(lake: Lake, files: Sequence[LakeFile], mentions: Mentions) -> Rejected:
    """Rejected rows that hold one of the identifiers that `mentions` finds."""
    rejected = lake.rejected()
    spaces = _spaces(files, lake.imports()) if len(rejected) else {}
    texts = zip(*(rejected.column(name).to_pylist() for name in ("batch", "raw", "detail")), strict=True)
    found = [
        max((mentions.stands(text, spaces.get(batch)) for text in pair if text), default=Standing.NO)
        for batch, *pair in texts
    ]
    keep = rejected.filter(pa.array([one is Standing.SURELY for one in found], pa.bool_()))
    return Rejected(keep, found.count(Standing.MAYBE))


def standing(mentions: Mentions, file: str) -> bool:
    """Does the name of a file name the person?"""
    stems = (file.rsplit(".", dots)[0] for dots in range(file.count(".") + 1))
    return any(mentions.stands(stem) is Standing.SURELY for stem in stems)


def _carrying(
    files: Sequence[LakeFile], of: PersonRows, own: Collection[Identifier], rules: IdentifierRules
) -> dict[str, set[str]]:
    """Source -> messages of others that carry one of the identifiers."""
    found: dict[str, set[str]] = {}
    for hits in in_parallel(files, lambda file: list(messages_with([file], own, rules))):
        for _, source, messages in hits:
            found.setdefault(source, set()).update(set(messages).difference(of.messages.get(source, ())))
    return found


def _taken_over(table: pa.Table, own: Collection[Identifier], rules: IdentifierRules) -> npt.NDArray[np.bool_]:
    """Rows whose `previous_id` is one of the identifiers: of its type, in the id space of the row."""
    marks = np.zeros(len(table), np.bool_)
    if "previous_id" not in table.column_names:
        return marks
    column = table.column("previous_id")
    for space in {one.space for one in own if one.space}:

        def means(texts: pa.StringArray, space: str = space) -> pa.BooleanArray:
            told = (
                text is not None and not former_identifiers(text, space, rules).isdisjoint(own)
                for text in texts.to_pylist()
            )
            return pa.array(told, pa.bool_())

        marks |= where_coded(column, means) & is_in(table.column("id_space"), [space])
    return marks


def _doubtful(table: pa.Table, mentions: Mentions) -> npt.NDArray[np.bool_]:
    """Rows with a text in which a word stands that may mean the person."""
    marks = np.zeros(len(table), np.bool_)
    for name in (name for name in _FREE_COLUMNS if name in table.column_names):
        marks |= where_coded(table.column(name), mentions.doubtful)
    return marks


def _naming(table: pa.Table, name: str, mentions: Mentions) -> npt.NDArray[np.bool_]:
    """Rows in a text of whose column an identifier stands for certain."""
    column = table.column(name)
    if name == "items":
        return _in_items(column, table.column("id_space"), mentions)
    marks = where_coded(column, mentions.likely)
    at = np.flatnonzero(marks)
    rows = pa.array(at)
    pairs = zip(at, column.take(rows).to_pylist(), table.column("id_space").take(rows).to_pylist(), strict=True)
    for row, text, space in pairs:
        marks[row] = bool(mentions.spans(text, of_identifier=name in NAMING_COLUMNS, space=space))
    return marks


def _in_items(column: pa.ChunkedArray, spaces: pa.ChunkedArray, mentions: Mentions) -> npt.NDArray[np.bool_]:
    """The same for the texts of order lines; `spaces` are the rows' id spaces."""
    marks = np.zeros(len(column), np.bool_)
    lines = pc.list_flatten(column)
    parents = pc.list_parent_indices(column).to_numpy()
    for name in _ITEM_TEXTS:
        texts = pc.struct_field(lines, name)
        at = np.flatnonzero(where_coded(texts, mentions.likely))
        rows = parents[at]
        pairs = zip(texts.take(pa.array(at)).to_pylist(), spaces.take(pa.array(rows)).to_pylist(), strict=True)
        for row, (text, space) in zip(rows, pairs, strict=True):
            marks[row] |= bool(mentions.spans(text, space=space))
    return marks


def _spaces(files: Sequence[LakeFile], imports: Sequence[ImportRecord]) -> Mapping[int, frozenset[str]]:
    """Import -> id spaces of its source, where they are known: by its events, whatever import they came with."""
    of_source: dict[str, set[str]] = {}
    for file in files:
        with open_parquet(file.path, coded=["id_space"]) as parquet:
            for group in range(parquet.num_row_groups):
                column = parquet.read_row_group(group, columns=["id_space"]).column(0)
                of_source.setdefault(file.source, {file.source}).update(pc.unique(column).cast(pa.string()).to_pylist())
    return {one.batch: frozenset(of_source[one.source]) for one in imports if one.source in of_source}
