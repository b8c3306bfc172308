"""One text to an instant: formats, zones, gaps and overlaps."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.errors import TimeError
from percorso.time import DST_GAP, DST_OVERLAP, ParsedTime, day_of, localise, parse_time, zone_of

ROME = "Europe/Rome"
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def utc(text: str) -> int:
    return (datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC) - EPOCH) // datetime.timedelta(
        microseconds=1
    )


READ = [
    # text, format, instant in UTC
    ("2024-12-31", "iso", "2024-12-30 23:00"),
    ("2024-12-31 18:05", "iso", "2024-12-31 17:05"),
    ("2024-12-31T18:05:09", "iso", "2024-12-31 17:05:09"),
    ("2024-07-31t18:05:09.5", "iso", "2024-07-31 16:05:09.500"),
    ("2024-12-31T18:05:09,123456789", "iso", "2024-12-31 17:05:09.123456"),
    ("2024-12-31T18:05:09Z", "iso", "2024-12-31 18:05:09"),
    ("2024-12-31 18:05:09 UTC", "iso", "2024-12-31 18:05:09"),
    ("2024-12-31T18:05+01:00", "iso", "2024-12-31 17:05"),
    ("2024-12-31 18:05:09 +0100", "iso", "2024-12-31 17:05:09"),
    ("2024-12-31T18:05:09.1-08", "iso", "2025-01-01 02:05:09.100"),
    (" 2024-02-29 ", "iso", "2024-02-28 23:00"),
    ("31/12/2024 18:05", "%d/%m/%Y %H:%M", "2024-12-31 17:05"),
    ("1/2/2024 8:05", "%d/%m/%Y %H:%M", "2024-02-01 07:05"),
    ("31/12/2024", "%d/%m/%Y", "2024-12-30 23:00"),
    ("31.12.24 18:05:09", "%d.%m.%y %H:%M:%S", "2024-12-31 17:05:09"),
    ("20241231180509", "%Y%m%d%H%M%S", "2024-12-31 17:05:09"),
    ("12/31/2024 6:05 PM", "%m/%d/%Y %I:%M %p", "2024-12-31 17:05"),
    ("31 Dec 2024", "%d %b %Y", "2024-12-30 23:00"),
    ("2024-12-31 18:05 +0530", "%Y-%m-%d %H:%M %z", "2024-12-31 12:35"),
    ("1735668309", "unix_s", "2024-12-31 18:05:09"),
    ("1735668309.25", "unix_s", "2024-12-31 18:05:09.250"),
    ("1735668309250", "unix_ms", "2024-12-31 18:05:09.250"),
    ("1735668309250001", "unix_us", "2024-12-31 18:05:09.250001"),
    ("1.735668309E9", "unix_s", "2024-12-31 18:05:09"),
    ("-1", "unix_s", "1969-12-31 23:59:59"),
]


@pytest.mark.parametrize(("text", "time_format", "instant"), READ)
def test_times_in_every_format(text: str, time_format: str, instant: str) -> None:
    assert parse_time(text, time_format=time_format, timezone=ROME) == ParsedTime(utc(instant))


NOT_READ = [
    ("", "iso"),
    ("   ", "unix_s"),
    ("31/12/2024", "iso"),
    ("2024-02-30", "iso"),
    ("2023-02-29", "iso"),
    ("2024-13-01", "iso"),
    ("2024-12-31 24:00", "iso"),
    ("2024-12-31 18:60", "iso"),
    ("2024-12-31T18:05:60Z", "iso"),
    ("2024-12-31T18:05+19:00", "iso"),
    ("2024-12-31T18:05+01:60", "iso"),
    ("2024-12-31T", "iso"),
    ("2024-12-31T18", "iso"),
    ("2024-12-31 18:05 Europe/Rome", "iso"),
    ("20241231", "iso"),
    ("٢٠٢٤-12-31", "iso"),
    ("0000-00-00 00:00:00", "iso"),
    ("0001-01-01T00:00:00+18:00", "iso"),
    ("31/02/2024", "%d/%m/%Y"),
    ("12/31/2024", "%d/%m/%Y"),
    ("31/12/2024 x", "%d/%m/%Y"),
    ("x", "%d/%m/%Y"),
    ("1", "%Q"),
    ("soon", "unix_s"),
    ("NaN", "unix_s"),
    ("1735668309250", "unix_s"),  # milliseconds
    ("9" * 30, "unix_us"),
]


@pytest.mark.parametrize(("text", "time_format"), NOT_READ)
def test_what_is_no_time(text: str, time_format: str) -> None:
    with pytest.raises(TimeError) as caught:
        parse_time(text, time_format=time_format, timezone=ROME)
    assert not text.strip() or text.strip() not in caught.value.message or len(text) == 1


WALL = [
    # zone, wall clock, instant in UTC, note
    (ROME, "2025-03-30 01:59:59", "2025-03-30 00:59:59", ""),
    (ROME, "2025-03-30 02:00", "2025-03-30 01:00", DST_GAP),
    (ROME, "2025-03-30 02:59:59", "2025-03-30 01:00", DST_GAP),
    (ROME, "2025-03-30 03:00", "2025-03-30 01:00", ""),
    (ROME, "2025-10-26 01:59:59", "2025-10-25 23:59:59", ""),
    (ROME, "2025-10-26 02:00", "2025-10-26 00:00", DST_OVERLAP),
    (ROME, "2025-10-26 02:59:59", "2025-10-26 00:59:59", DST_OVERLAP),
    (ROME, "2025-10-26 03:00", "2025-10-26 02:00", ""),
    ("America/New_York", "2025-03-09 02:30", "2025-03-09 07:00", DST_GAP),
    ("America/New_York", "2025-11-02 01:30", "2025-11-02 05:30", DST_OVERLAP),
    # Half an hour, in the southern summer.
    ("Australia/Lord_Howe", "2025-10-05 02:15", "2025-10-04 15:30", DST_GAP),
    ("Australia/Lord_Howe", "2025-04-06 01:45", "2025-04-05 14:45", DST_OVERLAP),
    # A whole day that never was.
    ("Pacific/Apia", "2011-12-30 12:00", "2011-12-30 10:00", DST_GAP),
    ("Asia/Kolkata", "2025-03-30 02:30", "2025-03-29 21:00", ""),
    ("UTC", "2025-03-30 02:30", "2025-03-30 02:30", ""),
    # Before the railways: local mean time.
    (ROME, "1850-01-01 00:49:56", "1850-01-01 00:00", ""),
]


@pytest.mark.parametrize(("zone", "wall", "instant", "note"), WALL)
def test_gaps_go_to_their_end_and_overlaps_to_the_first(zone: str, wall: str, instant: str, note: str) -> None:
    assert parse_time(wall, time_format="iso", timezone=zone) == ParsedTime(utc(instant), note)


@given(
    st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)),
    st.sampled_from([ROME, "Australia/Lord_Howe"]),
)
def test_the_clock_shows_the_time_again_unless_it_never_did(wall: datetime.datetime, zone: str) -> None:
    local_us = (wall.replace(tzinfo=datetime.UTC) - EPOCH) // datetime.timedelta(microseconds=1)
    found = localise(local_us, ZoneInfo(zone))
    shown = (EPOCH + datetime.timedelta(microseconds=found.us)).astimezone(ZoneInfo(zone))
    if found.note == DST_GAP:
        assert shown.replace(tzinfo=None) > wall
        just_before = (EPOCH + datetime.timedelta(microseconds=found.us - 1)).astimezone(ZoneInfo(zone))
        assert just_before.replace(tzinfo=None) < wall
    else:
        assert shown.replace(tzinfo=None) == wall
        assert shown.fold == 0


def test_unknown_zones_are_refused() -> None:
    for name in ("Europe/Milano", "", "../etc/passwd", "/etc/localtime"):
        with pytest.raises(TimeError):
            zone_of(name)


def test_days_are_those_of_the_zone() -> None:
    new_year = utc("2024-12-31 23:30")
    assert day_of(new_year, "UTC") + 1 == day_of(new_year, ROME)
    assert day_of(-1, "UTC") == -1
