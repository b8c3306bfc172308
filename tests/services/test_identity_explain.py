"""Why somebody is one person, and why not: the cases of the identity rules, explained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from percorso.errors import NotFound, SpecError
from percorso.identity.placement import PLACING_RULES
from percorso.services.build import build_log
from percorso.services.decide import link, unlink
from percorso.services.erasure import erase_person
from percorso.services.explained import Explanation
from percorso.services.identity_explain import explain_event, explain_identity
from percorso.services.workspace import Workspace, open_workspace
from tests.services.identity_world import ANNA, BRUNO, CARLA, DARIA, FAMILY, RAW, make_world, on
from tests.workspaces import add_events


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_world(tmp_path_factory.mktemp("world") / "shop")


@pytest.fixture
def own_world(world: Workspace, tmp_path: Path) -> Workspace:
    """A copy that a test may change."""
    explain_identity(world, ANNA)  # built once for all
    shutil.copytree(world.folder, tmp_path / "shop")
    return open_workspace(tmp_path / "shop")


def explained(workspace: Workspace, text: str, **options: Any) -> Explanation:
    found = explain_identity(workspace, text, **options)
    if not options.get("personal"):
        told = json.dumps(found.as_json(), ensure_ascii=False)
        assert not [raw for raw in RAW if raw in told]
    return found


def rules(found: Explanation) -> dict[str, int]:
    return {one.rule: one.events for one in found.placed_by}


def test_a_chain_leads_from_an_address_to_the_account(world: Workspace) -> None:
    found = explained(world, ANNA)
    assert (found.standing, found.identified) == ("own", True)
    assert found.canonical is not None
    assert (found.canonical.type, found.canonical.space, found.canonical.value) == ("user_id", "shop", "u…01")
    [step] = found.chain
    assert (step.a.value, step.b.value) == ("a•••@posta.example", "u…01")
    # The smallest message id of those with both; all of them come from the site.
    assert (step.by, step.events, step.trusted) == ("events", 10, False)
    assert step.example is not None
    assert step.example.message_id == "own0"
    assert len(found.connections) == 1
    assert rules(found) == {"strong": 21, "login_before": 3, "login_after": 1, "reference": 1}


def test_a_chain_may_have_several_steps_and_says_which_are_of_the_site_alone(world: Workspace) -> None:
    found = explained(world, DARIA, personal=True)
    assert [(step.a.value, step.b.value, step.trusted) for step in found.chain] == [
        (DARIA, "+393477654321", True),
        ("+393477654321", CARLA, False),
    ]
    assert [one.identifier.value for one in found.identifiers] == [CARLA, DARIA, "+393477654321"]
    assert explained(world, CARLA).chain == ()
    assert len(explained(world, CARLA).connections) == 2


def test_a_family_s_phone_is_shared_by_contradictions(world: Workspace) -> None:
    found = explained(world, FAMILY)
    assert (found.standing, found.person, found.events) == ("shared", None, 20)
    assert found.sharing is not None
    assert (found.sharing.reason, found.sharing.contradicting, found.sharing.events) == ("contradictions", 9, 19)
    assert [(one.events, one.logins) for one in found.persons] == [(11, 10), (9, 9)]
    assert found.persons_total == 2
    first = found.refused[0]
    assert (first.a.value, first.b.value, first.events) == ("u…02", "+39•••••567", 9)
    assert (first.limit_type, first.limit, first.effect) == ("user_id", 1, "shared")
    assert first.charged == first.b
    call = next(one for one in found.placed_by if one.rule == "login_before").example
    assert (call.event.message_id, call.login and call.login.message_id) == ("call", "c09")


def test_a_gift_is_without_effect(world: Workspace) -> None:
    found = explained(world, "user_id:shop:user-1002")
    gift = next(one for one in found.refused if one.a.type == "user_id" and one.b.type == "email")
    assert (gift.events, gift.effect, gift.limit_type) == (1, "none", "user_id")
    assert gift.charged == gift.b
    assert [(one.identifier.value, one.standing) for one in found.identifiers] == [
        ("u…02", "own"),
        ("+39•••••567", "shared"),
        ("a•••@posta.example", "another"),
    ]


def test_an_agent_s_address_stands_beside_too_many(world: Workspace) -> None:
    found = explained(world, "agent.smith@shop.example")
    assert found.sharing is not None
    told = found.sharing
    assert (told.reason, told.type, told.space, told.partners, told.most) == (
        "too_many_better",
        "user_id",
        "shop",
        25,
        20,
    )
    assert (found.persons_total, len(found.persons)) == (25, 20)
    assert found.refused == ()


def test_a_device_is_told_by_its_logins(world: Workspace) -> None:
    found = explained(world, "tablet-77", kind="anonymous_id", space="shop")
    assert (found.standing, found.person) == ("device", None)
    assert found.identifier is not None
    assert found.identifier.value == "t…77"
    assert rules(found) == {"login_before": 3, "strong": 3, "login_after": 1, "signed_out_same": 1, "signed_out": 1}
    assert sorted(one.logins for one in found.persons) == [0, 1, 2]


@pytest.mark.parametrize(
    ("message", "rule", "looked_at"),
    [
        ("t0", "login_after", {"next_login": "t1"}),
        ("t1", "strong", {}),
        ("t2", "login_before", {"login": "t1", "next_login": "t5"}),
        ("t4", "signed_out", {"login": "t1", "sign_out": "t3", "next_login": "t5"}),
        ("t7", "signed_out_same", {"login": "t5", "sign_out": "t6", "next_login": "t8"}),
        ("far", "anonymous", {"next_login": "far login"}),
        ("lonely", "anonymous", {}),
        ("kiosk", "shared_session", {}),
        ("parcel", "reference", {"owner": "order"}),
        ("lost", "unidentified", {}),
        ("nothing", "unidentified", {}),
    ],
)
def test_every_rule_tells_what_it_looked_at(
    world: Workspace, message: str, rule: str, looked_at: dict[str, str]
) -> None:
    told = explain_event(world, message)
    assert told.rule == rule
    events = {name: getattr(told, name) for name in ("login", "sign_out", "next_login", "owner")}
    assert {name: event.message_id for name, event in events.items() if event is not None} == looked_at
    assert (told.event.person is None) == (rule == "unidentified")
    body = json.dumps(told.as_json(), ensure_ascii=False)
    assert not [raw for raw in RAW if raw in body]


def test_all_rules_are_in_this_world(world: Workspace) -> None:
    messages = ("t0", "t1", "t2", "t4", "t7", "lonely", "kiosk", "parcel", "lost")
    assert {explain_event(world, message).rule for message in messages} == set(PLACING_RULES)


def test_a_number_is_shown_on_demand_alone(world: Workspace) -> None:
    assert explain_event(world, "parcel").reference_value == "o…01"
    told = explain_event(world, "parcel", personal=True)
    assert (told.reference, told.reference_value) == ("order_id", "order-1001")
    assert told.owner is not None
    assert told.owner.name == "Order Completed"


def test_a_link_shows_who_decided(own_world: Workspace) -> None:
    link(own_world, "user_id:shop:user-1002", CARLA, reason="asked her", author="Mara")
    found = explained(own_world, DARIA)
    last = found.chain[-1]
    assert (last.by, last.events, last.example, last.first_us) == ("link", 0, None, None)
    assert last.decision is not None
    assert (last.decision.author, last.decision.reason) == ("Mara", "asked her")
    assert last.as_json()["decision"]["author"] == "Mara"


def test_an_unlink_shows_who_decided(own_world: Workspace) -> None:
    unlink(own_world, CARLA, DARIA, reason="two sisters", author="Mara")
    found = explained(own_world, DARIA)
    [refusal] = found.refused
    assert (refusal.effect, refusal.charged, refusal.limit_type) == ("apart", None, None)
    assert refusal.decision is not None
    assert refusal.decision.reason == "two sisters"


def test_an_alias_message_is_shown(world: Workspace) -> None:
    found = explained(world, "user_id:shop:user-1021")
    [step] = found.chain
    assert (step.by, step.trusted, step.decision) == ("alias", True, None)
    assert step.example is not None
    assert step.example.message_id == "alias"


def test_a_person_s_id_and_its_beginning(world: Workspace) -> None:
    person = explained(world, DARIA).person
    assert person is not None
    for text in (person, person[:12], person.upper()):
        found = explained(world, text)
        assert (found.identifier, found.person, found.standing) == (None, person, "own")
        assert found.chain == ()
        assert len(found.connections) == 2
    anonymous = explain_event(world, "t4").event.person
    assert anonymous is not None
    found = explained(world, anonymous, kind="person")
    assert (found.identified, found.canonical, found.events) == (False, None, 1)
    assert [one.standing for one in found.identifiers] == ["device"]


def test_what_means_nothing_or_several(own_world: Workspace) -> None:
    add_events(own_world, [])
    for text, options in (("nobody@posta.example", {}), ("guest", {}), ("abcdef", {}), ("x", {"kind": "email"})):
        with pytest.raises(NotFound):
            explained(own_world, text, **options)
    for options in ({"kind": "emial"}, {"space": "nowhere"}):
        with pytest.raises(SpecError):
            explained(own_world, ANNA, **options)
    with pytest.raises(NotFound, match="message id"):
        explain_event(own_world, "no such")
    with pytest.raises(NotFound):
        explain_event(own_world, "t1", source="courier")


def test_one_text_in_two_spaces(own_world: Workspace) -> None:
    from_till = {"source": "till", "source_kind": "pos", "id_space": "till"}
    row = make_event("till", user_id="user-1002", **from_till)
    add_events(own_world, [row, make_event("gift", **from_till)])
    with pytest.raises(SpecError, match="2 identifiers: user_id u…02 in shop; user_id u…02 in till") as error:
        explained(own_world, "user-1002")
    assert isinstance(error.value.fields["identifiers"], list)
    assert explained(own_world, "user-1002", space="till").events == 1
    with pytest.raises(SpecError, match="Several sources"):
        explain_event(own_world, "gift")
    assert explain_event(own_world, "gift", source="till").rule == "unidentified"


def make_event(message: str, **fields: Any) -> dict[str, Any]:
    return on(30, message, **fields)


def test_without_a_state_it_builds(own_world: Workspace) -> None:
    before = explained(own_world, ANNA)
    shutil.rmtree(own_world.state)
    assert explained(own_world, ANNA) == before
    erase_person(own_world, BRUNO, reason="request of 3 May")
    build_log(own_world)
    assert explained(own_world, ANNA).person == before.person
    with pytest.raises(NotFound):
        explained(own_world, BRUNO)
