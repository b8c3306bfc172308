"""What a funnel means for one log, and its attempts in one bucket."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from percorso.analyses.basis import Basis
from percorso.analyses.codes import GlobalCodes, global_codes
from percorso.analyses.conditions import Condition, fields_of
from percorso.analyses.fields import is_coded
from percorso.analyses.funnel_spec import FunnelSpec
from percorso.analyses.masks import event_mask, value_mask
from percorso.analyses.select import NO_FLAGS, NO_MASK, ScopePlan, Selection, plan_scope, select_events
from percorso.analyses.units import Units, units_of
from percorso.kernels.arrays import I32, I64, U8, Bools, Codes
from percorso.kernels.attempt_rows import EXCLUSION_BIT, IN_BIT, NO_LIMIT, STEP_BITS
from percorso.kernels.attempts import first_attempts, latest_attempts
from percorso.kernels.attempts_any import first_unordered, latest_unordered
from percorso.kernels.funnel import mark_steps, ordered_funnel, ordered_levels
from percorso.settings.durations import parse_duration_us
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["Attempts", "FunnelPlan", "attempts_in", "plan_funnel"]

_PER = {"persons": "person", "totals": "person", "journeys": "journey", "sessions": "session"}
_NO_TIME: I64 = np.empty(0, np.int64)
_NO_ROWS: I32 = np.empty(0, np.int32)
_U32 = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class FunnelPlan:
    """A funnel resolved for one log.

    Parameters
    ----------
    scope : ScopePlan
    steps, exclusions : tuple of Condition
    exclude_after, exclude_before : int64 arrays, shape (n_exclusions,)
        Between which steps each exclusion matters.
    optional : int
        Bit s - 1: step s may be skipped.
    order : {"ordered", "strict", "any"}
    from_first, every : bool
        start = first; count = totals.
    within_us, step_within_us : int
    per : str
        Unit of attempts.
    is_plain : bool
        `ordered_funnel` can answer, provided no event is two steps.
    counts_only : bool
        Nobody asks for times between steps.
    field : str
        The coded field of events that all steps are about; "" if there are several, or other ones.
    by : GlobalCodes or None
        The break-down's field; of persons if its table says so, else of the attempt's first event.
    """

    scope: ScopePlan
    steps: tuple[Condition, ...]
    exclusions: tuple[Condition, ...]
    exclude_after: I64
    exclude_before: I64
    optional: int
    order: str
    from_first: bool
    every: bool
    within_us: int
    step_within_us: int
    per: str
    is_plain: bool
    counts_only: bool
    field: str
    by: GlobalCodes | None


@dataclass(frozen=True, slots=True)
class Attempts:
    """The counted attempts of one bucket.

    Parameters
    ----------
    units : Units
    unit : int32 array, shape (n_attempts,), or None
        Unit of each attempt; None: attempt u is of unit u.
    visited : uint32 array, shape (n_attempts,)
        Bit s - 1: the attempt did step s. 0: no attempt.
    begin : int32 array, shape (n_attempts,)
        Event row of its first step, -1 for none; empty where only counts are asked for, without a break-down.
    gaps : tuple of int64 arrays, one a step
        Times to the step from the one before, µs, of the attempts that did both, in their order. There may be none
        where only counts are asked for.
    """

    units: Units
    unit: I32 | None
    visited: _U32
    begin: I32
    gaps: tuple[I64, ...]


def plan_funnel(spec: FunnelSpec, log: JourneyLog, basis: Basis | None = None) -> FunnelPlan:
    """Resolve a funnel for one log."""
    steps, exclusions = spec.conditions(), spec.exclusions()
    optional = sum(1 << position for position, step in enumerate(spec.steps) if step in spec.optional)
    plain = spec.order == "ordered" and spec.start == "latest" and spec.count != "totals"
    return FunnelPlan(
        scope=plan_scope(spec.scope, log, basis),
        steps=steps,
        exclusions=tuple(exclusion.condition for exclusion in exclusions),
        exclude_after=np.array([exclusion.after for exclusion in exclusions], np.int64),
        exclude_before=np.array([exclusion.before or len(steps) for exclusion in exclusions], np.int64),
        optional=optional,
        order=spec.order,
        from_first=spec.start == "first",
        every=spec.count == "totals",
        within_us=parse_duration_us(spec.within) if spec.within else NO_LIMIT,
        step_within_us=parse_duration_us(spec.step_within) if spec.step_within else NO_LIMIT,
        per=_PER[spec.count],
        is_plain=plain and not (spec.step_within or exclusions or optional),
        counts_only=spec.counts_only,
        field=_coded_field(steps),
        by=_plan_by(spec.scope.by, log),
    )


def _coded_field(conditions: Sequence[Condition]) -> str:
    """The one coded field of events that all conditions are about; "" if there are several, or other ones."""
    fields = frozenset().union(*(fields_of(condition) for condition in conditions))
    field = next(iter(fields)) if len(fields) == 1 else ""
    return field if is_coded(field) and not field.startswith("person.") else ""


def _plan_by(field: str, log: JourneyLog) -> GlobalCodes | None:
    if not field:
        return None
    if field.startswith("person."):
        return global_codes(log, field.removeprefix("person."), table="persons")
    return global_codes(log, field)


def attempts_in(plan: FunnelPlan, bucket: Bucket) -> Attempts:
    """The counted attempts of one bucket."""
    selection = select_events(plan.scope, bucket)
    units = units_of(bucket, plan.per)
    if plan.is_plain:
        steps = _steps_of_events(plan, bucket)
        if steps is not None:
            return _plain_attempts(plan, selection, units, *steps)
    return _all_attempts(plan, selection, units)


def _steps_of_events(plan: FunnelPlan, bucket: Bucket) -> tuple[Codes, U8] | None:
    """One code an event and the step of each code; None if an event is two steps."""
    none = np.uint8(len(plan.steps) + 2)
    if plan.field:
        values = bucket.events.dictionary(plan.field)
        masks = _value_masks(plan.steps, values)
        codes = bucket.events.values(plan.field)
    else:
        masks = np.array([_row_mask(step, bucket) for step in plan.steps], np.bool_)
        codes = np.empty(0, np.uint8)
    if (np.add.reduce(masks, axis=0, dtype=np.uint8) > 1).any():
        return None
    step = np.where(masks.any(axis=0), masks.argmax(axis=0).astype(np.uint8) + np.uint8(1), none)
    identity = np.arange(256, dtype=np.uint8)
    if not plan.field:
        return step, identity
    if codes.dtype != np.uint8:
        return step.take(codes), identity
    step_of = np.full(256, none, np.uint8)
    step_of[: len(step)] = step
    return codes, step_of


@functools.lru_cache(maxsize=256)
def _value_masks(steps: tuple[Condition, ...], values: tuple[str, ...]) -> Bools:
    """Which values are which step, bool of shape (n_steps, n_values); most buckets have the same values."""
    masks: Bools = np.array([value_mask(step, values) for step in steps], np.bool_).reshape(len(steps), -1)
    masks.flags.writeable = False
    return masks


def _row_mask(condition: Condition, bucket: Bucket) -> npt.NDArray[np.bool_]:
    mask = event_mask(condition, bucket)
    return np.full(bucket.n_events, mask) if isinstance(mask, bool) else mask


def _plain_attempts(plan: FunnelPlan, selection: Selection, units: Units, codes: Codes, step_of: U8) -> Attempts:
    events = selection.bucket.events
    n_steps, n_units = len(plan.steps), len(units)
    none = n_steps + 2
    time = events.values("time")
    if not selection.is_all:
        limits = time if selection.limits_time else _NO_TIME
        mask = NO_MASK if selection.mask is None else selection.mask
        flags = selection.flags() if selection.out_flags else NO_FLAGS
        codes = mark_steps(
            codes, step_of, flags, selection.out_flags, mask, limits, selection.start_us, selection.end_us, none
        )
        step_of = np.arange(256, dtype=np.uint8)
    if units.persons is not None:
        time, codes = time.take(units.rows), codes.take(units.rows)
    of_level = (np.uint32(1) << np.arange(n_steps + 1, dtype=np.uint32)) - np.uint32(1)
    if plan.counts_only and plan.by is None:
        level = ordered_levels(time, codes, units.offsets, step_of, plan.within_us, n_steps)
        return Attempts(units, None, of_level.take(level), _NO_ROWS, ())
    level = np.empty(n_units, np.uint8)
    begin = np.empty(n_units, np.int32)
    gaps = np.empty((n_steps, n_units), np.int64)
    n_gaps = np.empty(n_steps, np.int64)
    ordered_funnel(time, codes, units.offsets, step_of, plan.within_us, n_steps, level, begin, gaps, n_gaps)
    visited = of_level.take(level)
    return Attempts(units, None, visited, _rows_of(begin, units), _used(gaps, n_gaps))


def _all_attempts(plan: FunnelPlan, selection: Selection, units: Units) -> Attempts:
    bits, disjoint = _bits_of_events(plan, selection)
    time = selection.bucket.events.values("time")
    if units.persons is not None:
        time, bits = time.take(units.rows), bits.take(units.rows)
    n_steps = len(plan.steps)
    n_most = int(np.count_nonzero(bits & np.uint32(STEP_BITS))) if plan.every else len(units)
    unit, begin = np.empty(n_most, np.int32), np.empty(n_most, np.int32)
    visited = np.empty(n_most, np.uint32)
    gaps = np.empty((n_steps, n_most), np.int64)
    n_gaps = np.empty(n_steps, np.int64)
    out = (unit, visited, begin, gaps, n_gaps)
    if plan.order == "any":
        unordered = first_unordered if plan.from_first else latest_unordered
        n = unordered(
            time, bits, units.offsets, plan.every, plan.within_us, n_steps, len(plan.exclusions), disjoint, *out
        )
    else:
        ordered = first_attempts if plan.from_first else latest_attempts
        n = ordered(
            time, bits, units.offsets, plan.order == "strict", plan.every, plan.within_us, plan.step_within_us, n_steps,
            plan.optional, plan.exclude_after, plan.exclude_before, disjoint, *out,
        )  # fmt: skip
    return Attempts(units, unit[:n], visited[:n], _rows_of(begin[:n], units), _used(gaps, n_gaps))


def _bits_of_events(plan: FunnelPlan, selection: Selection) -> tuple[_U32, bool]:
    """What each event is, as `attempts` wants it, and whether none is two steps."""
    bucket = selection.bucket
    conditions = [(condition, position) for position, condition in enumerate(plan.steps)]
    conditions += [(condition, EXCLUSION_BIT + position) for position, condition in enumerate(plan.exclusions)]
    bits = np.full(bucket.n_events, np.uint32(1 << IN_BIT))
    of_value: dict[str, _U32] = {}  # by field: the bits of each of its values
    for condition, position in conditions:
        field = _coded_field([condition])
        if not field:
            bits |= _row_mask(condition, bucket).astype(np.uint32) << np.uint32(position)
            continue
        values = bucket.events.dictionary(field)
        of_value.setdefault(field, np.zeros(len(values), np.uint32))
        of_value[field] |= value_mask(condition, values).astype(np.uint32) << np.uint32(position)
    for field, of_code in of_value.items():
        bits |= of_code.take(bucket.events.values(field))
    steps = bits & np.uint32(STEP_BITS)
    disjoint = not (steps & (steps - np.uint32(1))).any()
    keep = selection.dense()
    if keep is not None:
        bits *= keep
    return bits, disjoint


def _rows_of(begin: I32, units: Units) -> I32:
    """Positions among the units' rows as rows of the bucket."""
    if units.persons is None or not len(units.rows):
        return begin
    return np.where(begin >= 0, units.rows.take(np.maximum(begin, 0)), np.int32(-1))


def _used(gaps: I64, n_gaps: I64) -> tuple[I64, ...]:
    return tuple(row[:n] for row, n in zip(gaps, n_gaps, strict=True))
