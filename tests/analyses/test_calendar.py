"""Periods of time zones: days on which clocks change, skipped days, and the far ends of the world."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.calendar import calendar_of, period_of_day
from percorso.errors import SpecError

HOUR_US = 3_600_000_000
ZONES = ("Europe/Rome", "UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo", "Asia/Kathmandu")


def micros(text: str, zone: str = "UTC") -> int:
    moment = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))
    return (moment.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@given(
    st.datetimes(datetime(1995, 1, 1), datetime(2030, 1, 1)),
    st.integers(0, 4000),
    st.sampled_from(ZONES),
    st.sampled_from(("day", "week", "month")),
)
def test_instants_lie_in_the_period_that_a_wall_calendar_says(
    begin: datetime, hours: int, zone: str, unit: str
) -> None:
    first = begin.replace(tzinfo=UTC)
    last = first + timedelta(hours=hours)
    calendar = calendar_of(
        unit, zone, micros(first.replace(tzinfo=None).isoformat()), micros(last.replace(tzinfo=None).isoformat())
    )
    for moment in (first, last, first + timedelta(hours=hours // 2), first + timedelta(hours=hours // 3)):
        day = moment.astimezone(ZoneInfo(zone)).date()
        position = int(calendar.position(np.array([micros(moment.replace(tzinfo=None).isoformat())]))[0])
        start = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[unit]
        assert calendar.day(position) == start.isoformat()
        assert calendar.first + position == period_of_day((day - date(1970, 1, 1)).days, unit)


def test_days_on_which_clocks_change_have_23_and_25_hours() -> None:
    days = calendar_of("day", "Europe/Rome", micros("2024-03-30"), micros("2024-03-31T12:00"))
    assert (np.diff(days.starts) // HOUR_US).tolist() == [24, 23]
    days = calendar_of("day", "Europe/Rome", micros("2024-10-26T12:00"), micros("2024-10-27T12:00"))
    assert (np.diff(days.starts) // HOUR_US).tolist() == [24, 25]
    # In Brazil clocks changed at midnight: the day began at one.
    days = calendar_of("day", "America/Sao_Paulo", micros("2017-10-14T12:00"), micros("2017-10-15T12:00"))
    assert (np.diff(days.starts) // HOUR_US).tolist() == [24, 23]


def test_the_day_that_samoa_skipped_has_no_hours() -> None:
    days = calendar_of("day", "Pacific/Apia", micros("2011-12-29T20:00"), micros("2012-01-01T12:00"))
    hours = dict(zip((days.day(n) for n in range(len(days))), (np.diff(days.starts) // HOUR_US).tolist(), strict=True))
    assert hours["2011-12-30"] == 0
    assert days.label(int(days.position(np.array([micros("2011-12-30T10:00")]))[0])) == "2011-12-31"


def test_a_period_has_ended_with_its_last_microsecond() -> None:
    months = calendar_of("month", "Pacific/Kiritimati", micros("2024-01-10"), micros("2024-02-10"))
    end = micros("2024-02-01T00:00", "Pacific/Kiritimati")
    assert end == micros("2024-01-31T10:00")
    assert months.has_ended(0, end - 1)
    assert not months.has_ended(0, end - 2)
    assert [months.label(n) for n in range(len(months))] == ["2024-01", "2024-02"]


def test_a_default_of_year_one_costs_no_million_days() -> None:
    days = calendar_of("day", "UTC", -62_135_596_800_000_000, micros("2024-01-01"))
    assert 60 * 365 < len(days) < 61 * 366
    assert days.position(np.array([-62_135_596_800_000_000])).tolist() == [-1]


def test_unknown_periods_are_refused() -> None:
    with pytest.raises(SpecError):
        calendar_of("year", "UTC", 0, 1)
