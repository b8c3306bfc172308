"""Builds of events at the edges: nobody, everybody twice, long ago, far ahead, too long, too many, of another model."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.outcomes import ALL_OUTCOMES, journey_outcomes
from percorso.journeys import bucket
from percorso.settings import DAY_US, BuildSettings, Goal, Settings
from percorso.settings.stages import STAGE_MODELS
from percorso.store import cold, log_files
from percorso.store.cold import COLD_COLUMNS
from percorso.store.journey_log import (
    FLAG_BOT,
    FLAG_FUTURE,
    FLAG_GOAL,
    FLAG_HEAVY,
    FLAG_ORDER,
    FLAG_SAME_ORDER,
    JourneyLog,
)
from tests.journeys.worlds import World, build_files, digests
from tests.lake_builder import event, lake_files

SHOP = {"source": "erp", "source_kind": "server"}
TILL = {"source": "till", "source_kind": "pos"}
SETTINGS = Settings(build=BuildSettings(bucket_bits=2))  # few buckets, so that many builds are quick


def build(folder: Path, rows: list[dict[str, Any]], settings: Settings | None = None, **options: Any) -> JourneyLog:
    files = lake_files(folder / "lake", rows, **options)
    return build_files(folder, files, settings or SETTINGS)[0]


def table(log: JourneyLog, name: str) -> list[dict[str, Any]]:
    """Rows of a table over all buckets; of persons only."""
    return [row for one in log.buckets for row in one.table(name).batch.to_pylist()]


# ---------------------------------------------------------------------------------------------- copies of orders


def test_a_copy_before_the_order_that_counts_closes_no_journey(tmp_path: Path) -> None:
    """The site reports first, the shop system, which is trusted more, seconds later: one goal, one journey."""
    rows = [
        event("2024-03-01T10:00:00", "Product Viewed", user_id="u"),
        event("2024-03-01T10:01:00", "Order Completed", user_id="u", order_id="1", value=1000),
        event("2024-03-01T10:01:09", "Order Completed", user_id="u", order_id="1", value=900, **SHOP),
    ]
    log = build(tmp_path, rows)
    assert [(j["kind"], j["n_events"], j["goal_event"], j["value"]) for j in table(log, "journeys")] == [
        ("purchase", 3, 2, 900),
        ("order", 0, -1, 0),
    ]
    flags = FLAG_ORDER | FLAG_SAME_ORDER | FLAG_GOAL
    assert [e["flags"] & flags for e in table(log, "events")] == [0, FLAG_SAME_ORDER, FLAG_ORDER | FLAG_GOAL]


def test_a_copy_after_the_order_that_counts_closes_no_journey_either(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:01:00", "Order Completed", user_id="u", order_id="1", value=900, **SHOP),
        event("2024-03-01T10:01:09", "Order Completed", user_id="u", order_id="1", value=1000),
        event("2024-03-02T02:00:00", "Order Completed", user_id="u", order_id="1", value=1000, source_kind="app"),
    ]
    log = build(tmp_path, rows)
    assert [(j["kind"], j["n_events"], j["value"]) for j in table(log, "journeys")] == [
        ("purchase", 2, 900),
        ("order", 1, 0),
    ]
    assert [order["value"] for order in table(log, "orders")] == [900]


def test_of_copies_of_nobodys_order_one_counts(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:01:00", "Order Completed", order_id="1", value=1000, **TILL),
        event("2024-03-01T10:01:09", "Order Completed", order_id="1", value=900, **SHOP),
        event("2024-03-01T10:02:00", "Order Completed", order_id="2", value=50, **TILL),
        event("2024-03-01T10:03:00", "Order Completed", value=7, **TILL),
        event("2024-03-01T10:03:00", "Order Completed", value=7, sequence=1, **TILL),
    ]
    nobody = build(tmp_path, rows).unidentified
    assert [row["value"] for row in nobody.table("orders").batch.to_pylist()] == [1000, 50, 7, 7]
    flags = [row["flags"] & (FLAG_ORDER | FLAG_SAME_ORDER) for row in nobody.events.batch.to_pylist()]
    assert flags == [FLAG_ORDER, FLAG_SAME_ORDER, FLAG_ORDER, FLAG_ORDER, FLAG_ORDER]


# ---------------------------------------------------------------------------------------------- who and when


def test_sign_outs_of_one_message_id_on_two_sources_are_two(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:00:00", "Page Viewed", user_id="u1", anonymous_id="a"),
        event("2024-03-01T10:01:00", "Signed Out", anonymous_id="a", message_id="m", source="web"),
        event("2024-03-01T10:02:00", "Page Viewed", anonymous_id="a"),
        event("2024-03-01T10:03:00", "Page Viewed", user_id="u2", anonymous_id="a"),
        event("2024-03-01T10:04:00", "Signed Out", anonymous_id="a", message_id="m", source="app"),
        event("2024-03-01T10:05:00", "Page Viewed", anonymous_id="a"),
    ]
    ids = [person["person_id"] for person in table(build(tmp_path, rows), "persons")]
    assert len(ids) == len(set(ids)) == 4


def test_the_clock_of_one_device_changes_no_other(tmp_path: Path) -> None:
    """A device-day 100,000 days after another's used to be taken for the next device's."""
    near = datetime(2024, 3, 1, 10)
    far = near + timedelta(days=100_000)
    arrived = {"received_at": "2024-03-01T10:00:00", "sent_at": far.isoformat()}
    rows = [
        event("2024-03-01T09:00:00", "Page Viewed", anonymous_id="b"),
        event(far, "Page Viewed", anonymous_id="a", **arrived),
        event("2024-03-01T09:00:00", "Page Viewed", anonymous_id="c"),
    ]
    for order in (rows, rows[::-1], [rows[1], rows[0], rows[2]]):
        log = build(tmp_path / str(len(list(tmp_path.iterdir()))), order)
        times = sorted(row["time"] for row in table(log, "events"))
        assert times == [1_709_283_600_000_000, 1_709_283_600_000_000, 1_709_287_200_000_000]


def test_a_clock_of_before_1970_is_its_own_device_s(tmp_path: Path) -> None:
    """Clocks without a battery begin at 1970 where they are: in Italy that is 1969."""
    shown, arrived = "1969-12-31T23:00:00", {"received_at": "2024-03-02T10:00:00", "sent_at": "1969-12-31T23:00:01"}
    world = World(tmp_path)
    world.add(
        [
            *(event(shown, "Page Viewed", anonymous_id=device, **arrived) for device in "ab"),
            *(event(f"2024-03-01T{hour:02}:00:00", "Page Viewed", user_id=f"u{hour}") for hour in range(10)),
        ]
    )
    log, _ = world.build()
    assert {row["time"] // DAY_US for row in table(log, "events")} == {19783, 19784}
    world.add([event(shown, "Page Viewed", anonymous_id="b", **arrived | {"sent_at": "1969-12-31T23:30:00"})])
    log, built = world.build()
    assert built < 5
    assert digests(log) == world.digests_anew()


def test_the_first_and_the_last_days_of_the_calendar(tmp_path: Path) -> None:
    rows = [
        event("0001-01-03T10:00:00", "Page Viewed", user_id="u"),
        event("1969-03-01T10:00:00", "Order Completed", user_id="u", value=5),
        event("2024-03-01T10:00:00", "Page Viewed", user_id="u"),
        event("9999-12-29T10:00:00", "Page Viewed", user_id="u", received_at="2024-03-02T10:00:00"),
    ]
    log = build(tmp_path, rows)
    assert log.as_of_us == 1_709_287_200_000_000  # what claims to come from the future does not say how late it is
    assert [row["flags"] & FLAG_FUTURE for row in table(log, "events")] == [0, 0, 0, FLAG_FUTURE]
    journeys = [
        (row["kind"], ALL_OUTCOMES[outcome])
        for one in log.buckets
        for row, outcome in zip(
            one.table("journeys").batch.to_pylist(), journey_outcomes(one, log.as_of_us), strict=True
        )
    ]
    assert journeys == [("purchase", "abandoned"), ("purchase", "converted"), ("order", "kept"), ("purchase", "open")]


def test_a_return_happens_when_it_happens(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:00:00", "Order Completed", user_id="u", order_id="1", value=5),
        event("2024-03-11T10:00:00", "Order Returned", user_id="u", order_id="1"),
    ]
    log = build(tmp_path, rows)
    (one,) = (one for one in log.buckets if one.n_persons)
    outcomes = {days: ALL_OUTCOMES[journey_outcomes(one, 1_709_287_200_000_000 + days * DAY_US)[1]] for days in (9, 10)}
    assert outcomes == {9: "kept", 10: "returned"}


# ---------------------------------------------------------------------------------------------- how many


def test_only_unidentified_rows(tmp_path: Path) -> None:
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Order Completed", value=3, **TILL), event("2024-03-02", "A")])
    assert (log.manifest["n_events"], log.manifest["n_persons"], log.manifest["n_journeys"]) == (2, 0, 0)
    assert log.unidentified.n_events == 2
    assert all(one.n_events == 0 and len(one.persons) == 0 for one in log.buckets)
    assert log.as_of_us == 1_709_337_600_000_000


def test_nothing_but_copies(tmp_path: Path) -> None:
    row = event("2024-03-01T10:00:00", "Page Viewed", user_id="u")
    log = build(tmp_path, [row] * 40, files=4)
    assert (log.manifest["n_events"], log.manifest["n_duplicates"]) == (1, 39)


def test_rows_that_hold_nothing_but_what_they_must(tmp_path: Path) -> None:
    rows = [event("2024-03-01T10:00:00", "", user_id="u", source_kind=kind, source=kind) for kind in ("web", "crm")]
    assert len(table(build(tmp_path, rows), "events")) == 2


def test_no_sessions(tmp_path: Path) -> None:
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Order Completed", user_id="u", value=1, **TILL)])
    assert (log.manifest["n_sessions"], log.manifest["n_journeys"]) == (0, 2)
    assert table(log, "sessions") == []


def test_items_without_anything(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:00:00", "Order Completed", user_id="u", items=[{"product_id": "p"}, {"price": 3}]),
        event("2024-03-01T10:00:01", "Cart Viewed", user_id="u", items=[]),
        event("2024-03-01T10:00:02", "Cart Viewed", user_id="u", items=None),
    ]
    found = [
        (row["event"], row["product_id"], row["quantity"], row["price"])
        for row in table(build(tmp_path, rows), "items")
    ]
    assert found == [(0, "p", 1.0, None), (0, "", 1.0, 3)]


def test_heavy_persons_are_flagged_with_all_their_events(tmp_path: Path) -> None:
    start = datetime(2024, 3, 1)
    rows = [event(start + timedelta(minutes=i), "Page Viewed", user_id="till account") for i in range(101)]
    rows += [event(start + timedelta(minutes=i), "Page Viewed", user_id="u") for i in range(100)]
    settings = replace(SETTINGS, build=replace(SETTINGS.build, heavy_person_events=100))
    log = build(tmp_path, rows, settings)
    assert sorted(bool(row["flags"] & FLAG_HEAVY) for row in table(log, "persons")) == [False, True]
    assert sum(bool(row["flags"] & FLAG_HEAVY) for row in table(log, "events")) == 101


def test_a_bot_is_one_in_all_its_events(tmp_path: Path) -> None:
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    rows = [
        event(f"2024-03-01T10:0{i}:00", "Page Viewed", anonymous_id=name, user_agent=agent if is_bot else None)
        for name, bots in (("bot", (1, 1, 1)), ("mixed", (1, 0, 1)), ("human", (0, 0, 0)))
        for i, is_bot in enumerate(bots)
    ]
    log = build(tmp_path, rows)
    assert sorted(bool(row["flags"] & FLAG_BOT) for row in table(log, "persons")) == [False, False, True]


@pytest.mark.parametrize("bits", [0, 1, 8])
def test_buckets_are_the_top_bits_of_the_person_id(tmp_path: Path, bits: int) -> None:
    settings = replace(SETTINGS, build=replace(SETTINGS.build, bucket_bits=bits))
    rows = [event("2024-03-01T10:00:00", "Page Viewed", user_id=f"u{number}") for number in range(60)]
    log = build(tmp_path, [*rows, event("2024-03-01T10:00:00", "Page Viewed")], settings)
    assert len(log.buckets) == 2**bits
    for number, one in enumerate(log.buckets):
        tops = [int.from_bytes(row["person_id"][:2], "big") >> (16 - bits) for row in one.persons.batch.to_pylist()]
        assert set(tops) <= {number}
    assert sum(one.n_events for one in log.buckets) == 60


def test_a_bucket_with_more_text_than_32_bits_can_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they could address 10 bytes."""
    rows = [
        event(f"2024-03-{day:02d}T10:00:00", "Page Viewed", user_id="u", title=f"title {day}", properties='{"a":1}')
        for day in range(1, 29)
    ]
    plain = build(tmp_path / "plain", rows)
    for module in (bucket, log_files, cold):
        monkeypatch.setattr(module, "MOST_TEXT_BYTES", 10)
    first, second = build(tmp_path / "a", rows), build(tmp_path / "b", rows, files=5, seed=1)
    assert first.data_version == second.data_version != plain.data_version
    assert table(first, "persons") == table(plain, "persons")
    for one, other in zip(first.buckets, plain.buckets, strict=True):
        assert one.cold(COLD_COLUMNS).to_pydict() == other.cold(COLD_COLUMNS).to_pydict()


# ---------------------------------------------------------------------------------------------- stages


HISTORY = [
    event("2024-03-01T10:00:00", "Page Viewed", user_id="u"),
    event("2024-03-01T10:01:00", "Products Searched", user_id="u"),
    event("2024-03-01T10:02:00", "Product Added", user_id="u"),
    event("2024-03-01T10:03:00", "Order Completed", user_id="u", order_id="1", value=5),
    event("2024-03-01T10:03:05", "Page Viewed", user_id="u"),
    event("2024-03-03T10:00:00", "Order Shipped", user_id="u", order_id="1", **SHOP),
    event("2024-03-05T10:00:00", "Product Shared", user_id="u", order_id="1"),
    event("2024-03-06T10:00:00", "Question Asked", user_id="u", order_id="1"),
]


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("retail", "awareness consideration conversion conversion conversion retention advocacy advocacy"),
        ("evaluation", "awareness evaluation conversion conversion conversion loyalty advocacy advocacy"),
        ("familiarity", "awareness familiarity consideration purchase purchase loyalty loyalty loyalty"),
        ("purchase", "awareness consideration purchase purchase purchase retention advocacy advocacy"),
        ("support", "awareness consideration purchase purchase purchase retention retention support"),
        ("decision", "awareness consideration decision decision decision loyalty advocacy advocacy"),
    ],
)
def test_stages_of_every_model(tmp_path: Path, model: str, expected: str) -> None:
    log = build(tmp_path, HISTORY, replace(SETTINGS, stages=STAGE_MODELS[model]))
    assert [row["stage"] for row in table(log, "events")] == expected.split()
    stages = expected.split()
    assert [row["stage_reached"] for row in table(log, "journeys")] == [stages[4], stages[7]]


def test_an_order_that_is_no_goal_closes_nothing(tmp_path: Path) -> None:
    settings = replace(SETTINGS, journeys=replace(SETTINGS.journeys, goals=(Goal("Appointment Booked"),)))
    rows = [
        event("2024-03-01T10:00:00", "Products Searched", user_id="u"),
        event("2024-03-01T10:03:00", "Order Completed", user_id="u", order_id="1", value=5),
        event("2024-03-02T10:03:00", "Appointment Booked", user_id="u"),
    ]
    log = build(tmp_path, rows, settings)
    assert [(row["kind"], row["n_events"], row["goal_event"]) for row in table(log, "journeys")] == [
        ("purchase", 3, 2),
        ("order", 0, -1),
    ]
