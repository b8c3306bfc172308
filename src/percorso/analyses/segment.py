"""What a segment is like: its size, what its persons buy, and the channels, places and categories they have.

Defined in docs/reference/segment.md. Who is in it: :mod:`percorso.analyses.person_masks`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.intervals import FEW, wilson
from percorso.analyses.jackknife import N_GROUPS, person_groups, ratio_interval, sum_by_group
from percorso.analyses.orders_in import orders_in
from percorso.analyses.people import PersonTask
from percorso.analyses.result import Result
from percorso.analyses.select import NO_MASK, ScopePlan, plan_scope, select_events
from percorso.analyses.spec import Scope
from percorso.analyses.worth import Missing, amounts_column, missing_rate_warnings
from percorso.engines.buckets import fold_buckets
from percorso.errors import SpecError
from percorso.kernels.arrays import I64, U8, Bools
from percorso.kernels.person_events import count_marked, persons_by_code
from percorso.language.said import said
from percorso.money import exponent
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["TRAIT_FIELDS", "SegmentSpec", "run_segment", "segment_people"]

#: Fields whose most frequent values a segment shows.
TRAIT_FIELDS = ("channel", "place", "category", "person.country", "person.device", "person.first_channel")

_PERSON = "person."
_YEAR_S = 365.25 * 86_400
_NO_TIMES: I64 = np.empty(0, np.int64)

#: What is added up for each group of persons: persons, customers, orders, orders with a value, value, seconds known.
_SUMS = ("persons", "customers", "orders", "valued", "value", "known_s")


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSpec:
    """What the persons of a segment are like.

    Parameters
    ----------
    scope : Scope
        Its `persons` is the rule. Of the rest only as-of time, time zone and flags may be set.
    top : int
        How many values of each field.
    """

    scope: Scope = field(default_factory=Scope)
    top: int = 5

    def __post_init__(self) -> None:
        if self.scope.person_rule() is None:
            raise SpecError("A segment has a rule.", hint="Give it in `persons`.")
        if self.scope.start or self.scope.end or self.scope.where or self.scope.by:
            raise SpecError("A segment is looked at as a whole, up to the as-of time.", hint="Leave out period and by.")
        if self.top < 1:
            raise SpecError("At least one value is shown.")


@dataclass(frozen=True, slots=True)
class _Partial:
    """What one bucket, or several, add.

    Parameters
    ----------
    sums : int64 array, shape (2, 6, 256)
        Of the segment and of all others: `_SUMS` by group of persons.
    by_value : tuple of int64 arrays, shape (2, n_values + 1)
        For each field: persons by value, and in the last place those with any value.
    missing : tuple of Missing
    """

    sums: I64
    by_value: tuple[I64, ...]
    missing: tuple[Missing, ...] = ()

    def merge(self, other: _Partial) -> _Partial:
        by_value = tuple(a + b for a, b in zip(self.by_value, other.by_value, strict=True))
        return _Partial(self.sums + other.sums, by_value, self.missing + other.missing)


def run_segment(spec: SegmentSpec, log: JourneyLog, basis: Basis, *, threads: int | None = None) -> Result:
    """Answer what a segment is like.

    Returns
    -------
    Result
        Table ``size``: a row for the segment and one for all persons. Table ``traits``: the most frequent values of
        TRAIT_FIELDS. Totals: currency.
    """
    plan = plan_scope(spec.scope, log, basis)
    codes = tuple(_codes(name, log) for name in TRAIT_FIELDS)
    empty = _Partial(
        np.zeros((2, len(_SUMS), N_GROUPS), np.int64), tuple(np.zeros((2, len(c.values) + 1), np.int64) for c in codes)
    )
    found = fold_buckets(log, lambda bucket: _count(plan, bucket, basis, codes), _Partial.merge, empty, threads=threads)
    tables = {"size": _size(spec, found, basis), "traits": _traits(spec, found, codes)}
    return Result(
        tables, spec, log.data_version, plan.as_of_us, {"currency": basis.currency}, _warnings(spec, found, basis)
    )


def segment_people(spec: SegmentSpec, log: JourneyLog, basis: Basis) -> PersonTask:
    """The persons of a segment."""
    plan = plan_scope(spec.scope, log, basis)
    assert plan.persons is not None
    return plan.persons.persons


def _codes(name: str, log: JourneyLog) -> GlobalCodes:
    if name.startswith(_PERSON):
        return global_codes(log, name.removeprefix(_PERSON), table="persons")
    return global_codes(log, name)


def _count(plan: ScopePlan, bucket: Bucket, basis: Basis, codes: tuple[GlobalCodes, ...]) -> _Partial:
    assert plan.persons is not None
    member, here = plan.persons.persons(bucket), plan.persons.everybody(bucket)
    every = replace(plan, persons=None)
    kept = select_events(every, bucket).dense()
    keep = NO_MASK if kept is None else kept
    by_value = tuple(_by_value(bucket, one, keep, member, here) for one in codes)
    sums, missing = _sums(every, bucket, basis, member, here)
    return _Partial(sums, by_value, missing)


def _sums(
    every: ScopePlan, bucket: Bucket, basis: Basis, member: Bools, here: Bools
) -> tuple[I64, tuple[Missing, ...]]:
    group, n = person_groups(bucket), bucket.n_persons
    orders = orders_in(every, bucket, basis)
    of_person = np.zeros((len(_SUMS), n), np.int64)
    of_person[0] = here
    of_person[2] = np.bincount(orders.person, minlength=n)
    of_person[1] = of_person[2] > 0
    np.add.at(of_person[3], orders.person, orders.worth.known)
    np.add.at(of_person[4], orders.person, orders.worth.minor)
    of_person[5] = np.where(here, np.maximum(every.as_of_us - bucket.persons.values("first_time"), 0) // 1_000_000, 0)
    sums = np.zeros((2, len(_SUMS), N_GROUPS), np.int64)
    for side, chosen in enumerate((member, ~member)):
        for position, values in enumerate(of_person):
            sums[side, position] = sum_by_group(group, values * chosen)
    return sums, orders.worth.missing


def _by_value(bucket: Bucket, codes: GlobalCodes, keep: U8, member: Bools, here: Bools) -> I64:
    """Persons of the segment, and others, by value of a field, and with any value."""
    table = bucket.table(codes.table)
    local = table.values(codes.column)
    names = table.dictionary(codes.column)
    none = names.index("") if "" in names else -1
    counts = np.zeros((2, len(names)), np.int64)
    if codes.table == "persons":
        for side, chosen in enumerate((member, ~member & here)):
            counts[side] = np.bincount(local[chosen], minlength=len(names))
        known = here & (local != none)
    else:
        persons_by_code(local, bucket.offsets(), keep, member.view(np.uint8), counts[0], counts[1])
        marked = (local != none).view(np.uint8)
        known = count_marked(bucket.offsets(), marked, keep, _NO_TIMES, 0, 0) > 0
    by_value = np.zeros((2, len(codes.values) + 1), np.int64)
    by_value[:, codes.lut(bucket)] = counts
    by_value[:, -1] = int((known & member).sum()), int((known & ~member).sum())
    return by_value


def _size(spec: SegmentSpec, found: _Partial, basis: Basis) -> pa.Table:
    both = found.sums.sum(axis=0)
    rows = []
    for who, sums in ((spec.scope.persona or "segment", found.sums[0]), ("all", both)):
        total = dict(zip(_SUMS, sums.sum(axis=1).tolist(), strict=True))
        limits = wilson(total["persons"], int(both[0].sum())) or (None, None)
        few = total["persons"] < FEW
        rows.append(
            {
                "who": who,
                "persons": total["persons"],
                "share": total["persons"] / int(both[0].sum()) if both[0].sum() else None,
                "low": limits[0],
                "high": limits[1],
                "customers": total["customers"],
                "orders": total["orders"],
                "value": total["value"],
                **_ratio("average_order", "average", sums[4], sums[3], 10.0 ** -exponent(basis.currency), few),
                **_ratio("orders_a_year", "year", sums[2], sums[5], _YEAR_S, few),
            }
        )
    table = pa.Table.from_pylist(rows, schema=_SIZE)
    minor = [row["value"] for row in rows]
    value = amounts_column(minor, basis.currency)
    return table.set_column(table.schema.get_field_index("value"), "value", value)


_SIZE = pa.schema(
    [
        ("who", pa.string()),
        ("persons", pa.int64()),
        *((name, pa.float64()) for name in ("share", "low", "high")),
        *((name, pa.int64()) for name in ("customers", "orders", "value")),
        *((name, pa.float64()) for name in ("average_order", "average_low", "average_high")),
        *((name, pa.float64()) for name in ("orders_a_year", "year_low", "year_high")),
    ]
)


def _ratio(name: str, short: str, numerator: I64, denominator: I64, scale: float, few: bool) -> dict[str, Any]:
    """A ratio of two sums with its interval; none of fewer than 30 persons."""
    of = int(denominator.sum())
    limits = None if few or not of else ratio_interval(numerator, denominator)
    return {
        name: None if few or not of else int(numerator.sum()) / of * scale,
        f"{short}_low": None if limits is None else max(limits[0], 0.0) * scale,
        f"{short}_high": None if limits is None else limits[1] * scale,
    }


def _traits(spec: SegmentSpec, found: _Partial, codes: tuple[GlobalCodes, ...]) -> pa.Table:
    rows = []
    for name, one, counts in zip(TRAIT_FIELDS, codes, found.by_value, strict=True):
        mine, both = counts[0], counts.sum(axis=0)
        n, n_all = int(mine[-1]), int(both[-1])
        order = sorted(range(len(one.values)), key=lambda code: (-mine[code], one.values[code]))
        shown = [code for code in order if one.values[code] and mine[code]][: spec.top]
        for code in shown:
            limits = wilson(int(mine[code]), n) or (None, None)
            rows.append(
                {
                    "field": name,
                    "value": one.values[code],
                    "persons": int(mine[code]),
                    "n": n,
                    "share": mine[code] / n,
                    "low": limits[0],
                    "high": limits[1],
                    "share_of_all": both[code] / n_all,
                }
            )
    return pa.Table.from_pylist(rows, schema=_TRAITS)


_TRAITS = pa.schema(
    [
        ("field", pa.string()),
        ("value", pa.string()),
        ("persons", pa.int64()),
        ("n", pa.int64()),
        *((name, pa.float64()) for name in ("share", "low", "high", "share_of_all")),
    ]
)


def _warnings(spec: SegmentSpec, found: _Partial, basis: Basis) -> tuple[str, ...]:
    persons = int(found.sums[0, 0].sum())
    warnings = list(missing_rate_warnings(found.missing, basis))
    if 0 < persons < FEW:
        warnings.append(said("warnings.few_persons", n=persons, few=FEW))
    return tuple(warnings)
