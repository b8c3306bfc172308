"""What a report is of: its period, what it is compared with, language and sections."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field

from percorso.analyses.kpi_periods import COMPARISONS
from percorso.analyses.spec import Scope
from percorso.errors import SpecError, nearest_hint
from percorso.language.words import LANGUAGES

__all__ = ["AUTO", "NONE", "SECTIONS", "ReportPeriod", "ReportSpec", "default_period", "earlier_is_known"]

#: All sections, in the order in which a report has them.
SECTIONS = (
    *("summary", "kpis", "map", "funnel", "flow", "channels", "places", "variants"),
    *("journeys", "cohorts", "lifecycle", "quality", "reading"),
)

AUTO, NONE = "auto", "none"

_MONTHS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSpec:
    """A report.

    Parameters
    ----------
    scope : Scope
        Period and persona. Without a period the last 12 full months, or all data where there are less.
    compare : {"auto", "previous", "last-year", "none"}
        "auto": with the period before, where the data reach back so far.
    language : {"en", "it", ""}
        "" is the workspace's.
    sections : tuple of str
        Of `SECTIONS`; none: all.
    """

    scope: Scope = field(default_factory=Scope)
    compare: str = AUTO
    language: str = ""
    sections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        allowed = (AUTO, *COMPARISONS, NONE)
        if self.compare not in allowed:
            raise SpecError(f"One cannot compare with '{self.compare}'.", hint=nearest_hint(self.compare, allowed))
        if self.language and self.language not in LANGUAGES:
            raise SpecError(f"'{self.language}' is no language.", hint=nearest_hint(self.language, LANGUAGES))
        for name in self.sections:
            if name not in SECTIONS:
                raise SpecError(f"A report has no section '{name}'.", hint=nearest_hint(name, SECTIONS, show=13))
        if self.scope.by or self.scope.where.strip():
            raise SpecError(
                "A report is of all events of its period.", hint="Leave out --where and --by; choose persons instead."
            )

    def has(self, section: str) -> bool:
        return not self.sections or section in self.sections


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """First and last day of a report, both included; `is_all`: there are less than twelve full months."""

    first: datetime.date
    last: datetime.date
    is_all: bool = False


def default_period(first: datetime.date, as_of: datetime.date) -> ReportPeriod:
    """The last twelve full months before the as-of day, or everything where the data begin later.

    Parameters
    ----------
    first, as_of : date
        Days of the first event and of the as-of time.

    Examples
    --------
    >>> day = datetime.date
    >>> default_period(day(2022, 5, 1), day(2024, 3, 10))
    ReportPeriod(first=datetime.date(2023, 3, 1), last=datetime.date(2024, 2, 29), is_all=False)
    >>> default_period(day(2024, 1, 7), day(2024, 3, 10))
    ReportPeriod(first=datetime.date(2024, 1, 7), last=datetime.date(2024, 3, 10), is_all=True)
    """
    tomorrow = as_of + datetime.timedelta(days=1)
    last = as_of if tomorrow.day == 1 else as_of.replace(day=1) - datetime.timedelta(days=1)
    begin = _months_before(last.replace(day=1), _MONTHS - 1)
    if first > begin:
        return ReportPeriod(first, as_of, is_all=True)
    return ReportPeriod(begin, last)


def _months_before(day: datetime.date, months: int) -> datetime.date:
    years, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return datetime.date(years, month + 1, 1)


def earlier_is_known(first: datetime.date, begin: datetime.date, end: datetime.date) -> bool:
    """Do the data reach back over a period as long as the one from `begin` to `end`?"""
    return begin - (end - begin + datetime.timedelta(days=1)) >= first
