"""`percorso identity link|unlink|decisions`."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest

from percorso.cli.main import run
from percorso.services.workspace import Workspace
from percorso.store import database
from tests.lake_builder import event
from tests.workspaces import make_workspace

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
    """The lines that a decision by Anna prints, with every time as T."""
    assert identity(workspace, *arguments, "--reason", reason, "--author", "Anna") == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert not [raw for raw in RAW if raw in told.out]
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "T", told.out).splitlines()


def test_each_decision_says_what_it_did(workspace: Workspace, capsys: Captured) -> None:
    both = "email a•••@example.it and user_id u…42 in shop"
    applies = f"The next build applies it: percorso -w {workspace.folder} build"
    left = "Whether they are one person is left to the events."
    assert said(workspace, capsys, "link", ANNA, ONLINE) == [f"Linked: {both} are one person.", applies]
    assert said(workspace, capsys, "link", ANNA, ONLINE) == [
        "Already linked, nothing changed: link of T by Anna (asked her)."
    ]
    assert said(workspace, capsys, "unlink", ANNA, ONLINE, reason="twins") == [
        f"Cancelled the link of T by Anna (asked her); the pair is undecided again: {both}.",
        f"{left} To forbid it, unlink them once more.",
        applies,
    ]
    assert said(workspace, capsys, "unlink", ANNA, ONLINE) == [f"Forbidden: {both} will not be one person.", applies]
    assert said(workspace, capsys, "unlink", ANNA, ONLINE) == [
        "Already forbidden, nothing changed: unlink of T by Anna (asked her)."
    ]
    assert said(workspace, capsys, "link", ANNA, ONLINE) == [
        f"Cancelled the unlink of T by Anna (asked her); the pair is undecided again: {both}.",
        f"{left} To force it, link them once more.",
        applies,
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
    assert identity(workspace, "link", ANNA, ONLINE, "--reason", "asked her", "--author", "Anna", "--json") == 0
    assert json.loads(capsys.readouterr().out)["before"] is None
    assert identity(workspace, "unlink", ANNA, ONLINE, "--reason", "x", "--author", "Anna", "--json") == 0
    body = json.loads(capsys.readouterr().out)
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
    example = PAGE.read_text(encoding="utf-8").split("## Example")[1].split("```")[1]
    shown = [line for line in example.splitlines() if line and not line.startswith("$")]
    told = said(workspace, capsys, "link", ANNA, ONLINE) + said(workspace, capsys, "unlink", ANNA, ONLINE)
    assert [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "T", line) for line in shown] == [
        line.replace(str(workspace.folder), "percorso-data") for line in told
    ]


def test_a_newer_database_is_refused(workspace: Workspace, capsys: Captured) -> None:
    said(workspace, capsys, "link", ANNA, ONLINE)
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert identity(workspace, "decisions", "--json") == 1
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "format_too_new"
