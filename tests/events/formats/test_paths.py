"""Aggregated path strings."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.events.conversion import CONVERTED_SCHEMA, Converted
from percorso.events.formats.paths import CONTACT, PathsFormat
from percorso.events.formats.source import source_info
from percorso.events.mapping import PathsRule
from percorso.settings import HOUR_US, Settings
from tests.events.formats.chunks import DATA, rows_of, table_chunk, table_chunks

RULE = PathsRule("path", ">", "total_conversions", "total_conversion_value", "total_null")
SOURCE = source_info("paths", "other")


def convert(columns: dict[str, list[Any]], rule: PathsRule = RULE) -> Converted:
    converted = PathsFormat(Settings(), SOURCE, rule).convert(table_chunk(columns))
    assert converted.events.schema == CONVERTED_SCHEMA
    return converted


def persons(converted: Converted) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows_of(converted):
        found[row["anonymous_id"]].append(row)
    return found


def test_each_order_and_each_path_without_one_is_a_person() -> None:
    (chunk,) = table_chunks(DATA / "paths.csv")
    converted = PathsFormat(Settings(), SOURCE, RULE).convert(chunk)
    made = list(persons(converted).values())
    first, second, without, *others = made
    assert [row["name"] for row in first] == [CONTACT, CONTACT, CONTACT, "Order Completed"]
    assert [row.get("channel") for row in first] == ["ads", "mail", "ads", None]
    # The order belongs to the visit of the last contact.
    assert len({row["session_id"] for row in first}) == 3
    assert first[-1]["session_id"] == first[-2]["session_id"]
    assert [row["name"] for row in without] == [CONTACT] * 3
    # 10.01 in two: the first gets the cent that is left.
    assert (first[-1]["value"], second[-1]["value"]) == (501, 500)
    # Equal rows of the file are different persons.
    assert len(others) == 4
    assert [(r.line, r.reason) for r in converted.rejected] == [
        (4, "path_missing"),
        (5, "count_unreadable"),
        (6, "amount_unreadable"),
    ]


def test_contacts_stand_apart_and_those_without_an_order_are_over_first() -> None:
    made = list(persons(convert({"path": ["a>b"], **counts(1, 5, 1)})).values())
    bought, left = made
    assert [row["timestamp"].timestamp() % 86400 for row in bought] == [0, 3600, 7200]
    assert (bought[0]["timestamp"] - left[-1]["timestamp"]).days >= 30
    long = persons(convert({"path": [">".join("ab" * 1000)], **counts(1, 0, 0)}))
    times = [row["timestamp"] for row in next(iter(long.values()))]
    assert (times[-1] - times[0]).days <= 20
    assert all((b - a).total_seconds() * 1e6 <= HOUR_US for a, b in pairwise(times))


def counts(conversions: object, value: object, nulls: object) -> dict[str, list[Any]]:
    return {
        "total_conversions": [str(conversions)],
        "total_conversion_value": [str(value)],
        "total_null": [str(nulls)],
    }


def test_without_counts_each_row_is_one_path_to_an_order() -> None:
    converted = convert({"path": ["a|b", "a|b"]}, PathsRule("path", "|"))
    assert [len(rows) for rows in persons(converted).values()] == [3, 3]


def test_a_wrong_column_is_not_made_into_millions_of_persons() -> None:
    converted = convert({"path": ["a"], **counts(900_000_000, 0, 0)})
    assert [reject.reason for reject in converted.rejected] == ["count_unreadable"]


@given(
    st.lists(
        st.tuples(st.lists(st.sampled_from("abc"), min_size=1, max_size=5), st.integers(0, 4), st.integers(0, 10_000)),
        max_size=6,
    ),
    st.integers(0, 3),
)
def test_orders_values_and_contacts_add_up(rows: list[tuple[list[str], int, int]], nulls: int) -> None:
    columns = {
        "path": [*(" > ".join(path) for path, _, _ in rows), "c"],
        "total_conversions": [*(str(n) for _, n, _ in rows), "0"],
        "total_conversion_value": [*(f"{value / 100:.2f}" for _, _, value in rows), "0"],
        "total_null": [*(str(nulls) for _ in rows), "1"],
    }
    found = rows_of(convert(columns))
    orders = [row for row in found if row["name"] == "Order Completed"]
    assert len(orders) == sum(n for _, n, _ in rows)
    assert sum(row["value"] for row in orders) == sum(value for _, n, value in rows if n)
    assert len({row["anonymous_id"] for row in found}) == sum(n + nulls for _, n, _ in rows) + 1
    contacts = Counter(row["channel"] for row in found if row["name"] == CONTACT)
    expected = Counter("c")
    for path, n, _ in rows:
        expected.update({channel: path.count(channel) * (n + nulls) for channel in set(path)})
    assert contacts == +expected
    assert len({row["message_id"] for row in found}) == len(found)


@pytest.fixture(scope="module")
def pathdata(data: Callable[[str], Path]) -> Converted:
    folder = data("channelattribution_pathdata")
    (chunk,) = table_chunks(folder / "mta_data.csv.gz")
    converted = PathsFormat(Settings(), SOURCE, RULE).convert(chunk)
    assert converted.rejected == []
    return converted


def test_pathdata_has_the_counts_its_source_names(pathdata: Converted) -> None:
    """SOURCE.txt of the set: 10,000 paths, 12 channels, 19,785 conversions of 74,802.97, 68,602 nulls."""
    events = pathdata.events
    orders = events.filter(pc.equal(events.column("name"), "Order Completed"))
    assert orders.num_rows == 19_785
    # Each of 10,000 rows is rounded to cents.
    assert abs(pc.sum(orders.column("value")).as_py() / 100 - 74_802.97) < 5
    assert pc.count_distinct(events.column("anonymous_id")).as_py() == 19_785 + 68_602
    assert pc.count_distinct(events.column("channel")).as_py() == 12
    assert len(set(pathdata.raw_row.tolist())) == 10_000


def test_pathdata_gives_the_first_and_last_touch_of_the_reference(
    pathdata: Converted, data: Callable[[str], Path]
) -> None:
    """reference.json: heuristic attribution of the ChannelAttribution package 2.2.5."""
    first: Counter[str] = Counter()
    last: Counter[str] = Counter()
    for rows in persons(pathdata).values():
        if rows[-1]["name"] == "Order Completed":
            first[rows[0]["channel"]] += 1
            last[rows[-2]["channel"]] += 1
    reference = json.loads((data("channelattribution_pathdata") / "reference.json").read_text())["heuristic"]
    assert first == {row["channel_name"]: row["first_touch_conversions"] for row in reference}
    assert last == {row["channel_name"]: row["last_touch_conversions"] for row in reference}
