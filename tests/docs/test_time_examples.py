"""The worked examples of journeys, retention, lifecycle and suggest, told to the real build and asked again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from percorso.analyses.journeys import JourneysSpec, run_journeys
from percorso.analyses.lifecycle import LifecycleSpec, run_lifecycle
from percorso.analyses.result import Result
from percorso.analyses.retention import RetentionSpec, run_retention
from percorso.analyses.spec import Scope
from percorso.analyses.timeouts import TimeoutsSpec, run_timeouts
from percorso.cli.lazy import load
from percorso.cli.main import COMMANDS
from percorso.cli.retention import wide_table
from percorso.services.build import fresh_log
from percorso.store.journey_log import JourneyLog
from tests.docs.test_path_examples import percent, tables_of
from tests.docs_tables import code_spans, table
from tests.lake_builder import event
from tests.workspaces import make_workspace

EXAMPLE = "An example"


def log_of(page: str, folder: Path) -> JourneyLog:
    rows = []
    for n, (person, time, name) in enumerate(table(f"reference/{page}.md", EXAMPLE)):
        order = {"order_id": f"{person}{n}", "value": 5000, "currency": "EUR"} if name == "Order Completed" else {}
        rows.append(event(time, name, user_id=person, **order))
    return fresh_log(make_workspace(folder / page, rows))


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], JourneyLog]:
    folder, known = tmp_path_factory.mktemp("examples"), {}

    def log(page: str) -> JourneyLog:
        if page not in known:
            known[page] = log_of(page, folder)
        return known[page]

    return log


def hours(seconds: float) -> str:
    return f"{seconds / 3600:.0f} h"


def test_journeys(logs: Callable[[str], JourneyLog]) -> None:
    _, shown, times = tables_of("reference/journeys.md", EXAMPLE)
    answer = run_journeys(JourneysSpec(scope=Scope(timezone="Europe/Rome")), logs("journeys"))
    (row,) = answer.tables["conversion"].to_pylist()
    counts = [str(row[name]) for name in ("opened", "converted", "abandoned", "open")]
    assert shown == [(*counts, percent(row["converted_share"]), percent(row["conversion"]))]
    (row,) = answer.tables["times"].to_pylist()
    assert times == [(str(row["n"]), hours(row["median_s"]), hours(row["p90_s"]))]


def test_retention(logs: Callable[[str], JourneyLog]) -> None:
    _, shown, rates = tables_of("reference/retention.md", EXAMPLE)
    log, scope = logs("retention"), Scope(timezone="Europe/Rome")
    answer = run_retention(RetentionSpec(periods=3, scope=scope), log)
    wide = wide_table(answer)
    assert shown == [
        (row["cohort"], str(row["size"]), *(percent(row.get(str(k))) or "–" for k in range(4)))
        for row in wide.to_pylist()
    ]
    assert answer.tables["repeat"]["rate"][0].as_py() is None
    assert rates == [("90", "–")]
    (later, *_) = (
        run_retention(RetentionSpec(scope=Scope(timezone="Europe/Rome", as_of="2024-05-31")), log)
        .tables["repeat"]
        .to_pylist()
    )
    assert later["rate"] == 0.75


def test_lifecycle(logs: Callable[[str], JourneyLog]) -> None:
    _, shown, relationships = tables_of("reference/lifecycle.md", EXAMPLE)
    answer = run_lifecycle(LifecycleSpec(scope=Scope(timezone="Europe/Rome")), logs("lifecycle"))
    assert shown == [
        (
            row["interval"],
            *(
                "–" if row[n] is None else str(row[n])
                for n in ("active", "new", "returning", "resurrecting", "dormant")
            ),
            "–" if row["quick_ratio"] is None else f"{row['quick_ratio']:.2f}",
        )
        for row in answer.table.to_pylist()
    ]
    assert relationships == [
        (row["relationship"], str(row["persons"])) for row in answer.tables["relationships"].to_pylist()
    ]
    assert any("too little" in text for text in answer.warnings)


def test_suggest(tmp_path: Path) -> None:
    customers, shown = tables_of("reference/suggest.md", EXAMPLE)
    rows = []
    for n, look, buy in customers:
        for one in range(int(n)):
            person = f"{buy}/{one}"
            rows.append(event(look, "Product Viewed", user_id=person))
            rows.append(event(buy, "Order Completed", user_id=person, order_id=person))
    answer = run_timeouts(TimeoutsSpec(), fresh_log(make_workspace(tmp_path / "shop", rows)))
    assert shown == [
        (
            str(row["timeout_days"]),
            str(row["cut_off"]),
            percent(row["share"]),
            str(row["journeys"]),
            str(row["abandoned"]),
        )
        for row in answer.table.to_pylist()
    ]
    text = (Path(__file__).resolve().parents[2] / "docs/reference/suggest.md").read_text(encoding="utf-8")
    said = " ".join(line.removeprefix("> ") for line in text.splitlines() if line.startswith("> "))
    assert said == f"Recommended: {answer.totals['recommended_days']} days. {answer.totals['reason']}"


@pytest.mark.parametrize("command", ["journeys", "retention", "lifecycle", "suggest"])
def test_options_are_documented(command: str) -> None:
    named = {span for row in table(f"reference/{command}.md", "Options") for span in code_spans(row[0])}
    common = {span for row in table("reference/conditions.md", "Which events") for span in code_spans(row[0])}
    loaded: Any = load(next(entry for entry in COMMANDS if entry.name == command))
    if command == "suggest":
        loaded = loaded.commands["timeout"]
    options = {name for parameter in loaded.params for name in parameter.opts if name.startswith("--")}
    assert named | common | {"--format", "--json", "--output"} == options - {"--help"}


def test_columns_are_documented(logs: Callable[[str], JourneyLog]) -> None:
    log = logs("journeys")
    answers: dict[str, Result] = {
        "journeys": run_journeys(JourneysSpec(), log),
        "retention": run_retention(RetentionSpec(), log),
        "lifecycle": run_lifecycle(LifecycleSpec(), log),
        "suggest": run_timeouts(TimeoutsSpec(), log),
    }
    for page, answer in answers.items():
        text = (Path(__file__).resolve().parents[2] / f"docs/reference/{page}.md").read_text(encoding="utf-8")
        section = text.split("## The answer\n")[1].split("\n## ")[0]
        spans = set(code_spans(section.replace("\n", " ")))
        for name, one in answer.tables.items():
            assert name in spans
            assert set(one.column_names) <= spans, (page, name)
