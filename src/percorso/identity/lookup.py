"""From an identifier that somebody types to the persons it points at, and back.

The journey log knows persons by keyed hashes alone; what they are called stands in the lake. So a look-up makes
the hashes that the build would make, and reads the lake for what no hash can tell: on which events an identifier
stands that belongs to nobody alone, and which identifiers stand on somebody's events.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import WORKSPACE_WIDE, IdentifierRules
from percorso.identity.placement import person_id
from percorso.kernels.arrays import U8
from percorso.store.lake import LakeFile
from percorso.store.mapped import open_parquet

__all__ = [
    "IDENTIFIER_READ",
    "Identifier",
    "aliases_of",
    "identifiers_of",
    "known_spaces",
    "messages_with",
    "possible_identifiers",
    "rows_of_messages",
    "rows_with",
]

#: Columns of the lake that say who somebody is.
IDENTIFIER_READ = ("message_id", "id_space", *STRONG_COLUMNS, *WEAK_COLUMNS, "other_ids")

_TOKENS = ("loyalty_id", "card_token")
_NO_BLANK = re.compile(r"\s+")
_LAST_DIGITS = 6


@dataclass(frozen=True, slots=True, order=True)
class Identifier:
    """An identifier in its normal form; `space` is "" for e-mail and phone."""

    kind: str
    space: str
    value: str

    def text(self) -> bytes:
        """What the keyed hash of a person known by it is made of."""
        return f"{self.kind}\0{self.space}\0{self.value}".encode()


def known_spaces(files: Sequence[LakeFile]) -> tuple[str, ...]:
    """All id spaces of the lake, sorted."""
    found: set[str] = set()
    for file in files:
        with open_parquet(file.path, coded=["id_space"]) as parquet:
            for batch in parquet.iter_batches(batch_size=1 << 20, columns=["id_space"]):
                found.update(pc.unique(batch.column(0)).cast(pa.string()).to_pylist())
    return tuple(sorted(found))


def possible_identifiers(
    text: str, rules: IdentifierRules, *, kinds: Sequence[str], spaces: Sequence[str]
) -> tuple[Identifier, ...]:
    """Everything that a text can be: one identifier for each kind and space it is well-formed for.

    Parameters
    ----------
    text : str
    rules : IdentifierRules
    kinds : sequence of str
        By falling priority.
    spaces : sequence of str
        Id spaces of the lake.
    """
    possible = []
    for kind in kinds:
        value = rules.normalise(kind, text)
        if value is not None:
            possible += [Identifier(kind, space, value) for space in (("",) if kind in WORKSPACE_WIDE else spaces)]
    return tuple(possible)


def aliases_of(identifiers: Sequence[Identifier], secret: bytes) -> U8:
    """The keyed hash of each identifier, uint8, shape (n, 16): what the alias table knows it by."""
    joined = b"".join([person_id(secret, one.text()) for one in identifiers])
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, 16)


def identifiers_of(row: dict[str, Any], rules: IdentifierRules) -> tuple[Identifier, ...]:
    """The identifiers of a row of the lake, strong ones by falling priority, then weak ones."""
    own = msgspec.json.decode(row["other_ids"]) if row["other_ids"] else {}
    values = [(kind, row[kind]) for kind in STRONG_COLUMNS]
    values += [(kind, None if own[kind] is None else str(own[kind])) for kind in sorted(own)]
    values += [(kind, row[kind]) for kind in WEAK_COLUMNS]
    found = []
    for kind, raw in values:
        value = None if raw is None else rules.normalise(kind, raw)
        if value is not None:
            found.append(Identifier(kind, "" if kind in WORKSPACE_WIDE else row["id_space"], value))
    return tuple(found)


def rows_with(
    files: Sequence[LakeFile], identifiers: Collection[Identifier], rules: IdentifierRules
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of the lake that carry one of the identifiers, each with its source.

    Normal forms are compared, of distinct values; the other columns are read only where something was found.
    """
    wanted = {kind: [i for i in identifiers if i.kind == kind] for kind in sorted({i.kind for i in identifiers})}
    columns = sorted({kind if kind in IDENTIFIER_READ else "other_ids" for kind in wanted})
    for file in files:
        with open_parquet(file.path, coded=[*columns, "id_space"]) as parquet:
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=[*columns, "id_space"])
                marks = np.zeros(len(table), dtype=np.bool_)
                for kind, ones in wanted.items():
                    marks |= _carrying(table, kind, ones, rules)
                if marks.any():
                    whole = parquet.read_row_group(group, columns=list(IDENTIFIER_READ)).filter(pa.array(marks))
                    for row in whole.to_pylist():
                        yield file.source, row


def messages_with(
    files: Sequence[LakeFile], identifiers: Collection[Identifier], rules: IdentifierRules
) -> Iterator[tuple[Identifier, str, list[str]]]:
    """Which events carry which of the identifiers: an identifier, a source, and message ids of it; each as often as
    parts of the lake have some.

    Cheaper than `rows_with` where an identifier stands on very many events: nothing else of them is read.
    """
    wanted: dict[tuple[str, str], list[Identifier]] = {}
    for identifier in identifiers:
        wanted.setdefault((identifier.kind, identifier.value), []).append(identifier)
    columns = sorted({kind if kind in IDENTIFIER_READ else "other_ids" for kind, _ in wanted})
    for file in files:
        with open_parquet(file.path, coded=[*columns, "id_space"]) as parquet:
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=[*columns, "id_space"])
                hits = [(ones, _carrying(table, kind, ones, rules)) for (kind, _), ones in wanted.items()]
                if any(marks.any() for _, marks in hits):
                    messages = parquet.read_row_group(group, columns=["message_id"]).column(0)
                    for ones, marks in hits:
                        for one in ones:
                            mine = marks & _in_spaces(table, [one])
                            if mine.any():
                                yield one, file.source, messages.filter(pa.array(mine)).to_pylist()


def _carrying(table: pa.Table, kind: str, wanted: list[Identifier], rules: IdentifierRules) -> npt.NDArray[np.bool_]:
    """Which rows carry one of the wanted identifiers of a kind, shape (n_rows,)."""
    values = {identifier.value for identifier in wanted}
    column = table.column(kind if kind in IDENTIFIER_READ else "other_ids")
    hits = _rows_where(column, lambda texts: _matches(kind, texts, values, rules))
    return hits & _in_spaces(table, wanted) if hits.any() else hits


def _in_spaces(table: pa.Table, wanted: list[Identifier]) -> npt.NDArray[np.bool_]:
    """Which rows are of the space of one of the wanted identifiers, which are of one kind; shape (n_rows,)."""
    if wanted[0].kind in WORKSPACE_WIDE:
        return np.ones(len(table), dtype=np.bool_)
    spaces = pa.array({identifier.space for identifier in wanted}, pa.string())
    return _rows_where(table.column("id_space"), lambda texts: pc.is_in(texts, spaces))


def _rows_where(column: pa.ChunkedArray, test: Callable[[pa.StringArray], pa.BooleanArray]) -> npt.NDArray[np.bool_]:
    """Rows of a coded column whose value passes; `test` sees the distinct values."""
    marks = np.zeros(len(column), dtype=np.bool_)
    at = 0
    for chunk in column.chunks:
        if chunk.null_count < len(chunk):
            passes = np.append(test(chunk.dictionary).to_numpy(zero_copy_only=False), False)
            if passes.any():
                indices = chunk.indices.fill_null(len(passes) - 1).to_numpy(zero_copy_only=False)
                marks[at : at + len(chunk)] = passes[indices]
        at += len(chunk)
    return marks


def _matches(kind: str, texts: pa.StringArray, values: set[str], rules: IdentifierRules) -> pa.BooleanArray:
    """Which texts have one of the values as their normal form: a quick look first, the rules for what remains."""
    likely = np.zeros(len(texts), dtype=np.bool_)
    for value in values:
        likely |= _looks_like(kind, texts, value).fill_null(False).to_numpy(zero_copy_only=False)
    at = np.flatnonzero(likely)
    for row, text in zip(at, texts.take(pa.array(at)).to_pylist(), strict=True):
        raw = text if kind in IDENTIFIER_READ else msgspec.json.decode(text).get(kind)
        likely[row] = raw is not None and rules.normalise(kind, str(raw)) in values
    return pa.array(likely)


def _looks_like(kind: str, texts: pa.StringArray, value: str) -> pa.BooleanArray:
    """False where a text cannot have the value as its normal form."""
    if kind == "phone":
        # Signs may stand anywhere; but for an extension the number's last digits are the text's.
        return pc.match_substring(pc.replace_substring_regex(texts, "[^0-9]", ""), value[-_LAST_DIGITS:])
    if kind in _TOKENS:
        plain = pc.replace_substring_regex(pc.utf8_upper(texts), r"\s", "")
        return pc.match_substring(plain, _NO_BLANK.sub("", value))
    if kind == "email":
        name = value.rpartition("@")[0]
        # Composed and decomposed letters are told apart by nobody but the rules.
        return pc.match_substring(texts, name, ignore_case=True) if name.isascii() else pc.is_valid(texts)
    if kind in IDENTIFIER_READ:
        return pc.match_substring(texts, value)
    return pc.match_substring(texts, kind)  # a JSON object that has the key


def rows_of_messages(
    files: Sequence[LakeFile], messages: dict[str, set[str]], *, first_us: int, last_us: int
) -> list[tuple[str, dict[str, Any]]]:
    """The rows of the lake with the given message ids, by source, each with its source and its `timestamp`.

    Parameters
    ----------
    files : sequence of LakeFile
    messages : dict of str to set of str
        Source -> message ids.
    first_us, last_us : int
        When they happened, as far as known. Files and row groups of other times are read only if something is missing
        then: a device with a wrong clock said another time than the one its events were given.
    """
    found = _messages(files, messages, first_us, last_us)
    seen = {(source, row["message_id"]) for source, row in found}
    missing = {source: {one for one in ids if (source, one) not in seen} for source, ids in messages.items()}
    if any(missing.values()):
        found += _messages(files, missing, None, None)
    return found


def _messages(
    files: Sequence[LakeFile], messages: dict[str, set[str]], first_us: int | None, last_us: int | None
) -> list[tuple[str, dict[str, Any]]]:
    """Rows by message id; with times, of the row groups that reach into them."""
    found: list[tuple[str, dict[str, Any]]] = []
    for file in files:
        ids = messages.get(file.source)
        if not ids or (first_us is not None and file.max_time_us < first_us):
            continue
        wanted = pa.array(sorted(ids), pa.string())
        with open_parquet(file.path) as parquet:
            for group in _groups_between(parquet, first_us, last_us):
                hits = pc.is_in(parquet.read_row_group(group, columns=["message_id"]).column(0), wanted)
                if pc.any(hits).as_py():
                    rows = parquet.read_row_group(group, columns=[*IDENTIFIER_READ, "timestamp"]).filter(hits)
                    times = rows.column("timestamp").cast(pa.int64())
                    position = rows.schema.get_field_index("timestamp")
                    found += [(file.source, row) for row in rows.set_column(position, "timestamp", times).to_pylist()]
    return found


def _groups_between(parquet: pq.ParquetFile, first_us: int | None, last_us: int | None) -> list[int]:
    """Row groups that may hold rows of these times, by the statistics of the file."""
    every = range(parquet.num_row_groups)
    if first_us is None or last_us is None:
        return list(every)
    leaves = [parquet.schema.column(leaf).path for leaf in range(len(parquet.schema))]
    kept = []
    for group in every:
        times = parquet.metadata.row_group(group).column(leaves.index("timestamp")).statistics
        if times is None or not times.has_min_max or (times.min_raw <= last_us and times.max_raw >= first_us):
            kept.append(group)
    return kept
