"""Segments and personas, through the command line and from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import percorso
from percorso.analyses.basis import basis_of
from percorso.analyses.flow import FlowSpec, run_flow
from percorso.analyses.segment import SegmentSpec, run_segment
from percorso.analyses.spec import Scope, spec_from_json, spec_to_json
from percorso.cli.main import run
from percorso.errors import FormatTooNew, NotFound, SpecError
from percorso.services.build import fresh_log
from percorso.services.segment import define_segment, remove_segment
from percorso.services.segment_lookup import find_segment, list_segments
from percorso.services.workspace import Workspace
from percorso.store import database
from tests.lake_builder import event
from tests.services.shop_workspace import ADD, BUY, VIEW, make_shop
from tests.workspaces import make_workspace

pytestmark = pytest.mark.usefixtures("both_engines")

BUYERS = f"count(event = {BUY}) >= 1"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_shop(tmp_path / "shop")


def told(workspace: Workspace, capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> Any:
    """What a command says as JSON."""
    capfd.readouterr()
    assert run(["-w", str(workspace.folder), *arguments, "--json"]) == code
    return json.loads(capfd.readouterr().out)


def said(workspace: Workspace, capfd: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """What a command tells people."""
    capfd.readouterr()
    assert run(["-w", str(workspace.folder), *arguments]) == code
    streams = capfd.readouterr()
    return streams.err if code else streams.out


def test_from_definition_to_removal(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    define = ("segment", "define", "Buyers", "--where", BUYERS, "--persona")
    answer = told(
        workspace, capfd, *define, "--trait", "wants=no surprises", "--title", "Compra", "--colour", "#AABBCC"
    )
    assert answer["change"] == "made"
    assert answer["definition"]["kind"] == "persona"
    assert answer["definition"]["traits"] == {"wants": "no surprises"}
    mine, every = answer["size"]
    assert (mine["who"], mine["persons"], mine["orders"], float(mine["value"])) == ("Buyers", 3, 3, 75.0)
    assert (every["who"], every["persons"], every["orders"]) == ("all", 6, 3)
    assert told(workspace, capfd, *define)["change"] == "unchanged"

    changed = told(workspace, capfd, "segment", "define", "buyers", "--where", f"{BUYERS} within 7d")
    assert changed["change"] == "changed"
    definition = changed["definition"]
    assert (definition["name"], definition["kind"], definition["title"]) == ("buyers", "persona", "Compra")
    assert [one["rule"] for one in definition["rules"]] == [BUYERS, f"{BUYERS} within 7d"]
    (listed,) = told(workspace, capfd, "segment", "list")["segments"]
    assert listed == definition
    shown = said(workspace, capfd, "segment", "show", "BUYERS")
    assert "Who: at least 1 event with event = Order Completed in the last 7d." in shown
    assert f"Until {definition['rules'][1]['defined_at'][:10]}: {BUYERS}" in shown
    people = told(workspace, capfd, "segment", "people", "buyers")
    assert people["count"] == people["persons_in"] == 2  # of the week before the newest event
    assert len(people["people"]) == 2
    assert told(workspace, capfd, "segment", "remove", "buyers")["removed"]["rule"] == f"{BUYERS} within 7d"
    assert told(workspace, capfd, "segment", "list") == {"segments": []}
    assert "There is none yet" in said(workspace, capfd, "segment", "list")


def test_questions_about_a_persona(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    said(workspace, capfd, "segment", "define", "buyers", "--where", BUYERS)
    steps = ("--step", VIEW, "--step", ADD, "--step", BUY)
    answer = told(workspace, capfd, "funnel", *steps, "--persona", "buyers")
    assert [row["count"] for row in answer["steps"]] == [3, 3, 3]
    assert (answer["persons_in"], answer["persons_of"]) == (3, 6)
    assert answer["spec"]["scope"]["persona"] == "buyers"
    assert answer["spec"]["scope"]["persons"] == BUYERS
    both = told(workspace, capfd, "funnel", *steps, "--persona", "buyers", "--persons", "country = IT")
    assert [row["count"] for row in both["steps"]] == [1, 1, 1]
    assert both["spec"]["scope"]["persons"] == f"({BUYERS}) and (country = IT)"
    others = told(workspace, capfd, "people", "funnel", *steps, "--at", "1", "--persons", f"not ({BUYERS})")
    assert others["count"] == 3
    assert told(workspace, capfd, "flow", "--persona", "buyers")["persons"] == 3
    assert told(workspace, capfd, "variants", "--persons", "value >= 25")["persons"] == 3
    assert told(workspace, capfd, "variants", "--persons", "value > 25")["persons"] == 0
    text = said(workspace, capfd, "flow", "--persona", "buyers")
    assert "only the 3 of 6 persons of buyers." in text
    nobody = told(workspace, capfd, "flow", "--persons", "never(event = Product Viewed)")
    assert "The rule of persons leaves nobody of 6 persons." in nobody["warnings"]


def test_robots_are_persons_only_where_they_are_asked_for(workspace: Workspace) -> None:
    shop = percorso.open(workspace.folder)
    rule = f"never(event = {BUY})"
    assert shop.funnel(VIEW, persons=rule).table.column("count").to_pylist() == [3]
    assert shop.funnel(VIEW, persons=rule, include_bots=True).table.column("count").to_pylist() == [4]


def test_from_python(workspace: Workspace) -> None:
    define_segment(workspace, "buyers", BUYERS)
    shop = percorso.open(workspace.folder)
    assert [one["name"] for one in shop.segments()] == ["buyers"]
    answer = shop.segment("buyers")
    assert answer.totals["definition"]["rule"] == BUYERS
    assert any("Only 3 persons" in warning for warning in answer.warnings)
    assert answer.tables["size"].column("average_order").to_pylist()[0] is None
    (channel,) = [row for row in answer.tables["traits"].to_pylist() if row["field"] == "channel"]
    assert (channel["value"], channel["persons"], channel["n"], channel["share_of_all"]) == ("Email", 3, 3, 1.0)
    flow = shop.flow(persona="BUYERS")
    assert flow.totals["persons"] == 3
    before = shop.segment("buyers", as_of="2024-03-02")
    assert before.tables["size"].column("persons").to_pylist() == [2, 2]
    assert shop.people(shop.funnel(VIEW, persona="buyers"), percorso.FunnelCell(step=1)).table.num_rows == 3
    with pytest.raises(NotFound, match="no segment or persona 'byers'") as caught:
        shop.flow(persona="byers")
    assert "'buyers'" in caught.value.hint


def test_a_kept_question_answers_the_same_after_its_persona_has_changed(workspace: Workspace) -> None:
    define_segment(workspace, "buyers", BUYERS)
    shop = percorso.open(workspace.folder)
    kept = spec_to_json(shop.flow_spec(persona="buyers"))
    first = shop.flow(persona="buyers").table
    define_segment(workspace, "buyers", f"not ({BUYERS})")
    log = fresh_log(workspace)
    assert run_flow(spec_from_json(FlowSpec, kept), log).table == first
    assert shop.flow(persona="buyers").table != first
    remove_segment(workspace, "buyers")
    assert run_flow(spec_from_json(FlowSpec, kept), log).table == first


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rule": "trait.contact = anna@posta.example"}, "e-mail address or a phone"),
        ({"rule": r"never(page ~ 'anna@posta\.example')"}, "e-mail address or a phone"),
        ({"rule": "trait.number = 347 123 4567"}, "e-mail address or a phone"),
        ({"rule": "never(page = '+39 347 1234567')"}, "e-mail address or a phone"),
        ({"description": "like anna@posta.example"}, "e-mail address or a phone"),
        ({"traits": {"calls": "347 1234567"}}, "e-mail address or a phone"),
        ({"author": "anna@posta.example"}, "e-mail address or a phone"),
        ({"name": "anna@posta"}, "is no name"),
        ({"name": ""}, "is no name"),
        ({"name": "a" * 61}, "is no name"),
        ({"colour": "red"}, "is no colour"),
        ({"rule": "orders many"}, "position 8"),
        ({"rule": " "}, "cannot be read"),
        ({"rule": "count(product = 3471234567) = 1 or value >= 10000000"}, None),
    ],
)
def test_a_segment_names_nobody(workspace: Workspace, options: dict[str, Any], message: str | None) -> None:
    given = {"name": "a segment", "rule": "orders >= 2 between 2024-01-01 and 2024-12-31", **options}
    if message is None:
        assert define_segment(workspace, **given).change == "made"
        return
    with pytest.raises(SpecError, match=message):
        define_segment(workspace, **given)
    assert list_segments(workspace) == ()
    assert not workspace.database.exists()


def test_errors_and_warnings_of_a_definition(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    wrong = told(workspace, capfd, "segment", "define", "x", "--where", "cuont(place = site) > 1", code=2)["error"]
    assert wrong["fields"]["position"] == 1
    assert "'count'" in wrong["hint"]
    text = said(
        workspace, capfd, "segment", "define", "x", "--where", "count(event = Product Vewed) > 1 or stage = love"
    )
    assert "event = Product Vewed: nothing has it. Did you mean 'Product Viewed'?" in text
    assert "stage = love: nothing has it." in text
    assert "The rule of x leaves nobody of 6 persons." in text
    assert "is no trait" in said(workspace, capfd, "segment", "define", "x", "--where", BUYERS, "--trait", "a", code=2)
    unknown = told(workspace, capfd, "segment", "show", "y", code=2)["error"]
    assert unknown["code"] == "not_found"
    assert "segment define" in said(make_shop(workspace.folder.parent / "other"), capfd, "segment", "show", "y", code=2)


def test_a_rule_of_a_newer_percorso_is_refused(workspace: Workspace) -> None:
    define_segment(workspace, "buyers", BUYERS)
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        connection.exec_driver_sql("UPDATE segment_rules SET rule_format = 2")
    with pytest.raises(FormatTooNew):
        find_segment(workspace, "buyers")


def test_size_and_traits_are_those_of_a_plain_count(tmp_path: Path) -> None:
    """Of everybody in a segment, and of all, by adding up one person at a time."""
    rows = []
    for number in range(80):
        for day in range(1, 2 + number % 5):
            place = {"source": "till", "source_kind": "pos"} if (number + day) % 3 == 0 else {}
            bought = {"order_id": f"{number}-{day}", "value": 100 * number + day, "currency": "EUR"}
            name, more = (BUY, bought) if (number + day) % 4 == 0 else (VIEW, {})
            country = ("IT", "DE", "")[number % 3]
            who = {"user_id": f"u{number}", "country": country or None}
            rows.append(event(f"2024-03-{day:02d} 10:{number % 60:02d}", name, **who, **more, **place))
    workspace = make_workspace(tmp_path, rows, timezone="UTC")
    answer = run_segment(
        SegmentSpec(scope=Scope(persons="n_events >= 3")), fresh_log(workspace), basis_of(workspace.settings)
    )
    by_person: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_person.setdefault(row["user_id"], []).append(row)
    segment = {who: events for who, events in by_person.items() if len(events) >= 3}
    newest = max(row["timestamp"] for row in rows)
    for shown, group in zip(answer.tables["size"].to_pylist(), (segment, by_person), strict=True):
        orders = [row for events in group.values() for row in events if row["name"] == BUY]
        assert shown["persons"] == len(group)
        assert shown["customers"] == len({row["user_id"] for row in orders})
        assert shown["orders"] == len(orders)
        assert shown["value"] * 100 == sum(row["value"] for row in orders)
        assert shown["average_order"] == pytest.approx(sum(row["value"] for row in orders) / len(orders) / 100)
        assert shown["average_low"] < shown["average_order"] < shown["average_high"]
        seconds = sum(int((newest - min(e["timestamp"] for e in events)).total_seconds()) for events in group.values())
        assert shown["orders_a_year"] == pytest.approx(len(orders) / seconds * 365.25 * 86_400)
    traits = {(row["field"], row["value"]): row for row in answer.tables["traits"].to_pylist()}
    for value, source in (("store", "till"), ("site", "web")):
        mine, every = (
            {who for who, events in group.items() if any(row["source"] == source for row in events)}
            for group in (segment, by_person)
        )
        assert traits[("place", value)]["persons"] == len(mine)
        assert traits[("place", value)]["n"] == len(segment)
        assert traits[("place", value)]["share_of_all"] == len(every) / len(by_person)
    italian = [who for who, events in segment.items() if events[0]["country"] == "IT"]
    known = [who for who, events in segment.items() if events[0]["country"]]
    assert (traits[("person.country", "IT")]["persons"], traits[("person.country", "IT")]["n"]) == (
        len(italian),
        len(known),
    )


def test_what_a_segment_cannot_be_asked() -> None:
    with pytest.raises(SpecError, match="has a rule"):
        SegmentSpec(scope=Scope())
    with pytest.raises(SpecError, match="as a whole"):
        SegmentSpec(scope=Scope(persons="orders > 1", start="2024-01-01"))
    with pytest.raises(SpecError, match="At least one"):
        SegmentSpec(scope=Scope(persons="orders > 1"), top=0)
