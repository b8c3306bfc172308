"""What in a question's conditions and period nothing meets: a slip of the pen must not look like an answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from percorso.analyses.basis import Basis
from percorso.analyses.conditions import Among, Compare, Condition, Missing, leaves_of
from percorso.analyses.fields import is_coded
from percorso.analyses.log_facts import first_of_persons_us, last_of_persons_us, values_of_persons
from percorso.analyses.person_tree import (
    STAGE,
    PersonRule,
    PersonTest,
    conditions_of,
    rule_tests,
)
from percorso.analyses.result import Result
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope
from percorso.engines.buckets import sum_buckets
from percorso.errors import nearest
from percorso.language.said import Said, said
from percorso.store.journey_log import Bucket, JourneyLog
from percorso.time import zone_of

__all__ = ["nearest_said", "rule_warnings", "with_scope_warnings"]

_PERSON = "person."
_SHOWN_VALUES = 12


def with_scope_warnings(
    answer: Result, scope: Scope, log: JourneyLog, basis: Basis | None = None, *, is_empty: bool
) -> Result:
    """The answer, and before its own warnings those about its scope.

    With a rule of persons, and the basis, the totals get ``persons_in`` and ``persons_of``: how many meet it, of how
    many.

    Parameters
    ----------
    answer : Result
    scope : Scope
    log : JourneyLog
    basis : Basis, optional
        Of the question.
    is_empty : bool
        Nothing was counted: then the period may be the reason, which takes a look at all times.
    """
    warnings = [*_values_of_nothing(scope, log), *(_empty_period(scope, log) if is_empty else ())]
    warnings += _quiet_sources(scope, log)
    rule = scope.person_rule()
    if rule is not None:
        warnings += rule_warnings(rule, log, basis)
    if rule is not None and basis is not None:
        totals, told = _persons_in(scope, log, basis)
        warnings += told
        answer = replace(answer, totals={**answer.totals, **totals})
    return replace(answer, warnings=(*warnings, *answer.warnings)) if warnings else answer


def rule_warnings(rule: PersonRule, log: JourneyLog, basis: Basis | None) -> Iterator[str]:
    """Values that a rule of persons names and nothing has."""
    wanted: list[tuple[str, str]] = []
    stages: list[str] = []
    for test in rule_tests(rule):
        for condition in conditions_of(test):
            wanted += _wanted(condition)
        if isinstance(test, PersonTest) and test.leaf.field == STAGE and not isinstance(test.leaf, Missing):
            stages += [value for _, value in _named(test.leaf)]
    yield from _nothing_has(dict.fromkeys(wanted), log)
    known = {value for value in values_of_persons(log, "stage") if value}
    known |= set() if basis is None else {stage.key for stage in basis.stages.stages}
    for value in dict.fromkeys(stages):
        if value not in known:
            yield said("warnings.nothing_has", field=STAGE, value=value, hint=nearest_said(value, known))


def nearest_said(given: str, known: Iterable[str]) -> str:
    """Which value was probably meant, and which there are; "" where there are none."""
    values = sorted(set(known))
    close = nearest(given, values)
    meant = said("warnings.did_you_mean", value=close) if close else ""
    shown = ", ".join(values[:_SHOWN_VALUES])
    if len(values) > _SHOWN_VALUES:
        return said("warnings.hint_of_many", meant=meant, values=shown, n=len(values))
    return said("warnings.hint", meant=meant, values=shown) if values else meant


def _named(leaf: Condition) -> Iterator[tuple[str, str]]:
    match leaf:
        case Compare(field, "=", value):
            yield field, value
        case Among(field, values):
            yield from ((field, value) for value in values)


def _persons_in(scope: Scope, log: JourneyLog, basis: Basis) -> tuple[dict[str, int], tuple[str, ...]]:
    plan = plan_scope(scope, log, basis).persons
    assert plan is not None
    inside, of = sum_buckets(log, lambda b: (int(plan.persons(b).sum()), int(plan.everybody(b).sum())), _pairs_added)
    told: tuple[str, ...] = ()
    if not inside and scope.persona:
        told = (said("warnings.persona_of_nobody", persona=scope.persona, of=of),)
    elif not inside:
        told = (said("warnings.rule_of_nobody", of=of),)
    return {"persons_in": inside, "persons_of": of}, told


def _pairs_added(pairs: Iterable[tuple[int, int]]) -> tuple[int, int]:
    every = list(pairs)
    return sum(one for one, _ in every), sum(two for _, two in every)


def _values_of_nothing(scope: Scope, log: JourneyLog) -> Iterator[str]:
    condition = scope.condition()
    if condition is not None:
        yield from _nothing_has(dict.fromkeys(_wanted(condition)), log)


def _nothing_has(wanted: Iterable[tuple[str, str]], log: JourneyLog) -> Iterator[str]:
    for field, value in wanted:
        table, column = ("persons", field.removeprefix(_PERSON)) if field.startswith(_PERSON) else ("events", field)
        known = values_of_persons(log, column, table=table)
        if value not in known:
            hint = nearest_said(value, (one for one in known if one))
            yield said("warnings.nothing_has", field=field, value=value, hint=hint)


def _quiet_sources(scope: Scope, log: JourneyLog) -> Iterator[str]:
    """Journeys look abandoned when the file that would go on with them has not been imported (definitions, 4)."""
    as_of = scope.as_of_us()
    zone = zone_of(scope.timezone)
    for source, newest in log.quiet_sources(log.as_of_us if as_of is None else as_of).items():
        yield said("warnings.quiet_source", source=source, day=_day(newest, zone))


def _wanted(condition: Condition) -> Iterator[tuple[str, str]]:
    """The values of coded fields that a condition names."""
    for leaf in leaves_of(condition):
        match leaf:
            case Compare(field, "=", value) if value and is_coded(field):
                yield field, value
            case Among(field, values) if is_coded(field):
                yield from ((field, value) for value in values if value)


def _empty_period(scope: Scope, log: JourneyLog) -> Iterator[str]:
    start, end = scope.start_us(), scope.end_us()
    if start is None and end is None:
        return
    low = np.iinfo(np.int64).min if start is None else start
    high = np.iinfo(np.int64).max if end is None else end
    earliest, latest = first_of_persons_us(log), last_of_persons_us(log)
    if earliest is None or latest is None:
        return
    zone = zone_of(scope.timezone)
    # Most empty periods lie before or after all events; within them one has to look.
    if low > latest or high <= earliest or not sum_buckets(log, lambda bucket: _has_event(bucket, low, high), any):
        yield _no_events(scope, _day(earliest, zone), _day(latest, zone))


def _has_event(bucket: Bucket, low: int, high: int) -> bool:
    time = bucket.events.values("time")
    return bool(((time >= low) & (time < high)).any())


def _no_events(scope: Scope, first: date, last: date) -> Said:
    if scope.start and scope.end:
        return said("warnings.no_events_between", start=scope.start, end=scope.end, first=first, last=last)
    if scope.start:
        return said("warnings.no_events_from", start=scope.start, first=first, last=last)
    return said("warnings.no_events_until", end=scope.end, first=first, last=last)


def _day(time_us: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(time_us // 1_000_000, UTC).astimezone(zone).date()
