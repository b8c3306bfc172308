"""docs/reference/funnel.md, steps.md, conditions.md and people.md, asked again: the pages must be true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.conditions import parse_condition
from percorso.analyses.fields import all_fields
from percorso.analyses.funnel import FunnelSpec, run_funnel
from percorso.analyses.people import people_table
from percorso.analyses.step_terms import parse_step
from percorso.cli.lazy import load
from percorso.cli.main import COMMANDS, run
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from percorso.store.journey_log import JourneyLog
from tests.docs_tables import code_spans, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

FUNNEL, STEPS, CONDITIONS, PEOPLE = (f"reference/{name}.md" for name in ("funnel", "steps", "conditions", "people"))
PAGES = Path(__file__).resolve().parents[2] / "docs"
EXAMPLE = ("Product Viewed", "Product Added", "Order Completed")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    rows = []
    for person, time, name in tables_of(FUNNEL, "An example")[0]:
        bought = {"order_id": f"of {person}", "value": 5000, "currency": "EUR"} if name == EXAMPLE[2] else {}
        rows.append(event(time, name, user_id=person, **bought))
    return make_workspace(tmp_path_factory.mktemp("shop"), rows)


@pytest.fixture(scope="module")
def log(workspace: Workspace) -> JourneyLog:
    return fresh_log(workspace)


def tables_of(page: str, heading: str) -> list[list[tuple[str, ...]]]:
    """All tables under a heading, without their heads."""
    section = (PAGES / page).read_text(encoding="utf-8").split(f"## {heading}\n")[1].split("\n## ")[0]
    return [
        [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip("|"))) for line in block.splitlines()[2:]]
        for block in re.findall(r"(?:^\|.*\n?)+", section, re.MULTILINE)
    ]


def minutes(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds / 60:.0f} min"


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def test_worked_example(log: JourneyLog) -> None:
    _, shown, _ = tables_of(FUNNEL, "An example")
    rows = run_funnel(FunnelSpec(steps=EXAMPLE, within="1h"), log).table.to_pylist()
    assert shown == [
        (
            str(row["position"]),
            row["step"],
            str(row["count"]),
            percent(row["share"]),
            percent(row["from_previous"]),
            str(row["dropped"]),
            minutes(row["median_s"]),
            minutes(row["p90_s"]),
        )
        for row in rows
    ]


def test_other_options_of_the_example(workspace: Workspace, tmp_path: Path) -> None:
    *_, shown = tables_of(FUNNEL, "An example")
    assert len(shown) == 7
    steps = [part for step in EXAMPLE for part in ("--step", step)]
    for options, *counts, _ in shown:
        given = shlex.split(code_spans(options)[0])
        file = tmp_path / "answer.csv"
        window = [] if "--within" in given else ["--within", "1h"]
        code = run(["-w", str(workspace.folder), "funnel", *steps, *window, *given, "--output", str(file)])
        assert code == 0
        column = file.read_text().splitlines()[0].replace('"', "").split(",").index("count")
        assert [line.split(",")[column] for line in file.read_text().splitlines()[1:]] == counts, options


def test_options_and_columns_are_documented(log: JourneyLog) -> None:
    named = {span for row in table(FUNNEL, "Definition") for span in code_spans(row[0])}
    common = {span for row in tables_of(CONDITIONS, "Which events")[0] for span in code_spans(row[0])}
    assert named | common | {"--format", "--json", "--output", "--help"} == _options("funnel")
    result = run_funnel(FunnelSpec(steps=EXAMPLE), log)
    assert [span for row in table(FUNNEL, "The answer") for span in code_spans(row[0])] == result.table.column_names
    people = people_table(log, lambda bucket: bucket.persons.values("n_events") > 0)
    assert [span for row in table(PEOPLE, "The answer") for span in code_spans(row[0])] == people.column_names


def _options(command: str) -> set[str]:
    loaded = load(next(entry for entry in COMMANDS if entry.name == command))
    return {name for parameter in loaded.params for name in parameter.opts if name.startswith("--")} | {"--help"}


def test_fields_are_documented() -> None:
    named = {span for row in tables_of(CONDITIONS, "Fields")[0] for cell in row for span in code_spans(cell)}
    assert set(all_fields()) <= named


@pytest.mark.parametrize("row", tables_of(CONDITIONS, "Grammar")[0], ids=lambda row: row[0])
def test_examples_of_conditions_can_be_read(row: tuple[str, ...]) -> None:
    field = ""
    for text in code_spans(row[0]):
        if text in ("<", "<=", ">", "A and B", "A or B", "not A", "( )"):
            continue
        condition: Any = parse_condition(f"{field} {text}" if text.startswith("is") else text)
        field = text.split()[0]
        assert condition


def test_steps_of_the_page_can_be_read() -> None:
    text = (PAGES / STEPS).read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`.*?`) \|", text, re.MULTILINE)
    assert len(cells) == 9
    for cell in cells:
        assert parse_step(cell.strip("`").replace("\\|", "|"))
