"""Erasure of a person: nothing stays, nothing comes back, and nobody else is touched; also when it is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from percorso.errors import NotFound, NothingImported, SpecError, UserError
from percorso.services.build import build_log, fresh_log
from percorso.services.customer import find_customers
from percorso.services.decide import link, unlink
from percorso.services.erasure import erase_person, preview_erasure
from percorso.services.imports import FileReport, ImportRequest, import_files, rejected_rows
from percorso.services.workspace import Workspace, init_workspace, open_workspace
from percorso.store.database import read_decisions
from percorso.store.lake import Lake
from tests.raw_bytes import places_of

MAPPING = """
source = "web"
kind = "web"
event = { column = "event" }
timestamp = { column = "time" }
[columns]
user_id = "user"
email = "email"
phone = "phone"
anonymous_id = "cookie"
order_id = "order"
value = "value"
text = "text"
url = "url"
[properties]
keep = "*"
"""

HEAD = "event,time,user,email,phone,cookie,order,value,text,url,note\n"
ANNA_ROWS = [
    "Page Viewed,2024-01-01T09:00:00Z,,,,cookie-anna-9f31,,,,https://shop.example/?e=anna.rossi%40posta.example,",
    "Signed In,2024-01-01T10:00:00Z,anna-7731,Anna.Rossi@Posta.Example,,cookie-anna-9f31,,,,,",
    "Order Completed,2024-01-02T10:00:00Z,anna-7731,anna.rossi@posta.example,347 123 4567,,A-1,129.00,,,vip",
    "Order Completed,2024-01-02T10:00:00Z,anna-7731,anna.rossi@posta.example,+393471234567,,A-2,29.00,,,",
    "Product Viewed,,anna-7731,anna.rossi@posta.example,,,,,,,no time: rejected",
    "Product Viewed,,,,3471234567,,,,,,rejected",
]
OTHER_ROWS = [
    "Signed In,2024-01-01T10:00:00Z,bruno-4420,bruno@posta.example,,cookie-bruno-11aa,,,,,",
    "Order Completed,2024-01-03T10:00:00Z,bruno-4420,,,cookie-bruno-11aa,B-1,59.00,,,",
    "Page Viewed,2024-01-04T10:00:00Z,,,,cookie-nobody-77,,,,,",
    "Order Completed,2024-01-05T10:00:00Z,carla-9001,carla@posta.example,348 765 4321,,C-1,9.00,,,",
    "Product Viewed,,carla-9001,,,,,,,,rejected",
]
#: Everything that says who Anna is, raw and in normal form; looked for in any case.
ANNA = ("anna.rossi@posta.example", "anna.rossi%40posta", "anna-7731", "cookie-anna-9f31", "347 123 4567", "3471234567")


def write_files(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "m.toml").write_text(MAPPING)
    mixed = [row for pair in zip(ANNA_ROWS, [*OTHER_ROWS, ""], strict=True) for row in pair if row]
    (folder / "web.csv").write_text(HEAD + "\n".join(mixed) + "\n")
    (folder / "others.csv").write_text(HEAD + "\n".join(OTHER_ROWS) + "\n")
    (folder / "more.csv").write_text(HEAD + "Page Viewed,2024-02-01T10:00:00Z,dario-1,,,,,,,,\n")
    return folder


def bring(workspace: Workspace, file: Path, **options: Any) -> FileReport:
    request = replace(ImportRequest((str(file),), mapping=file.parent / "m.toml"), **options)
    (report,) = import_files(workspace, request).files
    return report


def make(folder: Path, *files: str) -> Workspace:
    """A workspace of the files; its key is always the same, so that persons are."""
    workspace = init_workspace(folder / "shop", language="en")
    (workspace.folder / "secret.key").write_bytes(b"k" * 32)
    workspace = open_workspace(workspace.folder)
    for name in files:
        bring(workspace, folder / "files" / name)
    return workspace


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files, and a built workspace of web.csv; to be copied."""
    folder = tmp_path_factory.mktemp("built")
    write_files(folder / "files")
    build_log(make(folder, "web.csv"))
    return folder


@pytest.fixture(scope="module")
def never(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Data version of a workspace that never heard of Anna."""
    folder = tmp_path_factory.mktemp("never")
    write_files(folder / "files")
    workspace = make(folder, "others.csv")
    build_log(workspace)
    return fresh_log(workspace).data_version


@pytest.fixture
def folder(built: Path, tmp_path: Path) -> Path:
    shutil.copytree(built, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def shop(folder: Path) -> Workspace:
    return open_workspace(folder / "shop")


erase = partial(erase_person, author="dpo", reason="request of 3 May")


def is_gone(workspace: Workspace) -> bool:
    """Nothing of Anna anywhere, nothing left to do, no scratch."""
    assert places_of(workspace.folder, ANNA) == []
    assert list(workspace.erasures.glob("*.job")) == []
    return not list(workspace.tmp.iterdir())


def test_before_it_is_everywhere(shop: Workspace) -> None:
    found = places_of(shop.folder, ANNA)
    assert any(place.startswith("lake/events/") and "email" in place for place in found)
    assert any(place.startswith("lake/rejected/") for place in found)


def test_nothing_stays(shop: Workspace, never: str) -> None:
    report = erase(shop, "anna-7731")
    assert (report.events, report.orders, report.rejected, report.done) == (4, 2, 2, True)
    assert is_gone(shop)
    assert fresh_log(shop).data_version == never
    with pytest.raises(NotFound):
        find_customers(shop, "anna.rossi@posta.example")
    assert rejected_rows(shop).num_rows == 1


def test_a_preview_changes_nothing(shop: Workspace) -> None:
    before = {path: path.stat().st_mtime_ns for path in shop.folder.rglob("*") if path.is_file()}
    report = preview_erasure(shop, "anna-7731")
    assert (report.events, report.rejected, report.done) == (4, 2, False)
    assert {(one.kind, one.shown) for one in report.identifiers if one.erased} == {
        ("user_id", "a…31"),
        ("email", "a•••@posta.example"),
        ("phone", "+39•••••567"),
        ("anonymous_id", "c…31"),
    }
    assert {path: path.stat().st_mtime_ns for path in shop.folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("options", [{}, {"again": True}, {"replace": True}])
def test_the_original_file_does_not_bring_it_back(
    shop: Workspace, folder: Path, never: str, options: dict[str, bool]
) -> None:
    erase(shop, "anna-7731")
    report = bring(shop, folder / "files" / "web.csv", **options)
    assert report.unchanged is ("replace" not in options)
    assert report.suppressed == (6 if "replace" in options else 0)
    build_log(shop)
    assert is_gone(shop)
    assert fresh_log(shop).data_version == never


def test_another_file_does_not_bring_it_back(shop: Workspace, folder: Path) -> None:
    erase(shop, "anna-7731")
    old = "Order Completed,2023-01-02T10:00:00Z,,ANNA.rossi@posta.example ,,,A-0,1.00,,,\n"
    (folder / "files" / "late.csv").write_text(HEAD + old + OTHER_ROWS[1] + "\n")
    report = bring(shop, folder / "files" / "late.csv", source="till")
    assert (report.rows, report.events, report.suppressed) == (2, 1, 1)
    assert is_gone(shop)


def test_a_person_who_comes_back_is_a_new_one(shop: Workspace, folder: Path) -> None:
    erase(shop, "anna-7731")
    now = datetime.now(UTC).isoformat()
    (folder / "files" / "back.csv").write_text(HEAD + f"Signed In,{now},anna-7731,,,,,,,,\n")
    assert bring(shop, folder / "files" / "back.csv").suppressed == 0
    (found,) = find_customers(shop, "anna-7731")
    assert found.events == 1
    erase(shop, "anna-7731")
    assert is_gone(shop)
    bring(shop, folder / "files" / "back.csv", replace=True)
    assert is_gone(shop)


def test_erasing_all_there_is(folder: Path, tmp_path: Path) -> None:
    (folder / "files" / "one.csv").write_text(HEAD + ANNA_ROWS[2] + "\n")
    shutil.rmtree(folder / "shop")
    shop = make(folder, "one.csv")
    build_log(shop)
    erase(shop, "anna-7731")
    assert is_gone(shop)
    with pytest.raises(NothingImported):
        fresh_log(shop)
    bring(shop, folder / "files" / "others.csv")
    assert fresh_log(shop).manifest["n_persons"] > 0


def test_mentions_in_the_rows_of_others_go_too(folder: Path) -> None:
    rows = [
        *ANNA_ROWS[1:4],
        "Product Reviewed,2024-01-06T10:00:00Z,bruno-4420,,,,,,ask anna.rossi@posta.example or 347 123 4567 now,,",
        "Page Viewed,2024-01-07T10:00:00Z,bruno-4420,,,,,,,https://shop.example/?from=anna.rossi%40posta.example&x=1,",
    ]
    (folder / "files" / "said.csv").write_text(HEAD + "\n".join(rows) + "\n")
    shutil.rmtree(folder / "shop")
    shop = make(folder, "said.csv")
    report = erase(shop, "anna-7731")
    assert (report.events, report.elsewhere) == (3, 2)
    assert is_gone(shop)
    log = fresh_log(shop)
    assert (log.manifest["n_persons"], log.manifest["n_events"]) == (1, 2)
    bring(shop, folder / "files" / "said.csv", source="again", again=True)
    bring(shop, folder / "files" / "said.csv", replace=True)
    assert is_gone(shop)


def test_an_identifier_on_a_row_of_somebody_else_goes_and_the_row_stays(folder: Path) -> None:
    typed = "Product Viewed,2024-01-08T10:00:00Z,bruno-4420,anna.rossi@posta.example,,,,,,,\n"
    # One row in ten is noise; more, and the address would be shared.
    often = [ANNA_ROWS[1].replace("T10", f"T1{hour}") for hour in range(8)]
    (folder / "files" / "typed.csv").write_text(HEAD + "\n".join([*often, *ANNA_ROWS[3:4], *OTHER_ROWS]) + "\n" + typed)
    shutil.rmtree(folder / "shop")
    shop = make(folder, "typed.csv")
    report = erase(shop, "anna-7731")
    assert (report.events, report.elsewhere) == (9, 1)
    assert is_gone(shop)
    assert find_customers(shop, "bruno-4420")[0].events == 3
    version = fresh_log(shop).data_version
    for options in ({"replace": True}, {"source": "other", "again": True}):
        assert bring(shop, folder / "files" / "typed.csv", **options).suppressed == 9
        assert is_gone(shop)
        assert "other" in options.values() or fresh_log(shop).data_version == version


def test_decisions_about_the_person_go(shop: Workspace) -> None:
    link(shop, "anna-7731", "carla-9001", reason="sisters, one account", author="marta")
    link(shop, "bruno-4420", "carla-9001", reason="married", author="marta")
    unlink(shop, "bruno-4420", "carla-9001", reason="not any more", author="marta")
    assert places_of(shop.folder, ["one account"])
    unlink(shop, "anna-7731", "carla-9001", reason="one account each", author="marta")
    erase(shop, "anna-7731")
    assert places_of(shop.folder, ["one account"]) == []
    assert len(read_decisions(shop.database)) == 2


def test_a_file_named_for_the_person_loses_its_name(shop: Workspace, folder: Path) -> None:
    file = folder / "files" / "anna.rossi@posta.example.csv"
    file.write_text(HEAD + "\n".join(ANNA_ROWS[2:5]) + "\n")
    bring(shop, file)
    erase(shop, "anna-7731")
    assert is_gone(shop)
    bring(shop, file, replace=True)
    assert is_gone(shop)
    first, second = Lake(shop.lake).imports()
    assert (first.file, second.file) == ("web.csv", f"import-{second.batch}")


def test_the_reason_must_not_name_the_person(shop: Workspace) -> None:
    with pytest.raises(UserError, match="names the person"):
        erase(shop, "anna-7731", reason="Anna.Rossi@posta.example asked for it")
    assert find_customers(shop, "anna-7731")


def test_what_is_kept_of_an_erasure(shop: Workspace) -> None:
    erase(shop, "anna-7731")
    (record,) = shop.erasures.iterdir()
    assert record.stat().st_mode & 0o777 == 0o600
    body = json.loads(record.read_text())
    assert (body["author"], body["reason"], body["events"]) == ("dpo", "request of 3 May", 4)


def test_of_several_persons_none_is_erased(shop: Workspace, folder: Path) -> None:
    (folder / "files" / "till.csv").write_text(HEAD + "Order Completed,2024-01-05T10:00:00Z,anna-7731,,,,T-1,9.00,,,\n")
    bring(shop, folder / "files" / "till.csv", source="till")
    with pytest.raises(SpecError, match="2 persons") as error:
        erase(shop, "anna-7731")
    assert len(error.value.fields["persons"]) == 2  # type: ignore[arg-type]
    assert erase(shop, "anna-7731", kind="user_id", space="till").events == 1
    assert find_customers(shop, "anna-7731")[0].events == 4


# ------------------------------------------------------------------------------------------------ killed

#: Where the process dies: module, what is called, which call of it, and whether before or after.
STEPS = [
    ("percorso.services.erasure.write_job", 1, "after"),
    ("percorso.services.erasure.suppress", 1, "after"),
    ("percorso.services.erasure_job.scrub_database", 1, "before"),
    ("percorso.store.lake_erase.LakeEraser._erase_events", 1, "before"),
    ("percorso.store.lake_erase.commit_files", 1, "after"),
    ("percorso.store.lake_erase.commit_files", 2, "before"),
    ("percorso.store.lake_erase.LakeEraser.clean", 1, "before"),
    ("percorso.store.lake_erase.LakeEraser._clean_files", 1, "before"),
    ("percorso.store.lake_erase.LakeEraser._clean_log", 2, "after"),
    ("percorso.services.erasure_job._empty", 1, "after"),
    ("percorso.services.build._build", 1, "before"),
    ("percorso.services.build.swap_manifest", 1, "after"),
    ("percorso.identity.state.IdentityState.forget", 1, "after"),
    ("percorso.identity.state._swap", 1, "before"),
    ("percorso.services.build.purge_log", 1, "before"),
    ("percorso.services.erasure_job.close_jobs", 1, "before"),
]


def next_import(shop: Workspace, folder: Path) -> None:
    bring(shop, folder / "files" / "more.csv")


def next_question(shop: Workspace, folder: Path) -> None:
    fresh_log(shop)


def next_build(shop: Workspace, folder: Path) -> None:
    build_log(shop)


def next_erasure(shop: Workspace, folder: Path) -> None:
    with pytest.raises(NotFound):
        erase(shop, "anna-7731")


def next_original(shop: Workspace, folder: Path) -> None:
    bring(shop, folder / "files" / "web.csv", replace=True)


NEXT: list[Callable[[Workspace, Path], None]] = [next_import, next_question, next_build, next_erasure, next_original]


@pytest.mark.parametrize(
    ("number", "step"), list(enumerate(STEPS)), ids=[f"{step[2]}-{step[0].rpartition('.')[2]}" for step in STEPS]
)
def test_what_was_killed_is_finished_by_the_next_command(
    shop: Workspace, folder: Path, never: str, number: int, step: tuple[str, int, str]
) -> None:
    context = multiprocessing.get_context("forkserver")
    # The server loads the code once; children begin at once.
    context.set_forkserver_preload(["percorso.services.erasure", "percorso.journeys.build", __name__])
    process = context.Process(target=_erase_and_die, args=(shop.folder, *step))
    process.start()
    process.join(120)
    assert process.exitcode == 77
    follow = NEXT[number % len(NEXT)]
    follow(shop, folder)
    assert is_gone(shop)
    if follow is not next_import:
        build_log(shop)
        assert is_gone(shop)
        assert fresh_log(shop).data_version == never
    bring(shop, folder / "files" / "web.csv", replace=True)
    assert is_gone(shop)


def _erase_and_die(folder: Path, target: str, call: int, when: str) -> None:
    home, _, name = target.rpartition(".")
    try:
        owner: Any = import_module(home)
    except ModuleNotFoundError:
        module, _, kind = home.rpartition(".")
        owner = getattr(import_module(module), kind)
    original = getattr(owner, name)
    calls = 0

    def dying(*arguments: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call and when == "before":
            os._exit(77)
        result = original(*arguments, **options)
        if calls == call:
            os._exit(77)
        return result

    setattr(owner, name, dying)
    erase(open_workspace(folder), "anna-7731")
