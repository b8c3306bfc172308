"""How identity went over a workspace: every number of the report is counted again by hand here."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from percorso.identity.placement import PLACING_RULES
from percorso.services.build import fresh_log
from percorso.services.decide import link, unlink
from percorso.services.identity_report import report_identity
from percorso.services.identity_reported import IdentityReport
from percorso.services.workspace import Workspace, open_workspace
from tests.lake_builder import event
from tests.services.identity_world import ANNA, BRUNO, CARLA, DARIA, FAMILY, RAW, make_world, on
from tests.workspaces import add_events, change_settings, make_workspace


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_world(tmp_path_factory.mktemp("world") / "shop")


@pytest.fixture(scope="module")
def report(world: Workspace) -> IdentityReport:
    found = report_identity(world)
    told = json.dumps(found.as_json(), ensure_ascii=False)
    assert not [raw for raw in RAW if raw in told]
    return found


def test_persons_and_events_are_those_of_the_log(world: Workspace, report: IdentityReport) -> None:
    log = fresh_log(world)
    assert report.identified + report.anonymous == log.manifest["n_persons"]
    assert report.events == log.manifest["n_events"]
    assert report.unidentified_events == log.unidentified.n_events
    kinds = [kind for bucket in log.buckets for kind in bucket.persons.arrow("kind").to_pylist()]
    assert (report.identified, report.anonymous) == (kinds.count("identified"), kinds.count("anonymous"))
    assert report.data_version == log.data_version


def test_sizes(report: IdentityReport) -> None:
    sizes = {one.identifiers: one.persons for one in report.sizes}
    # Three: the guest with two addresses and a number, two accounts with two addresses, one with address and card.
    assert sizes == {"1": 31, "2": 2, "3": 4, "4-5": 0, "6-10": 0, "over 10": 0}
    assert sum(one.persons for one in report.sizes) == report.identified
    assert sum(one.events for one in report.sizes) == report.identified_events
    assert [one.identifiers for one in report.largest] == [3] * 4 + [2] * 2 + [1] * 4
    first = report.largest[0]
    assert first.events == max(one.events for one in report.largest[:4])
    assert len(first.person) == 32


def test_types_and_why_they_are_shared(report: IdentityReport) -> None:
    types = {one.type: one for one in report.types}
    assert list(types) == ["user_id", "loyalty_id", "email", "phone", "card_token"]
    phone, email = types["phone"], types["email"]
    assert (phone.seen, phone.in_persons, phone.shared["contradictions"], phone.limit) == (2, 1, 1, 5)
    assert (email.seen - email.in_persons, email.shared["too_many_better"]) == (1, 1)
    assert types["card_token"].seen == 0


def test_hubs(report: IdentityReport) -> None:
    [hub] = report.hubs
    assert (hub.identifier.value, hub.events, hub.partners, hub.most) == ("a•••@shop.example", 25, 25, 20)
    assert (hub.type, hub.reason, report.hubs_total) == ("user_id", "too_many_better", 1)


def test_a_till_s_account_is_a_hub_of_worse_ones(tmp_path: Path) -> None:
    rows = [on(n, f"r{n}", user_id="cassa-1", email=f"c{n}@posta.example", source_kind="pos") for n in range(12)]
    [hub] = report_identity(make_workspace(tmp_path / "shop", rows)).hubs
    assert (hub.reason, hub.type, hub.partners, hub.most) == ("too_many_worse", "email", 12, 10)


def test_dropped_values(world: Workspace, report: IdentityReport) -> None:
    told = {one.type: one for one in report.dropped}
    assert set(told) == {"user_id", "email", "anonymous_id"}
    user, email, browser = told["user_id"], told["email"], told["anonymous_id"]
    # "guest" and " Guest " are two values; words that mean nobody are shown as they are.
    assert (user.blocked, user.blocked_events, user.malformed) == (3, 3, 0)
    assert sorted(one.value for one in user.examples) == ["Guest", "guest", "null"]
    assert (email.malformed, email.malformed_events, email.blocked) == (1, 1, 0)
    assert [(one.value, one.blocked) for one in email.examples] == [("n…ss", False)]
    assert [one.value for one in browser.examples] == ["0000"]
    raw = {one.type: one for one in report_identity(world, personal=True).dropped}
    assert raw["email"].examples[0].value == "not-an-address"


def test_dropped_values_count_events_not_copies(tmp_path: Path) -> None:
    row = event("2024-03-01T10:00", "A", user_id="cassa", message_id="1")
    copy = event("2024-03-01T10:00", "A", user_id="cassa", message_id="1", received_at="2024-03-01T11:00:00")
    workspace = make_workspace(tmp_path / "shop", [row, copy, event("2024-03-02T10:00", "A", user_id="u1")])
    add_events(workspace, [event("2024-03-03T10:00", "A", other_ids='{"club":"none"}', user_id="cassa")])
    workspace = change_settings(workspace, "blocked_values = []", 'blocked_values = ["Cassa"]')
    workspace = change_settings(workspace, "own_types = []", 'own_types = ["club"]')
    told = {one.type: one for one in report_identity(workspace).dropped}
    assert [(one.value, one.events) for one in told["user_id"].examples] == [("…a", 2)]
    assert [(one.value, one.events, one.blocked) for one in told["club"].examples] == [("none", 1, True)]


def test_limits_that_fired(report: IdentityReport) -> None:
    [fired] = report.limits
    # A call of the second account on the family's number, and the gift.
    assert (fired.type, fired.limit, fired.refused, fired.events, fired.made_shared) == ("user_id", 1, 2, 10, 1)
    assert [(one.a.value, one.b.value, one.events) for one in fired.examples] == [
        ("u…02", "+39•••••567", 9),
        ("u…02", "a•••@posta.example", 1),
    ]


def test_only_what_changed_hands_seems_reused(report: IdentityReport) -> None:
    [one] = report.reused
    assert (one.identifier.value, one.before.value, one.after.value) == (
        "u…09",
        "o•••@posta.example",
        "n•••@posta.example",
    )
    assert report.reused_total == 1
    assert one.as_json()["seen_again"].startswith("2026-08-1")


def test_the_same_browser_or_telephone_on_both_sides_is_the_same_customer(tmp_path: Path) -> None:
    def rows(**both: Any) -> list[dict[str, Any]]:
        return [on(0, "m1", user_id="u1", email=ANNA, **both), on(500, "m2", user_id="u1", email=BRUNO, **both)]

    def seem_reused(name: str, **both: Any) -> int:
        return report_identity(make_workspace(tmp_path / name, rows(**both))).reused_total

    assert seem_reused("other") == 1
    assert seem_reused("browser", anonymous_id="a1") == 0
    assert seem_reused("phone", phone=FAMILY) == 0
    between = make_workspace(tmp_path / "between", [*rows(), on(250, "m3", user_id="u1")])
    assert report_identity(between).reused_total == 0


def test_events_by_rule_and_source(world: Workspace, report: IdentityReport) -> None:
    assert list(report.placed_by) == list(PLACING_RULES)
    assert sum(report.placed_by.values()) == report.events
    assert all(report.placed_by.values())
    sources = {one.source: one for one in report.sources}
    assert sources["courier"].by_rule["unidentified"] == 2
    assert sources["courier"].by_rule["reference"] == 1
    assert sources["kiosk"].by_rule["shared_session"] == 1
    assert sum(one.events for one in report.sources) == report.events
    placed = report.as_json()["placed_by"]
    assert abs(sum(one["share"] for one in placed) - 1) < 1e-9


def test_devices(report: IdentityReport) -> None:
    devices = {one.type: one for one in report.devices}
    # tablet-77, far-browser, lonely-browser, kiosk-1 and b1; only the first two have a login.
    assert (devices["anonymous_id"].seen, devices["anonymous_id"].with_login) == (5, 2)
    assert (devices["device_id"].seen, devices["device_id"].with_login, devices["device_id"].suspected) == (1, 1, 1)
    [counter] = report.suspected
    assert (counter.identifier.type, counter.identifier.value) == ("device_id", "c…er")
    assert (counter.persons, counter.logins, counter.source) == (4, 4, "app")


def test_a_source_that_is_marked_is_suspected_no_more(world: Workspace, tmp_path: Path) -> None:
    shutil.copytree(world.folder, tmp_path / "shop")
    workspace = open_workspace(tmp_path / "shop")
    marked = change_settings(workspace, 'shared_sources = ["kiosk"]', 'shared_sources = ["kiosk", "app"]')
    assert report_identity(marked).suspected == ()


def test_decisions_and_what_they_do(world: Workspace, tmp_path: Path) -> None:
    shutil.copytree(world.folder, tmp_path / "shop")
    workspace = open_workspace(tmp_path / "shop")
    why = {"reason": "asked", "author": "Mara"}
    link(workspace, "user-1001", "user-1002", **why)
    unlink(workspace, CARLA, DARIA, **why)
    link(workspace, FAMILY, DARIA, **why)
    link(workspace, "agent.smith@shop.example", BRUNO, **why)
    link(workspace, ANNA, BRUNO, **why)
    unlink(workspace, ANNA, BRUNO, **why)  # cancels it: neither stands
    told = report_identity(workspace)
    assert [(one.decision.id, one.decision.kind, one.effect) for one in told.decisions] == [
        (1, "link", "applied"),
        (2, "unlink", "applied"),
        # With both accounts one person the number is that person's, and the link holds.
        (3, "link", "applied"),
        (4, "link", "shared"),
    ]
    assert told.kept_apart >= 1


def test_an_empty_and_a_nearly_empty_workspace(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "shop", [event("2024-03-01T10:00", "A")])
    report = report_identity(workspace)
    assert (report.identified, report.anonymous, report.unidentified_events) == (0, 0, 1)
    assert (report.hubs, report.dropped, report.limits, report.reused, report.suspected) == ((), (), (), (), ())
    assert report.largest == ()
