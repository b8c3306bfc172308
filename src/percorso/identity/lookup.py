"""From an identifier that somebody types to the persons it points at, and back.

The journey log knows persons by keyed hashes alone; what they are called stands in the lake. So a look-up makes
the hashes that the build would make, and reads the lake for what no hash can tell: on whose events an identifier
stands beside a better one.
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
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.placement import person_id
from percorso.store.lake import LakeFile

__all__ = [
    "IDENTIFIER_READ",
    "Identifier",
    "identifiers_of",
    "known_spaces",
    "persons_of_rows",
    "possible_identifiers",
    "rows_of_messages",
    "rows_with",
]

#: Columns of the lake that say who somebody is.
IDENTIFIER_READ = ("message_id", "id_space", *STRONG_COLUMNS, *WEAK_COLUMNS, "other_ids")

_OF_THE_WORKSPACE = ("email", "phone")
_NO_DIGIT = re.compile(r"\D")
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
        with pq.ParquetFile(file.path, read_dictionary=["id_space"], memory_map=True) as parquet:
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
            possible += [Identifier(kind, space, value) for space in (("",) if kind in _OF_THE_WORKSPACE else spaces)]
    return tuple(possible)


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
            found.append(Identifier(kind, "" if kind in _OF_THE_WORKSPACE else row["id_space"], value))
    return tuple(found)


def rows_with(
    files: Sequence[LakeFile], identifiers: Collection[Identifier], rules: IdentifierRules
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of the lake that carry one of the identifiers, each with its source.

    Normal forms are compared, of distinct values; the other columns are read only where something was found.
    """
    wanted = {kind: {i for i in identifiers if i.kind == kind} for kind in {i.kind for i in identifiers}}
    columns = sorted({kind if kind in IDENTIFIER_READ else "other_ids" for kind in wanted})
    for file in files:
        with pq.ParquetFile(file.path, read_dictionary=[*columns, "id_space"], memory_map=True) as parquet:
            for group in range(parquet.num_row_groups):
                table = parquet.read_row_group(group, columns=[*columns, "id_space"]).combine_chunks()
                marks = np.zeros(len(table), dtype=np.bool_)
                for kind, ones in wanted.items():
                    marks |= _carrying(table, kind, ones, rules)
                if marks.any():
                    whole = parquet.read_row_group(group, columns=list(IDENTIFIER_READ)).filter(pa.array(marks))
                    for row in whole.to_pylist():
                        yield file.source, row


def _carrying(table: pa.Table, kind: str, wanted: set[Identifier], rules: IdentifierRules) -> npt.NDArray[np.bool_]:
    """Which rows carry one of the wanted identifiers of a kind, shape (n_rows,)."""
    values = {identifier.value for identifier in wanted}
    if kind in IDENTIFIER_READ:
        hits = _rows_where(table.column(kind), lambda texts: _normal_is_in(kind, texts, values, rules))
    else:
        hits = _rows_where(table.column("other_ids"), lambda texts: _own_is_in(kind, texts, values, rules))
    if kind in _OF_THE_WORKSPACE or not hits.any():
        return hits
    spaces = {identifier.space for identifier in wanted}
    return hits & _rows_where(table.column("id_space"), lambda texts: [text in spaces for text in texts])


def _rows_where(column: pa.ChunkedArray, test: Callable[[list[str | None]], Sequence[bool]]) -> npt.NDArray[np.bool_]:
    """Rows of a coded column whose value passes; `test` sees the distinct values."""
    marks = np.zeros(len(column), dtype=np.bool_)
    at = 0
    for chunk in column.chunks:
        if chunk.null_count < len(chunk):
            passes = np.array([*test(chunk.dictionary.to_pylist()), False], dtype=np.bool_)
            indices = chunk.indices.fill_null(len(passes) - 1).to_numpy(zero_copy_only=False)
            marks[at : at + len(chunk)] = passes[indices]
        at += len(chunk)
    return marks


def _normal_is_in(kind: str, texts: list[str | None], values: set[str], rules: IdentifierRules) -> list[bool]:
    if kind == "phone":
        # Reading a phone number is slow: most of them end in other digits.
        ends = {value[-_LAST_DIGITS:] for value in values}
        texts = [text if any(end in _NO_DIGIT.sub("", text or "") for end in ends) else None for text in texts]
    normal = rules.normalise_many(kind, pa.array(texts, pa.string())).to_pylist()
    return [value in values for value in normal]


def _own_is_in(kind: str, texts: list[str | None], values: set[str], rules: IdentifierRules) -> list[bool]:
    found = []
    for text in texts:
        raw = msgspec.json.decode(text).get(kind) if text else None
        found.append(raw is not None and rules.normalise(kind, str(raw)) in values)
    return found


def persons_of_rows(
    rows: Iterator[tuple[str, dict[str, Any]]],
    identifiers: Collection[Identifier],
    rules: IdentifierRules,
    secret: bytes,
) -> dict[bytes, set[Identifier]]:
    """Ids of the persons that the rows may belong to, each with the wanted identifiers that led there.

    A row with a strong identifier belongs to its best one's person. One with a weak identifier alone may end a log-in,
    and be what an anonymous person is keyed by; whether there is such a person only the journey log knows.
    """
    persons: dict[bytes, set[Identifier]] = {}
    for source, row in rows:
        carried = identifiers_of(row, rules)
        matching = {identifier for identifier in carried if identifier in identifiers}
        if carried and carried[0].kind not in WEAK_COLUMNS:
            persons.setdefault(person_id(secret, carried[0].text()), set()).update(matching)
        for identifier in matching:
            if identifier.kind in WEAK_COLUMNS:
                key = b"\0".join([identifier.text(), source.encode(), row["message_id"].encode()])
                persons.setdefault(person_id(secret, key), set()).add(identifier)
    return persons


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
    inside = [file for file in files if file.max_time_us >= first_us and file.min_time_us <= last_us]
    between = (ds.field("timestamp") >= _instant(first_us)) & (ds.field("timestamp") <= _instant(last_us))
    found = _messages(inside, messages, between)
    seen = {(source, row["message_id"]) for source, row in found}
    missing = {source: {one for one in ids if (source, one) not in seen} for source, ids in messages.items()}
    if any(missing.values()):
        found += _messages(files, missing, None)
    return found


def _messages(
    files: Sequence[LakeFile], messages: dict[str, set[str]], condition: Any
) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for source, ids in messages.items():
        paths = [str(file.path) for file in files if file.source == source]
        if not ids or not paths:
            continue
        wanted = ds.field("message_id").isin(pa.array(sorted(ids), pa.string()))
        rows = ds.dataset(paths, format="parquet").to_table(
            columns=[*IDENTIFIER_READ, "timestamp"], filter=wanted if condition is None else wanted & condition
        )
        times = rows.column("timestamp").cast(pa.int64())
        rows = rows.set_column(rows.schema.get_field_index("timestamp"), "timestamp", times)
        found += [(source, row) for row in rows.to_pylist()]
    return found


def _instant(time_us: int) -> pa.Scalar:
    return pa.scalar(time_us, pa.timestamp("us", tz="UTC"))
