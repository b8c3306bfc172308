"""From messages to the persons whose events they are."""

from __future__ import annotations

import pytest

from percorso.analyses.person_messages import persons_of_messages
from percorso.identity.placement import person_id
from percorso.services.build import fresh_log
from percorso.services.workspace import Workspace
from tests.lake_builder import event
from tests.workspaces import make_workspace

ROWS = [
    event("2024-03-01T10:00:00", "Page Viewed", user_id="u-1000", message_id="m1"),
    event("2024-03-01T11:00:00", "Page Viewed", user_id="u-1000", message_id="m2"),
    event("2024-03-01T10:00:00", "Page Viewed", user_id="u-2000", message_id="m1", source="app"),
    event("2024-03-01T12:00:00", "Page Viewed", user_id="u-2000", message_id="m3"),
    event("2024-03-01T10:00:00", "Order Completed", message_id="cash", source="till", value=100),
]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return make_workspace(tmp_path_factory.mktemp("messages") / "shop", ROWS)


@pytest.mark.parametrize("threads", [1, 2])
def test_messages_are_known_by_source_and_id(workspace: Workspace, threads: int) -> None:
    first, second = (
        person_id(workspace.secret, f"user_id\0shop\0{name}".encode()).hex() for name in ("u-1000", "u-2000")
    )
    asked = {("web", "m1"), ("web", "m2"), ("web", "m3"), ("app", "m3"), ("till", "cash"), ("web", "lost")}
    found = persons_of_messages(fresh_log(workspace), asked, threads=threads)
    assert {where.person: messages for where, messages in found} == {
        first: [("web", "m1"), ("web", "m2")],
        second: [("web", "m3")],
    }
    assert [where.person for where, _ in found] == sorted((first, second))
    (only,) = persons_of_messages(fresh_log(workspace), {("app", "m1")}, threads=threads)
    assert (only[0].person, only[1]) == (second, [("app", "m1")])
    assert persons_of_messages(fresh_log(workspace), set(), threads=threads) == []
