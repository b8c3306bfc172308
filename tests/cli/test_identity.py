"""`percorso identity link|unlink|decisions|explain|report`."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest

from percorso.cli.main import run
from percorso.identity.placement import PLACING_RULES
from percorso.language.words import names_of
from percorso.services.build import build_log
from percorso.services.explained import RefusalEffect, SharingReason, Standing
from percorso.services.identity_reported import DecisionEffect
from percorso.services.workspace import Workspace
from percorso.store import database
from tests.docs_tables import code_spans, table
from tests.lake_builder import event
from tests.services.identity_world import ANNA as WORLD_ANNA
from tests.services.identity_world import FAMILY
from tests.services.identity_world import RAW as WORLD_RAW
from tests.workspaces import add_events, make_workspace

Captured = pytest.CaptureFixture[str]

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "identity.md"
ROWS = [
    event("2024-03-01T10:00:00", "A", user_id="user-1042", email="anna.rossi@example.it", anonymous_id="browser-1"),
    event("2024-03-01T11:00:00", "A", user_id="user-1042", source="till", id_space="till"),
    event("2024-03-01T12:00:00", "A", phone="+393471234456"),
]
RAW = ("anna.rossi", "user-1042", "3471234456")
ANNA, ONLINE, TILL, PHONE = "anna.rossi@example.it", "user_id:shop:user-1042", "user_id:till:user-1042", "347 1234456"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "shop", ROWS)


def identity(workspace: Workspace, *arguments: str) -> int:
    return run(["-w", str(workspace.folder), "identity", *arguments])


def said(workspace: Workspace, capsys: Captured, *arguments: str, reason: str = "asked her") -> list[str]:
    """The lines that a decision by Anna prints, with every time as T and every person as P."""
    assert identity(workspace, *arguments, "--reason", reason, "--author", "Anna") == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert not [raw for raw in RAW if raw in told.out]
    return settled(told.out).splitlines()


def settled(text: str) -> str:
    return re.sub(r"\b[0-9a-f]{12}\b", "P", re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "T", text))


def test_each_decision_says_what_it_did(workspace: Workspace, capsys: Captured) -> None:
    both = "email a•••@example.it and user_id u…42 in shop"
    applies = (
        "The last build cannot tell yet what it will change.",
        f"The next build applies it, and so does any question: percorso -w {workspace.folder} build",
    )
    left = "Whether they are one person is left to the events."
    assert said(workspace, capsys, "link", ANNA, ONLINE) == [f"Linked: {both} will be one person.", *applies]
    assert said(workspace, capsys, "link", ANNA, ONLINE) == [
        "Already linked, nothing changed: link of T by Anna (asked her)."
    ]
    assert said(workspace, capsys, "unlink", ANNA, ONLINE, reason="twins") == [
        f"Cancelled the link of T by Anna (asked her); the pair is undecided again: {both}.",
        f"{left} To forbid it, unlink them once more.",
        *applies,
    ]
    assert said(workspace, capsys, "unlink", ANNA, ONLINE) == [f"Forbidden: {both} will not be one person.", *applies]
    assert said(workspace, capsys, "unlink", ANNA, ONLINE) == [
        "Already forbidden, nothing changed: unlink of T by Anna (asked her)."
    ]
    assert said(workspace, capsys, "link", ANNA, ONLINE) == [
        f"Cancelled the unlink of T by Anna (asked her); the pair is undecided again: {both}.",
        f"{left} To force it, link them once more.",
        *applies,
    ]


def test_after_a_build_it_is_told_what_the_next_one_will_change(workspace: Workspace, capsys: Captured) -> None:
    build_log(workspace)
    follow = "with an identifier and what browsers and devices did around them change hands."
    assert said(workspace, capsys, "link", ANNA, ONLINE)[1] == (
        "They are one person already, and stay one: P (2 identifiers, 1 event)."
    )
    assert said(workspace, capsys, "unlink", ANNA, ONLINE)[2] == (
        "They are one person all the same: P (2 identifiers, 1 event)."
    )
    assert said(workspace, capsys, "unlink", ANNA, ONLINE)[1:3] == [
        "As of the last build it makes two persons of one: P (2 identifiers, 1 event) → P (1 identifier, 0 events) and "
        "P (1 identifier, 1 event).",
        f"0 events {follow}",
    ]
    assert said(workspace, capsys, "unlink", ANNA, PHONE)[1] == (
        "They are two persons already, and stay apart: P (1 identifier, 0 events) and P (1 identifier, 1 event)."
    )
    assert said(workspace, capsys, "link", ONLINE, TILL)[1:3] == [
        "As of the last build it makes one person of two: P (2 identifiers, 1 event) and P (1 identifier, 1 event) → "
        "P (2 identifiers, 2 events).",
        f"1 event {follow}",
    ]


def test_other_links_are_told(workspace: Workspace, capsys: Captured) -> None:
    for a, b in ((ANNA, ONLINE), (ONLINE, TILL), (ANNA, TILL)):
        said(workspace, capsys, "link", a, b)
    told = said(workspace, capsys, "unlink", ANNA, TILL)
    assert told[2] == (
        "Other links join them all the same: "
        "link of T by Anna (asked her), of email a•••@example.it and user_id u…42 in shop; "
        "link of T by Anna (asked her), of user_id u…42 in shop and user_id u…42 in till."
    )


def test_a_contradiction_shows_the_decisions(workspace: Workspace, capsys: Captured) -> None:
    said(workspace, capsys, "unlink", ANNA, PHONE, reason="mother and daughter")
    said(workspace, capsys, "link", PHONE, ONLINE)
    for output in ([], ["--json"]):
        assert identity(workspace, "link", ONLINE, ANNA, "--reason", "x", *output) == 2
        told = capsys.readouterr()
        assert "unlink of email a•••@example.it and phone +39•••••456 on " in told.err
        assert "by Anna (mother and daughter); link of phone +39•••••456 and user_id u…42 in shop on" in told.err
        assert not [raw for raw in RAW if raw in told.out + told.err]
    error = json.loads(told.out)["error"]
    assert (error["code"], [one["id"] for one in error["fields"]["decisions"]]) == ("decision_refused", [1, 2])


def test_decisions_as_json(workspace: Workspace, capsys: Captured) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert identity(workspace, "link", ANNA, TILL, "--reason", "asked her", "--author", "Anna", "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["before"], body["next_build"]) == (None, None)
    build_log(workspace)
    assert identity(workspace, "unlink", ANNA, TILL, "--reason", "x", "--author", "Anna", "--json") == 0
    body = json.loads(capsys.readouterr().out)
    persons = [*body["next_build"]["now"], *body["next_build"]["then"]]
    assert persons[0]["person"] == persons[1]["person"] != persons[2]["person"]
    for number, one in enumerate(persons):
        assert re.fullmatch(r"[0-9a-f]{32}", one["person"])
        one["person"] = ("ceab60d3dcaf5a6e1e6d04ef3d3ce2b2", "77ab0b1c22d34e5f9a01b2c3d4e5f607")[number == 2]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", body["before"]["decided_at"])
    body["before"]["decided_at"] = "2024-05-03T10:00:00Z"
    shown = page.split("```json\n")[1].split("```")[0]
    assert json.loads(shown) == body
    assert identity(workspace, "decisions", "--json") == 0
    listed = json.loads(capsys.readouterr().out)["decisions"]
    assert [(one["id"], one["decision"], one["stands"]) for one in listed] == [(1, "link", False), (2, "unlink", False)]
    assert {**listed[0], "decided_at": ""} == {**body["before"], "decided_at": "", "stands": False}


def test_the_list_for_people_and_as_a_file(workspace: Workspace, capsys: Captured, tmp_path: Path) -> None:
    assert identity(workspace, "decisions") == 0
    assert "Nobody has decided anything yet" in capsys.readouterr().out
    assert not workspace.database.exists()
    said(workspace, capsys, "link", ANNA, ONLINE)
    said(workspace, capsys, "unlink", ANNA, PHONE)
    said(workspace, capsys, "link", ANNA, PHONE)
    assert identity(workspace, "decisions") == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "# time decision a b state author reason"
    assert re.fullmatch(r"1 \S+ \S+ link email a•••@example.it user_id u…42 in shop stands Anna asked her", lines[1])
    assert [line.split(" Anna")[0].split()[-1] for line in lines[1:4]] == ["stands", "undone", "undone"]
    assert identity(workspace, "decisions", "--output", str(tmp_path / "d.csv")) == 0
    rows = list(csv.DictReader(io.StringIO((tmp_path / "d.csv").read_text(encoding="utf-8"))))
    assert [(row["decision_id"], row["decision"], row["state"]) for row in rows] == [
        ("1", "link", "stands"),
        ("2", "unlink", "undone"),
        ("3", "link", "undone"),
    ]
    assert rows[0]["decided_at"].endswith("Z")


def test_mistakes_are_told_as_such(workspace: Workspace, capsys: Captured) -> None:
    assert identity(workspace, "link", ANNA, ONLINE) == 2
    assert "--reason" in capsys.readouterr().err
    for a, code in (("user-1042", "spec"), ("browser-1", "spec"), ("x@y.it", "not_found"), (ANNA, "spec")):
        assert identity(workspace, "link", a, ANNA, "--reason", "x", "--json") == 2
        assert json.loads(capsys.readouterr().out)["error"]["code"] == code
    assert not workspace.database.exists()


def test_the_page_shows_what_the_command_says(workspace: Workspace, capsys: Captured) -> None:
    example = page_section("## Example").split("```")[1]
    shown = [line for line in example.splitlines() if line and not line.startswith("$")]
    build_log(workspace)
    told = said(workspace, capsys, "link", ANNA, TILL) + said(workspace, capsys, "unlink", ANNA, TILL)
    assert [settled(line) for line in shown] == [line.replace(str(workspace.folder), "percorso-data") for line in told]


def test_a_newer_database_is_refused(workspace: Workspace, capsys: Captured) -> None:
    said(workspace, capsys, "link", ANNA, ONLINE)
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert identity(workspace, "decisions", "--json") == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "format_too_new"


# -------------------------------------------------------------------------------------------- explain and report


def gift() -> list[dict[str, Any]]:
    """The gift and the parcel of the page."""
    orders = [
        event(
            f"2025-09-01T10:{n // 60:02d}:{n % 60:02d}",
            "Order Completed",
            message_id=f"order-{n:03d}",
            user_id="u-1",
            email="anna@posta.example",
            order_id=str(1001 + n),
        )
        for n in range(100)
    ]
    courier = {"source": "courier", "source_kind": "delivery"}
    return [
        *orders,
        event("2025-09-02T10:00", "Order Completed", message_id="gift", user_id="u-2", email="anna@posta.example"),
        event("2025-09-03T10:00", "Email Link Clicked", message_id="click", email="anna@posta.example"),
        event("2025-09-04T10:00", "Order Delivered", message_id="delivered-1", order_id="1001", **courier),
    ]


def page_section(heading: str) -> str:
    return PAGE.read_text(encoding="utf-8").split(f"\n{heading}\n")[1].split("\n## ")[0]


def plain(text: str) -> list[str]:
    """Lines without what differs from run to run: persons' ids, and how wide columns are."""
    hidden = re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{12}\b", "ID", text)
    return [" ".join(line.split()) for line in hidden.splitlines() if line.strip()]


def test_the_page_shows_what_explain_says(tmp_path: Path, capsys: Captured) -> None:
    rows = gift()
    workspace = make_workspace(tmp_path / "shop", rows[:-1])
    chain, one = (block.split("\n", 2)[2] for block in page_section("## explain").split("```")[1::2])
    assert identity(workspace, "explain", "anna@posta.example") == 0
    told = capsys.readouterr().out.split("\nWhat you can do")[0]
    assert plain(told) == plain(chain)
    add_events(workspace, rows[-1:])
    assert identity(workspace, "explain", "--event", "delivered-1") == 0
    assert plain(capsys.readouterr().out) == plain(one)


def test_keys_are_documented(world: Workspace, capsys: Captured) -> None:
    def keys(heading: str) -> list[str]:
        return [key for row in table("reference/identity.md", heading) for key in code_spans(row[0])]

    assert identity(world, "report", "--json") == 0
    report = json.loads(capsys.readouterr().out)
    assert sorted(report) == sorted(keys("Keys of report"))
    assert identity(world, "explain", FAMILY, "--json") == 0
    explained = json.loads(capsys.readouterr().out)
    assert sorted(explained) == sorted(keys("Keys of explain"))
    assert identity(world, "explain", "--event", "t4", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert sorted(told) == sorted(keys("Keys of one event"))
    named = {key for row in table("reference/identity.md", "Keys of report") for key in re.findall(r'"(\w+)"', row[1])}
    parts = [report["persons"], report["events"], *(report[name][0] for name in NAMED if report[name])]
    assert {key for part in parts for key in part} - named <= {
        "id",
        "decision",
        "decided_at",
        "author",
        "reason",
        "effect",
    }


NAMED = ("types", "hubs", "dropped", "limits", "reused", "placed_by", "sources", "devices", "suspected")


def test_reasons_standings_and_effects_are_documented(world: Workspace) -> None:
    page = page_section("## explain")
    said = set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE))
    kinds = (*get_args(Standing), *get_args(SharingReason), *get_args(RefusalEffect))
    assert set(kinds) == said - {"--type"}
    assert all(f"`{effect}`" in page_section("## report") for effect in get_args(DecisionEffect))
    assert set(names_of("placed", "en")) == set(names_of("rule", "en")) == set(PLACING_RULES)
    assert set(names_of("standing", "en")) == set(get_args(Standing))
    assert set(names_of("effect", "en")) == set(get_args(DecisionEffect))


@pytest.mark.parametrize(
    "words",
    [
        ["report"],
        ["explain", WORLD_ANNA],
        ["explain", FAMILY],
        ["explain", "agent.smith@shop.example"],
        ["explain", "tablet-77"],
        *(["explain", "--event", message] for message in ("t0", "t2", "t4", "t7", "far", "lonely", "kiosk", "lost")),
    ],
    ids=" ".join,
)
def test_nothing_raw_is_told_unasked(world: Workspace, words: list[str], capsys: Captured) -> None:
    for options in ([], ["--json"]):
        assert identity(world, *words, *options) == 0
        told = capsys.readouterr().out
        assert not [raw for raw in WORLD_RAW if raw in told]


def test_personal_shows_identifiers(world: Workspace, capsys: Captured) -> None:
    assert identity(world, "explain", WORLD_ANNA, "--personal") == 0
    assert f"email {WORLD_ANNA} belongs to one person" in capsys.readouterr().out
    assert identity(world, "report", "--personal") == 0
    assert "not-an-address" in capsys.readouterr().out


def test_an_event_is_told_in_a_paragraph(world: Workspace, capsys: Captured) -> None:
    said = {
        "t0": "The first comes 2h 24m later, within 90d (identity.backfill): Signed In of 2024-03-04 03:24 (web",
        "t2": "The last one before it: Signed In of 2024-03-04 03:24 (web, message t1). So it belongs to person",
        "t4": "It ended with Signed Out of 2024-03-04 08:12 (web, message t3). Who signs in next is somebody else",
        "t7": "The same person signs in next: Signed In of",
        "far": "The first comes 100d later, not within 90d (identity.backfill)",
        "lonely": "the logins on anonymous_id l…er in shop decide. There is none. So it belongs to an anonymous person",
        "kiosk": "kiosk is a shared source (identity.shared_sources), and nobody signed in on this visit.",
        "parcel": "It carries no identifier. Its order_id o…01 belongs to whom this event names: Order Completed of",
        "lost": "No event that names somebody carries its order_id o…02 yet. So it belongs to nobody",
        "nothing": "It carries no identifier. So it belongs to nobody; it counts in totals.",
        "gift": "The best of them that is not shared is user_id u…02 in shop.",
    }
    for message, words in said.items():
        assert identity(world, "explain", "--event", message) == 0
        assert words in " ".join(capsys.readouterr().out.split())


def test_what_the_report_advises(world: Workspace, capsys: Captured) -> None:
    assert identity(world, "report") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "user_id u…09 in shop 2024-03-17 email o•••@posta.example 2026-08-18 email n•••@posta.example" in told
    assert "device_id c…er in shop 4 4 app" in told
    assert "name it in identity.shared_sources" in told
    assert "email a•••@shop.example 25 25 of type user_id 20" in told
    assert f"Why they are one: percorso -w {world.folder} identity explain " in told


def test_an_id_or_an_event_is_asked_for(world: Workspace, capsys: Captured) -> None:
    for words in ([], ["x", "--event", "y"], ["x", "--source", "web"], ["--event", "y", "--type", "email"]):
        assert identity(world, "explain", *words) == 2
        assert "Error:" in capsys.readouterr().err
