"""Channels and places against their plain twins on small shops, against SQL on real data, and their totals."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.analyses.basis import Basis
from percorso.analyses.channels import ChannelsSpec, channel_people, run_channels
from percorso.analyses.contact_moves import SIZE_STARTS, Moves, breadth_table
from percorso.analyses.orders_in import total_orders
from percorso.analyses.people import people_table
from percorso.analyses.places import PlacesSpec, place_people, run_places
from percorso.analyses.result import Result
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.errors import NotFound, SpecError
from percorso.services.channels import ask_channels
from percorso.services.places import ask_places
from percorso.services.sql import run_sql
from percorso.store.journey_log import JourneyLog
from tests.analyses.contact_logs import N_SHOPS, build_shop
from tests.lake_builder import event
from tests.naive import channels as naive
from tests.naive import places as naive_places
from tests.naive.flow import nearest_rank
from tests.real_data import Real

Shops = Callable[[int], tuple[JourneyLog, naive.Log]]
SHOPS = st.integers(0, N_SHOPS - 1)
SCOPES: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"start": "2024-03-03", "end": "2024-04-20"},
    {"as_of": "2024-04-05"},
    {"where": "place != site", "start": "2024-03-02"},
)


COLUMNS, ASKED = st.sampled_from(("channel", "place")), st.sampled_from(SCOPES)


def us(text: str, *, after: int = 0) -> int:
    return (int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) + after * 86_400) * 1_000_000


def asked(scope: dict[str, Any]) -> naive.Asked:
    return naive.Asked(
        start=us(scope["start"]) if "start" in scope else None,
        end=us(scope["end"], after=1) if "end" in scope else None,
        as_of=us(scope["as_of"], after=1) - 1 if "as_of" in scope else None,
        keep=(lambda event: event.coded["place"] != "site") if "where" in scope else lambda event: True,
    )


def ask(column: str, scope: Scope, log: JourneyLog, threads: int = 1) -> Result:
    if column == "channel":
        return run_channels(ChannelsSpec(scope=scope), log, threads=threads)
    return run_places(PlacesSpec(scope=scope), log, threads=threads)


def people_of(column: str, scope: Scope, log: JourneyLog, name: str, role: str, group: str = "") -> set[str]:
    task = (
        channel_people(ChannelsSpec(scope=scope), log, name, role, group)
        if column == "channel"
        else place_people(PlacesSpec(scope=scope), log, name, role, group)
    )
    return set(people_table(log, task).column("person").to_pylist())


def cents(orders: list[naive.Order]) -> int:
    return sum(order.value or 0 for order in orders)


@given(number=SHOPS, column=COLUMNS, scope=ASKED, threads=st.sampled_from((1, 2)))
@settings(deadline=None, max_examples=40)
def test_rows_equal_the_plain_ones(shops: Shops, number: int, column: str, scope: dict[str, Any], threads: int) -> None:
    log, plain = shops(number)
    result = ask(column, Scope(**scope), log, threads)
    expected = naive.answer(plain, asked(scope), column)
    rows = {row[column]: row for row in result.table.to_pylist()}
    for name, row in rows.items():
        cell = expected.cells["" if name == "(none)" else name]
        check_row(row, cell, len(expected.active))
        check_conversion(row, cell.journeys, plain, asked(scope))
    expected_names = {name or "(none)" for name, cell in expected.cells.items() if cell != naive.Cell()}
    assert set(rows) == expected_names
    check_totals(result, expected)
    check_breadth(result.tables["breadth"].to_pylist(), plain, expected, asked(scope))


def check_conversion(
    row: dict[str, Any], journeys: dict[str, set[tuple[int, int]]], log: naive.Log, asked: naive.Asked
) -> None:
    """Of closed journeys, and only where enough of them were watched; open ones stand beside."""
    share = naive.conversion(journeys, log, log.as_of if asked.as_of is None else asked.as_of)
    assert row["conversion"] == (None if share is None else pytest.approx(share))
    assert (row["conversion_low"] is None) == (share is None)
    assert row["conversion_missing"] == ("too_young" if share is None and row["journeys"] else None)


def check_row(row: dict[str, Any], cell: naive.Cell, active: int) -> None:
    persons, journeys = len(cell.contacts_of), cell.journeys
    assert (row["inbound"], row["outbound"]) == (cell.inbound, cell.outbound)
    assert row["contacts"] == cell.inbound + cell.outbound == sum(cell.contacts_of.values())
    assert (row["persons"], row["new_persons"]) == (persons, len(cell.new_persons))
    assert row["share"] == (pytest.approx(persons / active) if active else None)
    assert row["frequency"] == (pytest.approx(row["contacts"] / persons) if persons else None)
    check_jackknife(row, list(cell.contacts_of.values()))
    assert row["measured_share"] == (pytest.approx(len(cell.durations) / row["contacts"]) if row["contacts"] else None)
    total, median, p90 = sum(cell.durations), *(nearest_rank(cell.durations, *s) for s in ((1, 2), (9, 10)))
    assert row["total_s"] == (pytest.approx(total / 1e6) if cell.durations else None)
    assert row["median_s"] == (None if median is None else median / 1e6)
    assert row["p90_s"] == (None if p90 is None else p90 / 1e6)
    for name in ("journeys", "converted", "open", "first", "last", "assist"):
        assert row[name] == len(journeys[name]), name
        if name in ("first", "last", "assist"):
            assert row[f"{name}_converted"] == len(journeys[name] & journeys["converted"])
    assert (row["orders"], row["value"] * 100) == (len(cell.orders), cents(cell.orders))
    assert (row["unidentified_orders"], row["unidentified_value"] * 100) == (
        len(cell.unidentified),
        cents(cell.unidentified),
    )


def check_jackknife(row: dict[str, Any], counts: list[int]) -> None:
    """The interval of the mean, by leaving out one person at a time."""
    n = len(counts)
    if n < 2:
        assert row["frequency_low"] is None
        return
    left_out = np.array([(sum(counts) - one) / (n - 1) for one in counts])
    error = np.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    half = (row["frequency_high"] - row["frequency_low"]) / 2
    assert (half == pytest.approx(0, abs=1e-9)) == (error == pytest.approx(0, abs=1e-9))
    if n > 4 and error > 1e-9:
        assert 1.96 < half / error < 2.8  # Student's t from 4 degrees of freedom on


@given(number=SHOPS, column=COLUMNS, scope=ASKED)
@settings(deadline=None, max_examples=20)
def test_people_behind_the_numbers(shops: Shops, number: int, column: str, scope: dict[str, Any]) -> None:
    log, plain = shops(number)
    expected = naive.answer(plain, asked(scope), column)
    for row in ask(column, Scope(**scope), log).table.to_pylist():
        check_people(column, Scope(**scope), log, plain, row[column], expected)


def check_people(
    column: str, scope: Scope, log: JourneyLog, plain: naive.Log, name: str, expected: naive.Answer
) -> None:
    cell = expected.cells["" if name == "(none)" else name]
    owner = {key: journey.person for key, journey in plain.journeys.items()}
    wanted = {
        "reached": set(cell.contacts_of),
        "new": cell.new_persons,
        "bought": {order.person for order in cell.orders},
        **{role: {owner[key] for key in cell.journeys[role]} for role in ("first", "last", "assist")},
    }
    for role, persons in wanted.items():
        assert people_of(column, scope, log, name, role) == persons, role


def check_totals(result: Result, expected: naive.Answer) -> None:
    totals, several = result.totals, sum(len(set(names)) > 1 for names in expected.names_of.values())
    assert totals["persons"] == len(expected.active)
    assert totals["journeys"] == len(expected.outcomes)
    assert totals["converted"] == sum(each == "converted" for each in expected.outcomes.values())
    assert totals["moves"] == sum(expected.moves.values())
    assert totals["switches"] == sum(n for (a, b), n in expected.moves.items() if a != b)
    assert totals["journeys_with_two_contacts"] == sum(len(names) > 1 for names in expected.names_of.values())
    assert totals["journeys_with_several"] == several
    switches = {(row["from"], row["to"]): row["count"] for row in result.tables["switches"].to_pylist()}
    assert switches == {(a, b): n for (a, b), n in expected.moves.items() if a != b}
    breadth = [row["journeys"] for row in result.tables["breadth"].to_pylist()]
    widths = [len(set(names)) for names in expected.names_of.values()]
    assert breadth == [widths.count(1), widths.count(2), sum(width > 2 for width in widths)]
    points = result.tables["conversion_points"].to_pylist()
    assert sum(row["orders"] for row in points) == totals["orders"] == result.table.column("orders").to_numpy().sum()
    assert sum(row["value"] for row in points) == totals["value"]


def check_breadth(rows: list[dict[str, Any]], log: naive.Log, expected: naive.Answer, asked: naive.Asked) -> None:
    """Open journeys stand beside; conversion is of the others."""
    for width, row in enumerate(rows, start=1):
        mine = {key for key, names in expected.names_of.items() if min(len(set(names)), 3) == width}
        ends = {end: {key for key in mine if expected.outcomes[key] == end} for end in naive.OUTCOMES}
        assert (row["converted"], row["open"]) == (len(ends["converted"]), len(ends["open"]))
        check_conversion(row, ends, log, asked)
        if rows[0]["conversion"] is None or row["conversion"] is None:
            assert row["matched_conversion"] is row["difference"] is None


@given(number=SHOPS, scope=ASKED)
@settings(deadline=None, max_examples=25)
def test_research_elsewhere_and_devices_equal_the_plain_ones(shops: Shops, number: int, scope: dict[str, Any]) -> None:
    log, plain = shops(number)
    result = run_places(PlacesSpec(scope=Scope(**scope)), log)
    shown = {row["way"]: (row["orders"], row["known"], row["researched"]) for row in result.tables["ropo"].to_pylist()}
    assert shown == naive_places.researched(plain, asked(scope))
    devices = naive.answer(plain, asked(scope), "device")
    moves = {(row["from"], row["to"]): row["count"] for row in result.tables["devices"].to_pylist()}
    assert moves == {(a, b): n for (a, b), n in devices.moves.items() if a != b}
    assert result.totals["device_moves"] == sum(devices.moves.values())


@given(number=SHOPS, scope=ASKED, by=st.sampled_from(("device", "person.kind", "category")))
@settings(deadline=None, max_examples=20)
def test_totals_are_those_of_the_orders_whatever_they_are_told_apart_by(
    shops: Shops, number: int, scope: dict[str, Any], by: str
) -> None:
    log, _ = shops(number)
    persons, nobody = total_orders(plan_scope(Scope(**scope), log), log, Basis())
    for column in ("channel", "place"):
        for broken in ("", by):
            result = ask(column, Scope(**scope, by=broken), log)
            rows = result.table.to_pylist()
            assert sum(row["orders"] for row in rows) == result.totals["orders"] == persons.orders
            assert sum(row["value"] for row in rows) * 100 == result.totals["value"] * 100 == persons.value
            assert result.totals["contacts"] == sum(row["contacts"] for row in rows)
            assert result.totals["unidentified_orders"] == nobody.orders
            assert result.totals["unidentified_value"] * 100 == nobody.value
            if not broken.startswith("person."):  # nobody has no fields of a person
                assert sum(row["unidentified_orders"] for row in rows) == nobody.orders
                assert sum(row["unidentified_value"] for row in rows) * 100 == nobody.value


@given(number=SHOPS, column=COLUMNS)
@settings(deadline=None, max_examples=15)
def test_a_group_of_persons_has_what_a_condition_on_them_has(shops: Shops, number: int, column: str) -> None:
    """Shares apart, whose denominator is all persons or those of the condition."""
    log, _ = shops(number)
    broken = ask(column, Scope(by="person.kind"), log).table.to_pylist()
    for kind in ("identified", "anonymous"):
        alone = ask(column, Scope(where=f"person.kind = {kind}"), log).table.to_pylist()
        for one in alone:
            (group,) = [row for row in broken if row["person.kind"] == kind and row[column] == one[column]]
            skipped = ("share", "share_low", "share_high", "per_week")
            assert {k: v for k, v in group.items() if k in one and k not in skipped} == {
                k: v for k, v in one.items() if k not in skipped
            }


def moves_of(sizes: dict[tuple[int, int], tuple[int, int]]) -> Moves:
    """Journeys (not converted, converted) by number of names and class of size."""
    table = np.zeros((4, len(SIZE_STARTS), 2), np.int64)
    for (width, size), numbers in sizes.items():
        table[width, size] = numbers
    none = np.zeros(0, np.int64)
    return Moves(none, none, table, np.zeros((2, 256), np.int64), 0, watched=table.sum(axis=(1, 2)))


def test_conversion_beside_one_matched_on_the_number_of_contacts() -> None:
    """With equal conversion in each size class, the crude difference is one of size alone."""
    sizes = {(1, 1): (90, 10), (1, 2): (60, 40), (2, 2): (30, 20), (2, 3): (5, 5)}
    one, two, three = breadth_table(moves_of(sizes), "places").to_pylist()
    assert one["conversion"] == pytest.approx(50 / 200)
    assert one["matched_conversion"] is None
    assert two["conversion"] == pytest.approx(25 / 60)
    assert two["matched_conversion"] == pytest.approx(0.4)
    assert two["difference"] == pytest.approx(0)
    # sqrt(p(1 - p)(1/n)) of 21/52 and 41/102, as Agresti and Caffo have it
    error = np.sqrt(21 / 52 * 31 / 52 / 50 + 41 / 102 * 61 / 102 / 100)
    assert two["difference_high"] == pytest.approx(1.959963984540054 * error)
    assert two["matched_share"] == pytest.approx(50 / 60)
    assert three["conversion"] is three["matched_conversion"] is None


def test_open_journeys_are_not_lost_ones(tmp_path: Path) -> None:
    """20 went on to the store and bought; 60 looked at the site three days later, and nobody knows how they end.

    On that day nobody knows either how those would have ended who opened with the 20 and were slower.
    """
    rows = []
    for at in range(80):
        day = 1 if at < 20 else 4
        rows += [event(f"2024-03-{day:02d}T10:{at % 60:02d}:00", "Product Viewed", user_id=f"p{at}")]
    for at in range(20):
        bought = {"source_kind": "pos", "source": "till", "order_id": f"{at}", "value": 100, "currency": "EUR"}
        rows.append(event(f"2024-03-04T09:{at:02d}:00", "Order Completed", user_id=f"p{at}", **bought))
    young = run_places(PlacesSpec(), build_shop(tmp_path / "young", rows))
    _, two, _ = young.tables["breadth"].to_pylist()
    assert (two["journeys"], two["open"], two["conversion"], two["conversion_missing"]) == (20, 0, None, "too_young")
    (store,) = [row for row in young.table.to_pylist() if row["place"] == "store"]
    assert (store["journeys"], store["conversion"], store["conversion_missing"]) == (20, None, "too_young")
    # Those of 1 March have been watched for thirty days, those of 4 March not yet.
    rows.append(event("2024-04-01T12:00:00", "Product Viewed", user_id="late"))
    result = run_places(PlacesSpec(), build_shop(tmp_path / "old", rows))
    one, two, _ = result.tables["breadth"].to_pylist()
    assert (one["journeys"], one["open"], one["conversion"], one["conversion_high"]) == (61, 61, None, None)
    assert (two["journeys"], two["open"], two["conversion"]) == (20, 0, 1.0)
    assert two["difference"] is None  # with nobody to compare with
    (site,) = [row for row in result.table.to_pylist() if row["place"] == "site"]
    assert (site["journeys"], site["open"], site["conversion"]) == (81, 61, 1.0)
    assert result.totals["several_share"] == pytest.approx(20 / 81)
    low, high = result.totals["switch_rate_interval"]
    assert 0.7 < low < high == 1.0  # all switch, but of twenty persons


@pytest.fixture(scope="module")
def small(shops: Shops) -> JourneyLog:
    return shops(7)[0]


def test_spec_is_its_json() -> None:
    spec = ChannelsSpec(scope=Scope(where="place = store", by="device"))
    body = json.loads(json.dumps(spec_to_json(spec)))
    assert body["analysis"] == "channels"
    assert spec_from_json(ChannelsSpec, body) == spec
    assert spec_to_json(PlacesSpec())["analysis"] == "places"


def test_answer_is_json(small: JourneyLog) -> None:
    body = run_places(PlacesSpec(), small).as_json()
    assert {"places", "switches", "breadth", "ropo", "devices", "currency", "orders", "value"} <= body.keys()


def test_unknown_names_and_roles_are_told(small: JourneyLog) -> None:
    with pytest.raises(NotFound) as caught:
        channel_people(ChannelsSpec(), small, "Emial")
    assert "Email" in caught.value.hint
    with pytest.raises(SpecError, match="no role 'frist'"):
        channel_people(ChannelsSpec(), small, "Email", "frist")


def test_an_empty_log(tmp_path: Path) -> None:
    log = build_shop(tmp_path, [])
    for column in ("channel", "place"):
        result = ask(column, Scope(), log)
        assert result.table.num_rows == 0
        assert result.totals["orders"] == result.totals["contacts"] == 0


# ------------------------------------------------------------------------------------- outside oracle: SQL on real data

_KEPT = "not (is_bot or is_heavy or is_future or is_same_order)"


def test_real_data_by_sql(real: Real) -> None:
    workspace = real("retentioneering_ecom").workspace
    result = ask_channels(workspace, ChannelsSpec())
    kept = run_sql(
        workspace,
        f"""with kept as (select * from events where {_KEPT} and person is not null),
        heads as (select person, contact_no, first(channel order by time) as name from kept
                  where contact_no is not null group by all)
        select name, count(*) as contacts, count(distinct person) as persons from heads group by all order by all""",
    ).to_pylist()
    rows = {row["channel"]: (row["contacts"], row["persons"]) for row in result.table.to_pylist()}
    assert rows == {row["name"] or "(none)": (row["contacts"], row["persons"]) for row in kept}
    active = run_sql(workspace, f"select count(distinct person) as n from events where {_KEPT}").to_pylist()[0]["n"]
    assert result.totals["persons"] == active


def test_places_of_receipts_by_sql(real: Real) -> None:
    workspace = real("completejourney").workspace
    result = ask_places(workspace, PlacesSpec())
    (told,) = run_sql(
        workspace, f"select count(*) as n, sum(value) as value from events where is_order and {_KEPT}"
    ).to_pylist()
    (store,) = [row for row in result.table.to_pylist() if row["place"] == "store"]
    assert store["orders"] + store["unidentified_orders"] == told["n"]
    assert store["value"] + store["unidentified_value"] == told["value"]
    assert store["measured_share"] == 0
    assert store["total_s"] is None
    channels = ask_channels(workspace, ChannelsSpec())
    assert channels.totals["value"] == result.totals["value"]
    (journeys,) = run_sql(
        workspace,
        """select count(*) as n, count(*) filter (outcome = 'converted') as converted
        from journeys where kind = 'purchase'""",
    ).to_pylist()
    assert (result.totals["journeys"], result.totals["converted"]) == (journeys["n"], journeys["converted"])
