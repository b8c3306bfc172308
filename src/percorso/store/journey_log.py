"""The journey log: all events sorted by person and time, in compact coded columns.

Layout of a workspace's ``log/`` folder::

    manifest.json              which files are the log now; swapped atomically
    <table>-<sha256>.arrow     one Arrow IPC file a table and bucket, named by its content

Tables of a bucket: ``events`` (hot columns), ``persons``, ``sessions``, ``journeys``, ``orders``,
``items``, ``order_keys`` (keyed hashes of order numbers), and for each UTC month of its events one
``cold.2024-03``, whose rows stand in the order of ``events``: a month that got no new rows keeps its
file. A file depends on its persons' events and the rules alone, so that equal content has equal bytes
and equal names.

Persons stand in the order of their ids; events stand by person, then in the total order
(timestamp, source, sequence, message id). Coded columns carry a dictionary of their own, sorted by
bytes, without nulls: ``""`` is "none". Integer references (session, journey, order, contact) count
within the bucket; -1 is "none".

The bucket of the unidentified has no persons: its events stand in the total order, and what elsewhere
is done person by person is done month by month there.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.errors import Corrupt, FormatTooNew, NotFound, nearest_hint
from percorso.store.cold import COLD_COLUMNS, ColdRows, cold_rows, month_key, one_array

__all__ = [
    "CODED_COLUMNS",
    "FLAG_BOT",
    "FLAG_ENGAGED",
    "FLAG_FUTURE",
    "FLAG_GOAL",
    "FLAG_HEAVY",
    "FLAG_ORDER",
    "FLAG_SAME_ORDER",
    "FLAG_SESSION_START",
    "LOG_FORMAT",
    "TABLES",
    "Bucket",
    "JourneyLog",
    "Table",
    "open_log",
    "swap_manifest",
]

#: Format number of bucket files and manifest: an older log is rebuilt, a newer one refused.
LOG_FORMAT = 2

FLAG_BOT = 1  # out by default
FLAG_HEAVY = 2  # the person has more events than the setting allows; out by default
FLAG_FUTURE = 4  # timestamp more than an hour after received_at; placed at received_at
FLAG_SAME_ORDER = 8  # another source's copy of an order that counts elsewhere
FLAG_ORDER = 16  # the event that counts as its order
FLAG_GOAL = 32  # closes a purchase journey
FLAG_ENGAGED = 64  # stands in an engaged session
FLAG_SESSION_START = 128

#: Tables that every bucket has. Beside them stands a cold table for each month that has events (percorso.store.cold).
TABLES = ("events", "persons", "sessions", "journeys", "orders", "items", "order_keys")

#: Hot columns of `events` that are coded (dictionary), in file order. Beside them stand
#: time (int64, µs UTC), value (int64, minor units), score (float64, NaN: none), session, contact,
#: journey, order (int32) and flags (uint16).
CODED_COLUMNS = (
    "event",
    "touchpoint",
    "place",
    "channel",
    "channel_rule",
    "direction",
    "signal",
    "stage",
    "source",
    "device",
    "os",
    "country",
    "campaign",
    "page",
    "product",
    "category",
    "currency",
    "placing",
)


def swap_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Make `manifest` the log, atomically: readers see the old one or the new one, never a mixture."""
    partial = folder / f".manifest.{os.getpid()}"
    with open(partial, "w", encoding="utf-8") as stream:
        json.dump(manifest, stream, indent=1, sort_keys=True)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(folder / "manifest.json")
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of one bucket, memory-mapped; columns are read without a copy."""

    batch: pa.RecordBatch

    def __len__(self) -> int:
        return int(self.batch.num_rows)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.batch.schema.names)

    def arrow(self, name: str) -> pa.Array:
        """The column as Arrow array; NotFound with the nearest name where there is none."""
        position = self.batch.schema.get_field_index(name)
        if position < 0:
            raise NotFound(f"There is no column '{name}'.", hint=nearest_hint(name, self.names))
        return self.batch.column(position)

    def is_coded(self, name: str) -> bool:
        return bool(pa.types.is_dictionary(self.arrow(name).type))

    def values(self, name: str) -> npt.NDArray[Any]:
        """Numbers of a plain column, or the codes of a coded one, shape (n_rows,); not writable."""
        column = self.arrow(name)
        if pa.types.is_dictionary(column.type):
            column = column.indices
        return column.to_numpy(zero_copy_only=True)  # type: ignore[no-any-return]

    def dictionary(self, name: str) -> tuple[str, ...]:
        """The values of a coded column, sorted by bytes; codes count into it."""
        return tuple(self.arrow(name).dictionary.to_pylist())


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of persons. ``meta`` is its entry in the manifest."""

    folder: Path
    meta: Mapping[str, Any]
    _open: dict[str, Table] = field(default_factory=dict)
    _cold: list[ColdRows] = field(default_factory=list)  # none or one

    @property
    def index(self) -> int:
        return int(self.meta["index"])

    @property
    def n_events(self) -> int:
        return int(self.meta["n_events"])

    @property
    def n_persons(self) -> int:
        return int(self.meta["n_persons"])

    def table(self, name: str) -> Table:
        """The table, mapped into memory on first use."""
        if name not in self._open:
            path = self.folder / self.meta["files"][name]
            try:
                source = pa.memory_map(str(path), "r")
                self._open[name] = Table(pa.ipc.open_file(source).get_batch(0))
            except (OSError, pa.ArrowInvalid) as error:
                raise Corrupt(
                    f"The journey log's file {path.name} cannot be read.",
                    hint="Run `percorso build --full`; the events themselves are in the lake.",
                ) from error
        return self._open[name]

    @property
    def events(self) -> Table:
        return self.table("events")

    @property
    def persons(self) -> Table:
        return self.table("persons")

    def cold(self, name: str) -> pa.Array:
        """A cold column, aligned with the events; coded ones as text. It is put together from its months."""
        where = self._cold_rows()
        if not where.months:
            return pa.array([], COLD_COLUMNS[name])
        whole = one_array([self._month(month).arrow(name) for month in where.months])
        return whole if len(where.months) == 1 else whole.take(pa.array(where.places()))

    def cold_rows(self, rows: npt.NDArray[np.int64], names: list[str]) -> pa.Table:
        """Cold columns of some events.

        Parameters
        ----------
        rows : int64, shape (n,)
            Event rows, in any order; only their months are read.
        names : list of str
        """
        where = self._cold_rows()
        place = where.places()[rows]
        month = np.searchsorted(where.offsets, place, side="right") - 1
        order = np.argsort(month, kind="stable")
        back = np.empty(len(rows), dtype=np.int64)
        back[order] = np.arange(len(rows))
        present, starts = np.unique(month[order], return_index=True)
        inside = np.split(place[order], starts[1:]) if len(present) else []
        parts = [
            self._month(where.months[number]).batch.select(names).take(pa.array(places - where.offsets[number]))
            for number, places in zip(present.tolist(), inside, strict=True)
        ]
        columns = {}
        for name in names:
            found = [part.column(name) for part in parts] or [pa.array([], COLD_COLUMNS[name])]
            columns[name] = one_array(found).take(pa.array(back))
        return pa.table(columns)

    def cold_words(self, name: str) -> set[str]:
        """The values of a coded cold column, of all months; none has to be put together."""
        every = (self._month(month).dictionary(name) for month in self._cold_rows().months)
        return {word for words in every for word in words}

    def _month(self, month: int) -> Table:
        return self.table(month_key(month))

    def _cold_rows(self) -> ColdRows:
        if not self._cold:
            self._cold.append(cold_rows(self.events.values("time")))
        return self._cold[0]

    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each person's events begin, and the end of the last: int64, shape (n_persons + 1,)."""
        starts = self.persons.values("start")
        return np.append(starts, np.int64(self.n_events))

    def count(self, flag: int) -> int:
        """How many events of the bucket carry the flag."""
        return int(self.meta["flag_counts"].get(str(flag), 0))


@dataclass(frozen=True, slots=True)
class JourneyLog:
    """An opened journey log: a manifest and its buckets, safe to read while a build replaces it."""

    folder: Path
    manifest: Mapping[str, Any]
    buckets: tuple[Bucket, ...]
    #: Events that belong to nobody (cash receipts): in totals, never a person. `n_persons` is 0.
    unidentified: Bucket

    @property
    def data_version(self) -> str:
        """Hash over all file names: equal data, rules and version give the equal string."""
        return str(self.manifest["data_version"])

    @property
    def state(self) -> str:
        """Which identity state belongs to this log; "" where none was kept with it."""
        return str(self.manifest.get("state", ""))

    @property
    def as_of_us(self) -> int:
        """Default as-of time (µs UTC): the newest event not placed in the future."""
        return int(self.manifest["as_of_us"])

    def quiet_sources(self, as_of_us: int) -> dict[str, int]:
        """Sources whose newest event is older than the journeys' time-out, and its time in µs UTC."""
        timeout = int(self.manifest.get("journey_timeout_us", 0))
        newest = self.manifest.get("sources", {})
        return {name: time for name, time in sorted(newest.items()) if time + timeout < as_of_us}

    def global_dictionary(self, table: str, column: str) -> tuple[str, ...]:
        """All values of a coded column over all buckets, sorted by bytes."""
        every = self._every(self.buckets, table, column)
        return tuple(sorted(every, key=lambda value: value.encode()))

    @staticmethod
    def _every(buckets: Iterable[Bucket], table: str, column: str) -> set[str]:
        return {value for bucket in buckets for value in bucket.table(table).dictionary(column)}


def open_log(folder: Path) -> JourneyLog | None:
    """The journey log in `folder` as it stands now; None where none was built (or by an older format).

    Raises
    ------
    FormatTooNew
        The log was written by a newer Percorso.
    """
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        written = int(manifest["format"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt("The journey log's manifest cannot be read.", hint="Run `percorso build --full`.") from error
    if written > LOG_FORMAT:
        raise FormatTooNew(
            "This journey log was written by a newer version of Percorso.",
            hint="Upgrade Percorso, or rebuild the log with this version: `percorso build --full`.",
        )
    if written < LOG_FORMAT:
        return None
    return JourneyLog(
        folder=folder,
        manifest=manifest,
        buckets=tuple(Bucket(folder, meta) for meta in manifest["buckets"]),
        unidentified=Bucket(folder, manifest["unidentified"]),
    )
