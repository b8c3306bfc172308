"""The whole build: same bytes in any order of arrival, and the definitions on small histories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blake3
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.settings import BuildSettings, Settings
from percorso.store.journey_log import (
    FLAG_BOT,
    FLAG_ORDER,
    FLAG_SAME_ORDER,
    TABLES,
    JourneyLog,
)
from tests.journeys.worlds import build_files
from tests.lake_builder import event, lake_files

SECRET = b"k" * 32
SETTINGS = Settings(build=BuildSettings(bucket_bits=2))  # few buckets, so that many builds are quick


def build(folder: Path, rows: list[dict[str, Any]], **options: Any) -> JourneyLog:
    files = lake_files(folder / "lake", rows, **options)
    return build_files(folder, files, SETTINGS)[0]


def table(log: JourneyLog, name: str) -> list[dict[str, Any]]:
    """Rows of a table over all buckets; of persons only, so without the unidentified."""
    return [row for bucket in log.buckets for row in bucket.table(name).batch.to_pylist()]


NAMES = ["Page Viewed", "Product Viewed", "Product Added", "Order Completed", "Order Refunded", "Signed Out"]


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for number in range(draw(st.integers(1, 20))):
        kind = draw(st.sampled_from(["web", "web", "pos", "server", "email"]))
        hour = draw(st.integers(0, 23))
        rows.append(
            event(
                f"2024-03-{draw(st.integers(1, 28)):02d}T{hour:02d}:{draw(st.sampled_from([0, 1, 59])):02d}:00",
                draw(st.sampled_from(NAMES)),
                source=kind,
                source_kind=kind,
                message_id=str(draw(st.integers(0, 12))),
                user_id=draw(st.sampled_from([None, "u1", "u2"])),
                anonymous_id=draw(st.sampled_from([None, "a1", "a2"])),
                order_id=draw(st.sampled_from([None, "o1"])),
                url=draw(st.sampled_from([None, "https://shop.example/p/1?utm_source=x"])),
                traits=draw(st.sampled_from([None, '{"plan":"a"}', '{"plan":"b","email":"x@y.it"}'])),
                value=draw(st.sampled_from([None, 100])),
                sequence=number % 2,
            )
        )
    return rows


@settings(max_examples=25, deadline=None)
@given(histories(), st.integers(0, 9), st.integers(1, 4))
def test_any_order_and_batching_gives_the_same_bytes(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, Any]], seed: int, files: int
) -> None:
    folder = tmp_path_factory.mktemp("build")
    first = build(folder / "a", rows)
    second = build(folder / "b", rows + rows[: len(rows) // 2], files=files, seed=seed)
    assert first.data_version == second.data_version
    for one, other in zip([*first.buckets, first.unidentified], [*second.buckets, second.unidentified], strict=True):
        assert one.meta["files"] == other.meta["files"]
        for name in one.meta["files"].values():
            content = (first.folder / name).read_bytes()
            assert content == (second.folder / name).read_bytes()
            assert blake3.blake3(content).hexdigest()[:40] in name


def test_a_web_journey_ends_with_the_order_and_goes_on_after_it(tmp_path: Path) -> None:
    log = build(
        tmp_path,
        [
            event("2024-03-01T10:00:00", "Page Viewed", type="page", anonymous_id="a", url="https://s.example/"),
            event("2024-03-01T10:01:00", "Product Viewed", anonymous_id="a"),
            event("2024-03-01T10:02:00", "Order Completed", anonymous_id="a", user_id="u", order_id="1", value=900),
            event("2024-03-01T10:02:05", "Page Viewed", type="page", anonymous_id="a", url="https://s.example/thanks"),
            event("2024-03-04T09:00:00", "Order Refunded", user_id="u", order_id="1", value=900, source_kind="server"),
            event("2024-03-09T09:00:00", "Product Viewed", user_id="u"),
        ],
    )
    journeys = table(log, "journeys")
    assert [(j["kind"], j["n_events"]) for j in journeys] == [("purchase", 4), ("order", 1), ("purchase", 1)]
    events = table(log, "events")
    assert [e["stage"] for e in events] == [
        "awareness",
        "consideration",
        "conversion",
        "conversion",
        "retention",
        "awareness",
    ]
    order = table(log, "orders")[0]
    assert (order["status"], order["value"], order["currency"]) == ("refunded", 900, "EUR")


def test_of_two_records_of_an_order_the_till_or_shop_counts(tmp_path: Path) -> None:
    log = build(
        tmp_path,
        [
            event("2024-03-01T10:00:00", "Order Completed", user_id="u", order_id="1", value=1000),
            event("2024-03-01T10:00:09", "Order Completed", user_id="u", order_id="1", value=900, source_kind="server"),
        ],
    )
    assert [(e["value"], e["flags"] & (FLAG_ORDER | FLAG_SAME_ORDER)) for e in table(log, "events")] == [
        (1000, FLAG_SAME_ORDER),
        (900, FLAG_ORDER),
    ]
    assert [order["value"] for order in table(log, "orders")] == [900]


def test_cash_receipts_are_nobodys_and_counted(tmp_path: Path) -> None:
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Order Completed", source_kind="pos", value=500)])
    assert table(log, "persons") == []
    rows = log.unidentified.table("events").batch.to_pylist()
    assert [(row["value"], row["placing"], row["flags"] & FLAG_ORDER) for row in rows] == [(500, "unidentified", 16)]
    assert log.unidentified.table("orders").batch.to_pylist()[0]["value"] == 500


def test_bots_are_flagged_and_kept(tmp_path: Path) -> None:
    agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Page Viewed", anonymous_id="b", user_agent=agent)])
    assert table(log, "events")[0]["flags"] & FLAG_BOT
    assert table(log, "persons")[0]["flags"] & FLAG_BOT


def test_personal_traits_stay_in_the_lake(tmp_path: Path) -> None:
    rows = [
        event("2024-03-01T10:00:00", "Identify", type="identify", user_id="u", traits='{"email":"a@b.it","plan":"x"}'),
        event("2024-03-02T10:00:00", "Identify", type="identify", user_id="u", traits='{"plan":"y","size":3}'),
    ]
    assert table(build(tmp_path, rows), "persons")[0]["traits"] == '{"plan":"y","size":3}'
    assert not any(b"a@b.it" in path.read_bytes() for path in (tmp_path / "log").iterdir())


def test_addresses_stay_out_of_names(tmp_path: Path) -> None:
    rows = [
        event(
            "2024-03-01T10:00:00",
            "Page Viewed",
            type="page",
            user_id="u",
            title="Ciao Anna Rossi anna@example.org",
            utm_campaign="to-anna@example.org",
        ),
        event("2024-03-01T10:01:00", "Mail to anna@example.org", user_id="u", touchpoint="anna@example.org"),
        event("2024-03-01T10:02:00", "Product Viewed", user_id="u", product_id="+39 333 1234567", category="a%40b.it"),
        event("2024-03-01T10:03:00", "Page Viewed", type="page", user_id="u", url="https://s.it/u/anna@example.org"),
    ]
    log = build(tmp_path, rows)
    for bucket in log.buckets:
        for name in TABLES:
            content = (log.folder / bucket.meta["files"][name]).read_bytes()
            assert not any(text in content for text in (b"anna", b"Anna", b"1234567", b"%40"))
    assert [row["touchpoint"] for row in table(log, "events")][:2] == ["page", "*"]


def test_a_damaged_file_is_written_again(tmp_path: Path) -> None:
    rows = [event("2024-03-01T10:00:00", "Page Viewed", anonymous_id="b")]
    log = build(tmp_path, rows)
    name = next(bucket for bucket in log.buckets if bucket.n_events).meta["files"]["events"]
    content = (log.folder / name).read_bytes()
    (log.folder / name).write_bytes(content[:100])
    build(tmp_path, rows)
    assert (log.folder / name).read_bytes() == content


def test_every_bucket_has_every_table(tmp_path: Path) -> None:
    log = build(tmp_path, [event("2024-03-01T10:00:00", "Page Viewed", anonymous_id="b")])
    for bucket in [*log.buckets, log.unidentified]:
        assert sorted(bucket.meta["files"]) == sorted(TABLES)
    assert [month for month, parts in log.manifest["cold"].items() if any(parts)] == ["2024-03"]
