"""From any identifier to the person, and everything that is known of that person as of a time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from percorso.analyses.customer_view import CustomerView
from percorso.errors import NotFound, SpecError
from percorso.identity.placement import person_id
from percorso.services.build import fresh_log
from percorso.services.customer import ask_customer, find_customers, view_customer
from percorso.services.workspace import Workspace
from percorso.settings import Rate
from percorso.store.alias_table import write_alias_table
from percorso.store.journey_log import Bucket, JourneyLog
from tests.lake_builder import event
from tests.workspaces import add_events, make_workspace

pytestmark = pytest.mark.usefixtures("both_engines")

POS = {"source": "till", "source_kind": "pos", "id_space": "till", "ref_space": "till"}
PAGE = {"type": "page", "url": "https://shop.example/"}
FAMILY = "+39 06 6982 1234"

ROWS = [
    # Anna browses, buys with her account, gets the parcel, recommends, comes back.
    event("2024-03-01T10:00:00", "Page Viewed", anonymous_id="b-7721", utm_source="google", utm_medium="cpc", **PAGE),
    event("2024-03-01T10:00:40", "Product Viewed", anonymous_id="b-7721", product_id="guitar"),
    event(
        "2024-03-01T10:06:00",
        "Order Completed",
        anonymous_id="b-7721",
        user_id="user-1042",
        email="Anna.Rossi@Example.it",
        order_id="77",
        value=12900,
        currency="EUR",
    ),
    event("2024-03-05T10:00:00", "Order Delivered", user_id="user-1042", order_id="77", source_kind="delivery"),
    event("2024-03-20T10:00:00", "Product Reviewed", user_id="user-1042", order_id="77", score=5.0),
    event("2024-05-01T10:00:00", "Product Viewed", user_id="user-1042"),
    event("2024-05-01T10:00:20", "Products Searched", user_id="user-1042"),
    # The till knows Dora by card, and customer 1042 of the till is not Anna.
    event("2024-04-20T15:00:00", "Order Completed", loyalty_id="D 99 12", email="dora@example.it", value=500, **POS),
    event("2024-04-03T09:00:00", "Order Completed", user_id="user-1042", value=900, **POS),
    # Bruno: two orders, one sent back and refunded in part, one cancelled.
    event("2024-03-02T09:00:00", "Order Completed", user_id="bruno", order_id="1", value=10000, phone="347 123 4456"),
    event("2024-03-08T09:00:00", "Order Refunded", user_id="bruno", order_id="1", value=4000, source_kind="server"),
    event("2024-04-01T09:00:00", "Order Completed", user_id="bruno", order_id="2", value=2000, currency="USD"),
    event("2024-04-02T09:00:00", "Order Cancelled", user_id="bruno", order_id="2", source_kind="server"),
    # A tablet: Carla signs in and out, somebody goes on.
    event("2024-03-03T09:00:00", "Page Viewed", user_id="carla", device_id="tablet", **PAGE),
    event("2024-03-03T09:05:00", "Signed Out", device_id="tablet", message_id="out"),
    event("2024-03-03T09:10:00", "Product Viewed", device_id="tablet"),
    event("2024-03-03T09:00:00", "Order Completed", value=100, **POS),
    # A family's telephone.
    *(event(f"2024-03-04T{hour:02d}:00:00", "Page Viewed", user_id="paola", phone=FAMILY) for hour in range(10)),
    *(event(f"2024-03-04T{hour:02d}:30:00", "Page Viewed", user_id="piero", phone=FAMILY) for hour in range(9)),
    event("2024-03-04T12:00:00", "Email Sent", email="nonna@example.it", phone=FAMILY),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("customer") / "shop", ROWS)


@pytest.fixture(scope="module")
def named(workspace: Workspace) -> JourneyLog:
    """The log with an alias table in which Anna's address is hers, as a build writes it."""
    log = fresh_log(workspace)
    rows = {one: one for bucket in log.buckets for one in identified(bucket)}
    rows[alias("email", "", "anna.rossi@example.it", workspace)] = alias("user_id", "shop", "user-1042", workspace)
    keys, persons = (np.frombuffer(b"".join(part), dtype=np.uint8).reshape(-1, 16) for part in (rows, rows.values()))
    name = write_alias_table(log.folder, keys, persons)
    return replace(log, manifest={**log.manifest, "alias": name})


def identified(bucket: Bucket) -> list[bytes]:
    ids, kinds = (bucket.persons.arrow(name).to_pylist() for name in ("person_id", "kind"))
    return [one for one, kind in zip(ids, kinds, strict=True) if kind == "identified"]


def alias(kind: str, space: str, value: str, workspace: Workspace) -> bytes:
    return person_id(workspace.secret, f"{kind}\0{space}\0{value}".encode())


def person(workspace: Workspace, kind: str, space: str, value: str) -> str:
    return alias(kind, space, value, workspace).hex()


def found(workspace: Workspace, text: str, **options: Any) -> dict[str, tuple[str, ...]]:
    """Person -> as what the text was found."""
    return {match.person: match.found_as for match in find_customers(workspace, text, **options)}


def view(workspace: Workspace, text: str, **options: Any) -> CustomerView:
    return ask_customer(workspace, text, **options)


# ------------------------------------------------------------------------------------------------------- whom


def test_a_user_id_means_its_own_person_in_each_space(workspace: Workspace) -> None:
    web, till = (person(workspace, "user_id", space, "user-1042") for space in ("shop", "till"))
    assert found(workspace, " user-1042 ") == {web: ("user_id in shop",), till: ("user_id in till",)}
    assert found(workspace, "user-1042", space="till") == {till: ("user_id in till",)}
    assert found(workspace, "user-1042", kind="user_id", space="shop") == {web: ("user_id in shop",)}


def test_an_identifier_is_known_by_its_hash(
    workspace: Workspace, named: JourneyLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("percorso.services.customer.messages_with", None)  # the lake's events are not asked
    web, till = (person(workspace, "user_id", space, "user-1042") for space in ("shop", "till"))
    assert found(workspace, "ANNA.rossi@example.it", log=named) == {web: ("email",)}
    assert found(workspace, "user-1042", log=named) == {web: ("user_id in shop",), till: ("user_id in till",)}
    assert found(workspace, "d9912", log=named) == {
        person(workspace, "loyalty_id", "till", "D9912"): ("loyalty_id in till",)
    }


def test_an_id_from_before_persons_were_joined_means_who_they_are_now(workspace: Workspace, named: JourneyLog) -> None:
    anna = person(workspace, "user_id", "shop", "user-1042")
    before = person(workspace, "email", "", "anna.rossi@example.it")
    assert found(workspace, before, log=named) == {anna: ("person",)}
    assert view_customer(workspace, before, log=named).history.person == anna
    # The beginning of an id is one that was shown: the person's of today.
    with pytest.raises(NotFound):
        find_customers(workspace, before[:12], log=named)


def test_a_shared_identifier_means_all_on_whose_events_it_stands(workspace: Workspace, named: JourneyLog) -> None:
    expected = {
        person(workspace, *one)
        for one in (("user_id", "shop", "paola"), ("user_id", "shop", "piero"), ("email", "", "nonna@example.it"))
    }
    matches = find_customers(workspace, "06 69821234", log=named)
    assert {match.person for match in matches} == expected
    assert {(match.found_as, match.shared) for match in matches} == {(("phone",), True)}
    assert sorted(match.events for match in matches) == [1, 9, 10]
    with pytest.raises(SpecError, match="shared by 3 persons") as caught:
        view(workspace, FAMILY, log=named)
    assert set(caught.value.fields["persons"]) == expected  # type: ignore[call-overload]


def test_what_is_a_name_goes_before_what_stands_on_events(tmp_path: Path) -> None:
    """A user id that is also some browser's id: the browser is asked for by its type."""
    rows = [
        event("2024-03-01T10:00:00", "Page Viewed", user_id="u-1000"),
        event("2024-03-01T10:00:00", "Page Viewed", anonymous_id="u-1000"),
    ]
    shop = make_workspace(tmp_path / "alike", rows)
    log = fresh_log(shop)
    known = np.frombuffer(alias("user_id", "shop", "u-1000", shop), dtype=np.uint8).reshape(1, 16)
    log = replace(log, manifest={**log.manifest, "alias": write_alias_table(log.folder, known, known)})
    assert found(shop, "u-1000", log=log) == {person(shop, "user_id", "shop", "u-1000"): ("user_id in shop",)}
    browser = person(shop, "anonymous_id", "shop", "u-1000")
    assert found(shop, "u-1000", kind="anonymous_id", log=log) == {browser: ("anonymous_id in shop",)}


@pytest.mark.parametrize(
    ("text", "space", "value"), [("d9912", "till", ("loyalty_id", "till", "D9912")), ("+39 347 1234456", "", "bruno")]
)
def test_cards_and_phones_are_read_as_the_build_reads_them(
    workspace: Workspace, text: str, space: str, value: Any
) -> None:
    expected = person(workspace, *value) if space else person(workspace, "user_id", "shop", value)
    assert set(found(workspace, text)) == {expected}


def test_a_browser_means_who_logged_in_with_it(workspace: Workspace) -> None:
    assert found(workspace, "b-7721") == {
        person(workspace, "user_id", "shop", "user-1042"): ("anonymous_id in shop",),
    }


def test_a_shared_device_means_everybody_who_used_it(workspace: Workspace) -> None:
    matches = {match.person: match for match in find_customers(workspace, "tablet")}
    carla = person(workspace, "user_id", "shop", "carla")
    assert set(matches) > {carla}
    (other,) = set(matches) - {carla}
    assert (matches[other].kind, matches[other].events) == ("anonymous", 1)


def test_own_types_are_found(tmp_path: Path) -> None:
    shop = make_workspace(tmp_path / "own", [event("2024-03-01T10:00:00", "Page Viewed", other_ids='{"club":" 7 a"}')])
    identity = replace(shop.settings.identity, own_types=("club",))
    shop = replace(shop, settings=replace(shop.settings, identity=identity))
    assert found(shop, "7 a") == {person(shop, "club", "shop", "7 a"): ("club in shop",)}
    assert view(shop, "7 a", kind="club").identifiers[0].kind == "club"


def test_a_person_id_or_its_beginning(workspace: Workspace) -> None:
    anna = person(workspace, "user_id", "shop", "user-1042")
    for text in (anna, anna.upper(), anna[:6], f" {anna[:9]} "):
        assert found(workspace, text) == {anna: ("person",)}
    assert view(workspace, anna[:12], kind="person").history.person == anna
    with pytest.raises(NotFound):
        find_customers(workspace, anna[:5])


def test_the_shops_own_numbers_go_before_digits_of_person_ids(tmp_path: Path) -> None:
    shop = make_workspace(tmp_path / "numbers", [event("2024-03-01T10:00:00", "Page Viewed", user_id="u")])
    digits = person(shop, "user_id", "shop", "u")[:6]
    assert found(shop, digits) == {person(shop, "user_id", "shop", "u"): ("person",)}
    add_events(shop, [event("2024-03-01T10:00:00", "Page Viewed", user_id=digits)])
    expected = person(shop, "user_id", "shop", digits)
    assert found(shop, digits) == {expected: ("user_id in shop",)}


@pytest.mark.parametrize("text", ["nobody@example.it", "guest", "", "347", "0000", "ffffffffffffffffffffffffffffffff"])
def test_nobody_is_told_without_repeating_what_was_asked(workspace: Workspace, text: str) -> None:
    with pytest.raises(NotFound) as caught:
        find_customers(workspace, text)
    assert not text or text not in f"{caught.value.message}{caught.value.hint}{caught.value.fields}"


def test_wrong_types_and_spaces_are_refused_with_the_nearest(workspace: Workspace) -> None:
    with pytest.raises(SpecError, match="no type") as caught:
        find_customers(workspace, "x", kind="e-mail")
    assert "'email'" in caught.value.hint
    with pytest.raises(SpecError, match="no id space") as caught:
        find_customers(workspace, "x", space="tills")
    assert "'till'" in caught.value.hint


def test_asking_for_one_of_several_lists_them(workspace: Workspace) -> None:
    with pytest.raises(SpecError, match="2 persons are known") as caught:
        view(workspace, "user-1042")
    assert len(caught.value.fields["persons"]) == 2  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        view_customer(workspace, "0" * 32)


# ------------------------------------------------------------------------------------------------------- what


def test_the_history_of_a_customer(workspace: Workspace) -> None:
    anna = view(workspace, "user-1042", space="shop")
    history = anna.history
    assert (history.kind, history.relationship, history.stage) == ("identified", "ambassador", "consideration")
    assert (len(history.events), history.sessions) == (7, 3)
    assert [(j.kind, j.outcome, j.is_open, j.contacts, j.channels) for j in history.journeys] == [
        ("purchase", "converted", False, 1, ("Paid Search",)),
        ("order", "kept", False, 2, ("Delivery", "Direct")),
        ("purchase", "open", True, 1, ("Direct",)),
    ]
    assert [(order.value, order.status, order.net) for order in history.orders] == [(12900, "live", 12900)]
    assert (anna.value.currency, anna.value.gross, anna.value.net) == ("EUR", 12900, 12900)
    last = history.events[-1]
    assert (last.event, last.session, last.journey, last.placed_by) == ("Products Searched", 3, 3, "strong")
    assert history.events[0].placed_by == "login_after"


def test_what_came_later_has_not_happened(workspace: Workspace) -> None:
    before = view(workspace, "user-1042", space="shop", as_of="2024-03-01T11:01", timezone="Europe/Rome").history
    assert (before.relationship, before.stage, len(before.events)) == ("prospect", "consideration", 2)
    assert [(j.outcome, j.value) for j in before.journeys] == [("open", None)]
    bought = view(workspace, "user-1042", space="shop", as_of="2024-03-01").history
    assert (bought.relationship, bought.stage) == ("new", "retention")
    assert [(j.kind, j.outcome, j.is_open, j.events) for j in bought.journeys] == [
        ("purchase", "converted", False, 3),
        ("order", "kept", True, 0),
    ]
    assert bought.orders[0].delivered_us is None
    # 30 days after the delivery the order's journey is over, and no other is open; a year later she is no ambassador.
    assert view(workspace, "user-1042", space="shop", as_of="2024-04-25").history.stage == ""
    assert view(workspace, "user-1042", space="shop", as_of="2025-03-19").history.relationship == "ambassador"
    assert view(workspace, "user-1042", space="shop", as_of="2025-03-21").history.relationship == "new"
    with pytest.raises(NotFound, match="not been seen"):
        view(workspace, "user-1042", space="shop", as_of="2024-02-29")


def test_refunds_and_cancellations_are_taken_off(workspace: Workspace) -> None:
    bruno = view(workspace, "bruno")
    assert [(order.status, order.value, order.refunded, order.net) for order in bruno.history.orders] == [
        ("part_refunded", 10000, 4000, 6000),
        ("cancelled", 2000, 0, 0),
    ]
    # A cancelled order makes no repeat customer; dollars have no rate yet.
    assert bruno.history.relationship == "new"
    assert (bruno.value.gross, bruno.value.net, bruno.value.without_rate) == (10000, 6000, ("USD",))
    assert "USD" in bruno.warnings[0]
    early = view(workspace, "bruno", as_of="2024-03-07").history
    assert [(order.status, order.refunded) for order in early.orders] == [("live", 0)]
    before = view(workspace, "bruno", as_of="2024-04-01").history
    assert [(order.status, order.net) for order in before.orders] == [("part_refunded", 6000), ("live", 2000)]
    assert before.relationship == "repeat"


def test_other_money_is_worth_what_the_rate_of_the_day_says(workspace: Workspace) -> None:
    rated = replace(workspace, settings=replace(workspace.settings, rates=(Rate("2024-03-31", "USD", 0.5),)))
    value = view(rated, "bruno").value
    assert (value.gross, value.net, value.without_rate) == (11000, 6000, ())


def test_identifiers_are_masked_unless_asked_for(workspace: Workspace) -> None:
    masked = view(workspace, "user-1042", space="shop")
    assert [(one.kind, one.space, one.value, one.events) for one in masked.identifiers] == [
        ("user_id", "shop", "u…42", 5),
        ("email", "", "a•••@example.it", 1),
        ("anonymous_id", "shop", "b…21", 3),
    ]
    raw = view(workspace, "user-1042", space="shop", personal=True)
    assert [one.value for one in raw.identifiers] == ["user-1042", "anna.rossi@example.it", "b-7721"]
    assert [one.value for one in view(workspace, "bruno").identifiers] == ["…o", "+39•••••456"]
    text = json.dumps(masked.as_json())
    assert not [one.value for one in raw.identifiers if one.value in text]


def test_json_holds_the_newest_events_and_amounts_in_units(workspace: Workspace) -> None:
    body = view(workspace, "user-1042", space="shop").as_json(limit=2)
    assert [row["event"] for row in body["timeline"]] == ["Product Viewed", "Products Searched"]
    assert body["timeline_total"] == body["events"] == 7
    assert body["value"] == {"currency": "EUR", "gross": 129.0, "net": 129.0}
    assert (body["orders"][0]["value"], body["orders"][0]["time"]) == (129.0, "2024-03-01T10:06:00Z")
    assert (body["first_seen"], body["last_seen"]) == ("2024-03-01T10:00:00Z", "2024-05-01T10:00:20Z")
    assert body["data_version"] == fresh_log(workspace).data_version
    table = view(workspace, "user-1042", space="shop").table
    assert (table.num_rows, table.column("value")[2].as_py()) == (7, 129.0)


def test_a_wrong_clock_hides_no_identifier(tmp_path: Path) -> None:
    """The row in the lake says 1970, the log when it arrived."""
    wrong = {"sent_at": "1970-01-01T00:00:00", "received_at": "2024-03-01T12:00:00", "anonymous_id": "b"}
    rows = [
        event("1970-01-01T00:00:00", "Page Viewed", user_id="u-1000", **wrong),
        event("2024-03-01T13:00:00", "Page Viewed", user_id="u-1000"),
    ]
    shop = make_workspace(tmp_path / "clock", rows)
    history = view(shop, "u-1000").history
    assert history.events[0].time_us == 1_709_294_400_000_000
    assert [(one.kind, one.events) for one in view(shop, "u-1000").identifiers] == [("user_id", 2), ("anonymous_id", 1)]


def test_copies_of_an_event_count_once(tmp_path: Path) -> None:
    first = event("2024-03-01T10:00:00", "Page Viewed", user_id="u-1000", message_id="m")
    copy = event("2024-03-01T10:00:00", "Page Viewed", user_id="u-1000", message_id="m", received_at="2024-03-02T10:00")
    other = event("2024-03-01T10:00:00", "Page Viewed", user_id="u-2000", message_id="m", source="app")
    shop = make_workspace(tmp_path / "copies", [first, copy, other])
    assert [(one.value, one.events) for one in view(shop, "u-1000").identifiers] == [("u…00", 1)]
    assert [one.sources for one in view(shop, "u-2000").identifiers] == [("app",)]
