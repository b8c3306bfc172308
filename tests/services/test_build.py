"""When a build happens, and what it leaves behind whatever happens to it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from percorso.errors import Busy, Corrupt, FormatTooNew, NothingImported
from percorso.services import build as service
from percorso.services.build import build_log, fresh_log, is_stale
from percorso.services.workspace import Workspace
from percorso.store.journey_log import LOG_FORMAT, JourneyLog, open_log
from percorso.store.lock import exclusive_lock
from tests.lake_builder import event
from tests.workspaces import add_events, change_settings, make_workspace

WEB = [
    event("2024-03-01T10:00:00", "Page Viewed", type="page", anonymous_id="a", url="https://shop.example/"),
    event("2024-03-01T10:01:00", "Product Viewed", anonymous_id="a"),
    event("2024-03-01T10:02:00", "Order Completed", anonymous_id="a", user_id="u", order_id="1", value=900),
]
TILL = [event("2024-03-02T10:00:00", "Order Completed", source="till", source_kind="pos", value=500)]
LATER = [event("2024-03-03T10:00:00", "Page Viewed", type="page", user_id="u")]  # changes a person's files


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return make_workspace(tmp_path / "shop", WEB)


def current(workspace: Workspace) -> JourneyLog:
    log = open_log(workspace.log)
    assert log is not None
    return log


def names(log: JourneyLog) -> set[str]:
    tables = {name for bucket in (*log.buckets, log.unidentified) for name in bucket.meta["files"].values()}
    cold = {name for parts in log.manifest["cold"].values() for name in parts if name}
    return tables | cold | {str(log.manifest["alias"])}


def files(workspace: Workspace) -> set[str]:
    return {path.name for path in (workspace.folder / "log").glob("*.arrow")}


def count_events(log: JourneyLog) -> int:
    """Reads every bucket's events, so fails if a file is missing."""
    return sum(len(bucket.events) for bucket in (*log.buckets, log.unidentified))


def test_a_build_reports_what_it_made(workspace: Workspace) -> None:
    add_events(workspace, [*TILL, WEB[0]])
    report = build_log(workspace)
    assert report.built
    counts = (report.events, report.persons, report.sessions, report.journeys, report.unidentified, report.duplicates)
    assert counts == (4, 1, 1, 2, 1, 1)
    assert report.as_dict()["events"] == 4


def test_phases_are_told_to_their_end(workspace: Workspace) -> None:
    told: list[tuple[str, int, int]] = []
    build_log(workspace, progress=lambda *step: told.append(step))
    assert list(dict.fromkeys(phase for phase, _, _ in told)) == [
        "reading",
        "identifying",
        "classifying",
        "writing",
    ]
    assert all(done <= total == 3 for _, done, total in told)
    assert ("classifying", 3, 3) in told


def test_nothing_is_built_where_nothing_changed(workspace: Workspace) -> None:
    first = build_log(workspace)
    before = (workspace.folder / "log" / "manifest.json").stat().st_mtime_ns
    again = build_log(workspace, progress=lambda *step: pytest.fail("it builds"))
    assert not again.built
    assert replace(again, seconds=0, built=True, touched=first.touched) == replace(first, seconds=0)
    assert again.touched == 0
    assert (workspace.folder / "log" / "manifest.json").stat().st_mtime_ns == before
    assert fresh_log(workspace).data_version == current(workspace).data_version


def test_new_events_make_it_stale_and_a_question_builds(workspace: Workspace) -> None:
    before = fresh_log(workspace)
    assert not is_stale(workspace, before)
    add_events(workspace, TILL)
    assert is_stale(workspace, before)
    after = fresh_log(workspace)
    assert (count_events(before), count_events(after)) == (3, 4)
    assert not is_stale(workspace, after)


def test_rules_make_it_stale_and_what_only_answers_use_does_not(workspace: Workspace) -> None:
    build_log(workspace)
    changed = change_settings(workspace, 'language = "en"', 'language = "it"')
    assert not is_stale(changed, current(workspace))
    changed = change_settings(workspace, 'tax = "unknown"', 'tax = "included"')
    assert not is_stale(changed, current(workspace))
    assert not build_log(changed).built
    changed = change_settings(workspace, 'country = "IT"', 'country = "FR"')
    assert is_stale(changed, current(workspace))
    assert build_log(changed).built
    assert not build_log(changed).built


def test_another_key_or_version_makes_it_stale(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    build_log(workspace)
    assert is_stale(replace(workspace, secret=b"x" * 32), current(workspace))
    monkeypatch.setattr("percorso.__version__", "99.0")
    assert build_log(workspace).built
    assert not build_log(workspace).built


def test_a_full_build_gives_the_same_bytes(workspace: Workspace) -> None:
    build_log(workspace)
    before = current(workspace)
    assert build_log(workspace, full=True).built
    assert (current(workspace).data_version, names(current(workspace))) == (before.data_version, names(before))


def test_an_empty_lake_is_told(tmp_path: Path) -> None:
    empty = make_workspace(tmp_path / "empty")
    for ask in (build_log, fresh_log):
        with pytest.raises(NothingImported) as caught:
            ask(empty)
        assert "percorso import" in caught.value.hint
    assert open_log(empty.log) is None


@pytest.mark.parametrize(
    ("content", "error"),
    [("{", Corrupt), ("[]", Corrupt), ('{"other": 1}', Corrupt), (f'{{"format": {LOG_FORMAT + 1}}}', FormatTooNew)],
)
def test_a_full_build_heals_a_manifest_that_cannot_be_used(
    workspace: Workspace, content: str, error: type[Exception]
) -> None:
    (workspace.folder / "log" / "manifest.json").write_text(content)
    with pytest.raises(error):
        fresh_log(workspace)
    assert (workspace.folder / "log" / "manifest.json").read_text() == content
    assert build_log(workspace, full=True).built
    assert count_events(fresh_log(workspace)) == 3


def test_an_older_format_is_built_again(workspace: Workspace) -> None:
    build_log(workspace)
    manifest = json.loads((workspace.folder / "log" / "manifest.json").read_text())
    (workspace.folder / "log" / "manifest.json").write_text(json.dumps(manifest | {"format": LOG_FORMAT - 1}))
    assert count_events(fresh_log(workspace)) == 3


# ------------------------------------------------------------------------------------------------------ crashes


def test_a_failure_before_the_swap_leaves_the_log_in_use(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = fresh_log(workspace)
    add_events(workspace, TILL)
    with monkeypatch.context() as broken:
        broken.setattr(service, "swap_manifest", lambda *args: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            build_log(workspace)
    assert current(workspace).data_version == before.data_version
    assert count_events(current(workspace)) == 3
    assert not (workspace.tmp / "build").exists()
    assert count_events(fresh_log(workspace)) == 4


KILLED = """
import os, signal, sys
from pathlib import Path
from percorso.services import build
from percorso.services.workspace import open_workspace

def die(*args):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(build, sys.argv[2], die)
build.build_log(open_workspace(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("where", ["swap_manifest", "_remove_old"])
def test_a_killed_build_leaves_a_whole_log_and_no_lock(workspace: Workspace, where: str) -> None:
    before = fresh_log(workspace)
    add_events(workspace, TILL)
    process = subprocess.run([sys.executable, "-c", KILLED, str(workspace.folder), where], check=False)
    assert process.returncode < 0
    log = current(workspace)
    swapped = where == "_remove_old"
    assert (log.data_version != before.data_version) == swapped
    assert count_events(log) == (4 if swapped else 3)
    assert build_log(workspace, wait_s=0).built != swapped
    assert count_events(current(workspace)) == 4


# ---------------------------------------------------------------------------------------------- several at once


COMMAND = "import sys; from percorso.cli.main import run; sys.exit(run(sys.argv[1:]))"


def command(workspace: Workspace, *arguments: str) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-c", COMMAND, "-w", str(workspace.folder), *arguments]
    return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err.decode()
    return dict(json.loads(out))


def test_two_processes_at_once_build_once(workspace: Workspace) -> None:
    reports = [answer(process) for process in [command(workspace, "build", "--json") for _ in range(2)]]
    assert sorted(report["built"] for report in reports) == [False, True]
    assert [report["events"] for report in reports] == [3, 3]
    assert count_events(current(workspace)) == 3


def test_full_builds_at_once_do_no_harm(workspace: Workspace) -> None:
    build_log(workspace)
    before = current(workspace)
    reports = [answer(process) for process in [command(workspace, "build", "--full", "--json") for _ in range(2)]]
    assert [report["built"] for report in reports] == [True, True]
    assert current(workspace).data_version == before.data_version
    assert count_events(current(workspace)) == 3


def test_a_build_waits_and_then_says_who_is_building(workspace: Workspace) -> None:
    with exclusive_lock(workspace.log / "build.lock", what="build"):
        with pytest.raises(Busy) as caught:
            build_log(workspace, wait_s=0.1)
        assert caught.value.fields["owner"]["pid"] == os.getpid()  # type: ignore[index]
    assert build_log(workspace, wait_s=0.1).built


def test_a_fresh_log_is_read_while_another_process_builds(workspace: Workspace) -> None:
    build_log(workspace)
    with exclusive_lock(workspace.log / "build.lock", what="build"):
        assert count_events(fresh_log(workspace)) == 3


# -------------------------------------------------------------------------------------------------- old files


def test_readers_of_the_log_before_keep_their_files_for_the_grace(workspace: Workspace) -> None:
    held = fresh_log(workspace)  # its tables are not opened yet
    old = names(held)
    add_events(workspace, LATER)
    build_log(workspace)
    gone = old - names(current(workspace))
    assert gone
    assert gone <= files(workspace)
    assert count_events(held) == 3


def test_old_files_go_after_the_grace_and_used_ones_never(workspace: Workspace) -> None:
    build_log(workspace)
    old = names(current(workspace))
    long_ago = time.time() - 2 * 3600
    for name in old:
        os.utime(workspace.folder / "log" / name, (long_ago, long_ago))
    (workspace.folder / "log" / ".events-0.arrow.77-1").write_bytes(b"left by a build that died")
    os.utime(workspace.folder / "log" / ".events-0.arrow.77-1", (long_ago, long_ago))
    add_events(workspace, LATER)
    build_log(workspace)
    # However old they are, they were in use until now.
    assert old <= files(workspace)
    assert not list((workspace.folder / "log").glob(".events*"))
    unused = old - names(current(workspace))
    for path in (workspace.folder / "log").glob("*.arrow"):
        os.utime(path, (long_ago, long_ago))
    build_log(workspace, full=True)
    assert not unused & files(workspace)
    assert files(workspace) == names(current(workspace))
    assert count_events(current(workspace)) == 4
