"""The worked examples of docs/concepts, told to the real build: the pages must be true."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from percorso.journeys.channels import ChannelRules, Origin
from percorso.money import exponent
from percorso.settings import ChannelSettings, Settings
from percorso.store.journey_log import JourneyLog
from percorso.time import parse_time
from tests.journeys.worlds import build_files
from tests.lake_builder import event, lake_files

ANNA = "anna@posta.example"
BRUNO = "bruno@posta.example"


def build(folder: Path, rows: Iterable[dict[str, Any]]) -> JourneyLog:
    files = lake_files(folder / "lake", rows)
    return build_files(folder, files, Settings())[0]


def persons(log: JourneyLog) -> list[list[dict[str, Any]]]:
    """The events of every person in order, the persons by their first event."""
    found = []
    for bucket in log.buckets:
        events = bucket.events.batch.to_pylist()
        offsets = bucket.offsets()
        found += [events[offsets[i] : offsets[i + 1]] for i in range(bucket.n_persons)]
    return sorted(found, key=lambda events: events[0]["time"])


def names(events: Iterable[dict[str, Any]]) -> list[str]:
    return [event["event"] for event in events]


def table(log: JourneyLog, name: str) -> list[dict[str, Any]]:
    return [row for bucket in log.buckets for row in bucket.table(name).batch.to_pylist()]


def test_journey_log(tmp_path: Path) -> None:
    till = {"source": "till", "source_kind": "pos", "ref_space": "till"}
    log = build(
        tmp_path,
        [
            event("2025-09-03T10:00", "Page Viewed", anonymous_id="a1"),
            event("2025-09-03T10:01", "Product Viewed", anonymous_id="a1"),
            event("2025-09-03T10:02", "Page Viewed", anonymous_id="b7"),
            event("2025-09-03T10:04", "Order Completed", anonymous_id="a1", email=ANNA, order_id="1"),
            event("2025-09-05T17:30", "Order Completed", email=ANNA, order_id="8", **till),
            event("2025-09-05T17:31", "Order Completed", order_id="9", **till),
        ],
    )
    anna, visitor = persons(log)
    assert names(anna) == ["Page Viewed", "Product Viewed", "Order Completed", "Order Completed"]
    assert [row["place"] for row in anna] == ["site", "site", "site", "store"]
    assert names(visitor) == ["Page Viewed"]
    assert log.unidentified.n_events == 1


def test_sessions(tmp_path: Path) -> None:
    phone, laptop = {"email": ANNA, "anonymous_id": "phone"}, {"email": ANNA, "anonymous_id": "laptop"}
    mail = {"email": ANNA, "source": "newsletter", "source_kind": "email"}
    letter = {"utm_source": "newsletter", "utm_medium": "email"}
    log = build(
        tmp_path,
        [
            event("2025-09-03T21:50", "Page Viewed", **phone, **letter),
            event("2025-09-03T21:52", "Product Viewed", **phone),
            event("2025-09-03T22:20", "Product Viewed", **phone),
            event("2025-09-03T22:22", "Page Viewed", **laptop),
            event("2025-09-03T22:51", "Product Added", **phone),
            event("2025-09-03T23:05", "Email Delivered", **mail),
            event("2025-09-03T23:15", "Cart Viewed", **phone),
            event("2025-09-04T00:10", "Page Viewed", **phone),
        ],
    )
    [anna] = persons(log)
    sessions = [row["session"] for row in anna]
    first = [sessions.index(number) if number >= 0 else -1 for number in sessions]
    assert first == [0, 0, 0, 3, 4, -1, 4, 7]
    assert anna[0]["channel"] == "Email"


def test_journeys_and_stages(tmp_path: Path) -> None:
    web: dict[str, Any] = {"email": ANNA, "anonymous_id": "a1"}
    till = {"source": "till", "source_kind": "pos", "email": ANNA}
    log = build(
        tmp_path,
        [
            event("2025-09-01T10:00", "Page Viewed", **web, utm_source="instagram", utm_medium="paid_social"),
            event("2025-09-01T10:02", "Product Viewed", **web),
            event("2025-09-01T10:04", "Product Viewed", **web),
            event("2025-09-09T09:00", "Email Delivered", email=ANNA, source="mail", source_kind="email"),
            event("2025-09-20T18:00", "Product Added", **web),
            event("2025-09-20T18:05", "Product Viewed", **web),
            event("2025-09-21T11:00", "Order Completed", **till, order_id="1", value=24900, currency="EUR"),
            event("2025-09-26T15:00", "Call Started", email=ANNA, source="phone", source_kind="support"),
            event("2025-10-03T20:00", "Product Reviewed", **web, score=5.0),
            event("2025-10-20T21:00", "Products Searched", **web),
            event("2025-12-31T12:00", "Page Viewed", anonymous_id="somebody else"),
        ],
    )
    anna = persons(log)[0]
    assert [row["stage"] for row in anna] == [
        "awareness",
        "consideration",
        "consideration",
        "consideration",
        "conversion",
        "conversion",
        "conversion",
        "retention",
        "advocacy",
        "consideration",
    ]
    journeys = [row["journey"] for row in anna]
    assert len(set(journeys[:7])) == 1
    assert len({*journeys[:7], *journeys[7:9], journeys[9]}) == 3


@pytest.mark.parametrize(
    ("origin", "channel"),
    [
        (Origin("web", utm_source="instagram", utm_medium="paid_social"), "Paid Social"),
        (Origin("web", referrer="https://www.google.com/"), "Organic Search"),
        (Origin("web", utm_source="google", utm_medium="cpc", click_id="gclid"), "Paid Search"),
        (Origin("web", utm_source="newsletter", utm_medium="email"), "Email"),
        (Origin("web", referrer="https://forum.chitarristi.example/discussioni/4021"), "Referral"),
        (Origin("web"), "Direct"),
    ],
)
def test_channels(origin: Origin, channel: str) -> None:
    assert ChannelRules(ChannelSettings()).classify(origin).channel == channel


def test_as_of_is_the_newest_event(tmp_path: Path) -> None:
    log = build(tmp_path, [event("2025-09-01T10:00", "Page Viewed", anonymous_id="a1")])
    assert log.as_of_us == int(datetime.fromisoformat("2025-09-01T10:00+00:00").timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("written", "stored", "note"),
    [
        ("2025-03-30 02:30", "2025-03-30T01:00:00+00:00", "dst_gap"),  # 03:00 in Italy, the first moment that was
        ("2025-10-26 02:30", "2025-10-26T00:30:00+00:00", "dst_overlap"),  # the first of the two
    ],
)
def test_times_that_never_were_or_were_twice(written: str, stored: str, note: str) -> None:
    parsed = parse_time(written, time_format="iso", timezone="Europe/Rome")
    assert parsed.us == int(datetime.fromisoformat(stored).timestamp()) * 1_000_000
    assert parsed.note == note


def test_smallest_units() -> None:
    assert [exponent(currency) for currency in ("EUR", "JPY", "KWD")] == [2, 0, 3]
