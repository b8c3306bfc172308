"""The pages about imports name every key, reason and note that the code knows, and no other."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from percorso.events.event import SOURCE_KINDS
from percorso.events.formats.table_rows import FAULTS
from percorso.events.mapping import COLUMN_KEYS, ITEM_KEYS
from percorso.events.mapping_file import parse_mapping
from percorso.services.imports import ImportRequest, import_files
from percorso.services.input_paths import READ_ENDINGS
from percorso.store.lake import Lake
from percorso.store.lake_tables import EVENTS, REJECTED, SIDE_TABLES
from tests.docs_tables import DOCS, code_spans, table
from tests.workspaces import make_workspace

SOURCE = Path(__file__).resolve().parents[2] / "src" / "percorso"

_REASON = re.compile(r"""(?:Reject\([^"\n]*|\.add\([^"\n]*|\.fault\(|return )"([a-z]+_[a-z]+|cells)",""")


def _text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def test_every_key_of_a_mapping_is_documented() -> None:
    keys = [key for row in table("reference/mapping.md", "Columns") for key in code_spans(row[0])]
    assert sorted(keys) == sorted(COLUMN_KEYS)
    items = _text("reference/mapping.md").partition("## Items")[2].partition("\n## ")[0]
    assert all(f"`{key}`" in items for key in ITEM_KEYS)
    parts = {code_spans(row[0])[0]: row[1] for row in table("reference/mapping.md", "Parts")}
    assert all(f"`{kind}`" in parts["kind"] for kind in SOURCE_KINDS)


@pytest.mark.parametrize("number", [0, 1])
def test_the_mappings_of_the_page_are_right(number: int) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", _text("reference/mapping.md"), re.MULTILINE | re.DOTALL)
    whole = [block for block in blocks if "source =" in block]
    assert len(whole) == 2
    assert parse_mapping(whole[number], where="the page").events


def test_every_reason_is_documented() -> None:
    documented = {code_spans(row[0])[0] for row in table("reference/rejected.md", "Reasons")}
    files = [*SOURCE.joinpath("events").rglob("*.py"), *SOURCE.joinpath("services").glob("import*.py")]
    found = {reason for file in files for reason in _REASON.findall(file.read_text(encoding="utf-8"))}
    assert {"cells", "quote_unclosed", "json_invalid", "path_missing"} <= found
    assert documented == found | set(FAULTS)


def test_every_note_is_documented() -> None:
    rows = table("how-to/import-files.md", "What happens to rows that are not right")
    documented = {note for row in rows for note in code_spans(row[0])}
    files = [*SOURCE.joinpath("events").rglob("*.py"), *SOURCE.joinpath("services").glob("import*.py")]
    texts = [file.read_text(encoding="utf-8") for file in [*files, SOURCE / "time.py"]]
    quoted = {word for text in texts for word in re.findall(r'"([a-z_]+)"', text)}
    made = {f"{key}_{end}" for key in quoted for end in ("malformed", "unknown", "unreadable")}
    assert documented <= quoted | made


def test_every_ending_is_documented() -> None:
    assert all(f"`{ending}`" in _text("how-to/import-files.md") for ending in READ_ENDINGS)


def test_every_table_of_the_lake_is_documented() -> None:
    rows = table("concepts/lake.md", "The lake")
    assert [code_spans(row[0])[0] for row in rows] == [t.name for t in (EVENTS, *SIDE_TABLES)]
    assert REJECTED.schema is not None
    assert code_spans(rows[1][1]) == REJECTED.schema.names
    assert code_spans(rows[0][2]) == [EVENTS.partition]


def test_the_joined_table_of_the_page(tmp_path: Path) -> None:
    blocks = re.findall(r"^```toml\n(.*?)^```", _text("reference/mapping.md"), re.MULTILINE | re.DOTALL)
    (prepare,) = [block for block in blocks if "tables =" in block]
    head = 'source = "pos"\nkind = "pos"\nevent = { value = "Order Completed" }\ntimestamp = "day"\n'
    (tmp_path / "m.toml").write_text(head + prepare)
    (tmp_path / "sales.csv").write_text("day,store_id\n2024-01-01,7\n")
    (tmp_path / "stores.csv").write_text("store_id,city\n7,Torino\n")
    workspace = make_workspace(tmp_path / "ws")
    request = ImportRequest((str(tmp_path / "sales.csv"),), mapping=tmp_path / "m.toml")
    assert import_files(workspace, replace(request)).events == 1
    assert Lake(workspace.lake).live_files()[0].rows == 1
