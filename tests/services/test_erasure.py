"""Erasure of a person: nothing stays, nothing comes back, and nobody else is touched; also when it is killed."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from percorso.errors import NotFound, NothingImported, SpecError, UserError
from percorso.services import erasure_job
from percorso.services.build import build_log, fresh_log
from percorso.services.customer import find_customers
from percorso.services.decide import link, unlink
from percorso.services.erasure import erase_person, preview_erasure
from percorso.services.imports import FileReport, ImportRequest, import_files, rejected_rows
from percorso.services.workspace import Workspace, init_workspace, open_workspace
from percorso.store.database import read_decisions
from percorso.store.lake import Lake
from tests.lake_builder import event
from tests.raw_bytes import places_of
from tests.workspaces import make_workspace

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


# ------------------------------------------------------------------------------------------------ elsewhere


def world(folder: Path, *rows: Mapping[str, Any]) -> Workspace:
    """A workspace of event rows."""
    return make_workspace(folder / "world", rows)


def on(day: int, message: str, **fields: Any) -> dict[str, Any]:
    return event(f"2024-03-{day:02}T10:00", fields.pop("name", "Page Viewed"), message_id=message, **fields)


def rows_of(workspace: Workspace, *columns: str) -> dict[str, tuple[Any, ...]]:
    """Message id -> columns, of all events of the lake."""
    read = ["message_id", *columns]
    tables = [pq.ParquetFile(file.path).read(columns=read) for file in Lake(workspace.lake).live_files()]
    return {row["message_id"]: tuple(row[name] for name in columns) for one in tables for row in one.to_pylist()}


@pytest.mark.parametrize("written", ["anna-7731", "  anna-7731 "])
def test_an_account_that_others_took_over_goes_from_their_rows(tmp_path: Path, written: str) -> None:
    taken = {"type": "alias", "user_id": "bruno-4420", "previous_id": written}
    shop = world(
        tmp_path,
        on(1, "a", user_id="anna-7731", email="anna.rossi@posta.example"),
        # Two accounts on one server, which an unlink keeps apart, and one elsewhere of the same name.
        on(2, "b", user_id="bruno-4420", email="bruno@posta.example"),
        on(3, "taken", **taken),
        on(4, "till", **taken, id_space="till"),
        on(5, "track", user_id="bruno-4420", previous_id=written),
    )
    build_log(shop)
    assert find_customers(shop, "anna-7731", kind="user_id", space="shop") != find_customers(shop, "bruno-4420")
    report = erase(shop, "anna-7731", kind="user_id", space="shop")
    assert (report.events, report.elsewhere) == (1, 2)
    told = {message: found[0] for message, found in rows_of(shop, "previous_id").items()}
    assert told == {"b": None, "taken": None, "till": written, "track": None}


def test_an_account_known_by_being_taken_over_alone_is_the_persons(tmp_path: Path) -> None:
    server = {"source": "desk", "source_kind": "server", "id_space": "shop"}
    shop = world(
        tmp_path,
        on(1, "a", type="alias", user_id="anna-7731", previous_id="anna-old-1980", **server),
        on(2, "b", user_id="bruno-4420", text="and anna-old-1980 said"),
        on(3, "c", type="alias", user_id="carla-9001", previous_id="carla-old-77", **server),
    )
    report = erase(shop, "anna-7731")
    assert {(one.kind, one.shown, one.erased) for one in report.identifiers} == {
        ("user_id", "a…31", True),
        ("user_id", "a…80", True),
    }
    assert places_of(shop.folder, ["anna-old-1980", "anna-7731"]) == []
    assert places_of(shop.folder, ["carla-old-77"])


def test_a_browser_that_was_taken_over_goes_from_rows_of_others(tmp_path: Path) -> None:
    shop = world(
        tmp_path,
        on(1, "a", user_id="anna-7731", anonymous_id="cookie-9f31"),
        on(2, "b", type="alias", user_id="bruno-4420", previous_id="cookie-9f31"),
    )
    erase(shop, "anna-7731")
    assert rows_of(shop, "previous_id") == {"b": (None,)}


def test_mentions_in_every_spelling_go(tmp_path: Path) -> None:
    anna = {"user_id": "anna-7731", "email": "anna.rossi@posta.example", "phone": "347 123 4567"}
    said = (
        ("text", "call +39 347 123-4567, 347.1234567 or 0039 (347) 1234567"),
        ("text", "ask\nANNA.ROSSI@posta.example"),
        ("url", "https://shop.example/?q=a%2540b&to=anna%2Erossi%40POSTA.example&t=%2B39%20347%20123%204567"),
        ("referrer", "https://shop.example/users/anna-7731/orders"),
        (
            "properties",
            r'{"deep":"{\"mail\":\"anna.rossi\u0040posta.example\"}","tel":3471234567,"z":[393471234567.0]}',
        ),
        ("traits", r'{"anna.rossi@posta.example":true,"note":"a\nanna-7731"}'),
        ("items", [{"product_id": "gift", "name": "for anna.rossi@posta.example", "price": 1000}, {"sku": "b"}]),
    )
    others = [on(2 + at, name + str(at), user_id="bruno-4420", **{name: text}) for at, (name, text) in enumerate(said)]
    shop = world(tmp_path, on(1, "a", **anna), *others)
    needles = ["anna.rossi@posta", "anna-7731", "3471234567"]
    assert len(places_of(shop.folder, needles)) > len(said)
    report = erase(shop, "anna-7731")
    assert (report.events, report.elsewhere) == (1, len(said))
    assert places_of(shop.folder, needles) == []
    left = rows_of(shop, "properties", "traits", "items", "referrer")
    assert json.loads(left["properties4"][0]) == {"deep": '{"mail":""}', "tel": None, "z": [None]}
    assert json.loads(left["traits5"][1]) == {"": True, "note": "a\n"}
    assert [(line["product_id"], line["sku"], line["name"]) for line in left["items6"][2]] == [
        ("gift", None, "for "),
        (None, "b", None),
    ]
    assert left["referrer3"][3] == "https://shop.example/users//orders"
    assert find_customers(shop, "bruno-4420")[0].events == len(said)


def test_words_and_short_numbers_go_where_they_are_named_and_nowhere_else(tmp_path: Path) -> None:
    bruno = {"user_id": "bruno-4420"}
    shop = world(
        tmp_path,
        on(1, "a", user_id="mrossi", loyalty_id="12"),
        on(2, "named", **bruno, url="https://shop.example/?user=mrossi&n=12", properties='{"loyalty_id":12,"n":12}'),
        on(3, "prose", **bruno, text="the mrossi family, 12 people"),
        on(4, "till", **bruno, properties='{"loyalty_id":12}', id_space="till"),
        on(5, "number", **bruno, text="on 12 May"),
        on(6, "line", **bruno, items=[{"product_id": "card", "name": "user: mrossi"}]),
    )
    shown = preview_erasure(shop, "mrossi")
    assert (shown.elsewhere, shown.doubtful_elsewhere) == (2, 1)
    assert {(one.kind, one.sought) for one in shown.identifiers} == {("user_id", False), ("loyalty_id", False)}
    erase(shop, "mrossi")
    assert rows_of(shop, "url", "text", "properties") == {
        "named": ("https://shop.example/?user=&n=12", None, '{"loyalty_id":null,"n":12}'),
        "prose": (None, "the mrossi family, 12 people", None),
        "till": (None, None, '{"loyalty_id":12}'),
        "number": (None, "on 12 May", None),
        "line": (None, None, None),
    }
    assert rows_of(shop, "items")["line"][0][0]["name"] == "user: "


def test_a_short_number_takes_nobodys_rejected_rows_or_file_names_along(folder: Path) -> None:
    rows = [
        "Signed In,2024-01-01T10:00:00Z,12,,,,,,,,",
        "Product Viewed,,bruno-4420,,,,12,12,,,rejected",
        "Product Viewed,,12,,,,,,,,rejected",
        "Product Viewed,,bruno-4420,,,,,,on 12 May,,rejected",
    ]
    file = folder / "files" / "export-12.csv"
    file.write_text(HEAD + "\n".join(rows) + "\n")
    shutil.rmtree(folder / "shop")
    shop = make(folder, file.name)
    report = erase(shop, "12")
    assert (report.events, report.rejected, report.doubtful_rejected) == (1, 0, 2)
    assert rejected_rows(shop).num_rows == 3
    assert [one.file for one in Lake(shop.lake).imports()] == ["export-12.csv"]
    assert bring(shop, file, replace=True).suppressed == 1
    assert rejected_rows(shop).num_rows == 3


def test_what_people_wrote_elsewhere_no_longer_names_the_person(shop: Workspace, folder: Path) -> None:
    link(shop, "bruno-4420", "carla-9001", reason="anna-7731 told so on +39 347-123 4567", author="marta")
    unlink(shop, "bruno-4420", "carla-9001", reason="not married", author="marta")
    (folder / "files" / "more.csv").write_text(HEAD + "Page Viewed,2024-02-01T10:00:00Z,dario-1,,,,,,,,\n")
    bring(shop, folder / "files" / "more.csv")
    erase(shop, "dario-1", reason="asked by anna-7731, her brother", author="cookie-anna-9f31")
    report = erase(shop, "anna-7731")
    assert (report.decisions, report.reworded) == (0, 2)
    assert is_gone(shop)
    assert [(one.author, one.reason) for one in read_decisions(shop.database)] == [
        ("marta", "[erased] told so on [erased]"),
        ("marta", "not married"),
    ]
    bodies = [json.loads(path.read_text()) for path in sorted(shop.erasures.glob("*.done"))]
    assert ("[erased]", "asked by [erased], her brother") in [(body["author"], body["reason"]) for body in bodies]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in shop.erasures.iterdir())


def test_what_people_wrote_is_mended_by_the_next_command(shop: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    link(shop, "bruno-4420", "carla-9001", reason="anna-7731 told so", author="marta")
    unlink(shop, "bruno-4420", "carla-9001", reason="not married", author="marta")
    erase(shop, "carla-9001", reason="asked by anna-7731, her sister")

    def fail(*_: object) -> None:
        raise OSError("no disk")

    monkeypatch.setattr(erasure_job, "_reword_record", fail)
    with pytest.raises(OSError, match="no disk"):
        erase(shop, "anna-7731")
    assert places_of(shop.erasures, ["anna-7731"])
    monkeypatch.undo()
    build_log(shop)
    assert is_gone(shop)


@pytest.mark.parametrize(
    "written",
    [
        "ANNA.ROSSI@posta.example",
        "anna.rossi%40posta%2Eexample",
        "anna.rossi%2540posta.example",
        r"anna.rossi\u0040posta.example",
        "anna.rossi&#64;posta.example",
        "anna.rossi&#x40;posta.example",
        "+39 (347) 123-4567",
        "347.123.4567",
        "347%20123%204567",
        "347\u00a01234567",
    ],
)
@pytest.mark.parametrize("form", ["parquet", "text"])
def test_the_search_of_these_tests_knows_spellings(tmp_path: Path, written: str, form: str) -> None:
    if form == "text":
        (tmp_path / "a").write_text(f"of {written}, too")
    else:
        pq.write_table(pa.table({"a": [f"of {written}, too"]}), tmp_path / "a.parquet", compression="zstd")
    assert places_of(tmp_path, ["anna.rossi@posta.example", "3471234567"])
    assert places_of(tmp_path, ["anna.rossi@posta.examples", "3471234568"]) == []


# ------------------------------------------------------------------------------------------------ without events


def test_somebody_known_from_rejected_rows_alone(folder: Path) -> None:
    (folder / "files" / "web.csv").write_text(HEAD + "\n".join([*OTHER_ROWS, *ANNA_ROWS[4:]]) + "\n")
    shutil.rmtree(folder / "shop")
    shop = make(folder, "web.csv")
    shown = preview_erasure(shop, "Anna.Rossi@posta.example")
    assert (shown.person, shown.events, shown.rejected, shown.first_us, shown.done) == ("", 0, 1, None, False)
    assert shown.as_dict()["person"] is None
    assert [(one.kind, one.shown, one.erased) for one in shown.identifiers] == [("email", "a•••@posta.example", True)]
    erase(shop, "Anna.Rossi@posta.example")
    erase(shop, "347 123 4567", kind="phone")
    assert rejected_rows(shop).num_rows == 1
    assert is_gone(shop)
    bring(shop, folder / "files" / "web.csv", replace=True)
    (folder / "files" / "late.csv").write_text(HEAD + ANNA_ROWS[1] + "\n" + OTHER_ROWS[1] + "\n")
    assert bring(shop, folder / "files" / "late.csv").suppressed == 1
    assert is_gone(shop)
    with pytest.raises(NotFound):
        erase(shop, "anna.rossi@posta.example")


def test_where_everything_was_rejected(folder: Path) -> None:
    (folder / "files" / "bad.csv").write_text(HEAD + ANNA_ROWS[4] + "\n" + OTHER_ROWS[4] + "\n")
    shutil.rmtree(folder / "shop")
    shop = make(folder, "bad.csv")
    assert preview_erasure(shop, "anna-7731", kind="user_id", space="web").rejected == 1
    erase(shop, "anna-7731", kind="user_id", space="web")
    assert rejected_rows(shop).num_rows == 1
    assert places_of(shop.folder, ["anna-7731"]) == []


def test_somebody_known_from_texts_of_others_alone(tmp_path: Path) -> None:
    shop = world(
        tmp_path,
        on(1, "text", user_id="bruno-4420", text="ask anna-7731 or anna.rossi@posta.example"),
        on(2, "alias", type="track", user_id="bruno-4420", previous_id="anna-7731"),
        on(3, "till", user_id="bruno-4420", id_space="till"),
    )
    with pytest.raises(SpecError, match="No event is known") as error:
        erase(shop, "anna-7731")
    assert "user_id" in error.value.fields["types"]  # type: ignore[operator]
    with pytest.raises(SpecError, match="No event is known") as error:
        erase(shop, "anna-7731", kind="user_id")
    assert error.value.fields["spaces"] == ["shop", "till"]
    report = erase(shop, "anna-7731", kind="user_id", space="shop")
    assert (report.person, report.events, report.elsewhere) == ("", 0, 2)
    erase(shop, "anna.rossi@posta.example")
    assert rows_of(shop, "text", "previous_id") == {
        "text": ("ask  or ", None),
        "alias": (None, None),
        "till": (None, None),
    }
    with pytest.raises(NotFound):
        erase(shop, "nobody-at-all-77")
    with pytest.raises(NotFound):
        erase(shop, "0" * 32, kind="person")


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
