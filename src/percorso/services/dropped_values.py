"""Blocked and malformed identifiers: which values stand in the lake, and on how many events."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from percorso.engines.local import default_threads
from percorso.events.event import IDENTIFIER_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import BLOCKED_VALUES, WORKSPACE_WIDE, IdentifierRules
from percorso.identity.masking import mask
from percorso.identity.state import LakeRange
from percorso.services.identity_state import KnownIdentity
from percorso.store.columns import as_strings, hash_column, null_mask, whole
from percorso.store.mapped import open_parquet
from percorso.store.row_keys import column_tag

__all__ = ["DroppedType", "DroppedValue", "dropped_values"]

_MOST_EXAMPLES = 5
_MASKED_AS = ""  # as any type: an address that is none may have its name where addresses have their host

#: Type, value -> events.
_Counts = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class DroppedValue:
    """A value as it may be shown: shipped blocked words as they are, all others masked unless asked for."""

    value: str
    blocked: bool
    events: int


@dataclass(frozen=True, slots=True)
class DroppedType:
    """Dropped values of one type of identifier: numbers of distinct ones and of events, and those on most events."""

    type: str
    blocked: int
    blocked_events: int
    malformed: int
    malformed_events: int
    examples: tuple[DroppedValue, ...]


def dropped_values(known: KnownIdentity) -> tuple[DroppedType, ...]:
    """Blocked and malformed values by type, by falling priority of the types.

    The state knows them by their hashes alone; of the lake's values only those that have one of these are looked at.
    """
    settings = known.workspace.settings
    rules = IdentifierRules(settings.identity, settings.workspace.country)
    kinds = (*known.kinds, *WEAK_COLUMNS)
    counts = _counts(known)
    told = []
    for kind in kinds:
        mine = {value: events for (name, value), events in counts.items() if name == kind}
        if mine:
            told.append(_of_type(kind, mine, rules, known.personal))
    return tuple(told)


def _of_type(kind: str, events: dict[str, int], rules: IdentifierRules, personal: bool) -> DroppedType:
    blocked = {value for value in events if rules.points_at_nobody(value)}
    most = sorted(events, key=lambda value: (-events[value], value))[:_MOST_EXAMPLES]
    return DroppedType(
        kind,
        len(blocked),
        sum(events[value] for value in blocked),
        len(events) - len(blocked),
        sum(events[value] for value in events.keys() - blocked),
        tuple(DroppedValue(_shown(value, personal), value in blocked, events[value]) for value in most),
    )


def _shown(value: str, personal: bool) -> str:
    """Words that mean nobody are nobody's secret."""
    plain = value.strip()
    if personal or plain.casefold() in BLOCKED_VALUES or not plain.strip("0-"):
        return plain
    return mask(_MASKED_AS, plain)


def _counts(known: KnownIdentity) -> _Counts:
    """Events that count by type and dropped value."""
    keys = np.concatenate([known.state.strong.dropped_keys(), known.state.weak.dropped_keys()])
    if not len(keys):
        return {}
    keys = keys[np.argsort(keys[:, 0])]
    counts: _Counts = {}
    with ThreadPoolExecutor(default_threads(), thread_name_prefix="percorso-report") as pool:
        for found in pool.map(lambda part: _of_file(known, part, keys), known.state.ranges):
            for key, events in found.items():
                counts[key] = counts.get(key, 0) + events
    return counts


def _of_file(known: KnownIdentity, part: LakeRange, keys: npt.NDArray[np.uint64]) -> _Counts:
    """Dropped values of one file."""
    own = [kind for kind in known.kinds if kind not in IDENTIFIER_COLUMNS]
    columns = [*IDENTIFIER_COLUMNS, *(["other_ids"] if own else [])]
    keep = known.state.arrays["keep"]
    counts: _Counts = {}
    row = part.start
    with open_parquet(known.lake_path(part), coded=["id_space"]) as parquet:
        for group in range(parquet.num_row_groups):
            filled = _filled(parquet, group, columns)
            n = parquet.metadata.row_group(group).num_rows
            if filled:
                table = parquet.read_row_group(group, columns=[*filled, "id_space"])
                counted = keep[row : row + n] == 1
                for column in filled:
                    for key, events in _of_column(table, column, own, counted, keys):
                        counts[key] = counts.get(key, 0) + events
            row += n
    return counts


def _filled(parquet: pq.ParquetFile, group: int, columns: list[str]) -> list[str]:
    """Columns of a row group that hold a value."""
    meta = parquet.metadata.row_group(group)
    empty = set()
    for number in range(meta.num_columns):
        column = meta.column(number)
        statistics = column.statistics
        if statistics is not None and statistics.has_null_count and statistics.null_count == meta.num_rows:
            empty.add(column.path_in_schema)
    return [name for name in columns if name not in empty]


def _of_column(
    table: pa.Table, column: str, own: list[str], counted: npt.NDArray[np.bool_], keys: npt.NDArray[np.uint64]
) -> Iterator[tuple[tuple[str, str], int]]:
    """Dropped values of a column of a row group, each with its events."""
    texts = as_strings(table.column(column))
    spaces = whole(table.column("id_space").unify_dictionaries())
    space_of = spaces.indices.to_numpy(zero_copy_only=False)
    for kind in own if column == "other_ids" else [column]:
        values = _own_values(texts, kind) if column == "other_ids" else texts
        there = counted & (null_mask(values) == 0)
        for number, space in enumerate(spaces.dictionary.to_pylist()):
            inside = there & (space_of == number)
            if inside.any():
                tag = column_tag(f"{kind}\0{'' if kind in WORKSPACE_WIDE else space}")
                dropped = np.flatnonzero(_among(hash_column(values, tag=tag), keys) & inside)
                for found in values.take(pa.array(dropped)).value_counts().to_pylist():
                    yield (kind, found["values"]), found["counts"]


def _own_values(objects: pa.StringArray, kind: str) -> pa.StringArray:
    """The values of an own type in JSON objects, of which there are few different ones."""
    coded = objects.dictionary_encode()
    told = [msgspec.json.decode(text).get(kind) for text in coded.dictionary.to_pylist()]
    values = pa.array([None if value is None else str(value) for value in told], pa.string())
    return values.take(coded.indices)


def _among(hashes: npt.NDArray[np.uint64], keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which hashes are among some, sorted by their first half."""
    first = keys[:, 0]
    at = np.minimum(np.searchsorted(first, hashes[:, 0]), len(first) - 1)
    # Of several keys with one first half only the first would be found: 64 bits tell all there can be apart.
    found: npt.NDArray[np.bool_] = (first[at] == hashes[:, 0]) & (keys[at, 1] == hashes[:, 1])
    return found
