"""Variants: the most common paths, what share of all cases they cover, and how they convert.

Defined in docs/reference/variants.md. The plain twin is tests/naive/variants.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.case_orders import with_case_orders
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.kept import Kept
from percorso.analyses.path_counts import (
    HashedCases,
    PathKeys,
    VariantPartial,
    hash_cases,
    path_keys,
)
from percorso.analyses.path_tops import PathTops, count_tops
from percorso.analyses.paths import PathPlan, PathSpec, check_node, plan_paths
from percorso.analyses.people import PersonTask
from percorso.analyses.quantiles import find_quantiles
from percorso.analyses.result import Result
from percorso.engines.buckets import sum_buckets
from percorso.errors import Corrupt, NotFound, SpecError, nearest_hint
from percorso.kernels.arrays import I32, I64, U64, Bools
from percorso.kernels.variants import hash_paths, misspelt
from percorso.language.said import Codes, said
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["VariantsSpec", "run_variants", "variant_people"]


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantsSpec(PathSpec):
    """The most common paths.

    Parameters
    ----------
    top : int
        How many to spell out (for each value of the break-down); the rest is counted as "other".
    counts_only : bool
        No times, and no orders in the totals: faster.
    """

    top: int = 20
    counts_only: bool = False

    def __post_init__(self) -> None:
        PathSpec.__post_init__(self)
        if self.top < 1:
            raise SpecError("At least one variant is shown.")


@dataclass(frozen=True, slots=True)
class _Shown:
    """The variants that are spelt out, and their paths as global codes, in order."""

    found: VariantPartial
    paths: list[list[int]]

    def __len__(self) -> int:
        return len(self.paths)


def run_variants(
    spec: VariantsSpec, log: JourneyLog, basis: Basis | None = None, *, threads: int | None = None
) -> Result:
    """Answer variants.

    Parameters
    ----------
    spec : VariantsSpec
    log : JourneyLog
    basis : Basis, optional
        With it, and not for `counts_only`, the totals hold orders and value of the cases.
    threads : int, optional

    Returns
    -------
    Result
        Table ``variants`` (path, count, share, converted, conversion with its 95 % interval low and high, median_s
        (not for `counts_only`), cumulative share, persons; the break-down's value before them) and table ``other``
        (the same of what is not shown).
    """
    plan = plan_paths(spec, log, basis)
    cases = _kept_cases(plan, path_keys(plan))
    found = count_tops(plan, cases, log, spec.top, threads)
    shown = _spell(plan, cases, log, found.top)
    times = None if spec.counts_only else _times_us(plan, cases, log, found, shown, threads)
    answer = _result(spec, plan, log, found, shown, times)
    return answer if basis is None or spec.counts_only else with_case_orders(answer, plan, log, basis, threads=threads)


def _kept_cases(plan: PathPlan, keys: PathKeys) -> Kept[HashedCases]:
    """The hashed cases of a bucket, which counting and timing both read."""
    return Kept(lambda bucket: hash_cases(plan, keys, bucket), lambda made: made.n_bytes)


def _spell(plan: PathPlan, cases_of: Callable[[Bucket], HashedCases], log: JourneyLog, top: VariantPartial) -> _Shown:
    """Read the paths off their example cases; order by group, count and path."""
    examples = top.example

    def spell(bucket: Bucket) -> dict[int, list[int]]:
        mine = examples[examples >> 32 == bucket.index]
        return _paths_of(plan, cases_of, bucket, mine) if len(mine) else {}

    spelt = sum_buckets(log, spell, _spelt_together, threads=1)
    paths = [spelt[example] for example in examples.tolist()]
    order = sorted(range(len(top)), key=lambda i: (top.group[i], -top.cases[i], paths[i]))
    return _Shown(top.take(np.array(order, np.int64)), [paths[i] for i in order])


def _paths_of(
    plan: PathPlan, cases_of: Callable[[Bucket], HashedCases], bucket: Bucket, examples: I64
) -> dict[int, list[int]]:
    """The path of each of some cases of a bucket, as global codes, in order."""
    stream = cases_of(bucket).stream
    at = np.flatnonzero(np.isin(stream.case, examples & 0xFFFFFFFF))
    at = at[np.argsort(stream.case[at], kind="stable")]
    codes = plan.nodes.lut(bucket)[stream.node[at]]
    cases, begins = np.unique(stream.case[at], return_index=True)
    paths = zip(cases.tolist(), np.split(codes, begins[1:]), strict=True)
    return {bucket.index << 32 | case: path.tolist() for case, path in paths}


def _spelt_together(parts: Iterable[dict[int, list[int]]]) -> dict[int, list[int]]:
    return {case: path for part in parts for case, path in part.items()}


def _times_us(
    plan: PathPlan,
    cases_of: Callable[[Bucket], HashedCases],
    log: JourneyLog,
    found: PathTops,
    shown: _Shown,
    threads: int | None,
) -> I64:
    """Median and 90th percentile of the time from first to last node of each variant shown, then of the others of
    each group that has a case. Checks on the way that all cases of a shown variant spell its path.
    """
    has_case = found.distinct > 0
    place = np.cumsum(has_case) - 1  # of each group among those that have a case
    n_shown, cases_shown = len(shown), shown.found.cases
    others = found.counts[:, 0].copy()
    np.subtract.at(others, shown.found.group, cases_shown)
    counts = np.concatenate([cases_shown, others[has_case]])
    hashes = shown.found.hash_a, shown.found.hash_b

    def ranked(bucket: Bucket) -> tuple[I32, I64]:
        cases = cases_of(bucket)
        rank = _rank(cases, hashes)
        _check_spelling(plan, bucket, cases, rank, shown.paths)
        here = cases.length > 0
        rank[~here] = -1
        other = here & (rank < 0)
        rank[other] = n_shown + place[cases.stream.group[other]]
        return rank, cases.last_us - cases.first_us

    values = Kept(ranked, lambda made: made[0].nbytes + made[1].nbytes)  # asked for in each pass
    return find_quantiles(log, values, counts, threads=threads)


def _rank(cases: HashedCases, hashes: tuple[U64, U64]) -> I32:
    """Which of the given paths each case has, int32 of shape (n_cases,); -1: none of them."""
    order = np.argsort(hashes[0], kind="stable")
    rank = np.full(len(cases.length), -1, np.int32)
    if not len(order):
        return rank
    left = np.searchsorted(hashes[0][order], cases.hash_a)
    # Equal first halves are next to impossible, but no reason to be wrong.
    for step in range(int(np.unique(hashes[0], return_counts=True)[1].max())):
        at = order[np.minimum(left + step, len(order) - 1)]
        hit = (hashes[0][at] == cases.hash_a) & (hashes[1][at] == cases.hash_b) & (cases.length > 0)
        rank[hit] = at[hit]
    return rank


def _check_spelling(plan: PathPlan, bucket: Bucket, cases: HashedCases, rank: I32, paths: Sequence[list[int]]) -> None:
    local = np.full(len(plan.nodes.values), -1, np.int32)
    lut = plan.nodes.lut(bucket)
    local[lut] = np.arange(len(lut), dtype=np.int32)
    offsets = np.cumsum([0, *map(len, paths)]).astype(np.int64)
    spelling = local[np.array([code for path in paths for code in path], np.int64)]
    wrong = misspelt(cases.stream.node, cases.stream.case, rank, cases.length, offsets, spelling)
    if wrong:
        raise Corrupt(
            f"{wrong} cases share the hash of a path that is not theirs.",
            hint="This cannot happen by chance; please report it.",
        )


def _result(
    spec: VariantsSpec,
    plan: PathPlan,
    log: JourneyLog,
    found: PathTops,
    shown: _Shown,
    times: I64 | None,
) -> Result:
    n_shown, top = len(shown), shown.found
    groups = np.flatnonzero(found.distinct)
    of_group = np.searchsorted(groups, top.group)
    in_all = found.counts[groups]
    in_group = in_all[:, 0]
    names = plan.nodes.values
    begins = np.searchsorted(of_group, of_group)
    so_far = np.cumsum(top.cases)
    covered = so_far - (so_far - top.cases)[begins]
    paths = pa.array([[names[code] for code in path] for path in shown.paths], pa.list_(pa.string()))
    variants = {
        **_group_column(plan, top.group),
        "path": paths,
        **_measures(top.counts, in_group[of_group], None if times is None else times[:n_shown]),
        "cumulative": covered / in_group[of_group],
        "persons": top.counts[:, 1],
    }
    left = in_all.copy()
    np.subtract.at(left, of_group, top.counts)
    other = {
        **_group_column(plan, groups),
        "variants": found.distinct[groups] - np.bincount(of_group, minlength=len(groups)),
        **_measures(left, in_group, None if times is None else times[n_shown:]),
    }
    total = int(in_group.sum())
    totals = {
        "total": total,
        "distinct": int(found.distinct.sum()),
        "persons": top.n_persons,
        "coverage": float(top.cases.sum() / total) if total else None,
    }
    tables = {"variants": pa.table(variants), "other": pa.table(other)}
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, totals, _warnings(spec, found))


def _group_column(plan: PathPlan, codes: I32 | I64) -> dict[str, pa.Array]:
    if plan.by is None:
        return {}
    return {plan.spec.scope.by: pa.array(plan.by.values, pa.string()).take(pa.array(codes))}


def _measures(counts: I64, of: I64, times_us: I64 | None) -> dict[str, Any]:
    """Count, share of `of` (all cases of the group), conversion with its interval, median time."""
    count, _, eligible, converted = counts.T
    rates = [hits / n if n else None for hits, n in zip(converted.tolist(), eligible.tolist(), strict=True)]
    limits = [wilson(hits, n) or (None, None) for hits, n in zip(converted.tolist(), eligible.tolist(), strict=True)]
    found = {
        "count": count,
        "share": count / of,
        "converted": converted,
        "conversion": pa.array(rates, pa.float64()),
        "low": pa.array([low for low, _ in limits], pa.float64()),
        "high": pa.array([high for _, high in limits], pa.float64()),
    }
    if times_us is not None:
        median = times_us[:, 0]
        found["median_s"] = pa.array(median / 1e6, pa.float64(), mask=median < 0)
    return found


def _warnings(spec: VariantsSpec, found: PathTops) -> tuple[str, ...]:
    warnings: list[str] = []
    total, _, eligible, _ = found.counts.sum(axis=0).tolist()
    if found.top.n_open and not spec.outcome:
        warnings.append(said("warnings.open_paths", n=found.top.n_open, of=eligible))
    if 0 < total < FEW:
        unit = Codes("unit", (f"{spec.scope.per}s",), 1)
        warnings.append(said("warnings.few_paths", n=total, unit=unit, few=FEW))
    return tuple(warnings)


def variant_people(
    spec: VariantsSpec,
    log: JourneyLog,
    path: Sequence[str] | None,
    *,
    group: str = "",
    basis: Basis | None = None,
    threads: int | None = None,
) -> PersonTask:
    """The persons behind a variant.

    Parameters
    ----------
    spec : VariantsSpec
    log : JourneyLog
    path : sequence of str, or None
        The variant; None: all that are not among the `top`.
    group : str
        The break-down's value.
    basis : Basis, optional
        As of `run_variants`.
    threads : int, optional
    """
    plan = plan_paths(spec, log, basis)
    keys = path_keys(plan)
    values = ("",) if plan.by is None else plan.by.values
    if group not in values:
        raise NotFound(f"No path has {spec.scope.by} '{group}'.", hint=nearest_hint(group, values))
    code = values.index(group)
    cases_of = _kept_cases(plan, keys)
    if path is None:
        top = count_tops(plan, cases_of, log, spec.top, threads).top
        hashes = top.hash_a, top.hash_b
    else:
        hashes = _hash_of(plan, keys, [check_node(plan, name) for name in path], code)

    def task(bucket: Bucket) -> Bools:
        cases = cases_of(bucket)
        is_named = _rank(cases, hashes) >= 0
        wanted = (cases.length > 0) & (cases.stream.group == code) & (~is_named if path is None else is_named)
        marked = np.zeros(bucket.n_persons, np.bool_)
        marked[cases.stream.persons[wanted]] = True
        return marked

    return task


def _hash_of(plan: PathPlan, keys: PathKeys, path: Sequence[int], group: int) -> tuple[U64, U64]:
    """The hash of one path of global codes, as arrays of one element."""
    begin = np.zeros(2, np.uint64) if plan.by is None else keys.groups[group]
    hash_a, hash_b = begin[:1].copy(), begin[1:].copy()
    node = np.array(path, np.int32)
    zeros = np.zeros(len(path), np.int32)
    key_a, key_b = (np.ascontiguousarray(keys.nodes[:, half]) for half in (0, 1))
    times = np.zeros(1, np.int64), np.zeros(1, np.int64)
    hash_paths(node, zeros, zeros, np.zeros(1, np.int64), key_a, key_b, hash_a, hash_b, np.zeros(1, np.int32), *times)
    return hash_a, hash_b
