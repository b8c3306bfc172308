"""Which period to ask for instead of one that is too young to tell.

What follows something within a time (an order on a first contact, another order) is told only where enough began so
long ago: see `percorso.analyses.survival.watched_enough`. Of a period that ended a whole such time ago all have been
watched; the latest of them as long as the one asked for is what to ask instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from percorso.analyses.log_facts import Fact, ask_facts, first_of_all_us
from percorso.analyses.outcomes import journeys_of_kind
from percorso.analyses.spec import Scope
from percorso.events.zones import days_of
from percorso.language.measures import DURATION
from percorso.language.said import Figure, Said, said
from percorso.store.journey_log import Bucket, JourneyLog

__all__ = ["LONGEST_TIMEOUT", "AskedPeriod", "ask_instead", "first_event_us", "longest_timeout_us"]

_DAY_S = 86_400
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class AskedPeriod:
    """The period of a question, cut at its as-of time.

    Parameters
    ----------
    command : str
        Of ``percorso``, with which one asks.
    timezone : str
        Whose days they are.
    as_of_us : int
    start_us : int or None
        None: the question names no start.
    end_us : int
        The first instant after it.
    """

    command: str
    timezone: str
    as_of_us: int
    start_us: int | None
    end_us: int

    def day(self, time_us: int) -> date:
        """The day of an instant."""
        return _EPOCH + timedelta(days=int(days_of(np.array([time_us], np.int64), self.timezone)[0]))

    def ends_us(self, day: date) -> int:
        """The first instant after a day."""
        found = Scope(timezone=self.timezone, end=day.isoformat()).end_us()
        assert found is not None
        return found


def first_event_us(log: JourneyLog, as_of_us: int) -> int:
    """Time of the first event of anybody, or of nobody; without any, the as-of time."""
    first = first_of_all_us(log)
    return as_of_us if first is None else min(first, as_of_us)


def longest_timeout_us(log: JourneyLog) -> int:
    """The longest time-out of a purchase journey, µs: those of categories may be longer than the shop's."""
    ((of_persons, _),) = ask_facts(log, [LONGEST_TIMEOUT])
    return int(of_persons)


def _longest_timeout(buckets: Sequence[Bucket]) -> int:
    timeouts = (bucket.table("journeys").values("timeout")[journeys_of_kind(bucket, "purchase")] for bucket in buckets)
    return _longest(int(mine.max(initial=0)) for mine in timeouts)


def _longest(every: Iterable[int]) -> int:
    return max(every, default=0)


LONGEST_TIMEOUT = Fact("longest timeout", _longest_timeout, _longest)


def ask_instead(asked: AskedPeriod, log: JourneyLog, *, days: int = 0) -> Said:
    """What to ask instead of a period that is too young, or when to ask again.

    Parameters
    ----------
    asked : AskedPeriod
    log : JourneyLog
    days : int
        So many calendar days are watched; 0: journeys, for the longest of their time-outs.
    """
    span_us = 0 if days else longest_timeout_us(log)
    span = Figure(days * _DAY_S if days else span_us / 1e6, DURATION)
    last = _watched_until(asked, span_us, days)
    data_begin = asked.day(first_event_us(log, asked.as_of_us))
    if last < data_begin:
        wanted = data_begin if asked.start_us is None else asked.day(asked.end_us - 1)
        return said("warnings.watched_later", span=span, day=_watched_from(asked, wanted, span_us, days))
    first = None if asked.start_us is None else last - (asked.day(asked.end_us - 1) - asked.day(asked.start_us))
    if first is None or first < data_begin:
        return said("warnings.watched_until", span=span, command=asked.command, last=last.isoformat())
    dates = {"first": first.isoformat(), "last": last.isoformat()}
    return said("warnings.watched_period", span=span, command=asked.command, **dates)


def _watched_until(asked: AskedPeriod, span_us: int, days: int) -> date:
    """The last day of which all have been watched by the as-of time."""
    if days:
        return asked.day(asked.as_of_us) - timedelta(days=days)
    return asked.day(asked.as_of_us + 1 - span_us) - timedelta(days=1)


def _watched_from(asked: AskedPeriod, last: date, span_us: int, days: int) -> date:
    """The first day on which all of `last` have been watched."""
    if days:
        return last + timedelta(days=days)
    return asked.day(asked.ends_us(last) + span_us - 1) + timedelta(days=1)
