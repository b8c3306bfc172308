"""Guesses from values: times and decimals."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.formats.guess import TimeGuess, guess_decimal, guess_time_format
from percorso.time import parse_time


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["2026-03-01T09:00:00Z", "2026-03-01 09:00"], "iso"),
        (["2026-03-01"], "iso"),
        (["2019-11-01 17:59:13.273932"], "iso"),
        (["31/12/2026", "01/02/2026"], "%d/%m/%Y"),
        (["12/31/2026", "01/02/2026"], "%m/%d/%Y"),
        (["31/12/2026 18:05"], "%d/%m/%Y %H:%M"),
        (["31-12-2026 18.05"], "%d-%m-%Y %H.%M"),
        (["31.12.26"], "%d.%m.%y"),
        (["2026/12/31 18:05:09"], "%Y/%m/%d %H:%M:%S"),
        (["12/31/2026 06:05 PM"], "%m/%d/%Y %I:%M %p"),
        (["31/12/2026, 18:05:09"], "%d/%m/%Y, %H:%M:%S"),
        (["20261231"], "%Y%m%d"),
        (["1772355600"], "unix_s"),
        (["1772355600000"], "unix_ms"),
        (["1772355600000000"], "unix_us"),
        (["1772355600.25"], "unix_s"),
        (["31 Dec 2026"], "%d %b %Y"),
    ],
)
def test_time_formats(texts: list[str], expected: str) -> None:
    guess = guess_time_format([*texts, None, ""])
    assert guess is not None
    assert (guess.format, guess.share_ratio) == (expected, 1.0)


@pytest.mark.parametrize("texts", [[], ["", None], ["soon"], ["1042", "7"], ["12345678901"], ["99999999"], ["1.5"]])
def test_what_is_no_time(texts: list[str | None]) -> None:
    assert guess_time_format(texts) is None


def test_a_few_broken_values_do_not_hide_the_format() -> None:
    assert guess_time_format(["31/12/2026"] * 19 + ["mai"]) == TimeGuess("%d/%m/%Y", 0.95)
    assert guess_time_format(["31/12/2026", "mai"]) is None
    assert guess_time_format(["31/12/2026", "mai"], enough_ratio=0.5) == TimeGuess("%d/%m/%Y", 0.5)


def test_day_before_month_where_nothing_tells() -> None:
    assert guess_time_format(["01/02/2026", "03/04/2026"]) == TimeGuess("%d/%m/%Y", 1.0, ambiguous=True)
    # The same day either way.
    assert guess_time_format(["01/01/2026"]) == TimeGuess("%d/%m/%Y", 1.0)


_patterns = st.sampled_from(["%d/%m/%Y %H:%M", "%d-%m-%Y", "%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H.%M", "%Y/%m/%d"])


@given(st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1)), min_size=1, max_size=20), _patterns)
def test_what_was_written_is_read_again(times: list[datetime], pattern: str) -> None:
    texts = [time.strftime(pattern) for time in times]
    guess = guess_time_format(texts)
    assert guess is not None
    if not guess.ambiguous:
        read = [parse_time(text, time_format=guess.format, timezone="UTC").us for text in texts]
        assert read == [parse_time(text, time_format=pattern, timezone="UTC").us for text in texts]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["12,50", "3"], ","),
        (["1.234,56"], ","),
        (["€ 12,50"], ","),
        (["12.50"], "."),
        (["1,234.56", "7"], "."),
        (["1,234", "5,678"], "."),
        (["12", None], "."),
        ([], "."),
    ],
)
def test_decimals(texts: list[str | None], expected: str) -> None:
    assert guess_decimal(texts) == expected
