"""What plans need to know of a whole log before its buckets are asked: the values of columns, the first of things.

On a cluster the driver opens no bucket. So a fact comes from the manifest where it has it; all others are asked of
the engine, those that most questions need in one round, and kept as long as the process runs: a log never changes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from percorso.engines.buckets import is_far, run_buckets
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = [
    "Fact",
    "ask_facts",
    "column_values",
    "first_of_all_us",
    "first_of_persons_us",
    "last_of_persons_us",
    "values_of_persons",
]

_KEPT_LOGS = 8

#: Facts of more values than this are not kept: they may be as large as the log.
_MOST_VALUES = 1 << 17

#: Columns with more values than this in a bucket are asked for by name only.
_FEW_VALUES = 1_000

#: Known when the columns that have few values have been asked for.
_COMMON = "common columns"

#: Tables whose columns most questions need.
_COMMON_TABLES = ("events", "persons", "journeys")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something to know of a log.

    Parameters
    ----------
    name : hashable
        Its own among all facts.
    of_buckets : callable
        What some buckets, or none, say of it.
    add_up : callable
        Makes one of what several such calls said, in any order.
    """

    name: Hashable
    of_buckets: Callable[[Sequence[Bucket]], Any]
    add_up: Callable[[Iterable[Any]], Any]


#: By name of the fact: what the buckets of persons say, and what that of the unidentified says.
_Found: TypeAlias = dict[Hashable, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class _Known:
    """What has been asked of a log."""

    facts: _Found = field(default_factory=dict)


@functools.lru_cache(maxsize=_KEPT_LOGS)
def _known(key: tuple[object, ...]) -> _Known:
    """A place for what is known of each of the latest logs; equal keys get the same place."""
    return _Known()


def ask_facts(log: JourneyLog, facts: Sequence[Fact]) -> list[tuple[Any, Any]]:
    """What the buckets of persons, and that of the unidentified, say of some facts.

    Parameters
    ----------
    log : JourneyLog
    facts : sequence of Fact
        Those that are not known yet are asked for in one round.

    Returns
    -------
    list of (persons, nobody)
    """
    known = _known((str(log.folder), log.data_version, len(log.buckets), is_far(log))).facts
    found = {fact.name: known[fact.name] for fact in facts if fact.name in known}
    missing = [fact for fact in facts if fact.name not in found]
    if missing:
        asked = _ask(log, missing, common=is_far(log) and _COMMON not in known)
        known |= {name: sides for name, sides in asked.items() if all(map(_is_small, sides))}
        found |= asked
    return [found[fact.name] for fact in facts]


def _is_small(value: Any) -> bool:
    return not isinstance(value, set) or len(value) <= _MOST_VALUES


def _ask(log: JourneyLog, facts: Sequence[Fact], *, common: bool) -> _Found:
    """The facts, and with `common` the values of all columns that have few."""
    apart = log.unidentified.index

    def task(buckets: Sequence[Bucket]) -> _Found:
        sides = [[one for one in buckets if (one.index == apart) is is_nobody] for is_nobody in (False, True)]
        few = [_common(side) if common else {} for side in sides]
        found = {name: (few[0].get(name, set()), few[1].get(name, set())) for name in {**few[0], **few[1]}}
        return found | {fact.name: (fact.of_buckets(sides[0]), fact.of_buckets(sides[1])) for fact in facts}

    parts = run_buckets(log, task, with_nobody=True, threads=1)
    add_up = {fact.name: fact.add_up for fact in facts}
    total: _Found = {}
    for name in {name for part in parts for name in part}:
        every = [part[name] for part in parts if name in part]
        of_persons, of_nobody = (add_up.get(name, _few)([one[side] for one in every]) for side in (0, 1))
        if of_persons is not ... and of_nobody is not ...:
            total[name] = of_persons, of_nobody
    return total | ({_COMMON: (set(), set())} if common else {})


def _common(buckets: Sequence[Bucket]) -> dict[Hashable, Any]:
    """The values of all columns that have few, by the name of the fact; ... where there are too many."""
    found: dict[Hashable, list[Any]] = {}
    for bucket in buckets:
        for name in _COMMON_TABLES:
            table = bucket.table(name)
            for column in filter(table.is_coded, table.names):
                is_few = len(table.arrow(column).dictionary) <= _FEW_VALUES
                values = set(table.dictionary(column)) if is_few else ...
                found.setdefault(_name_of(name, column), []).append(values)
    return {name: _few(every) for name, every in found.items()}


def _few(parts: Iterable[Any]) -> Any:
    """All values of some parts; ... where there are too many."""
    every = list(parts)
    if any(one is ... for one in every):
        return ...
    union = set().union(*every)
    return union if _is_small(union) else ...


def _name_of(table: str, column: str) -> Hashable:
    return "values", table, column


def _union(parts: Iterable[set[str]]) -> set[str]:
    return set().union(*parts)


def column_values(log: JourneyLog, column: str, *, table: str = "events", with_nobody: bool = False) -> tuple[str, ...]:
    """All values of a coded column, sorted by bytes.

    Parameters
    ----------
    log : JourneyLog
    column : str
    table : str
    with_nobody : bool
        Those of the unidentified too.
    """
    of_persons, of_nobody = _values(log, table, column)
    return tuple(sorted(of_persons | of_nobody if with_nobody else of_persons, key=str.encode))


def values_of_persons(log: JourneyLog, column: str, *, table: str = "events") -> Set[str]:
    """All values of a coded column that are somebody's."""
    return _values(log, table, column)[0]


def _values(log: JourneyLog, table: str, column: str) -> tuple[set[str], set[str]]:
    def values(buckets: Sequence[Bucket]) -> set[str]:
        return set().union(*(bucket.table(table).dictionary(column) for bucket in buckets))

    ((of_persons, of_nobody),) = ask_facts(log, [Fact(_name_of(table, column), values, _union)])
    return of_persons, of_nobody


def first_of_persons_us(log: JourneyLog) -> int | None:
    """Time of the first event that is anybody's, µs UTC; None where no event is."""
    return min((first for first, _ in _times_of_persons(log)), default=None)


def last_of_persons_us(log: JourneyLog) -> int | None:
    """Time of the last event that is anybody's, µs UTC; None where no event is."""
    return max((last for _, last in _times_of_persons(log)), default=None)


def first_of_all_us(log: JourneyLog) -> int | None:
    """Time of the first event of anybody, or of nobody, µs UTC; None where there is none."""
    times = [first_of_persons_us(log), log.unidentified.meta["min_time_us"]]
    return min((int(time) for time in times if time is not None), default=None)


def _times_of_persons(log: JourneyLog) -> list[tuple[int, int]]:
    """First and last time of each bucket that has events."""
    metas = [bucket.meta for bucket in log.buckets if bucket.n_events]
    return [(int(meta["min_time_us"]), int(meta["max_time_us"])) for meta in metas]
