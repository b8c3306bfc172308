"""Builds on a real cluster leave the files of builds in this process: at once, and upon the build before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from percorso.services.build import build_log, fresh_log
from percorso.services.decide import link, unlink
from percorso.services.erasure import erase_person
from percorso.services.identity_explain import explain_identity
from percorso.services.identity_report import report_identity
from percorso.services.workspace import Workspace
from percorso.settings import EngineSettings
from tests.cluster.questions import QUESTIONS, check_equal
from tests.cluster.standalone import Standalone
from tests.cluster.watched import Watch
from tests.cluster.workspaces import copy_of, differences, files_in_use, later_events, log_of
from tests.storage import server as objects
from tests.workspaces import add_events


def check_upon_the_last(workspace: Workspace) -> None:
    """The build that is due does not begin anew, and its files are the right ones."""
    report = build_log(workspace)
    assert report.built
    assert 0 < report.touched < report.events
    assert differences(workspace) == []


def test_a_workspace_lives_on_the_cluster(
    engine: EngineSettings,
    made: Workspace,
    watch: Watch,
    cluster: Standalone,
    room: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """Imports, builds, questions, a decision, an erasure: the log is always that of a full build in this process."""
    workspace = copy_of(made, room / "shop", engine)
    report = build_log(workspace)
    assert report.built
    assert report.touched == report.events
    assert differences(workspace) == []
    log = log_of(workspace)
    assert len(log.buckets) == 8
    assert not all(bucket.n_events for bucket in log.buckets)
    for name in ("funnel", "kpis"):
        check_equal(QUESTIONS[name](fresh_log(workspace)), QUESTIONS[name](log))
    add_events(workspace, later_events(1))
    check_upon_the_last(workspace)
    check_equal(QUESTIONS["flow"](fresh_log(workspace)), QUESTIONS["flow"](log_of(workspace)))
    link(workspace, "user_id:shop:u1", "user_id:shop:u2", reason="one household")
    check_upon_the_last(workspace)
    unlink(workspace, "user_id:shop:u1", "user_id:shop:u2", reason="they moved apart")
    check_upon_the_last(workspace)
    erase_person(workspace, "busy", kind="user_id", space="shop", reason="asked for", author="dpo")
    assert differences(workspace) == []
    add_events(workspace, later_events(2))
    check_upon_the_last(workspace)
    told = watch.by_worker(cluster)
    record_property("told", f"Tasks of builds: {', '.join(f'{name} {n}' for name, n in sorted(told.items()))}.")
    assert set(told) == {"one", "two"}


def test_what_is_known_of_identity_is_learned_here(engine: EngineSettings, built: Workspace, room: Path) -> None:
    """Once, with the same files; and the next build on the cluster stands upon the last one all the same."""
    workspace = copy_of(built, room / "shop", engine)
    before = log_of(workspace).manifest
    report = report_identity(workspace)
    assert report.identified + report.anonymous == before["n_persons"]
    after = log_of(workspace).manifest
    assert {**before, "built_at": ""} | {"state": after["state"]} == {**after, "built_at": ""}
    assert explain_identity(workspace, "user_id:shop:u1").as_json()
    assert log_of(workspace).manifest == after
    add_events(workspace, later_events(3))
    check_upon_the_last(workspace)


def test_lake_and_log_in_an_object_store(
    engine: EngineSettings, made: Workspace, remote: Callable[..., Workspace], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers sign with what stands in their own environment; settings say nothing of it."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", objects.KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", objects.SECRET)
    there, here = replace(remote("there"), engine=engine), remote("here", lake='""', log='""')
    for number in range(2):
        for workspace in (there, here):
            add_events(workspace, later_events(7 + number, n=60 - 50 * number))
        report, local = build_log(there), build_log(here)
        assert (report.events, report.persons) == (local.events, local.persons)
        assert (report.touched < report.events) == (number > 0)
        assert _tables(there) == _tables(here)
    assert objects.SECRET not in f"{there.settings} {there.engine}"


def _tables(workspace: Workspace) -> dict[str, str]:
    """Digests of files; the manifest says when its lake was written."""
    return {key: value for key, value in files_in_use(workspace).items() if key != "manifest"}
