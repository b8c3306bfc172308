"""Every KPI there is, and what adds up the sums that each reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from percorso.analyses import (
    kpi_activity,
    kpi_business,
    kpi_conversion,
    kpi_customers,
    kpi_expected,
    kpi_feedback,
    kpi_journeys,
    kpi_money,
    kpi_service,
)
from percorso.analyses.kpi_facts import Facts
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.opening_hours import OpeningHours
from percorso.errors import SpecError, nearest_hint
from percorso.settings import Target

__all__ = ["KPIS", "STAGES", "KpiInputs", "adding_up", "kpi_named"]


@dataclass(frozen=True, slots=True)
class KpiInputs:
    """What KPIs take beside the journey log.

    Parameters
    ----------
    costs : mapping of str to int, optional
        What a unit of a product costs the shop, by product id; minor units of the workspace's currency.
    spend : pyarrow.Table, optional
        What advertising cost and brought by day: day (date32), channel, campaign, cost (minor units), currency,
        impressions, clicks.
    targets : tuple of Target
    hours : OpeningHours
        When service is open: how long answers take counts only then.
    """

    costs: Mapping[str, int] | None = None
    spend: pa.Table | None = None
    targets: tuple[Target, ...] = ()
    hours: OpeningHours = field(default_factory=OpeningHours)


@dataclass(frozen=True, slots=True)
class _Part:
    """KPIs that one function adds up."""

    kpis: tuple[Kpi, ...]
    add: Callable[[Facts, KpiInputs], None]

    @property
    def name(self) -> str:
        return _ONE_FUNCTION.get(self.kpis[0].key, self.kpis[0].key)


#: Parts that one function adds up together, by the first KPI of each.
_ONE_FUNCTION = {"progression_1": "consideration_rate"}

_PARTS: tuple[_Part, ...] = (
    _Part(kpi_business.KPIS, lambda facts, inputs: kpi_business.add_business(facts, inputs.costs)),
    _Part(kpi_business.CONTACTABLE, lambda facts, inputs: kpi_business.add_contactable(facts)),
    _Part(kpi_activity.KPIS, lambda facts, inputs: kpi_activity.add_activity(facts)),
    _Part(kpi_journeys.CONSIDERATION, lambda facts, inputs: kpi_journeys.add_stages(facts)),
    _Part(kpi_journeys.MICRO, lambda facts, inputs: kpi_journeys.add_micro(facts)),
    _Part(kpi_conversion.KPIS, lambda facts, inputs: kpi_conversion.add_conversion(facts)),
    _Part(kpi_customers.REPEAT, lambda facts, inputs: kpi_customers.add_repeat(facts)),
    _Part(kpi_customers.CHURN, lambda facts, inputs: kpi_customers.add_churn(facts)),
    _Part(kpi_service.SERVICE, lambda facts, inputs: kpi_service.add_service(facts)),
    _Part(kpi_service.DELIVERY, lambda facts, inputs: kpi_service.add_delivery(facts)),
    _Part(kpi_service.LOYALTY, lambda facts, inputs: kpi_service.add_loyalty(facts)),
    _Part((*kpi_feedback.SURVEYS, *kpi_feedback.ADVOCACY), lambda facts, inputs: kpi_feedback.add_feedback(facts)),
    _Part(kpi_journeys.ACROSS, lambda facts, inputs: kpi_journeys.add_across(facts)),
    _Part(kpi_money.RESEARCH, lambda facts, inputs: kpi_money.add_researched(facts)),
    _Part(kpi_money.VISITS, lambda facts, inputs: kpi_money.add_visits(facts)),
    _Part(kpi_customers.VALUE, lambda facts, inputs: kpi_customers.add_value(facts)),
    _Part(kpi_expected.EXPECTED, lambda facts, inputs: kpi_expected.add_expected(facts)),
    _Part(kpi_money.SPEND, lambda facts, inputs: kpi_money.add_attributed(facts)),
    _Part(kpi_journeys.STAGES, lambda facts, inputs: kpi_journeys.add_stages(facts)),
)

#: Stages in the order in which answers show them; `across` and `money` are of no stage.
STAGES = (
    *("business", "all", "awareness", "consideration", "conversion", "retention", "advocacy"),
    *("across", "money", "stages"),
)

#: Every KPI, by stage and in the order of definitions, section 7.
KPIS: tuple[Kpi, ...] = tuple(
    sorted((kpi for part in _PARTS for kpi in part.kpis), key=lambda kpi: STAGES.index(kpi.stage))
)

_BY_KEY = {kpi.key: kpi for kpi in KPIS}


def kpi_named(key: str) -> Kpi:
    """The KPI of a key; SpecError with the nearest."""
    if key not in _BY_KEY:
        raise SpecError(f"There is no KPI '{key}'.", hint=nearest_hint(key, _BY_KEY, show=8))
    return _BY_KEY[key]


#: Sums that KPIs of other parts read too, and a KPI of the part that makes them.
_SHARED = {"persons": "persons", "sessions": "sessions", "new_customers": "new_customers", "new_value": "new_customers"}


def adding_up(kpis: Iterable[Kpi]) -> tuple[Callable[[Facts, KpiInputs], None], ...]:
    """What adds up the sums that the KPIs read: their own parts, and those of sums that they share."""
    wanted, chosen = {kpi.key for kpi in kpis}, list(kpis)
    parts = [part for part in _PARTS if wanted.intersection(kpi.key for kpi in part.kpis)]
    sums = {name for kpi in chosen for name in (kpi.top, kpi.bottom, kpi.units)}
    for name, key in _SHARED.items():
        if name in sums:
            parts += [part for part in _PARTS if any(kpi.key == key for kpi in part.kpis)]
    return tuple({part.name: part.add for part in parts}.values())
