"""A build stands upon the state of the very build that made the log, and of no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from percorso.identity.state import IdentityState
from percorso.services.build import build_log
from percorso.store.journey_log import JourneyLog, open_log
from tests.lake_builder import event
from tests.workspaces import add_events, change_settings, make_workspace

ROWS = [
    event("2024-03-01T10:00", "Page Viewed", user_id="u1", email="anna@x.it", message_id="1"),
    event("2024-03-01T11:00", "Page Viewed", user_id="u2", message_id="2"),
]
LATER = event("2024-03-02T10:00", "Page Viewed", email="anna@x.it", message_id="3")


class Died(Exception):
    pass


def current(folder: Path) -> JourneyLog:
    log = open_log(folder)
    assert log is not None
    return log


def test_a_build_that_died_before_keeping_its_state_leaves_none_to_stand_upon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other rules, equal tables: only the name of the state tells that it belongs to the rules before."""

    def die(self: IdentityState, *args: object, **options: object) -> None:
        raise Died

    workspace = make_workspace(tmp_path / "shop", ROWS)
    build_log(workspace)
    tables = current(workspace.log).data_version
    workspace = change_settings(workspace, "blocked_values = []", 'blocked_values = ["anna@x.it"]')
    with monkeypatch.context() as patch:
        patch.setattr(IdentityState, "save", die)
        with pytest.raises(Died):
            build_log(workspace)
    assert current(workspace.log).data_version == tables
    add_events(workspace, [LATER])
    build_log(workspace)
    found = current(workspace.log)
    assert found.unidentified.n_events == 1
    build_log(workspace, full=True)
    assert current(workspace.log).data_version == found.data_version
    assert current(workspace.log).manifest["alias"] == found.manifest["alias"]
