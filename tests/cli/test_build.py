"""`percorso build`, and the notice of questions that build by themselves."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from percorso.cli import progress
from percorso.cli.main import run
from percorso.cli.progress import build_progress, ready_log
from percorso.cli.task_line import task_line
from percorso.engines.task_counts import STARTING, TaskCounts, tasks_told, tell_tasks
from percorso.language.words import ENGLISH
from percorso.services.workspace import Workspace
from tests.lake_builder import event
from tests.workspaces import add_events, make_workspace

Captured = pytest.CaptureFixture[str]

ROWS = [
    event("2024-03-01T10:00:00", "Page Viewed", type="page", anonymous_id="a", url="https://shop.example/"),
    event("2024-03-01T10:02:00", "Order Completed", anonymous_id="a", user_id="u", order_id="1", value=900),
    event("2024-03-02T10:00:00", "Order Completed", source="till", source_kind="pos", value=500),
]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "shop", ROWS)


def build(workspace: Workspace, *options: str) -> int:
    return run(["-w", str(workspace.folder), "build", *options])


def test_it_tells_a_newcomer_what_there_is(workspace: Workspace, capsys: Captured) -> None:
    add_events(workspace, [ROWS[0]])
    assert build(workspace) == 0
    told = capsys.readouterr()
    lines = [" ".join(line.split()) for line in told.out.splitlines()]
    assert lines[0].startswith("The journey log is built (")
    assert lines[2:] == [
        "3 events 1 without a customer, 1 copy left out",
        "1 person",
        "1 session on site or app",
        "2 journeys each ends with an order or is given up, or is an order and what follows",
    ]
    assert told.err == ""


def test_again_it_says_that_nothing_changed(workspace: Workspace, capsys: Captured) -> None:
    assert build(workspace) == 0
    capsys.readouterr()
    assert build(workspace) == 0
    assert capsys.readouterr().out.startswith("Nothing changed since the last build")
    assert build(workspace, "--full") == 0
    assert capsys.readouterr().out.startswith("The journey log is built")


def test_json_is_alone_on_stdout(workspace: Workspace, capsys: Captured) -> None:
    assert build(workspace, "--json") == 0
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert {"events", "persons", "sessions", "journeys", "seconds"} <= report.keys()
    assert (report["events"], report["persons"], report["unidentified"], report["built"]) == (3, 1, 1, True)
    assert build(workspace, "--json") == 0
    assert json.loads(capsys.readouterr().out)["built"] is False


def test_without_events_it_says_how_to_get_some(tmp_path: Path, capsys: Captured) -> None:
    empty = make_workspace(tmp_path / "empty")
    assert build(empty, "--json") == 2
    told = capsys.readouterr()
    assert json.loads(told.out)["error"]["code"] == "nothing_imported"
    assert "percorso import" in told.err


def test_a_question_says_once_on_stderr_that_it_builds(workspace: Workspace, capsys: Captured) -> None:
    assert ready_log(workspace).manifest["n_events"] == 3
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == "New events or settings: building the journey log first.\n"
    ready_log(workspace)
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_for_each_phase(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=100, legacy_windows=False)
    )
    with build_progress() as tell:
        tell("reading", 500, 1000)
        tell("reading", 1000, 1000)
        tell("identifying", 0, 1000)
        tell("writing", 600, 1000)
    last = screen.getvalue().split("Reading events")[-1]
    assert "Finding persons" in last
    assert "Cutting journeys" in last
    assert last.count("100%") == 3
    assert "rows/s" in last


def test_a_bar_says_how_far_a_cluster_is(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=True, width=100, legacy_windows=False)
    )
    outer: list[TaskCounts | None] = []

    def hear(counts: TaskCounts | None) -> bool:
        outer.append(counts)
        return True

    with tasks_told(hear), build_progress() as tell:
        tell_tasks(STARTING)  # of a question, before anything is built
        tell("reading", 0, 1000)
        tell_tasks(STARTING)
        tell("writing", 0, 1000)
        tell_tasks(TaskCounts(running=2, done=3, total=14))
        tell("writing", 1000, 1000)
    assert "Reading events (Spark is starting)" in screen.getvalue()
    assert "Cutting journeys (tasks 3 of 14)" in screen.getvalue()
    assert outer == [STARTING]


def test_a_line_says_how_far_spark_is_and_goes(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    with task_line(lambda: ENGLISH):  # not a terminal
        tell_tasks(TaskCounts(running=2, done=3, total=64))
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    with task_line(lambda: ENGLISH):
        tell_tasks(None)
        tell_tasks(STARTING)
        tell_tasks(TaskCounts(running=2, done=3, total=64))
        tell_tasks(None)
        tell_tasks(None)
    clear = "\r\x1b[2K"
    said = ["", "Waiting for Spark to start …", "Spark: tasks 3 of 64", ""]
    assert capsys.readouterr() == ("", clear.join(said))
