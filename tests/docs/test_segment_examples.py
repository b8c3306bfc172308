"""docs/reference/segment.md and docs/how-to/personas.md, asked again: the pages must be true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from percorso.analyses.basis import basis_of
from percorso.analyses.person_rules import parse_person_rule
from percorso.analyses.segment import SegmentSpec, run_segment, segment_people
from percorso.analyses.spec import Scope
from percorso.cli.lazy import load
from percorso.cli.main import COMMANDS, run
from percorso.errors import SpecError
from percorso.services.build import fresh_log
from percorso.services.customer import ask_customer
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog
from tests.docs.test_question_examples import tables_of
from tests.docs_tables import code_spans, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

PAGE, HOW_TO = "reference/segment.md", "how-to/personas.md"
DOCS = Path(__file__).resolve().parents[2] / "docs"
EVENTS, RULES = tables_of(PAGE, "An example")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    rows = []
    orders: dict[str, int] = {}
    for person, at, name, place, value in EVENTS:
        till = {"source": "till", "source_kind": "pos"} if place == "store" else {}
        money = {"value": round(float(value) * 100), "currency": "EUR"} if value else {}
        orders[person] = orders.get(person, 0) + (name == "Order Completed")
        order = {"order_id": f"{person} {orders[person]}"} if name.startswith("Order") else {}
        rows.append(event(at, name, user_id=person, **till, **money, **order))
    return make_workspace(tmp_path_factory.mktemp("shop"), rows, timezone="UTC")


@pytest.fixture(scope="module")
def log(workspace: Workspace) -> JourneyLog:
    return fresh_log(workspace)


@pytest.mark.parametrize("row", RULES[:-1], ids=lambda row: row[0])
def test_worked_example(workspace: Workspace, log: JourneyLog, row: tuple[str, ...]) -> None:
    spec = SegmentSpec(scope=Scope(persons=code_spans(row[0])[0]))
    task = segment_people(spec, log, basis_of(workspace.settings))
    ids = {
        bucket.persons.arrow("person_id")[position].as_py().hex()
        for bucket in log.buckets
        for position in task(bucket).nonzero()[0]
    }
    names = {row[0] for row in EVENTS}
    found = {name for name in names if ask_customer(workspace, name, log=log).history.person in ids}
    assert found == {name.strip() for name in row[1].split(",")}


def test_the_last_example_is_refused_where_the_page_says() -> None:
    with pytest.raises(SpecError, match="cannot be read") as caught:
        parse_person_rule(code_spans(RULES[-1][0])[0])
    text = (DOCS / PAGE).read_text(encoding="utf-8")
    (position,) = re.findall(r"refused, at its (\d+)", text)
    assert caught.value.fields["position"] == int(position)


@pytest.mark.parametrize("heading", ["The rule of persons"])
def test_examples_of_the_grammar_can_be_read(heading: str) -> None:
    tests, periods = tables_of(PAGE, heading)
    written = [span for row in tests for span in code_spans(row[0]) if not span.startswith("person.")]
    written += [f"count(place = store) > 0 {code_spans(row[0])[0]}" for row in periods]
    assert len(written) == len(tests) + len(periods)
    for text in written:
        parse_person_rule(text)


def test_columns_are_documented(workspace: Workspace, log: JourneyLog) -> None:
    answer = run_segment(SegmentSpec(scope=Scope(persons="n_events > 0")), log, basis_of(workspace.settings))
    for shown, name in zip(tables_of(PAGE, "What show tells"), ("size", "traits"), strict=True):
        assert [span for row in shown for span in code_spans(row[0])] == answer.tables[name].column_names


def test_commands_and_options_are_documented() -> None:
    group = load(next(entry for entry in COMMANDS if entry.name == "segment"))
    commands, options = tables_of(PAGE, "Commands")
    assert [code_spans(row[0])[0].split()[0] for row in commands] == list(group.commands)
    named = {span.split()[0] for row in options for span in code_spans(row[0])}
    given = {name for parameter in group.commands["define"].params for name in parameter.opts if name[:2] == "--"}
    assert named - {"--no-persona"} == given - {"--help", "--json"}
    assert [code_spans(row[0])[0].split()[0] for row in table(PAGE, "In every question")] == ["--persona", "--persons"]


def test_the_how_to_can_be_followed(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```sh\n(.*?)^```", (DOCS / HOW_TO).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.replace("\\\n", "").splitlines()]
    assert len(lines) == 7
    for line in lines:
        assert run(["-w", str(workspace.folder), *shlex.split(line)[1:]]) == 0, capfd.readouterr().err
