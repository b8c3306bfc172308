"""What a customer is expected to be worth in the first 12 months: the mean cumulative value of those watched.

Customers whose first order lies in the period are followed by calendar day. With V(d) for what their live orders on
day d after the first are worth, less refunds, and R(d) for how many have been watched at least d days ::

    M = Σ V(d) / R(d)        over the days d = 0 … 365

Nelson (2003), Recurrent Events Data Analysis for Product Repairs, Disease Recurrences, and Other Applications, SIAM,
chapter 3, doi:10.1137/1.9780898718454. Nothing is assumed of how people buy, but that those watched for longer buy as
the others will. With nobody cut off it is the plain mean. The interval leaves out one group of persons at a time from
all of V and R (percorso.analyses.jackknife).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from percorso.analyses.jackknife import N_GROUPS, half_width
from percorso.analyses.kpi_customers import PLACES_USED, new_customers
from percorso.analyses.kpi_facts import Facts
from percorso.analyses.kpi_terms import Kpi
from percorso.analyses.survival import watched_enough
from percorso.analyses.tallies import Tally
from percorso.kernels.arrays import I64

__all__ = ["DAYS", "EXPECTED", "Expected", "add_expected", "expected_of"]

#: Days after that of the first order.
DAYS = 365

_OF_ONE_KIND = (DAYS + 1) * N_GROUPS

#: Of all, and by the number of places used: `days` of a KPI is 0, or that number.
EXPECTED: tuple[Kpi, ...] = tuple(
    Kpi(
        f"expected_value_12m{name}",
        "across",
        "money",
        "up",
        "expected",
        "expected_value",
        "expected_watched",
        missing="no_values" if at == 0 else "no_customers_so",
        days=at,
    )
    for at, name in enumerate(("", *(f"_{places}" for places in PLACES_USED)))
)


@dataclass(frozen=True, slots=True)
class Expected:
    """The mean cumulative value in minor units.

    Parameters
    ----------
    value : float or None
        None: too few customers have been watched for the whole time.
    half_width : float or None
        Of its 95 % interval; None with fewer than two groups of persons.
    n : int
        Customers.
    """

    value: float | None
    half_width: float | None
    n: int


def add_expected(facts: Facts) -> None:
    """Days for which new customers have been watched, and what their orders of each day are worth.

    Keys are ``(places * 366 + day) * 256 + group``. Customers with an order of unknown value are left out.
    """
    if facts.is_of_nobody:
        return
    new, live, days = new_customers(facts), facts.live, facts.plan.days
    first_day = days.position(new.time_us)
    wanted = np.flatnonzero((new.cell >= 0) & new.valued & (first_day >= 0))
    if not len(wanted):
        return
    person, cell, first_day = new.person[wanted], new.cell[wanted], first_day[wanted].astype(np.int64)
    base = new.places[wanted] * _OF_ONE_KIND + facts.groups[person]
    watched = np.minimum(len(days) - 1 - first_day, DAYS)
    facts.add_spans("expected_watched", cell, base + watched * N_GROUPS)
    who = np.full(facts.bucket.n_persons, -1, np.int64)
    who[person] = np.arange(len(person))
    orders = np.flatnonzero(who[live.person] >= 0)
    who = who[live.person[orders]]
    since = days.position(live.time_us[orders]) - first_day[who]
    inside = since <= DAYS
    orders, who, since = orders[inside], who[inside], since[inside]
    facts.add_spans("expected_value", cell[who], base[who] + since * N_GROUPS, weights=facts.net.minor[orders])


def expected_of(value: Tally, watched: Tally, places: int) -> Expected:
    """The estimate of one cell.

    Parameters
    ----------
    value, watched : Tally
        As `add_expected` makes them.
    places : int
        0: all; else those who used 1, 2, or 3 and more places.
    """
    v, by_day = (_by_day_and_group(part, places) for part in (value, watched))
    r: I64 = by_day[::-1].cumsum(axis=0)[::-1]
    v_all, r_all = v.sum(axis=1), r.sum(axis=1)
    n = int(r_all[0])
    if not watched_enough(n, int(r_all[DAYS])) or n == 0:
        return Expected(None, None, n)
    groups = np.flatnonzero(r[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        thetas = ((v_all[:, None] - v[:, groups]) / (r_all[:, None] - r[:, groups])).sum(axis=0)
    # Without the only group that was watched for so long there is no estimate: such a θ is not finite.
    return Expected(float((v_all / r_all).sum()), half_width(thetas), n)


def _by_day_and_group(tally: Tally, places: int) -> I64:
    """The tally as an array, int64 of shape (366, 256)."""
    kinds = range(len(PLACES_USED)) if places == 0 else range(places - 1, places)
    found = np.zeros(_OF_ONE_KIND, np.int64)
    for kind in kinds:
        part = tally.of(kind * _OF_ONE_KIND, (kind + 1) * _OF_ONE_KIND)
        found[part.keys] += part.counts
    return found.reshape(DAYS + 1, N_GROUPS)
