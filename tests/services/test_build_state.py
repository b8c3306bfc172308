"""A build stands upon the state of the very build that made the log; who reads the state sees one whole version."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from percorso.errors import Busy
from percorso.identity.rows import PLAIN_REFERENCES, ROW_COLUMNS
from percorso.identity.scan import message_keys
from percorso.identity.state import IdentityState, open_state
from percorso.identity.tables import IdentifierTable
from percorso.services import identity_explain, identity_report, identity_state
from percorso.services.build import build_log
from percorso.services.erasure_job import open_jobs
from percorso.services.identity_state import KnownIdentity, answer_of, known_identity
from percorso.services.workspace import Workspace
from percorso.store.files import AnyPath
from percorso.store.journey_log import JourneyLog, open_log
from tests.lake_builder import event
from tests.workspaces import add_events, change_settings, make_workspace

ANNA, BRUNO, DARIO = "anna@posta.example", "bruno@posta.example", "dario@posta.example"
ROWS = [
    event("2024-03-01T10:00", "Page Viewed", user_id="u1", email=ANNA, message_id="1"),
    event("2024-03-01T11:00", "Page Viewed", user_id="u2", message_id="2"),
]
LATER = event("2024-03-02T10:00", "Page Viewed", email=ANNA, message_id="3")
#: Of Bruno alone, in a file of his own: an erasure is an increment then.
OF_BRUNO: dict[str, Any] = {"source": "calls", "source_kind": "support", "email": BRUNO, "phone": "347 7654321"}
BRUNO_S = [
    event("2024-03-01T12:00", "Order Completed", message_id="b1", order_id="B-1", cart_id="cart-b", **OF_BRUNO),
    event("2024-03-01T13:00", "Page Viewed", message_id="b2", session_id="1709298000", device_id="b-phone", **OF_BRUNO),
]
MANY = [
    event(f"2024-03-01T10:{n:02}", "Page Viewed", message_id=f"m{n}", email=ANNA, cart_id="cart-a", order_id="A-1")
    for n in range(30)
]


class Died(Exception):
    pass


def current(folder: AnyPath) -> JourneyLog:
    log = open_log(folder)
    assert log is not None
    return log


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = make_workspace(tmp_path / "shop", [*MANY, *BRUNO_S])
    build_log(workspace)
    return workspace


def elsewhere(workspace: Workspace, does: str) -> None:
    """Another process does something to the workspace, called `shop`, and ends."""
    script = (
        "from pathlib import Path\n"
        "from percorso.services.build import build_log\n"
        "from percorso.services.erasure import erase_person\n"
        "from percorso.services.workspace import open_workspace\n"
        "from tests.lake_builder import event\n"
        "from tests.workspaces import add_events\n"
        f"shop = open_workspace(Path({str(workspace.folder)!r}))\n{does}\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


FULL = "build_log(shop, full=True)"
INCREMENT = "add_events(shop, [event('2024-03-02T10:00', 'Page Viewed', email='new@posta.example')])\nbuild_log(shop)"
ERASURE = f"erase_person(shop, {BRUNO!r}, reason='request of 3 May')"


def once(before: Callable[[], object], call: Callable[..., Any]) -> Callable[..., Any]:
    """The call; the first time something else happens before it."""
    waiting = [before]

    def called(*arguments: Any, **options: Any) -> Any:
        while waiting:
            waiting.pop()()
        return call(*arguments, **options)

    return called


def everything(state: IdentityState) -> int:
    """Look at every byte that is mapped."""
    columns = [*map(state.rows.column, ROW_COLUMNS), *state.rows.text(), *state.arrays.values(), state.alias]
    columns += [found for name in state.rows.sparse if (found := state.rows.reference(name)) is not None]
    return sum(int(np.ascontiguousarray(column).view(np.uint8).sum(dtype=np.int64)) for column in columns)


# ------------------------------------------------------------------------------------------ which state


def test_a_build_that_died_before_keeping_its_state_leaves_none_to_stand_upon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other rules, equal tables: only the name of the state tells that it belongs to the rules before."""

    def die(self: IdentityState, *args: object, **options: object) -> None:
        raise Died

    workspace = make_workspace(tmp_path / "shop", ROWS)
    build_log(workspace)
    tables = current(workspace.log).data_version
    workspace = change_settings(workspace, "blocked_values = []", f'blocked_values = ["{ANNA}"]')
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


# --------------------------------------------------------------------------------- who reads meanwhile


@pytest.mark.parametrize("does", [FULL, INCREMENT])
def test_a_question_goes_on_when_another_process_builds(workspace: Workspace, does: str) -> None:
    """The state is open, and nothing of it has been looked at yet."""
    asked: list[KnownIdentity] = []

    def question(known: KnownIdentity) -> int:
        asked.append(known)
        elsewhere(workspace, does)
        return everything(known.state)

    before = everything(known_identity(workspace).state)
    assert answer_of(workspace, question) == before
    assert len(asked) == 1
    assert asked[0].state.folder.exists() == (does is not FULL)


def test_report_and_explain_go_on_when_another_process_builds(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ask, home, name in (
        (identity_report.report_identity, identity_report, "count_events"),
        (lambda shop: identity_explain.explain_identity(shop, ANNA), identity_explain, "what_is_meant"),
        (lambda shop: identity_explain.explain_event(shop, "m3"), identity_explain, "rows_of_message"),
    ):
        before = ask(workspace)
        with monkeypatch.context() as patch:
            patch.setattr(home, name, once(lambda: build_log(workspace, full=True), getattr(home, name)))
            assert ask(workspace) == before


@pytest.mark.parametrize("does", [FULL, INCREMENT])
def test_what_is_opened_while_another_process_saves_is_one_whole_version(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    """Opening is interrupted half-way; the files that it has yet to open are gone, or are another version's."""
    asked_for: list[bool] = []

    def building(workspace: Workspace, *, full: bool = False, **options: Any) -> Any:
        asked_for.append(full)
        return build_log(workspace, full=full, **options)

    before = current(workspace.log)
    with monkeypatch.context() as patch:
        patch.setattr(IdentifierTable, "load", once(lambda: elsewhere(workspace, does), IdentifierTable.load))
        patch.setattr(identity_state, "build_log", building)
        known = known_identity(workspace, log=before)
    assert known.log.state == current(workspace.log).state != before.state
    assert known.state.whole
    assert everything(known.state) == everything(known_identity(workspace).state)
    assert True not in asked_for  # nobody has to begin anew


def test_a_state_made_anew_is_told_from_the_one_before(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    before = current(workspace.log)
    known = known_identity(workspace)
    state = known.state
    anew = "import shutil\nshutil.rmtree(shop.state)\nbuild_log(shop, full=True)"
    with monkeypatch.context() as patch:
        patch.setattr(IdentifierTable, "load", once(lambda: elsewhere(workspace, anew), IdentifierTable.load))
        assert open_state(workspace.state, state.strong._rules, known.kinds, log=before.state) is None
    assert known_identity(workspace).state.folder != state.folder  # whose files are mapped by name once more


# ------------------------------------------------------------------------------------------ what is forgotten


def test_an_erasure_makes_a_question_under_way_be_asked_again(workspace: Workspace) -> None:
    told: list[tuple[bool, int]] = []

    def question(known: KnownIdentity) -> str:
        if not told:
            elsewhere(workspace, ERASURE)
        everything(known.state)  # no file has become shorter
        assert known.state.strong.find("email", "", ANNA) >= 0
        texts = known.state.strong.texts(np.arange(len(known.state.strong)))
        told.append((known.state.whole, len([text for text in texts if BRUNO.encode() in text])))
        return known.log.state

    assert answer_of(workspace, question) == current(workspace.log).state
    assert told == [(False, 0), (True, 0)]


def test_what_fails_on_a_state_that_is_being_forgotten_is_asked_again(workspace: Workspace) -> None:
    calls: list[KnownIdentity] = []

    def question(known: KnownIdentity) -> int:
        calls.append(known)
        if len(calls) == 1:
            elsewhere(workspace, ERASURE)
            raise IndexError
        return len(calls)

    assert answer_of(workspace, question) == 2
    with pytest.raises(IndexError):
        answer_of(workspace, lambda known: [][len(known.kinds)])


def test_files_of_the_lake_that_are_being_erased_are_waited_for(workspace: Workspace) -> None:
    def question(known: KnownIdentity) -> None:
        raise FileNotFoundError

    with pytest.raises(Busy, match="taken away"):
        answer_of(workspace, question)


def test_no_hash_of_an_erased_row_stays(workspace: Workspace) -> None:
    """Whoever guesses an address, a message id or an order number must find nothing that says he is right."""
    state = known_identity(workspace).state
    code = state.strong.find("email", "", BRUNO)
    rows = np.flatnonzero(state.arrays["unit"] >> 2 == int(state.arrays["group"][code]))
    assert len(rows) == len(BRUNO_S)
    hashes = hashes_of(state, rows)
    guessed = message_keys("calls", pa.array(["b1", "b2"], pa.string()))
    assert {one.tobytes() for one in guessed} <= {one for _, one in hashes}
    assert {name for name, one in hashes if one in bytes_of(state.folder / name)} == {
        *("key", "row_key", "set.key", "reference.key", "cart_id", "session_id"),
        *("strong.key", "strong.raw", "weak.key", "weak.raw"),
    }
    others = {one for _, one in hashes_of(state, np.setdiff1d(np.arange(state.rows.n_rows), rows))}
    elsewhere(workspace, ERASURE)
    now = known_identity(workspace).state
    assert (now.folder, now.version) == (state.folder, state.version + 1)
    held = b"".join(bytes_of(path) for path in workspace.state.rglob("*") if path.is_file())
    assert not [name for name, one in hashes if one in held]
    assert not [one for one in others if one not in held]
    # He may come again; what he did before is not known of.
    add_events(workspace, [{**row, "message_id": f"{row['message_id']} anew"} for row in BRUNO_S])
    build_log(workspace)
    found = identity_explain.explain_identity(workspace, BRUNO)
    assert (found.events, found.first_us) == (2, int(BRUNO_S[0]["timestamp"].timestamp() * 1e6))
    log = current(workspace.log)
    build_log(workspace, full=True)
    assert current(workspace.log).data_version == log.data_version


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def hashes_of(state: IdentityState, rows: np.ndarray[Any, np.dtype[np.int64]]) -> list[tuple[str, bytes]]:
    """Name of the file and hash, of everything that some rows carry."""
    found = [(name, one.tobytes()) for name in ("key", "row_key") for one in state.rows.column(name)[rows]]
    sets = np.unique(state.rows.column("sset")[rows])
    found += [("set.key", one.tobytes()) for one in state.sets._table.table.keys()[sets]]
    offsets, members = state.sets.sets()
    strong = np.concatenate([members[offsets[number] : offsets[number + 1]] for number in sets])
    weak = np.concatenate([state.rows.column(name)[rows] for name in ("anonymous", "device")])
    for name, table, codes in (("strong", state.strong, strong), ("weak", state.weak, weak[weak >= 0])):
        found += [(f"{name}.key", one.tobytes()) for one in table._identifiers.keys()[np.unique(codes)]]
        raw = table._raw.keys()[np.isin(table._code_of_raw, codes)]
        found += [(f"{name}.raw", one.tobytes()) for one in raw]
    for name in state.rows.sparse:
        values = state.rows.reference(name)
        assert values is not None
        present = values[rows][values[rows] != 0]
        if name in PLAIN_REFERENCES:
            found += [(name, one.tobytes()) for one in present]
        elif name != "skewed":
            found += [("reference.key", one.tobytes()) for one in state.references._table.keys()[present - 1]]
    return found


def test_an_erasure_that_ends_while_it_is_read_is_none(workspace: Workspace) -> None:
    workspace.erasures.mkdir(exist_ok=True)
    (workspace.erasures / "20240503T100000-1.job").symlink_to("gone")  # listed, and not there when it is opened
    assert open_jobs(workspace) == []
