"""Period, as-of time and flags: what is asked, and which events of a bucket are in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.analyses.select import plan_scope, select_events
from percorso.analyses.spec import Scope, parse_instant_us, spec_from_json, spec_to_json
from percorso.errors import FormatTooNew, SpecError
from percorso.store.journey_log import FLAG_BOT, FLAG_FUTURE, FLAG_ORDER, JourneyLog
from tests.log_builder import DAY, HOUR, Row, build_test_log


def test_a_day_ends_with_itself() -> None:
    scope = Scope(start="2024-01-31", end="2024-01-31", timezone="Europe/Rome")
    assert scope.end_us() - scope.start_us() == DAY  # type: ignore[operator]


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-01-31", "2024-01-30T23:00Z"),
        ("2024-07-01T12:00", "2024-07-01T10:00Z"),
        ("2024-07-01T12:00+05:00", "2024-07-01T07:00Z"),
        ("2024-03-31T02:30", "2024-03-31T01:00Z"),  # skipped in spring: the first valid instant
        ("2024-10-27T02:30", "2024-10-27T00:30Z"),  # twice in autumn: the first
    ],
)
def test_instants(text: str, utc: str) -> None:
    assert parse_instant_us(text, "Europe/Rome") == parse_instant_us(utc, "UTC")


def test_the_day_the_clock_changes_has_23_hours() -> None:
    scope = Scope(start="2024-03-31", end="2024-03-31", timezone="Europe/Rome")
    assert scope.end_us() - scope.start_us() == 23 * HOUR  # type: ignore[operator]


@pytest.mark.parametrize(
    "options",
    [
        {"start": "yesterday"},
        {"end": "2024-13-01"},
        {"start": "2024-02-01", "end": "2024-01-01"},
        {"timezone": "Mars/Base"},
        {"where": "place ="},
        {"by": "value"},
        {"by": "nothing"},
        {"per": "visit"},
        {"as_of": "now"},
    ],
)
def test_what_cannot_be_asked(options: dict[str, Any]) -> None:
    with pytest.raises(SpecError):
        Scope(**options)


def test_json_of_others() -> None:
    body = spec_to_json(Scope(by="channel"))
    assert spec_from_json(Scope, body) == Scope(by="channel")
    with pytest.raises(FormatTooNew):
        spec_from_json(Scope, body | {"format": 99})
    with pytest.raises(SpecError, match="not a scope"):
        spec_from_json(Scope, body | {"analysis": "flow"})
    with pytest.raises(SpecError, match="no field 'bye'"):
        spec_from_json(Scope, body | {"bye": "x"})
    with pytest.raises(SpecError, match="cannot be read"):
        spec_from_json(Scope, body | {"by": 7})


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> JourneyLog:
    flags = [0, FLAG_BOT, FLAG_ORDER, FLAG_FUTURE, 0]
    rows = [
        Row(person="p", time=day * DAY, event="A", flags=flag, coded={"place": "site" if day % 2 else ""})
        for day, flag in enumerate(flags)
    ]
    return build_test_log(tmp_path_factory.mktemp("log"), rows, n_buckets=1)


@given(
    start=st.sampled_from(["", "1970-01-02", "1970-01-03T12:00"]),
    end=st.sampled_from(["", "1970-01-04", "1970-01-05T00:00"]),
    as_of=st.sampled_from(["", "1970-01-04", "1970-01-05T00:00"]),
    where=st.sampled_from(["", "place = site", "place = moon", "event = A"]),
    bots=st.booleans(),
)
def test_selection(log: JourneyLog, start: str, end: str, as_of: str, where: str, bots: bool) -> None:
    scope = Scope(start=start, end=end, as_of=as_of, where=where, include_bots=bots)
    bucket = log.buckets[0]
    selection = select_events(plan_scope(scope, log), bucket)
    dense = selection.dense()
    mask = np.ones(5, np.uint8) if dense is None else dense
    assert selection.is_all == (dense is None)
    for row in range(5):
        time = row * DAY
        expected = (
            row != 3
            and (bots or row != 1)
            and (not start or time >= scope.start_us())  # type: ignore[operator]
            and (not end or time < scope.end_us())  # type: ignore[operator]
            and (not as_of or time <= scope.as_of_us())  # type: ignore[operator]
            and (where in ("", "event = A") or (where == "place = site" and row % 2 == 1))
        )
        assert bool(mask[row]) == expected


def test_nothing_to_leave_out_costs_nothing(tmp_path: Path) -> None:
    log = build_test_log(tmp_path, [Row(person="p", time=0, event="A")], n_buckets=1)
    selection = select_events(plan_scope(Scope(where="event = A"), log), log.buckets[0])
    assert selection.is_all
    assert selection.mask is None
