"""A column of times: exactly what the scalar reader says of each cell."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.errors import TimeError
from percorso.events.times import (
    NOTE_CODES,
    NOTE_DST_GAP,
    NOTE_MISSING,
    NOTE_NONE,
    NOTE_UNREADABLE,
    read_times,
)
from percorso.events.zones import days_of, local_times, zone_segments
from percorso.time import LEAST_US, MOST_US, day_of, offset_at_us, parse_time, zone_of

ZONES = ["Europe/Rome", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"]
EPOCH = datetime.datetime(1970, 1, 1)
DAY_US = 86_400_000_000


def scalar(text: str | None, time_format: str, timezone: str) -> tuple[int, str]:
    if text is None or not text.strip():
        return 0, "time_missing"
    try:
        parsed = parse_time(text, time_format=time_format, timezone=timezone)
    except TimeError:
        return 0, "time_unreadable"
    return parsed.us, parsed.note


def check(texts: list[str | None], time_format: str, timezone: str) -> None:
    expected = [scalar(text, time_format, timezone) for text in texts]
    plain = pa.array(texts, type=pa.string())
    shifted = pa.concat_arrays([pa.array(["x", None]), plain])[2:]
    for column in (
        plain,
        shifted,
        plain.cast(pa.large_string()),
        plain.dictionary_encode(),
        pa.chunked_array([plain, plain[:0]]),
    ):
        found = read_times(column, time_format=time_format, timezone=timezone)
        assert list(zip(found.us.tolist(), [NOTE_CODES[note] for note in found.notes], strict=True)) == expected
        assert found.null.tolist() == [note in ("time_missing", "time_unreadable") for _, note in expected]


def around_changes(zone: str) -> list[datetime.datetime]:
    """Wall-clock times at and around every change of the zone from 1940 to 2037."""
    begins, offsets = zone_segments(zone, -30 * 365 * DAY_US, 67 * 365 * DAY_US)
    near = [0, -1, 1, 30 * 60_000_000, -30 * 60_000_000, 3_600_000_000 - 1, -3_600_000_000, 7_200_000_000]
    return [
        EPOCH + datetime.timedelta(microseconds=int(begin) + int(offset) + step)
        for begin, before, after in zip(begins[1:], offsets[:-1], offsets[1:], strict=True)
        for offset in (before, after)
        for step in near
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_every_change_of_the_clock_equals_the_scalar_reader(zone: str) -> None:
    check([wall.isoformat(" ") for wall in around_changes(zone)], "iso", zone)


MOMENTS = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)) | st.datetimes()
NEAR_A_CHANGE = st.sampled_from(ZONES).flatmap(
    lambda zone: st.tuples(st.just(zone), st.sampled_from(around_changes(zone) or [EPOCH]))
)


@given(
    st.lists(
        st.tuples(
            MOMENTS | NEAR_A_CHANGE.map(lambda pair: pair[1]),
            st.sampled_from(["T", " ", "t"]),
            st.sampled_from(["auto", "seconds", "minutes", "milliseconds", "microseconds"]),
            st.sampled_from(["", "", "", "Z", "z", " UTC", "+01:00", "-0530", "+14", " +02:00", "+18:01", "+1", "x"]),
        )
    ),
    st.sampled_from(ZONES),
)
@settings(deadline=None)
def test_iso_times_equal_the_scalar_reader(parts: list[tuple[datetime.datetime, str, str, str]], zone: str) -> None:
    check([f"{moment.isoformat(sep, spec)}{offset}" for moment, sep, spec, offset in parts], "iso", zone)


BROKEN = st.text("0123456789-/:. TZ+", max_size=24) | st.sampled_from(
    ["2024-02-30", "2023-02-29 10:00", "2024-1-01", "2024-01-01T10", "2024-01-01T10:00:00.", "0999-01-01", "9999-12-31"]
)


@given(st.lists(BROKEN | st.none()), st.sampled_from(ZONES))
@settings(deadline=None)
def test_broken_times_equal_the_scalar_reader(texts: list[str | None], zone: str) -> None:
    for time_format in ("iso", "%d/%m/%Y %H:%M", "unix_ms"):
        check(texts, time_format, zone)


PATTERNS = [
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y",
    "%d.%m.%y %H.%M.%S",
    "%Y%m%d%H%M%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%H:%M %d-%m-%Y",
    "%d%m%Y",
    "%m/%d/%Y %I:%M %p",
    "%d %b %Y",
    "del %d/%m/%Y",
    "%Y",
    "%d/%d/%Y",
    "100%% %Y-%m-%d",
]


@given(st.lists(MOMENTS), st.sampled_from(PATTERNS), st.sampled_from(ZONES), st.booleans())
@settings(deadline=None)
def test_patterns_equal_the_scalar_reader(
    moments: list[datetime.datetime], pattern: str, zone: str, short: bool
) -> None:
    texts: list[str | None] = [moment.strftime(pattern) for moment in moments]
    if short:  # one digit where there was a nought and another
        texts = [text.replace("0", "", 1).upper() if text else text for text in texts]
    check(texts, pattern, zone)


@given(
    st.lists(st.text("0123456789./", min_size=5, max_size=10)),
    st.sampled_from(["%d/%m/%Y", "%d%m%y", "%d.%m.%Y", "%S%f"]),
)
@settings(deadline=None)
def test_digits_in_disorder_equal_the_scalar_reader(texts: list[str | None], pattern: str) -> None:
    check(texts, pattern, "Europe/Rome")


NUMBERS = st.integers(-(10**16), 10**16).map(str) | st.decimals(-(10**12), 10**12, places=7).map(str)


@given(st.lists(NUMBERS | st.sampled_from(["1e9", "1.5E9", "-0", "+5", ".5", "5.", "9" * 18, "9" * 19])))
@settings(deadline=None)
def test_unix_times_equal_the_scalar_reader(texts: list[str | None]) -> None:
    for time_format in ("unix_s", "unix_ms", "unix_us"):
        check(texts, time_format, "Europe/Rome")


@pytest.mark.parametrize("kind", [pa.int64(), pa.int32(), pa.uint64(), pa.float64()])
def test_columns_of_numbers(kind: pa.DataType) -> None:
    found = read_times(pa.array([1_700_000_000, None, 0], type=kind), time_format="unix_s", timezone="UTC")
    assert found.us.tolist() == [1_700_000_000_000_000, 0, 0]
    assert found.notes.tolist() == [NOTE_NONE, NOTE_MISSING, NOTE_NONE]


def test_numbers_beyond_any_calendar_are_unreadable() -> None:
    for column in (
        pa.array([2**62, -(2**62)]),
        pa.array([2**64 - 1], type=pa.uint64()),
        pa.array([1e300, float("nan"), float("inf"), -1e30]),
    ):
        found = read_times(column, time_format="unix_s", timezone="UTC")
        assert set(found.notes.tolist()) == {NOTE_UNREADABLE}
        assert not found.us.any()


def test_a_float_of_seconds_keeps_its_microseconds() -> None:
    found = read_times(pa.array([1735668309.123456]), time_format="unix_s", timezone="UTC")
    assert found.us.tolist() == [1735668309123456]


def test_whole_numbers_under_a_pattern_are_read_as_texts() -> None:
    found = read_times(pa.array([20241231, 20240230]), time_format="%Y%m%d", timezone="UTC")
    assert found.us.tolist() == [1735603200000000, 0]
    assert found.notes.tolist() == [NOTE_NONE, NOTE_UNREADABLE]


def test_timestamps_are_read_as_what_they_are() -> None:
    gap = datetime.datetime(2025, 3, 30, 2, 30)
    naive = read_times(pa.array([gap, None], type=pa.timestamp("ms")), time_format="%Y", timezone="Europe/Rome")
    assert naive.us.tolist() == [1743296400000000, 0]
    assert naive.notes.tolist() == [NOTE_DST_GAP, NOTE_MISSING]
    aware = read_times(
        pa.array([gap], type=pa.timestamp("s", tz="Asia/Kolkata")), time_format="iso", timezone="Europe/Rome"
    )
    assert aware.us.tolist() == [1743301800000000]
    fine = read_times(pa.array([-1], type=pa.timestamp("ns", tz="UTC")), time_format="iso", timezone="UTC")
    assert fine.us.tolist() == [-1]
    day = read_times(pa.array([datetime.date(2024, 7, 1)]), time_format="iso", timezone="Europe/Rome")
    assert day.us.tolist() == [1719784800000000]
    hour = read_times(pa.array([datetime.time(1), None]), time_format="iso", timezone="Europe/Rome")
    assert hour.notes.tolist() == [NOTE_UNREADABLE, NOTE_MISSING]


def test_no_rows_and_no_values() -> None:
    for column in (pa.array([], pa.string()), pa.chunked_array([], type=pa.string()), pa.array([], pa.timestamp("us"))):
        assert len(read_times(column, time_format="iso", timezone="UTC").us) == 0
    for column in (
        pa.nulls(2, pa.string()),
        pa.nulls(2),
        pa.nulls(2, pa.int64()),
        pa.nulls(2, pa.string()).dictionary_encode(),
    ):
        assert read_times(column, time_format="iso", timezone="UTC").notes.tolist() == [NOTE_MISSING] * 2


def test_an_unknown_zone_is_refused_before_anything_is_read() -> None:
    with pytest.raises(TimeError):
        read_times(pa.array(["2024-01-01"]), time_format="iso", timezone="Europe/Milano")


INSTANTS = st.integers(LEAST_US, MOST_US) | st.integers(-(10**15), 4 * 10**15)


@given(st.lists(INSTANTS), st.sampled_from(ZONES))
@settings(deadline=None, max_examples=30)
def test_local_times_and_days_equal_zoneinfo(instants: list[int], zone: str) -> None:
    us = np.array(instants, dtype=np.int64)
    assert local_times(us, zone).tolist() == [t + offset_at_us(t, zone_of(zone)) for t in instants]
    assert days_of(us, zone).tolist() == [day_of(t, zone) for t in instants]


@pytest.mark.parametrize("zone", ZONES)
def test_segments_hold_the_offsets_of_zoneinfo(zone: str) -> None:
    begins, offsets = zone_segments(zone, 0, 60 * 365 * DAY_US)
    tz = ZoneInfo(zone)
    for begin, before, after in zip(begins[1:].tolist(), offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        assert (offset_at_us(begin - 1_000_000, tz), offset_at_us(begin, tz)) == (before, after)
