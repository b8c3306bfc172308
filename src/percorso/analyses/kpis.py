"""KPIs: what a shop counts, by stage, each with its definition, n, interval, comparison and target.

Defined in docs/reference/kpis.md. The plain twin is tests/naive/kpis.py.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from percorso.analyses import kpi_business, kpi_customers, kpi_expected, kpi_feedback, kpi_money
from percorso.analyses.basis import Basis
from percorso.analyses.calendar import Calendar, check_period
from percorso.analyses.intervals import FEW
from percorso.analyses.kpi_catalogue import KPIS, STAGES, KpiInputs, adding_up, kpi_named
from percorso.analyses.kpi_facts import Facts
from percorso.analyses.kpi_periods import COMPARISONS, Period, earlier_period, period_of, trend_periods
from percorso.analyses.kpi_plan import KpiPlan, plan_kpis
from percorso.analyses.kpi_rows import RowTerms, kpi_rows, rows_table, trend_table
from percorso.analyses.kpi_sums import Adding, KpiSums
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.kpi_told import Told, told_facts
from percorso.analyses.log_facts import ask_facts, first_of_persons_us, values_of_persons
from percorso.analyses.opening_hours import OpeningHours
from percorso.analyses.relationship import NEVER, lapse_limits
from percorso.analyses.result import Result
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope
from percorso.analyses.survival import TOO_YOUNG
from percorso.analyses.watched_period import LONGEST_TIMEOUT, AskedPeriod, ask_instead
from percorso.analyses.worth import amount, missing_rate_warnings
from percorso.engines.buckets import is_far, run_buckets
from percorso.errors import SpecError, nearest_hint
from percorso.kernels.arrays import I64
from percorso.language.said import Codes, said
from percorso.settings import Target
from percorso.settings.durations import parse_duration_us
from percorso.store.journey_log import Bucket, JourneyLog
from percorso.time import time_text

__all__ = ["KPIS", "STAGES", "KpiInputs", "KpisSpec", "asked_periods", "plan_with_limits", "run_kpis"]

_DAY_US = 86_400_000_000
_MOST_NAMED = 6  # KPIs, in a warning


@dataclass(frozen=True, slots=True, kw_only=True)
class KpisSpec:
    """Which KPIs, of which period, compared with what.

    Parameters
    ----------
    scope : Scope
        Its period: contacts and orders by their time, journeys and carts by when they open, persons by what they do
        in it.
    last : str
        Instead of the scope's period: so many days up to that of the as-of time, such as "30d".
    compare : {"", "previous", "last-year"}
    every : {"", "day", "week", "month"}
        A trend beside the values.
    kpis : tuple of str
        Keys; none: all.
    """

    scope: Scope = field(default_factory=Scope)
    last: str = ""
    compare: str = ""
    every: str = ""
    kpis: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for key in self.kpis:
            kpi_named(key)
        if self.compare and self.compare not in COMPARISONS:
            raise SpecError(f"One cannot compare with '{self.compare}'.", hint=nearest_hint(self.compare, COMPARISONS))
        if self.every:
            check_period(self.every)
        if self.last and (self.scope.start or self.scope.end):
            raise SpecError("A period is given twice.", hint="Leave out --last, or --from and --to.")
        if self.compare and not self.last and not self.scope.start:
            raise SpecError(
                "Nothing comes before everything: a comparison needs a period.", hint="Add --last 30d or --from DAY."
            )
        self.last_days()

    def last_days(self) -> int:
        """Days of `last`, 0 without."""
        if not self.last:
            return 0
        days, rest = divmod(parse_duration_us(self.last), _DAY_US)
        if rest or not days:
            raise SpecError(f"'{self.last}' is no number of days.", hint="Write 30d or 4w.")
        return days

    def chosen(self) -> tuple[Kpi, ...]:
        """The KPIs asked for, in their order."""
        return tuple(kpi for kpi in KPIS if not self.kpis or kpi.key in self.kpis)


def run_kpis(
    spec: KpisSpec,
    log: JourneyLog,
    basis: Basis | None = None,
    inputs: KpiInputs | None = None,
    *,
    language: str = "en",
    threads: int | None = None,
) -> Result:
    """Answer which values KPIs have.

    Parameters
    ----------
    spec : KpisSpec
    log : JourneyLog
    basis : Basis, optional
    inputs : KpiInputs, optional
    language : {"en", "it"}
        Of notes.
    threads : int, optional

    Returns
    -------
    Result
        Table ``kpis`` (stage, kpi, the break-down's value, value, unit, better, low, high, n, method, previous,
        difference, diff_low, diff_high, target, on_target, exact, note), with `every` table ``trend`` (kpi, period,
        complete, value, low, high, n). Durations are in seconds, shares from 0 to 1, money in units of the currency.
    """
    basis, inputs = basis or Basis(), inputs or KpiInputs()
    chosen = spec.chosen()
    *earlier, period = asked_periods(spec, log)
    if is_far(log):
        # Each would take a round of its own when it is looked up below.
        ask_facts(log, [*told_facts(), LONGEST_TIMEOUT])
    plan = plan_with_limits(chosen, spec, log, basis, (period,), threads, inputs.hours)
    plans = [plan]
    if earlier:
        then = _as_it_stood(spec, plan, period, earlier[0])
        plans.append(_earlier_plan(then, plan, log, basis, earlier[0]))
    found, *before = _measure(chosen, plans, log, inputs, threads)
    told = Told(log, plan)
    absent = _absent(chosen, plan, log, inputs) | _without_consent(chosen, found, told)
    kpis = tuple(_one_survey(kpi, found, absent) for kpi in chosen)
    groups, by = _groups(plan), spec.scope.by
    how = RowTerms(basis.currency, _targets(inputs.targets, spec, period), absent, by, language, told)
    if before:
        how = replace(how, earlier=before[0], told_earlier=Told(log, plans[1]))
    rows = kpi_rows(kpis, found, groups, how)
    tables = {"kpis": rows_table(rows, basis.currency, by)}
    surveys = _survey_rows(chosen, found, groups, how)
    if surveys:
        tables["surveys"] = rows_table(surveys, basis.currency, by, survey=True)
    if spec.every:
        tables["trend"] = _trend(spec, kpis, absent, period, log, basis, inputs, threads)
    totals, warnings = _totals(found, basis)
    totals["period"] = _period_text(period)
    if earlier:
        totals["earlier_period"] = _period_text(earlier[0])
        warnings += _before_all(earlier[0], log)
    warnings += _young(spec, rows, period, plan, log)
    return Result(tables, spec, log.data_version, plan.scope.as_of_us, totals, (*warnings, *_few(rows)))


def _as_it_stood(spec: KpisSpec, plan: KpiPlan, period: Period, earlier: Period) -> KpisSpec:
    """The question as it would have been asked when the earlier period was as old as this one is now.

    Orders that have had a year to come back are not compared with those of last week.
    """
    as_of = max(earlier.end_us - 1, plan.scope.as_of_us - (period.start_us - earlier.start_us))
    return replace(spec, scope=replace(spec.scope, as_of=time_text(as_of)))


def _earlier_plan(spec: KpisSpec, now: KpiPlan, log: JourneyLog, basis: Basis, earlier: Period) -> KpiPlan:
    """The plan of the earlier period: when customers count as lost stays what it is now, or it would move both."""
    plan = plan_kpis(spec.scope, log, basis, [(earlier.start_us, earlier.end_us)])
    return replace(plan, lapse=now.lapse, hours=now.hours, is_compared=True)


def _before_all(earlier: Period, log: JourneyLog) -> list[str]:
    """The earlier period may have begun before there were data."""
    first = first_of_persons_us(log)
    if first is not None and first > earlier.start_us:
        day = date.fromisoformat(time_text(first)[:10])
        return [said("warnings.before_data", day=day)]
    return []


def _one_survey(kpi: Kpi, found: KpiSums, absent: dict[str, str]) -> Kpi:
    """The KPI of the only survey of its kind; where there are several it has no value, for they are never pooled."""
    if kpi not in kpi_feedback.SURVEYS:
        return kpi
    names = kpi_feedback.survey_names(found, kpi.key)
    if len(names) > 1:
        absent[kpi.key] = "several_surveys"
    return kpi_feedback.survey_kpi(kpi, names[0] if len(names) == 1 else "")


def _survey_rows(chosen: Iterable[Kpi], found: KpiSums, groups: Sequence[str], how: RowTerms) -> list[dict[str, Any]]:
    """A row of each survey; there are none where nobody answered."""
    rows = []
    for kpi in chosen:
        if kpi not in kpi_feedback.SURVEYS:
            continue
        for name in kpi_feedback.survey_names(found, kpi.key):
            one = kpi_feedback.survey_kpi(kpi, name)
            told = replace(how, absent={}, targets={})
            rows += [row | {"survey": name} for row in kpi_rows([one], found, groups, told)]
    return rows


def asked_periods(spec: KpisSpec, log: JourneyLog) -> tuple[Period, ...]:
    """The period asked for, cut at the as-of time, and before it the one that it is compared with."""
    scope = spec.scope
    as_of = plan_scope(Scope(timezone=scope.timezone, as_of=scope.as_of), log).as_of_us
    period = period_of(scope.start_us(), scope.end_us(), spec.last_days(), log, scope.timezone, as_of)
    if not spec.compare:
        return (period,)
    end = scope.end_us()
    asked = (period.start_us, period.end_us if end is None else end)
    return earlier_period(spec.compare, asked, period, scope.timezone), period


def plan_with_limits(
    kpis: Sequence[Kpi],
    spec: KpisSpec,
    log: JourneyLog,
    basis: Basis,
    periods: Iterable[Period],
    threads: int | None = None,
    hours: OpeningHours | None = None,
) -> KpiPlan:
    """The plan of some KPIs; when customers count as lost is looked up only where one asks."""
    plan = plan_kpis(spec.scope, log, basis, [(p.start_us, p.end_us) for p in periods])
    plan = replace(plan, hours=hours or OpeningHours())
    if not any(kpi in kpi_customers.CHURN for kpi in kpis):
        return plan
    lapse = lapse_limits(log, plan.timezone, plan.scope.as_of_us, days=plan.days, threads=threads)
    return replace(plan, lapse=lapse)


def _measure(
    kpis: Sequence[Kpi], plans: Sequence[KpiPlan], log: JourneyLog, inputs: KpiInputs, threads: int | None
) -> list[KpiSums]:
    """The sums that the KPIs need, of persons and of nobody: of each plan, in one pass over the buckets.

    The plans are of one scope, the first as of the latest time.
    """
    adds = adding_up(kpis)

    def task(buckets: Sequence[Bucket]) -> list[KpiSums]:
        into = [Adding(plan.n_cells) for plan in plans]
        for bucket in buckets:
            facts: list[Facts] = []
            for plan, adding in zip(plans, into, strict=True):
                # A rule of persons says something else as of another time: then nothing is shared.
                later = facts[0] if facts and plan.scope.persons is None else None
                facts.append(Facts(plan, bucket, adding, later))
            for one in facts:
                for add in adds:
                    add(one, inputs)
        return [adding.result() for adding in into]

    with_nobody = not plans[0].scope.is_of_persons and log.unidentified.n_events > 0
    parts = run_buckets(log, task, with_nobody=with_nobody, threads=threads)
    if inputs.spend is not None and any(kpi.needs == "spend" for kpi in kpis):
        parts.append([kpi_money.spend_sums(plan, inputs.spend) for plan in plans])
    every = zip(plans, zip(*parts, strict=True), strict=True)
    return [_derived(functools.reduce(KpiSums.merge, mine), plan) for plan, mine in every]


def _derived(found: KpiSums, plan: KpiPlan) -> KpiSums:
    """Sums made of sums: persons times the seconds of their period."""
    if "persons" not in found.sums:
        return found
    seconds = np.maximum((plan.ends - plan.starts) // 1_000_000, 1)
    each: I64 = found.sums["persons"] * np.repeat(seconds, plan.n_values)[:, None]
    return replace(found, sums={**found.sums, "person_seconds": each})


def _groups(plan: KpiPlan) -> tuple[str, ...]:
    """Values of the break-down, in the order of cells; one that is missing is "(none)"."""
    return ("",) if plan.by is None else tuple(value or "(none)" for value in plan.by.values)


def _targets(targets: Iterable[Target], spec: KpisSpec, period: Period) -> dict[str, float]:
    """Targets whose days hold the last one of the period; of several for one KPI the last written."""
    day = Scope(timezone=spec.scope.timezone)
    found = {}
    for target in targets:
        limits = replace(day, start=target.start, end=target.end)
        start, end = limits.start_us(), limits.end_us()
        if (start is None or start <= period.end_us - 1) and (end is None or period.end_us - 1 < end):
            found[target.kpi] = target.value
    return found


def _absent(kpis: Iterable[Kpi], plan: KpiPlan, log: JourneyLog, inputs: KpiInputs) -> dict[str, str]:
    """KPIs that want a table that is not there, events that no source tells, or more orders than there are."""
    has = {"costs": bool(inputs.costs), "spend": inputs.spend is not None and inputs.spend.num_rows > 0, "": True}
    told = values_of_persons(log, "event")
    silent = {kpi.key: kpi.missing for kpi in kpis if kpi.told_by and told.isdisjoint(kpi.told_by)}
    if "store" not in plan.places.names.values:
        silent |= {kpi.key: "no_store_orders" for kpi in kpi_money.RESEARCH}
    if plan.lapse is not None and (plan.lapse.lost == NEVER).all():
        silent |= {kpi.key: "no_limits" for kpi in kpi_customers.CHURN}
    silent |= kpi_customers.too_short(plan)
    return silent | {kpi.key: f"no_{kpi.needs}" for kpi in kpis if not has[kpi.needs]}


def _without_consent(kpis: Iterable[Kpi], found: KpiSums, told: Told) -> dict[str, str]:
    """KPIs of consent on channels of which nobody ever said anything: no rate of 0."""
    rated = [kpi for kpi in kpis if kpi in kpi_business.CONTACTABLE]
    channels = {kpi.key: kpi.key.rpartition("_")[2] for kpi in rated}
    known = {one for one in channels.values() if f"consent_known_{one}" in found.sums or told.of(f"consent_{one}")}
    return {kpi.key: kpi.missing for kpi in rated if channels[kpi.key] not in known}


def _trend(
    spec: KpisSpec,
    kpis: Sequence[Kpi],
    absent: Mapping[str, str],
    period: Period,
    log: JourneyLog,
    basis: Basis,
    inputs: KpiInputs,
    threads: int | None,
) -> pa.Table:
    calendar, periods = trend_periods(period, spec.every, spec.scope.timezone)
    # Of later periods the data may reach back far enough.
    shown = [kpi for kpi in kpis if absent.get(kpi.key, kpi_customers.TOO_SHORT) == kpi_customers.TOO_SHORT]
    plan = plan_with_limits(shown, spec, log, basis, periods, threads, inputs.hours)
    (found,) = _measure(shown, (plan,), log, inputs, threads)
    cells = [
        (calendar.label(at), _is_whole(calendar, at, one), group, at * plan.n_values + value)
        for at, one in enumerate(periods)
        for value, group in enumerate(_groups(plan))
    ]
    how = RowTerms(basis.currency, {}, absent, spec.scope.by, told=Told(log, plan))
    return trend_table(shown, found, cells, how)


def _is_whole(calendar: Calendar, at: int, period: Period) -> bool:
    """Is all of the day, week or month in the period, and over?"""
    return (period.start_us, period.end_us) == (int(calendar.starts[at]), int(calendar.starts[at + 1]))


def _totals(found: KpiSums, basis: Basis) -> tuple[dict[str, Any], list[str]]:
    """Orders and value of the period, of persons and of nobody apart."""

    def total(name: str) -> int:
        return int(found.sums[name].sum()) if name in found.sums else 0

    nobody, value = total("unidentified_orders"), total("unidentified_revenue")
    totals: dict[str, Any] = {"currency": basis.currency, "tax": basis.tax}
    if "orders" in found.sums:
        totals |= {
            "orders": total("orders") - nobody,
            "value": amount(total("revenue") - value, basis.currency),
            "unidentified_orders": nobody,
            "unidentified_value": amount(value, basis.currency),
            "loose_refunds": total("loose_refunds"),
            "loose_refund_value": amount(total("loose_refund_value"), basis.currency),
        }
    return totals, list(missing_rate_warnings(found.missing, basis))


def _period_text(period: Period) -> dict[str, str]:
    return {"start": time_text(period.start_us), "end": time_text(period.end_us)}


def _young(
    spec: KpisSpec, rows: Sequence[Mapping[str, Any]], period: Period, plan: KpiPlan, log: JourneyLog
) -> Iterator[str]:
    """KPIs that the period is too young for, and which one to ask for instead."""
    young = dict.fromkeys(row["kpi"] for row in rows if row["reason"] == TOO_YOUNG)
    start = period.start_us if spec.last or spec.scope.start else None
    asked = AskedPeriod("kpis", spec.scope.timezone, plan.scope.as_of_us, start, period.end_us)
    by_days: dict[int, list[str]] = {}
    for key in young:
        by_days.setdefault(_days_watched(kpi_named(key)), []).append(key)
    for days, keys in by_days.items():
        names = Codes("kpi", tuple(keys), _MOST_NAMED)
        yield said("warnings.young_kpis", names=names, instead=ask_instead(asked, log, days=days))


def _days_watched(kpi: Kpi) -> int:
    """For how many days a KPI watches what it counts; 0: a journey's time-out."""
    if kpi.how == "expected":
        return kpi_expected.DAYS
    return kpi.days if kpi.how == "within" else 0


def _few(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    few = sorted({row["kpi"] for row in rows if row["value"] is not None and 0 < row["n"] < FEW})
    if not few:
        return []
    return [said("warnings.few_kpis", few=FEW, names=Codes("kpi", tuple(few), _MOST_NAMED))]
