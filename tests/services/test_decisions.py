"""Decisions by hand: whom a text means, what a decision does, what is refused, and that no raw value is kept."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from percorso.errors import DecisionRefused, NotFound, NothingImported, SpecError
from percorso.identity.decisions import Folded, Pair, pair_of
from percorso.identity.lookup import Identifier
from percorso.identity.placement import person_id
from percorso.services.build import build_log
from percorso.services.decide import DecisionReport, link, unlink
from percorso.services.decisions import folded_decisions, list_decisions
from percorso.services.erasure import erase_person
from percorso.services.identifiers import known_identifier, masked_name
from percorso.services.identity_explain import explain_identity
from percorso.services.identity_next_build import PersonSize
from percorso.services.identity_report import report_identity
from percorso.services.workspace import Workspace, open_workspace
from percorso.store import database
from tests.lake_builder import event
from tests.workspaces import add_events, change_settings, make_workspace

POS = {"source": "till", "source_kind": "pos", "id_space": "till", "ref_space": "till"}
ROWS = [
    event("2024-03-01T10:00:00", "A", user_id="user-1042", email="Anna.Rossi@example.it", anonymous_id="browser-7721"),
    event("2024-03-01T11:00:00", "A", user_id="user-2000", phone="347 123 4456", device_id="user-3000"),
    event("2024-03-01T12:00:00", "A", user_id="user-1042", **POS),
    event("2024-03-01T13:00:00", "A", loyalty_id="l 99-12 7", **POS),
    event("2024-03-01T14:00:00", "A", other_ids='{"club":"club:gold"}', email="carla@posta.example"),
    event("2024-03-01T15:00:00", "A", user_id="user-3000", source="app"),
    event("2024-03-01T16:00:00", "A", user_id="guest", email="noreply@shop.example", anonymous_id="b-2"),
]

ANNA, PHONE, ONLINE, TILL, CARD, CLUB, CARLA = (
    Identifier("email", "", "anna.rossi@example.it"),
    Identifier("phone", "", "+393471234456"),
    Identifier("user_id", "shop", "user-1042"),
    Identifier("user_id", "till", "user-1042"),
    Identifier("loyalty_id", "till", "L99-127"),
    Identifier("club", "shop", "club:gold"),
    Identifier("email", "", "carla@posta.example"),
)
TWO = Identifier("user_id", "shop", "user-2000")
RAW = ("anna.rossi", "Anna.Rossi", "3471234456", "user-1042", "user-2000", "L99-127", "club:gold", "carla@posta")
REASON = {"reason": "asked her", "author": "Anna"}


def make_shop(folder: Path) -> Workspace:
    shop = make_workspace(folder, ROWS)
    path = shop.folder / "percorso.toml"
    text, changed = re.subn(r"(?m)^#? ?own_types = .*$", 'own_types = ["club"]', path.read_text(encoding="utf-8"))
    assert changed == 1
    path.write_text(text, encoding="utf-8")
    return open_workspace(shop.folder)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_shop(tmp_path / "shop")


@pytest.fixture(scope="module")
def undecided(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace in which nobody decides anything."""
    return make_shop(tmp_path_factory.mktemp("undecided") / "shop")


def name(one: Identifier) -> str:
    return f"{one.kind}:{one.space}:{one.value}" if one.space else f"{one.kind}:{one.value}"


def pair(workspace: Workspace, a: Identifier, b: Identifier) -> Pair:
    return pair_of(person_id(workspace.secret, a.text()), person_id(workspace.secret, b.text()))


def joined(workspace: Workspace, a: Identifier, b: Identifier, **options: Any) -> DecisionReport:
    return link(workspace, name(a), name(b), **(REASON | options))


def parted(workspace: Workspace, a: Identifier, b: Identifier, **options: Any) -> DecisionReport:
    return unlink(workspace, name(a), name(b), **(REASON | options))


# -------------------------------------------------------------------------------------------- whom a text means


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (" ANNA.rossi@example.it", ANNA),
        ("email:anna.rossi@example.it", ANNA),
        ("0039 347 1234456", PHONE),
        ("phone:347/1234456", PHONE),
        ("user_id:shop:user-1042", ONLINE),
        ("user_id:till:user-1042", TILL),
        ("user-2000", Identifier("user_id", "shop", "user-2000")),
        ("l99-127", CARD),
        ("loyalty_id:L 99-127", CARD),
        ("club:gold", CLUB),  # its own value begins like a type; nothing else is meant by it
        ("club:club:gold", CLUB),
        ("club:shop:club:gold", CLUB),
        ("user-3000", Identifier("user_id", "shop", "user-3000")),  # and a device: that one joins nobody
    ],
)
def test_a_text_means_the_identifier_that_there_is(undecided: Workspace, text: str, found: Identifier) -> None:
    assert known_identifier(undecided, text) == found


def test_several_meanings_are_listed_masked(undecided: Workspace) -> None:
    for text in ("user-1042", "user_id:user-1042"):
        with pytest.raises(SpecError, match="2 identifiers: user_id u…42 in shop; user_id u…42 in till") as told:
            known_identifier(undecided, text)
        assert told.value.fields == {
            "identifiers": [{"type": "user_id", "space": space, "value": "u…42"} for space in ("shop", "till")]
        }
        assert "type:space:value" in told.value.hint


@pytest.mark.parametrize("text", ["browser-7721", "anonymous_id:browser-7721", "device_id:user-3000", "b-2"])
def test_browsers_and_devices_join_nobody(undecided: Workspace, text: str) -> None:
    with pytest.raises(SpecError, match=r"known only as an? (anonymous|device)_id") as told:
        known_identifier(undecided, text)
    assert "user_id, loyalty_id, email, phone, card_token or club" in told.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "0" * 32,
        "guest",
        "user_id:",
        "user_id:guest",
        "device:user-3000",
        "noreply@shop.example",
        "nobody@posta.example",
        "user_id:shop:L99-127",
        "user_id:nowhere:user-1042",
        "email:shop:anna.rossi@example.it",
    ],
)
def test_what_no_event_carries_is_refused(undecided: Workspace, text: str) -> None:
    with pytest.raises(NotFound, match="No event carries") as told:
        known_identifier(undecided, text)
    assert not text or len(text) < 6 or text not in told.value.message
    assert "type:space:value" in told.value.hint


def test_an_empty_lake_has_nobody(tmp_path: Path) -> None:
    with pytest.raises(NothingImported):
        link(make_workspace(tmp_path / "empty"), "a", "b", **REASON)


def test_names_are_masked() -> None:
    assert masked_name(CARD) == "loyalty_id L…27 in till"
    assert masked_name(PHONE) == "phone +39•••••456"


# ------------------------------------------------------------------------------------------ what a decision does


def test_what_each_decision_does(workspace: Workspace) -> None:
    said = [joined, joined, parted, parted, parted, joined, joined]
    reports = [say(workspace, *((ANNA, ONLINE) if at % 2 else (ONLINE, ANNA))) for at, say in enumerate(said)]
    assert [(one.outcome, one.state, one.before and one.before.id) for one in reports] == [
        ("linked", "linked", None),
        ("unchanged", "linked", 1),
        ("cancelled", "undecided", 1),
        ("forbidden", "forbidden", None),
        ("unchanged", "forbidden", 3),
        ("cancelled", "undecided", 3),
        ("linked", "linked", None),
    ]
    listed = list_decisions(workspace)
    assert [(one.decision.kind, one.stands) for one in listed] == [
        ("link", False),
        ("unlink", False),
        ("unlink", False),
        ("link", False),
        ("link", True),
    ]


def test_what_holds_is_told_as_pairs_of_hashes(workspace: Workspace) -> None:
    assert folded_decisions(workspace) == Folded()
    joined(workspace, ANNA, ONLINE)
    parted(workspace, PHONE, ANNA)
    joined(workspace, CLUB, CARD)
    folded = folded_decisions(workspace)
    assert folded.forced == tuple(sorted([pair(workspace, ANNA, ONLINE), pair(workspace, CLUB, CARD)]))
    assert folded.forbidden == (pair(workspace, PHONE, ANNA),)
    for take_back, a, b in ((parted, ANNA, ONLINE), (joined, ANNA, PHONE), (parted, CARD, CLUB)):
        take_back(workspace, a, b)
    assert folded_decisions(workspace).fingerprint() == Folded().fingerprint() == ""


def test_who_when_and_why_are_kept(workspace: Workspace) -> None:
    before = datetime.now(UTC).timestamp()
    joined(workspace, ANNA, ONLINE, author=" Anna\tB. ", reason="asked\nher\x1b[31m")
    (listed,) = list_decisions(workspace)
    decision = listed.decision
    assert (decision.author, decision.reason) == ("Anna B.", "asked her[31m")
    assert before - 1 <= decision.decided_us / 1e6 <= datetime.now(UTC).timestamp() + 1
    assert [(one.kind, one.space, one.shown) for one in (decision.a, decision.b)] == [
        ("email", "", "a•••@example.it"),
        ("user_id", "shop", "u…42"),
    ]


def test_the_author_is_by_default_the_systems_user(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "bruno")
    joined(workspace, ANNA, ONLINE, author="")
    assert list_decisions(workspace)[0].decision.author == "bruno"

    def nameless() -> str:
        raise KeyError("uid not found: 1234")

    monkeypatch.setattr("getpass.getuser", nameless)
    joined(workspace, ANNA, CARD, author="")
    assert list_decisions(workspace)[1].decision.author == "unknown"


def test_no_raw_value_is_kept(workspace: Workspace) -> None:
    for a, b in ((ANNA, ONLINE), (PHONE, TILL), (CARD, CLUB)):
        joined(workspace, a, b)
        parted(workspace, a, b)
    for file in workspace.folder.glob("percorso.db*"):
        content = file.read_bytes()
        assert not [raw for raw in RAW if raw.encode() in content]


# ------------------------------------------------------------------------------------ what the next build will do


def told(workspace: Workspace, *identifiers: Identifier) -> set[tuple[str, int, int]]:
    """Person, its strong identifiers, and its events that carry one: as the build did."""
    found = [explain_identity(workspace, name(one)) for one in identifiers]
    return {
        (
            str(one.person),
            sum(held.standing == "own" for held in one.identifiers),
            sum(placed.events for placed in one.placed_by if placed.rule == "strong"),
        )
        for one in found
    }


def expected(persons: tuple[PersonSize, ...]) -> set[tuple[str, int, int]]:
    return {(one.person, one.identifiers, one.events) for one in persons}


@pytest.mark.parametrize(
    ("said", "pair_of_two", "effect", "moved"),
    [
        ((joined,), (ONLINE, TILL), "joins", 1),
        ((joined,), (ANNA, ONLINE), "none", 0),
        ((joined, parted), (CARD, TILL), "none", 0),
        ((parted,), (ANNA, ONLINE), "parts", 0),
        ((parted,), (ANNA, CARLA), "none", 0),
        ((parted, joined), (PHONE, TWO), "none", 0),
    ],
)
def test_what_the_next_build_does_is_told_beforehand(
    workspace: Workspace,
    said: tuple[Callable[..., DecisionReport], ...],
    pair_of_two: tuple[Identifier, Identifier],
    effect: str,
    moved: int,
) -> None:
    assert said[0](workspace, *pair_of_two).next_build is None  # nothing was built yet
    (parted if said[0] is joined else joined)(workspace, *pair_of_two)
    build_log(workspace)
    before = told(workspace, *pair_of_two)
    for say in said:
        found = say(workspace, *pair_of_two).next_build
    assert found is not None
    assert (found.effect, found.events_moved) == (effect, moved)
    assert expected(found.now) == before
    build_log(workspace)
    assert expected(found.then) == told(workspace, *pair_of_two)


def test_decisions_since_the_last_build_count_as_well(workspace: Workspace) -> None:
    build_log(workspace)
    joined(workspace, ONLINE, TILL)
    found = joined(workspace, TILL, CARD).next_build
    assert found is not None
    assert (found.effect, len(found.now), [one.identifiers for one in found.then]) == ("joins", 2, [4])
    assert found.events_moved == 2


def test_nothing_is_told_where_the_last_build_cannot_know(workspace: Workspace) -> None:
    build_log(workspace)
    add_events(workspace, [event("2024-04-01T10:00:00", "A", user_id="user-4000")])
    assert joined(workspace, ANNA, Identifier("user_id", "shop", "user-4000")).next_build is None
    changed = change_settings(workspace, 'own_types = ["club"]', 'own_types = ["club", "card"]')
    assert joined(changed, ANNA, CARD).next_build is None


def test_who_was_erased_and_came_again_is_known_as_the_newcomer(workspace: Workspace) -> None:
    add_events(workspace, [event("2024-04-01T10:00:00", "A", user_id="user-4000", source="kiosk")])
    build_log(workspace)
    erase_person(workspace, "user-4000", reason="request of 3 May", author="desk")
    add_events(workspace, [event("2029-04-01T10:00:00", "A", user_id="user-4000", source="kiosk")])
    build_log(workspace)
    found = joined(workspace, Identifier("user_id", "shop", "user-4000"), CARLA).next_build
    assert found is not None
    assert (found.effect, len(found.now), found.events_moved) == ("joins", 2, 1)
    build_log(workspace)
    assert [one.effect for one in report_identity(workspace).decisions] == ["applied"]


def test_of_a_shared_identifier_nothing_comes(workspace: Workspace) -> None:
    add_events(
        workspace,
        [event(f"2024-04-01T10:{n:02}:00", "A", user_id=f"many-{n}", email="desk@shop.example") for n in range(25)],
    )
    build_log(workspace)
    found = joined(workspace, Identifier("email", "", "desk@shop.example"), CARD).next_build
    assert found is not None
    assert (found.effect, found.now, found.events_moved) == ("shared", found.then, 0)
    assert len(found.now) == 1


# ------------------------------------------------------------------------------------------------ what is refused


def test_one_identifier_is_no_pair(undecided: Workspace) -> None:
    with pytest.raises(SpecError, match="same identifier"):
        link(undecided, "ANNA.ROSSI@example.it", name(ANNA), **REASON)


@pytest.mark.parametrize("reason", ["", " \n"])
def test_a_reason_is_needed(undecided: Workspace, reason: str) -> None:
    with pytest.raises(SpecError, match="needs a reason"):
        joined(undecided, ANNA, ONLINE, reason=reason)


@pytest.mark.parametrize(
    "reason",
    [
        "her address is Anna.Rossi@Example.it",
        "customer USER 1042",
        "called 347-123 44 56",
        "as carla@posta.example says",
    ],
)
def test_a_reason_holds_no_identifier(workspace: Workspace, reason: str) -> None:
    with pytest.raises(SpecError, match="The reason holds an identifier"):
        joined(workspace, PHONE if "347" in reason else ANNA, ONLINE, reason=reason)
    joined(workspace, ANNA, ONLINE, reason="ticket 20240301, customer for 10 years @ the till")


def test_nothing_is_made_by_what_is_refused(undecided: Workspace) -> None:
    for a, options in ((ANNA, {"reason": ""}), (Identifier("email", "", "x@y.it"), {})):
        with pytest.raises((SpecError, NotFound)):
            joined(undecided, a, ONLINE, **options)
    assert list_decisions(undecided) == ()
    assert not undecided.database.exists()


def test_a_link_that_would_join_a_forbidden_pair_is_refused(workspace: Workspace) -> None:
    parted(workspace, ANNA, PHONE, author="Bruno", reason="mother and daughter")
    joined(workspace, ONLINE, PHONE, author="Carla", reason="seen")
    joined(workspace, ONLINE, TILL)
    with pytest.raises(DecisionRefused) as told:
        joined(workspace, TILL, ANNA)
    day = datetime.now(UTC).date().isoformat()
    assert f"unlink of email a•••@example.it and phone +39•••••456 on {day} by Bruno (mother and daughter)" in (
        told.value.message
    )
    assert f"link of user_id u…42 in shop and phone +39•••••456 on {day} by Carla (seen)" in told.value.message
    decisions = told.value.fields["decisions"]
    assert isinstance(decisions, list)
    assert [one["id"] for one in decisions] == [1, 3, 2]
    assert not [raw for raw in RAW if raw in repr(told.value.as_dict())]
    assert len(list_decisions(workspace)) == 3
    # Without the unlink it goes.
    joined(workspace, ANNA, PHONE)
    assert joined(workspace, TILL, ANNA).outcome == "linked"


def test_an_unlink_of_what_other_links_join_is_refused(workspace: Workspace) -> None:
    joined(workspace, ANNA, ONLINE)
    joined(workspace, ONLINE, CARD)
    with pytest.raises(DecisionRefused, match="Other decisions make one person") as told:
        parted(workspace, CARD, ANNA)
    assert [one["id"] for one in told.value.fields["decisions"]] == [2, 1]  # type: ignore[attr-defined]
    # A link may be taken back; that the two are joined all the same is told.
    joined(workspace, CARD, ANNA)
    report = parted(workspace, CARD, ANNA)
    assert report.outcome == "cancelled"
    assert [one.id for one in report.still_joined_by] == [2, 1]
    parted(workspace, ONLINE, ANNA)
    assert parted(workspace, CARD, ANNA).outcome == "forbidden"


def test_decisions_at_once_do_not_contradict_each_other(workspace: Workspace) -> None:
    """Each of these is allowed alone, and the three together are not."""

    def say(number: int) -> str:
        try:
            if number == 0:
                return joined(workspace, ANNA, ONLINE).outcome
            return (joined(workspace, ONLINE, CARD) if number == 1 else parted(workspace, ANNA, CARD)).outcome
        except DecisionRefused:
            return "refused"

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(say, range(3)))
    assert outcomes.count("refused") == 1
    assert len(list_decisions(workspace)) == 2


def test_an_identifier_on_very_many_events_is_found_at_once(workspace: Workspace) -> None:
    add_events(
        workspace, [event(f"2024-04-01T10:00:{n % 60:02d}", "A", user_id="till", sequence=n) for n in range(500)]
    )
    assert known_identifier(workspace, "till") == Identifier("user_id", "shop", "till")


def test_what_a_question_needs_loads_no_database_library(workspace: Workspace) -> None:
    joined(workspace, ANNA, ONLINE)
    heavy = ("sqlalchemy", "alembic", "phonenumbers", "numba")
    script = (
        "import sys; from pathlib import Path; from percorso.services.decisions import folded_decisions; "
        "from percorso.services.workspace import open_workspace; "
        f"print(len(folded_decisions(open_workspace(Path({str(workspace.folder)!r}))).forced)); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.splitlines() == ["1", "[]"]


def test_the_erased_are_forgotten(workspace: Workspace) -> None:
    joined(workspace, ANNA, ONLINE)
    parted(workspace, CARD, CLUB)
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        database.decisions.forget_decisions(connection, [person_id(workspace.secret, ONLINE.text())])
    assert [one.decision.id for one in list_decisions(workspace)] == [2]
    assert folded_decisions(workspace).forbidden == (pair(workspace, CARD, CLUB),)
