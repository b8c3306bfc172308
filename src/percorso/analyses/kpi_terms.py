"""What a KPI is: a key, a stage, a unit, which way is better, and how it comes from sums.

Each file ``kpi_<stage>.py`` holds the KPIs of a stage as data, and a function that adds up what they need of one
bucket. What a KPI is called and what it means, in English and Italian, stands in percorso.language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Better", "How", "Kpi", "Reach", "Unit"]

Unit = Literal["count", "share", "points", "money", "duration", "ratio", "score"]
Better = Literal["up", "down", "neither"]

#: How a value comes from sums, and with which interval.
#:
#: total      Σ top; counted, so no interval of its own
#: share      Σ top / Σ bottom, top among bottom; Wilson
#: ratio      Σ top / Σ bottom; jackknife by person, of shares on the scale of log odds
#: score      100 · Σ top / Σ bottom, top of -1, 0 and 1, Σ squares in `also`; adjusted Wald
#: median     of the durations or numbers in the tally `top`; order statistics
#: p90        the same, 90th percentile
#: converted  share of spans in the tally `top` that ended well; Wilson, Aalen-Johansen where some are open; `also`
#:            of them began long enough ago
#: cost       Σ top, which is known and no estimate, / Σ bottom; jackknife by person
#: return     Σ top / Σ bottom, which is known and no estimate; with `also` times Σ also / Σ n; jackknife by person
#: fixed      Σ top / Σ bottom, both known; no interval
#: breadth    conversion of closed journeys with `days` places out of the tally `top`; with `also` against those with
#:            one place and as many contacts; the tally `bottom` of them began long enough ago
#: expected   mean cumulative value of customers, from the tallies `top` and `bottom`; jackknife by person
#: within     share of spans in the tally `top` that ended within `days`; Kaplan-Meier; `also` of them began so long ago
How = Literal[
    "total",
    "share",
    "ratio",
    "score",
    "median",
    "p90",
    "converted",
    "within",
    "cost",
    "return",
    "fixed",
    "breadth",
    "expected",
]

#: What one may break a KPI down by: any field (its events have them), fields of persons alone, or nothing.
Reach = Literal["event", "person", "whole"]


@dataclass(frozen=True, slots=True)
class Kpi:
    """A KPI.

    Parameters
    ----------
    key : str
        Its name in commands, answers and settings.
    stage : str
        business, all, awareness, consideration, conversion, retention, advocacy, across, money or stages.
    unit : {"count", "share", "points", "money", "duration", "ratio", "score"}
        Values are: whole things; a share from 0 to 1; a difference of shares; units of the workspace's currency;
        seconds; any number; a score from -100 to 100.
    better : {"up", "down", "neither"}
    how : str
        One of `How`.
    top, bottom, also : str
        Names of sums or tallies.
    n : str
        The sum that says of how many units it is; "": `bottom`, or `top` where there is none.
    missing : str
        Why there is no value where n is 0, as a key of ``kpi_missing`` in the language files.
    reach : {"event", "person", "whole"}
    told_by : tuple of str
        Events of which one at least occurs in the workspace; otherwise no source tells, and 0 would be a lie.
    needs : {"", "costs", "spend"}
        A table beside the journey log.
    days : int
        Of `within`; places of `breadth` and `expected`.
    scale : float
        What sums are divided by: quantities are counted in thousandths.
    ends : tuple of float
        Least and greatest of the things that a mean is of; none: they have no ends.
    """

    key: str
    stage: str
    unit: Unit
    better: Better
    how: How
    top: str
    bottom: str = ""
    also: str = ""
    n: str = ""
    missing: str = ""
    reach: Reach = "event"
    told_by: tuple[str, ...] = ()
    needs: Literal["", "costs", "spend"] = ""
    days: int = 0
    scale: float = 1
    ends: tuple[float, float] | None = None

    @property
    def units(self) -> str:
        """The sum that says of how many units the value is."""
        return self.n or self.bottom or self.top
