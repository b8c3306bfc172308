"""Buckets and cold tables on a cluster: each written by one task, with the bytes that one machine gives it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.engines.exchange import Piece, by_kind
from percorso.identity.spread.rows import codes_of_keys, codes_of_texts, numbers
from percorso.journeys.bucket import prepare_rows
from percorso.journeys.bucket_rules import bucket_rules
from percorso.journeys.coding import TEXT_SCHEMA, Coder
from percorso.journeys.cold_tables import cold_months
from percorso.journeys.merge import merge_tables
from percorso.journeys.shuffle import record_type
from percorso.journeys.spread.coding import CODED, COLD, GONE, HELLO, REBUILT, Targets, coded_columns, records_of
from percorso.journeys.spread.traces import GONE_SCHEMA, TRACES, touched_groups
from percorso.journeys.tables import bucket_tables
from percorso.journeys.write import write_bucket
from percorso.settings import Settings
from percorso.store.cold import COLD_COLUMNS, Cold
from percorso.store.columns import as_strings, string_buffers
from percorso.store.files import AnyPath
from percorso.store.journey_log import Bucket

__all__ = ["ENTRIES", "Before", "BucketSteps"]

ENTRIES = "entries"


_COLD_SCHEMA = pa.schema([*GONE_SCHEMA, *((name, pa.string()) for name in COLD_COLUMNS)])


@dataclass(frozen=True, slots=True)
class Before:
    """The log that is built upon, and what of it is made anew.

    Attributes
    ----------
    entries : sequence of mappings
        Of its buckets in the manifest, that of nobody last.
    cold : mapping
        Its cold tables, as in the manifest.
    """

    entries: Sequence[Mapping[str, Any]]
    cold: Mapping[str, Sequence[str | None]]

    def bucket(self, folder: AnyPath, index: int) -> Bucket:
        """A bucket of it, in the task that merges it."""
        return Bucket(folder, self.entries[index], Cold(folder, self.cold))


@dataclass(frozen=True, slots=True)
class BucketSteps:
    """What becomes of the rows of a part: a bucket's tables, or those of cold texts.

    Attributes
    ----------
    settings : Settings
    secret : bytes
    sources : tuple of str
        By rank.
    targets : Targets
    log : AnyPath
        Where the files go.
    before : Before, optional
        What is built upon; None: nothing.
    """

    settings: Settings
    secret: bytes
    sources: tuple[str, ...]
    targets: Targets
    log: AnyPath
    before: Before | None = None

    def greet(self, task: int) -> Iterator[Piece]:
        """A piece for every bucket, so that those without a row are written as well."""
        for part in range(self.targets.nobody + 1):
            yield Piece(HELLO, part, pa.table({"part": [part]}))

    def write(self, part: int, pieces: Iterable[Piece]) -> Iterator[Piece]:
        """The manifest's entry of what was written, as JSON."""
        tables = by_kind(pieces, (CODED, COLD, GONE, HELLO, REBUILT, TRACES))
        found: Any
        if part <= self.targets.nobody:
            n_built = sum(table.num_rows for table in tables[CODED])
            found = {"entry": self._bucket(part, tables.pop(CODED), tables[REBUILT]), "n_built": n_built}
        elif part == self.targets.told:
            found = {row["part"]: row["name"] for table in tables[TRACES] for row in table.to_pylist()}
        else:
            found = self._cold(part - self.targets.cold, tables[COLD], tables[GONE])
        yield Piece(ENTRIES, 0, pa.table({"part": [part], "entry": [msgspec.json.encode(found)]}))

    def _bucket(self, index: int, tables: list[pa.Table], rebuilt: list[pa.Table]) -> dict[str, Any]:
        """Write a bucket; the tables are taken out of the list as they are done with."""
        coder = Coder(self.settings, self.secret)
        records, rows = self._recoded(tables, coder)
        ids, identified = _number_persons(records, rows, is_nobody=index == self.targets.nobody)
        messages, texts = rows.column("message_id"), rows.select(TEXT_SCHEMA.names)
        del rows
        rules = bucket_rules(self.settings, coder, self.sources)
        prepared = prepare_rows(records, texts, len(ids), 0, self.settings, lambda at: _texts_at(messages, at))
        del records, texts
        written = bucket_tables(prepared, rules, person_ids=ids, identified=identified)
        if self.before is not None:
            groups = touched_groups(pa.concat_tables(rebuilt), of_nobody=index == self.targets.nobody)
            written = merge_tables(self.before.bucket(self.log, index), written, groups)
        return write_bucket(index, written, self.log)

    def _recoded(self, tables: list[pa.Table], coder: Coder) -> tuple[npt.NDArray[Any], pa.Table]:
        """Records with codes of one dictionary each, and all that goes beside them."""
        record = record_type(self.settings.build.coded_properties)
        records, end = np.empty(sum(table.num_rows for table in tables), dtype=record), 0
        beside = [_nothing()]
        while tables:
            table = tables.pop()
            here = records[end : end + table.num_rows]
            end += table.num_rows
            here.view(np.uint64)[:] = records_of(table, record).view(np.uint64)
            words = msgspec.json.decode(table.schema.metadata[b"words"])
            for name, dictionary in coded_columns(coder).items():
                codes = np.array([dictionary.code(word) for word in words[name]], dtype=np.int32)
                here[name] = codes[here[name]]
            beside.append(table.drop_columns(["record"]).replace_schema_metadata(None))
        return records, pa.concat_tables(beside)

    def _cold(self, part: int, coming: list[pa.Table], leaving: list[pa.Table]) -> dict[str, str | None]:
        """File of each month whose texts are others than before."""
        rows = pa.concat_tables([_COLD_SCHEMA.empty_table(), *coming])
        gone = pa.concat_tables([GONE_SCHEMA.empty_table(), *leaving]).sort_by(
            [("month", "ascending"), ("key", "ascending")]
        )
        months, heads = np.unique(numbers(gone, "month"), return_index=True)
        keys = dict(zip(months.tolist(), np.split(numbers(gone, "key"), heads[1:]), strict=bool(len(months))))
        texts = rows.select(list(COLD_COLUMNS))
        before = None if self.before is None else Cold(self.log, self.before.cold)
        found = cold_months(self.log, part, numbers(rows, "key"), numbers(rows, "month"), texts, keys, before)
        return {str(month): name for month, name in found.items()}


def _nothing() -> pa.Table:
    hashed = pa.binary(16)
    fields = [("message_id", pa.string()), ("person", hashed), ("identified", pa.uint8()), ("device", pa.string())]
    fields += [("order_id", hashed), ("conversation", hashed), *((field.name, field.type) for field in TEXT_SCHEMA)]
    return pa.schema(fields).empty_table()


def _number_persons(
    records: npt.NDArray[Any], rows: pa.Table, *, is_nobody: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Fill in what the records have as numbers of this bucket; ids of its persons in order, and 1 for identified ones.

    Returns
    -------
    ids : uint8, shape (n_persons, 16)
    identified : uint8, shape (n_persons,)
    """
    n = len(records)
    records["row"] = np.arange(n)
    (records["device_code"],), _ = codes_of_texts([rows.column("device")])
    for field, name in (("order_ref", "order_id"), ("conversation", "conversation")):
        (codes,), _ = codes_of_keys([rows.column(name)])
        records[field] = codes.astype(np.int64) + 1
    if is_nobody:
        records["person"] = -1
        return np.zeros((0, 16), dtype=np.uint8), np.zeros(0, dtype=np.uint8)
    (codes,), keys = codes_of_keys([rows.column("person")])
    order = np.lexsort(keys.byteswap().T[::-1])
    rank = np.empty(len(keys), dtype=np.int32)
    rank[order] = np.arange(len(keys), dtype=np.int32)
    records["person"] = rank[codes]
    identified = np.zeros(len(keys), dtype=np.uint8)
    identified[records["person"]] = numbers(rows, "identified")
    return np.ascontiguousarray(keys[order]).view(np.uint8).reshape(-1, 16), identified


def _texts_at(texts: pa.ChunkedArray, at: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    offsets, data = string_buffers(as_strings(texts.take(pa.array(at))))
    return offsets.astype(np.int64), data
