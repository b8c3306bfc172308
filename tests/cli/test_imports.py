"""`percorso import` and `percorso rejected`, as a user types them."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path

import pytest

from percorso.cli.main import run
from percorso.store.lake import Lake
from tests.workspaces import make_workspace

CSV = """\
user_id,event,timestamp,value
u1,Product Viewed,2024-01-01T10:00:00Z,
u1,Order Completed,2024-01-02T10:00:00Z,12.50
u2,Product Viewed,yesterday,
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A folder with a workspace `ws`, a file `web.csv` and a mapping `web.toml`."""
    make_workspace(tmp_path / "ws")
    (tmp_path / "web.csv").write_text(CSV)
    (tmp_path / "web.toml").write_text(
        'source = "web"\nkind = "web"\nevent = { column = "event" }\ntimestamp = { column = "timestamp" }\n'
        'columns = { user_id = "user_id", value = "value" }\n'
    )
    return tmp_path


def percorso(shop: Path, *arguments: str) -> int:
    return run(["-w", str(shop / "ws"), *arguments])


def test_the_report_as_json(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = str(shop / "web.csv")
    assert percorso(shop, "import", path, "--mapping", str(shop / "web.toml"), "--json") == 0
    report = json.loads(capfd.readouterr().out)
    (file,) = report["files"]
    assert {key: file[key] for key in ("path", "format", "rows", "events", "duplicates", "rejected")} == {
        "path": path,
        "format": "table",
        "rows": 3,
        "events": 2,
        "duplicates": 0,
        "rejected": 1,
    }
    assert report["events"] == 2
    assert percorso(shop, "import", path, "--mapping", str(shop / "web.toml"), "--json") == 0
    again = json.loads(capfd.readouterr().out)
    assert again["events"] == 0
    assert again["files"][0]["duplicates"] == 2


def test_the_report_in_words(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert percorso(shop, "import", str(shop / "web.csv"), "--mapping", str(shop / "web.toml")) == 0
    told = capfd.readouterr().out
    assert "web.csv" in told
    assert "events added" in told
    assert "rejected\n" in told
    assert f"percorso -w {shop / 'ws'} build" in told
    assert percorso(shop, "import", str(shop / "web.csv"), "--mapping", str(shop / "web.toml")) == 0
    assert "had been imported before" in capfd.readouterr().out


def test_a_dry_run_writes_nothing(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    saved = shop / "proposed.toml"
    more = "".join(f"u3,Product Viewed,2024-02-0{day}T10:00:00Z,\n" for day in range(1, 10))
    (shop / "web.csv").write_text(CSV + more)
    assert percorso(shop, "import", str(shop / "web.csv"), "--dry-run", "--save-mapping", str(saved)) == 0
    told = capfd.readouterr().out
    assert "Mapping (proposed)" in told
    assert saved.read_text().strip() in told
    assert "Order Completed" in told
    assert "time_unreadable" in told
    assert "Nothing was written." in told
    assert "in the time of Europe/Rome:" in told
    assert "  2024-01-02 11:00  Order Completed\n    who       user id …\n    value     12.50 EUR\n" in told
    assert Lake(shop / "ws" / "lake").version() == -1
    assert percorso(shop, "import", str(shop / "web.csv"), "--dry-run", "--json") == 0
    preview = json.loads(capfd.readouterr().out)
    assert preview["files"][0]["events"] == 11
    assert preview["files"][0]["rejected_by_reason"] == {"time_unreadable": 1}
    assert len(preview["files"][0]["first_events"]) == 10


def test_a_changed_mapping_offers_replace(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ("import", str(shop / "web.csv"), "--mapping", str(shop / "web.toml"), "--json")
    assert percorso(shop, *arguments) == 0
    mapping = (shop / "web.toml").read_text()
    (shop / "web.toml").write_text(mapping.replace('user_id = "user_id"', 'email = "user_id"'))
    capfd.readouterr()
    assert percorso(shop, *arguments) == 2
    told = capfd.readouterr()
    error = json.loads(told.out)["error"]
    assert error["code"] == "import_conflict"
    assert "--replace" in error["hint"]
    assert "--replace" in told.err
    assert percorso(shop, *arguments, "--replace") == 0
    assert json.loads(capfd.readouterr().out)["files"][0]["retracted"] == 2


def test_another_source_takes_again(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    arguments = ("import", str(shop / "web.csv"), "--mapping", str(shop / "web.toml"), "--json")
    assert percorso(shop, *arguments) == 0
    capfd.readouterr()
    assert percorso(shop, *arguments, "--source", "app") == 2
    error = json.loads(capfd.readouterr().out)["error"]
    assert (error["code"], error["fields"]["sources"]) == ("import_conflict", ["web"])
    assert percorso(shop, *arguments, "--source", "app", "--again") == 0
    assert json.loads(capfd.readouterr().out)["events"] == 2


def test_files_to_import_again_are_named(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (shop / "more.csv").write_text(CSV + "u3,Product Viewed,2024-01-03T10:00:00Z,\n")
    for name in ("web.csv", "more.csv"):
        assert percorso(shop, "import", str(shop / name), "--mapping", str(shop / "web.toml")) == 0
    capfd.readouterr()
    moved = ("import", str(shop / "web.csv"), "--mapping", str(shop / "web.toml"), "--source", "app", "--replace")
    assert percorso(shop, *moved) == 0
    assert "import these again: more.csv." in " ".join(capfd.readouterr().out.split())
    assert percorso(shop, "import", str(shop / "more.csv"), "--mapping", str(shop / "web.toml"), "--json") == 0
    report = json.loads(capfd.readouterr().out)["files"][0]
    assert (report["events"], report["retracted"], report["import_again"]) == (3, 1, [])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("nowhere.csv",), "file"),
        (("web.csv", "--mapping", "nowhere.toml"), "mapping"),
        (("web.csv", "--format", "segmnt"), "user_error"),
        ((), "usage"),
    ],
)
def test_mistakes_are_the_users(
    shop: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: str,
) -> None:
    monkeypatch.chdir(shop)
    assert percorso(shop, "import", *arguments, "--json") == 2
    assert json.loads(capfd.readouterr().out)["error"]["code"] == code


def test_a_mapping_is_kept_and_not_overwritten(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    kept = shop / "kept.toml"
    (shop / "web.csv").write_text(CSV.replace("yesterday", "2024-01-03T10:00:00Z"))
    arguments = ("import", str(shop / "web.csv"), "--save-mapping", str(kept))
    assert percorso(shop, *arguments) == 0
    assert f"Mapping kept in {kept}" in capfd.readouterr().err
    assert percorso(shop, *arguments) == 0
    kept.write_text("# my own work\n")
    capfd.readouterr()
    assert percorso(shop, *arguments) == 2
    assert "exists and holds something else" in capfd.readouterr().err
    assert kept.read_text() == "# my own work\n"


def test_a_selection_of_no_rejected_row_says_which_there_are(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    percorso(shop, "import", str(shop / "web.csv"), "--mapping", str(shop / "web.toml"))
    capfd.readouterr()
    assert percorso(shop, "rejected", "--reason", "time_missing", "--file", "wep.csv") == 0
    told = capfd.readouterr().out
    assert "No rejected row has the reason 'time_missing'; there are: time_unreadable (1)." in told
    assert "No rejected row has the file 'wep.csv'; there are: web.csv (1)." in told


def test_rejected_rows(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert percorso(shop, "rejected") == 0
    assert "No rows were rejected." in capfd.readouterr().out
    percorso(shop, "import", str(shop / "web.csv"), "--mapping", str(shop / "web.toml"))
    capfd.readouterr()
    assert percorso(shop, "rejected", "--format", "json") == 0
    (row,) = json.loads(capfd.readouterr().out)
    assert row == {
        "file": "web.csv",
        "line": 4,
        "reason": "time_unreadable",
        "detail": "The time cannot be read in the format the mapping names.",
        "raw": "u2,Product Viewed,yesterday,",
    }
    assert percorso(shop, "rejected") == 0
    assert "yesterday" in capfd.readouterr().out
    assert percorso(shop, "rejected", "--format", "csv", "--file", "web.csv", "--reason", "time_unreadable") == 0
    assert len(list(csv.DictReader(io.StringIO(capfd.readouterr().out)))) == 1
    assert percorso(shop, "rejected", "--format", "json", "--reason", "cells") == 0
    assert json.loads(capfd.readouterr().out) == []


def test_a_long_list_of_rejected_rows_is_cut(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (shop / "bad.csv").write_text("user_id,event,timestamp,value\n" + "u,e,never,\n" * 120)
    percorso(shop, "import", str(shop / "bad.csv"), "--mapping", str(shop / "web.toml"))
    capfd.readouterr()
    assert percorso(shop, "rejected") == 0
    told = capfd.readouterr().out
    assert told.count("time_unreadable") == 100
    assert "20 more" in told
    assert percorso(shop, "rejected", "--limit", "3") == 0
    assert capfd.readouterr().out.count("time_unreadable") == 3


TILL = """\
Report vendite 01/01–31/03

Data;Tessera;Scontrino;Totale
02/01/2024;T-00017;100001;12,50
03/01/2024;-;100002;8,00
04/01/2024;-;100004;
domani;T-00018;100003;9,00
Totale;;;29,50
"""


def test_titles_above_the_header_and_totals_below(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, saved = shop / "cassa.csv", shop / "cassa.toml"
    path.write_text(TILL, encoding="utf-8")
    assert percorso(shop, "import", str(path), "--dry-run", "--save-mapping", str(saved)) == 0
    told = capfd.readouterr().out
    assert "source cassa, header on line 3\n1 line above the header left out:\n    1  Report vendite 01/01" in told
    assert "header_line = 3" in saved.read_text(encoding="utf-8")
    assert "5 rows would give 3 events; 2 would be rejected." in told
    assert percorso(shop, "import", str(path), "--mapping", str(saved)) == 0
    assert "cassa.csv: 1 line above the header (line 3) left out." in capfd.readouterr().out
    assert percorso(shop, "rejected", "--json") == 0
    rows = json.loads(capfd.readouterr().out)
    assert [(row["line"], row["reason"]) for row in rows] == [(7, "time_unreadable"), (8, "total_row")]


def test_a_dry_run_in_json_tells_the_header(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = shop / "cassa.csv"
    path.write_text(TILL, encoding="utf-8")
    assert percorso(shop, "import", str(path), "--dry-run", "--json") == 0
    (file,) = json.loads(capfd.readouterr().out)["files"]
    assert file["header_line"] == 3
    assert file["lines_above"] == [{"line": 1, "text": "Report vendite 01/01–31/03"}]


def test_a_dry_run_shows_blocked_identifiers_as_nobody(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = shop / "cassa.csv"
    path.write_text(TILL, encoding="utf-8")
    assert percorso(shop, "import", str(path), "--dry-run") == 0
    shown = capfd.readouterr().out.partition("The first events")[2]
    assert shown.count("loyalty id T…17") == 1
    assert shown.count("blocked ") == 2
    assert "who       nobody we could identify\n    blocked   loyalty id (stands for nobody)\n" in shown


@pytest.mark.parametrize(
    ("line", "said"), [(2, "has nothing on line 2"), (4, "has no column"), (99, "nothing on line")]
)
def test_a_header_on_a_wrong_line(shop: Path, capfd: pytest.CaptureFixture[str], line: int, said: str) -> None:
    path, mapping = shop / "cassa.csv", shop / "cassa.toml"
    path.write_text(TILL, encoding="utf-8")
    assert percorso(shop, "import", str(path), "--dry-run", "--save-mapping", str(mapping)) == 0
    mapping.write_text(mapping.read_text(encoding="utf-8").replace("header_line = 3", f"header_line = {line}"))
    assert percorso(shop, "import", str(path), "--mapping", str(mapping)) == 2
    assert said in capfd.readouterr().err


def test_only_csv_files_have_a_header(shop: Path, capfd: pytest.CaptureFixture[str]) -> None:
    mapping, path = shop / "web.toml", shop / "web.ndjson"
    mapping.write_text(mapping.read_text() + "file = { header_line = 3 }\n")
    path.write_text('{"event": "Product Viewed", "timestamp": "2024-01-01", "user_id": "u"}\n')
    assert percorso(shop, "import", str(path), "--mapping", str(mapping)) == 2
    assert "Only CSV files have a header" in capfd.readouterr().err


def test_members_of_an_archive_may_have_headers_on_different_lines(
    shop: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = shop / "cassa.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", TILL)
        archive.writestr("b.csv", "Negozio Centro\n" + TILL.replace("0000", "9999"))
    assert percorso(shop, "import", str(path), "--dry-run", "--json") == 0
    (file,) = json.loads(capfd.readouterr().out)["files"]
    assert "header_line" not in file["mapping"]
    assert (file["header_line"], [above["line"] for above in file["lines_above"]]) == (0, [1, 1, 2])
    assert percorso(shop, "import", str(path)) == 0
    assert "cassa.zip: 3 lines above headers left out." in capfd.readouterr().out
