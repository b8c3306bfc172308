"""The journey log: all events sorted by person and time, in compact coded columns.

Layout of a workspace's ``log/`` folder::

    manifest.json              which files are the log now; swapped atomically
    <table>-<hash>.arrow       one Arrow IPC file a table and bucket, named by its content
    cold.<month>.<part>-<hash>.arrow  what senders wrote, by month and message key (percorso.store.cold)

Tables of a bucket: ``events`` (hot columns), ``persons``, ``sessions``, ``journeys``, ``orders``,
``items``, ``order_keys`` (keyed hashes of order numbers), ``traits`` and ``details`` (facts that few events
have, docs/reference/details.md). A file depends on its persons' events
and the rules alone, so that equal content has equal bytes and equal names.

Persons stand in the order of their ids; events stand by person, then in the total order
(timestamp, source, sequence, message id). Coded columns carry a dictionary of their own, sorted by
bytes, without nulls: ``""`` is "none". Integer references (session, journey, order, contact) count
within the bucket; -1 is "none".

The bucket of the unidentified has no persons: its events stand in the total order, and what elsewhere
is done person by person is done month by month there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from percorso.errors import NotFound, nearest_hint
from percorso.store.cold import Cold
from percorso.store.files import AnyPath
from percorso.store.log_manifest import LOG_FORMAT, read_manifest, swap_manifest
from percorso.store.mapped import log_table

__all__ = [
    "BUILD_COLUMNS",
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
    "OWN_ACTION",
    "OWN_CODED",
    "OWN_HAS_CART",
    "OWN_INBOUND",
    "OWN_KNOWN",
    "TABLES",
    "Bucket",
    "BucketEngine",
    "JourneyLog",
    "Table",
    "open_log",
    "swap_manifest",
]

FLAG_BOT = 1  # out by default
FLAG_HEAVY = 2  # the person has more events than the setting allows; out by default
FLAG_FUTURE = 4  # timestamp more than an hour after received_at; placed at received_at
FLAG_SAME_ORDER = 8  # another source's copy of an order that counts elsewhere
FLAG_ORDER = 16  # the event that counts as its order
FLAG_GOAL = 32  # closes a purchase journey
FLAG_ENGAGED = 64  # stands in an engaged session
FLAG_SESSION_START = 128

#: Tables that every bucket has.
TABLES = ("events", "persons", "sessions", "journeys", "orders", "items", "order_keys", "traits", "details")

#: Hot columns of `events` that are coded (dictionary), in file order. Beside them stand
#: time (int64, µs UTC), value (int64, minor units), score (float64, NaN: none), session, contact,
#: journey, order (int32), flags (uint16), key (uint64: the event's row in the cold tables), and what an event was
#: before its surroundings were known, so that its person can be built anew: OWN_CODED, own (uint8, the OWN_ bits),
#: qualifies and contact_kind (int8).
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

#: What the event itself says of its channel, coded.
OWN_CODED = ("own_channel", "own_channel_rule")

#: Columns of `events` for building persons anew and finding texts; no question asks for them.
BUILD_COLUMNS = (*OWN_CODED, "own", "qualifies", "contact_kind", "key")

OWN_INBOUND = 1
OWN_ACTION = 2
OWN_KNOWN = 4  # the channel is of known origin
OWN_HAS_CART = 8


P = TypeVar("P")

#: Dictionaries of up to so many values are kept as Python texts once they were asked for.
_KEPT_VALUES = 1_000


@dataclass(frozen=True, slots=True)
class Table:
    """One table of one bucket, memory-mapped; columns are read without a copy.

    What a column was read as is kept: a question asks for the same columns dozens of times, and making an Arrow array
    takes longer than reading a small one.
    """

    batch: pa.RecordBatch
    _values: dict[str, npt.NDArray[Any]] = field(default_factory=dict, repr=False, compare=False)
    _dictionaries: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

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
        found = self._values.get(name)
        if found is None:
            column = self.arrow(name)
            if pa.types.is_dictionary(column.type):
                column = column.indices
            found = self._values[name] = column.to_numpy(zero_copy_only=True)
        return found

    def dictionary(self, name: str) -> tuple[str, ...]:
        """The values of a coded column, sorted by bytes; codes count into it."""
        known = self._dictionaries.get(name)
        if known is not None:
            return known
        values = self.arrow(name).dictionary
        found = tuple(values.to_pylist())
        if len(found) <= _KEPT_VALUES:
            self._dictionaries[name] = found
        return found


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket of persons. ``meta`` is its entry in the manifest."""

    folder: AnyPath
    meta: Mapping[str, Any]
    texts: Cold
    _open: dict[str, Table] = field(default_factory=dict)
    _offsets: list[npt.NDArray[np.int64]] = field(default_factory=list, repr=False, compare=False)

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
            self._open[name] = Table(log_table(self.folder, self.meta["files"][name]))
        return self._open[name]

    def release(self) -> None:
        """Let go of the tables that are mapped; who holds one keeps it."""
        self._open.clear()
        self._offsets.clear()

    @property
    def events(self) -> Table:
        return self.table("events")

    @property
    def persons(self) -> Table:
        return self.table("persons")

    def cold_rows(self, rows: npt.NDArray[np.int64], names: Sequence[str]) -> pa.Table:
        """Texts of some events.

        Parameters
        ----------
        rows : int64, shape (n,)
            Event rows, in any order; only their months are read.
        names : sequence of str
            Some of percorso.store.cold.COLD_COLUMNS.
        """
        return self.texts.rows(self.events.values("time")[rows], self.events.values("key")[rows], names)

    def cold(self, names: Sequence[str]) -> pa.Table:
        """Texts of all events, in their order."""
        return self.texts.rows(self.events.values("time"), self.events.values("key"), names)

    def offsets(self) -> npt.NDArray[np.int64]:
        """Where each person's events begin, and the end of the last: int64, shape (n_persons + 1,)."""
        if not self._offsets:
            found = np.append(self.persons.values("start"), np.int64(self.n_events))
            found.flags.writeable = False
            self._offsets.append(found)
        return self._offsets[0]

    def count(self, flag: int) -> int:
        """How many events of the bucket carry the flag."""
        return int(self.meta["flag_counts"].get(str(flag), 0))


class BucketEngine(Protocol):
    """Works tasks out elsewhere than in this process, which sees what they give back and no events."""

    def run(self, buckets: Sequence[Bucket], task: Callable[[Sequence[Bucket]], P]) -> Iterable[P]:
        """Deal the buckets out in any way, each once, and yield what `task` says of each part, in any order.

        `task` and what it gives back are pickled.
        """
        ...


@dataclass(frozen=True, slots=True)
class JourneyLog:
    """An opened journey log: a manifest and its buckets, safe to read while a build replaces it."""

    folder: AnyPath
    manifest: Mapping[str, Any]
    buckets: tuple[Bucket, ...]
    #: Events that belong to nobody (cash receipts): in totals, never a person. `n_persons` is 0.
    unidentified: Bucket
    #: Where questions are worked out; None: in this process.
    engine: BucketEngine | None = None

    @property
    def data_version(self) -> str:
        """Hash over all file names: equal data, rules and version give the equal string."""
        return str(self.manifest["data_version"])

    @property
    def bucket_bits(self) -> int:
        """The log has 2 to the power of this many buckets; a person's is the number that its id begins with."""
        return len(self.buckets).bit_length() - 1

    @property
    def texts(self) -> Cold:
        """What senders wrote on events, by time and key."""
        return self.unidentified.texts

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


def open_log(folder: AnyPath) -> JourneyLog | None:
    """The journey log in `folder` as it stands now; None where none was built (or by an older format).

    Raises
    ------
    FormatTooNew
        The log was written by a newer Percorso.
    Corrupt
        Its manifest cannot be read.
    """
    manifest = read_manifest(folder)
    if manifest is None:
        return None
    texts = Cold(folder, manifest["cold"])
    return JourneyLog(
        folder=folder,
        manifest=manifest,
        buckets=tuple(Bucket(folder, meta, texts) for meta in manifest["buckets"]),
        unidentified=Bucket(folder, manifest["unidentified"], texts),
    )
