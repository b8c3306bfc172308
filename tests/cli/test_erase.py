"""`percorso erase` and `percorso export-person`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from percorso.cli.main import run
from percorso.services.workspace import Workspace
from tests.lake_builder import event
from tests.raw_bytes import places_of
from tests.workspaces import add_events, make_workspace

Captured = pytest.CaptureFixture[str]

EMAIL = "anna.rossi@posta.example"


@pytest.fixture
def shop(tmp_path: Path) -> Workspace:
    anna = {"user_id": "anna-7731", "email": EMAIL, "phone": "347 123 4567"}
    rows = [
        event("2024-03-01T10:00", "Signed In", anonymous_id="cookie-anna-9f31", **anna),
        event("2024-03-02T10:00", "Order Completed", order_id="A-1", value=12900, currency="EUR", **anna),
        event("2024-03-03T10:00", "Product Viewed", user_id="bruno-4420", properties='{"color":"red"}'),
    ]
    return make_workspace(tmp_path / "shop", rows)


def percorso(workspace: Workspace, *arguments: str) -> int:
    return run(["-w", str(workspace.folder), *arguments])


class _Terminal:
    """A person at a terminal who says the same to everything."""

    def __init__(self, answer: str) -> None:
        self._answer = answer

    def isatty(self) -> bool:
        return True

    def readline(self, *_: object) -> str:
        return f"{self._answer}\n"


def test_it_erases_and_says_what(shop: Workspace, capsys: Captured) -> None:
    assert percorso(shop, "erase", EMAIL, "--reason", "request of 3 May", "--yes") == 0
    told = capsys.readouterr().out
    assert "Erased for good" in told
    assert "2 rows of 1 import, 1 order" in told
    assert "a•••@posta.example" in told
    assert EMAIL not in told
    assert places_of(shop.folder, [EMAIL, "anna-7731", "347 123 4567"]) == []
    assert percorso(shop, "customer", EMAIL) == 2


def test_a_dry_run_changes_nothing_and_needs_no_reason(shop: Workspace, capsys: Captured) -> None:
    assert percorso(shop, "erase", EMAIL, "--dry-run", "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["events"], body["orders"], body["done"]) == (2, 1, False)
    assert (body["first_seen"], body["last_seen"]) == ("2024-03-01T10:00:00Z", "2024-03-02T10:00:00Z")
    assert percorso(shop, "customer", EMAIL) == 0


def test_nobody_there_to_confirm_is_refused(shop: Workspace, capsys: Captured) -> None:
    assert percorso(shop, "erase", EMAIL, "--reason", "asked") == 2
    assert "--yes" in capsys.readouterr().err
    assert percorso(shop, "customer", EMAIL) == 0


@pytest.mark.parametrize(("answer", "code"), [("n", 2), ("y", 0)])
def test_it_asks(shop: Workspace, answer: str, code: int, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal(answer))
    assert percorso(shop, "erase", EMAIL, "--reason", "asked") == code
    told = capsys.readouterr().err
    assert "What an erasure takes away" in told
    assert "Not looked for: people's names" in told
    assert ("Nothing was erased." in told) == bool(code)
    assert percorso(shop, "customer", EMAIL) == (0 if code else 2)


@pytest.fixture
def family(tmp_path: Path) -> Workspace:
    """Somebody with a short number and a browser that others use, and rows in which that number stands."""
    rows = [
        event("2024-03-01T10:00", "Signed In", user_id="mrossi", loyalty_id="12", anonymous_id="tablet-of-all"),
        event("2024-03-02T10:00", "Signed In", user_id="bruno-4420", anonymous_id="tablet-of-all"),
        event("2024-03-03T10:00", "Product Viewed", user_id="bruno-4420", text="as mrossi said"),
    ]
    return make_workspace(tmp_path / "family", rows)


def test_what_stays_is_said_before_it_asks(
    family: Workspace, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", _Terminal("n"))
    assert percorso(family, "erase", "mrossi", "--reason", "asked") == 2
    told = " ".join(capsys.readouterr().err.split())
    assert "Stays, because others have it, too: anonymous_id t…ll." in told
    assert (
        "Too short to tell in running text, so looked for only in cells and after a word that says what it is:"
        " loyalty_id …, user_id m…si." in told
    )
    assert "Stays: 1 event of others with texts in which something stands that may mean this person" in told


def test_what_stays_for_programs(family: Workspace, capsys: Captured) -> None:
    assert percorso(family, "erase", "mrossi", "--dry-run", "--json") == 0
    body = json.loads(capsys.readouterr().out)
    assert (body["doubtful_rejected"], body["doubtful_elsewhere"]) == (0, 1)
    assert {(one["kind"], one["erased"], one["sought"]) for one in body["identifiers"]} == {
        ("user_id", True, False),
        ("loyalty_id", True, False),
        ("anonymous_id", False, False),
    }


def test_somebody_without_events(shop: Workspace, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    add_events(shop, [event("2024-03-04T10:00", "Call", source="desk", user_id="u-1", text="of carla@posta.example")])
    monkeypatch.setattr(sys, "stdin", _Terminal("y"))
    assert percorso(shop, "erase", "carla@posta.example", "--reason", "asked") == 0
    told = capsys.readouterr()
    assert "none: no event is known by this identifier" in told.err
    assert "mentioned in 1 event of others" in told.out
    assert places_of(shop.folder, ["carla@posta.example"]) == []
    assert percorso(shop, "erase", "carla@posta.example", "--reason", "asked", "--yes") == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((EMAIL, "--yes"), "needs a reason"),
        ((EMAIL, "--yes", "--reason", f"{EMAIL} wants it"), "names the person"),
        (("nobody@posta.example", "--yes", "--reason", "asked"), "Nobody is known"),
        (("anna-7731", "--yes", "--reason", "asked", "--type", "emial"), "no type of identifier"),
    ],
)
def test_wrong_requests_are_refused(shop: Workspace, arguments: tuple[str, ...], words: str, capsys: Captured) -> None:
    assert percorso(shop, "erase", *arguments) == 2
    assert words in capsys.readouterr().err
    assert percorso(shop, "customer", EMAIL) == 0


def test_everything_held_on_a_person_in_one_file(shop: Workspace, tmp_path: Path, capsys: Captured) -> None:
    out = tmp_path / "anna.json"
    assert percorso(shop, "export-person", EMAIL, "--out", str(out)) == 0
    assert out.stat().st_mode & 0o777 == 0o600
    body = json.loads(out.read_text(encoding="utf-8"))
    assert body["about"]["title"] == "What we hold about you"
    assert [row["name"] for row in body["events"]] == ["Signed In", "Order Completed"]
    assert body["events"][0]["phone"] == "347 123 4567"
    assert {(one["type"], one["value"], one["yours_alone"]) for one in body["identifiers"]} == {
        ("user_id", "anna-7731", True),
        ("email", EMAIL, True),
        ("phone", "+393471234567", True),
        ("anonymous_id", "cookie-anna-9f31", True),
    }
    assert body["summary"]["orders"][0]["value"] == 129.0
    assert len(body["summary"]["sessions"]) >= 1
    assert [one["file"] for one in body["imports"]] == ["web.csv"]
    assert "bruno" not in out.read_text(encoding="utf-8")
    assert percorso(shop, "export-person", EMAIL, "--out", str(out)) == 2
    assert "exists already" in capsys.readouterr().err


def test_the_header_is_in_the_language_of_the_workspace(tmp_path: Path) -> None:
    shop = make_workspace(tmp_path / "negozio", [event("2024-03-01T10:00", "Signed In", email=EMAIL)], language="it")
    assert percorso(shop, "export-person", EMAIL, "--out", str(tmp_path / "a.json")) == 0
    assert json.loads((tmp_path / "a.json").read_text())["about"]["title"] == "Che cosa conserviamo su di te"
