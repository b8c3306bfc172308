"""Files as they really are: encodings, delimiters, packed files, broken rows, broken files."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from percorso.errors import FileError
from percorso.events import csv_reader, line_reader
from percorso.events.conversion import LineChunk, Reject
from percorso.events.csv_reader import scan
from percorso.events.json_tables import lines_as_table
from percorso.events.readers import blocks_of, open_input
from tests.naive import csv_rows as naive


@dataclass
class Found:
    """Everything a reader said of a file."""

    rows: list[dict[str, object]]
    lines: list[int]
    raw: list[str]
    rejected: list[Reject]


def read(path: Path) -> Found:
    found = Found([], [], [], [])
    for block in blocks_of(open_input(path)):
        piece = block.read()
        chunk, rejected = lines_as_table(piece) if isinstance(piece, LineChunk) else piece
        found.rows += chunk.table.to_pylist()
        found.lines += chunk.lines.tolist()
        found.raw += [chunk.raw(i) for i in range(chunk.table.num_rows)]
        found.rejected += rejected
        assert 0 <= block.position_ratio <= 1
    return found


def write(folder: Path, content: str | bytes, name: str = "file.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_rows_have_lines_and_raw_text(tmp_path: Path) -> None:
    found = read(write(tmp_path, 'a,b\r\n1,x\r\n\r\n2,"y\nz"\r\n3,\r\n'))
    assert found.rows == [{"a": "1", "b": "x"}, {"a": "2", "b": "y\nz"}, {"a": "3", "b": None}]
    assert found.lines == [2, 4, 6]
    assert found.raw == ["1,x", '2,"y\nz"', "3,"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters_are_found(tmp_path: Path, delimiter: str) -> None:
    rows = [["when", "what", "total"], ["2024-01-01", "a, b; c", "1.234,50"], ["2024-01-02", "d|e\tf", "2"]]
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    found = read(write(tmp_path, buffer.getvalue()))
    assert [list(row.values()) for row in found.rows] == rows[1:]


def test_excel_may_name_the_delimiter(tmp_path: Path) -> None:
    found = read(write(tmp_path, "sep=;\r\na;b\r\n1;2\r\n"))
    assert found.rows == [{"a": "1", "b": "2"}]
    assert found.lines == [3]


def test_one_column_is_a_table_too(tmp_path: Path) -> None:
    assert read(write(tmp_path, "path\na > b\n\nc\n")).rows == [{"path": "a > b"}, {"path": "c"}]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_system(tmp_path: Path, ending: str) -> None:
    found = read(write(tmp_path, ending.join(["a,b", "1,2", "3,4"])))
    assert [list(row.values()) for row in found.rows] == [["1", "2"], ["3", "4"]]
    assert found.lines == [2, 3]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le-mark"])
def test_encodings_are_found(tmp_path: Path, encoding: str) -> None:
    text = "città;prezzo\nForlì;«perché»\nSan José;naïve\n"
    data = b"\xff\xfe" + text.encode("utf-16-le") if encoding == "utf-16-le-mark" else text.encode(encoding)
    found = read(write(tmp_path, data))
    assert found.rows == [{"città": "Forlì", "prezzo": "«perché»"}, {"città": "San José", "prezzo": "naïve"}]
    assert found.raw[0] == "Forlì;«perché»"


def test_windows_1252_has_signs_that_latin_1_lacks(tmp_path: Path) -> None:
    assert read(write(tmp_path, "a,b\n5 €,“x” – y\n".encode("cp1252"))).rows == [{"a": "5 €", "b": "“x” – y"}]


def test_a_file_of_two_encodings_keeps_every_letter(tmp_path: Path) -> None:
    mixed = "a,b\nperché,1\n".encode() + "perché,2\n".encode("latin-1")
    assert [row["a"] for row in read(write(tmp_path, mixed)).rows] == ["perché", "perché"]


def test_an_accent_far_behind_the_beginning(tmp_path: Path) -> None:
    plain = "".join(f"{i},plain\n" for i in range(200_000))
    found = read(write(tmp_path, f"a,b\n{plain}1,perché\n".encode("latin-1")))
    assert found.rows[-1]["b"] == "perché"
    assert len(found.rows) == 200_001
    assert found.lines == list(range(2, 200_003))


def test_repeated_and_missing_column_names_get_their_own(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a, b ,a,,a\n1,2,3,4,5\n"))
    assert found.rows == [{"a": "1", "b": "2", "a.2": "3", "column_4": "4", "a.3": "5"}]


def test_ids_of_forty_digits_stay_as_they_are(tmp_path: Path) -> None:
    long_id = "0" + "123456789" * 4 + "999"
    assert read(write(tmp_path, f"id,n\n{long_id},1\n")).rows[0]["id"] == long_id


def test_rows_of_a_wrong_number_of_cells_are_rejected(tmp_path: Path) -> None:
    found = read(write(tmp_path, "a,b\n1,2\n3\n4,5,6\n7,8\n"))
    assert [row["a"] for row in found.rows] == ["1", "7"]
    assert found.lines == [2, 5]
    assert [(r.line, r.reason, r.raw) for r in found.rejected] == [(3, "cells", "3"), (4, "cells", "4,5,6")]


def test_a_quote_that_nobody_closes_costs_one_line(tmp_path: Path) -> None:
    found = read(write(tmp_path, 'a,b\n1,"open\n2,x\n3,"y"\n4,z\n'))
    assert [(r.line, r.reason, r.raw) for r in found.rejected] == [(2, "quote_unclosed", '1,"open')]
    assert [row["a"] for row in found.rows] == ["2", "3", "4"]


def test_a_quote_that_is_open_at_the_end(tmp_path: Path) -> None:
    found = read(write(tmp_path, 'a,b\n1,x\n2,"open\n3,y\n'))
    assert [(r.line, r.reason) for r in found.rejected] == [(3, "quote_unclosed")]
    assert [row["a"] for row in found.rows] == ["1", "3"]


def test_quotes_inside_cells(tmp_path: Path) -> None:
    found = read(write(tmp_path, 'a,b\n"say ""hi""",5" pipe\n"x"y,z\n'))
    assert found.rows == [{"a": 'say "hi"', "b": '5" pipe'}, {"a": "xy", "b": "z"}]


def test_a_cell_of_a_megabyte(tmp_path: Path) -> None:
    big = "x" * 1_000_000 + "\n" + "y" * 100_000
    found = read(write(tmp_path, f'a,b\n1,"{big}"\n2,z\n'))
    assert found.rows[0]["b"] == big
    assert found.lines == [2, 4]
    assert len(found.raw[0]) <= 65_536


@pytest.mark.parametrize("pack", ["gz", "zip"])
def test_packed_files(tmp_path: Path, pack: str) -> None:
    text = b"a,b\n1,2\n"
    path = tmp_path / f"file.csv.{pack}"
    if pack == "gz":
        path.write_bytes(gzip.compress(text))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("file.csv", text)
    assert read(path).rows == [{"a": "1", "b": "2"}]


def test_an_archive_of_several_files_is_read_in_turn(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.csv", "a,b\n1,2\nx\n")
        archive.writestr("sub/two.csv", "b;a\n4;3\n")
        archive.writestr("__MACOSX/._one.csv", "junk")
        archive.writestr("empty/", "")
    found = read(path)
    assert found.rows == [{"a": "1", "b": "2"}, {"b": "4", "a": "3"}]
    assert [block.member for block in blocks_of(open_input(path))] == ["one.csv", "sub/two.csv"]


def test_a_truncated_gzip_is_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    text = "a,b\n" + "".join(f"{a},{b}\n" for a, b in rng.integers(0, 10**9, (300_000, 2)).tolist())
    whole = gzip.compress(text.encode())
    with pytest.raises(FileError, match="nothing of it was imported"):
        read(write(tmp_path, whole[: len(whole) // 2], "file.csv.gz"))
    with pytest.raises(FileError):
        read(write(tmp_path, whole[:8], "tiny.csv.gz"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.csv", b""),
        ("blank.csv", b" \n\n"),
        ("empty.csv.gz", gzip.compress(b"", mtime=0)),
        ("broken.zip", b"PK\x03\x04nothing else"),
        ("broken.parquet", b"PAR1 and no more"),
        ("picture.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    ],
)
def test_files_that_cannot_be_read_are_refused_with_their_name(tmp_path: Path, name: str, content: bytes) -> None:
    with pytest.raises(FileError) as caught:
        read(write(tmp_path, content, name))
    assert name in caught.value.message


def test_an_archive_of_nothing_or_of_several_kinds_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "none.zip", "w"):
        pass
    with zipfile.ZipFile(tmp_path / "mixed.zip", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
        archive.writestr("b.ndjson", '{"a":1}\n')
    for name in ("none.zip", "mixed.zip"):
        with pytest.raises(FileError):
            read(tmp_path / name)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nowhere\.csv"):
        open_input(tmp_path / "nowhere.csv")


def test_a_header_without_rows_is_an_empty_table(tmp_path: Path) -> None:
    assert read(write(tmp_path, "a,b\n")).rows == []
    assert open_input(write(tmp_path, "a,b")).members[0].columns == ("a", "b")


def test_lines_of_json(tmp_path: Path) -> None:
    lines = ['{"a":1,"b":{"c":"x"}}', "", '{"a":2.0,"tags":["p","q"],"b":{"d":null}}', "not json", "[1]", '{"a":true}']
    found = read(write(tmp_path, "\n".join(lines), "file.ndjson"))
    assert [{k: v for k, v in row.items() if v is not None} for row in found.rows] == [
        {"a": "1", "b.c": "x"},
        {"a": "2", "tags": '["p","q"]'},
        {"a": "true"},
    ]
    assert found.lines == [1, 3, 6]
    assert [(r.line, r.reason, r.raw) for r in found.rejected] == [
        (4, "json_invalid", "not json"),
        (5, "json_invalid", "[1]"),
    ]


def test_packed_and_foreign_json(tmp_path: Path) -> None:
    text = '{"a":"perché"}\r\n{"a":"x"}'
    packed = write(tmp_path, gzip.compress(text.encode("latin-1")), "file.ndjson.gz")
    assert [row["a"] for row in read(packed).rows] == ["perché", "x"]
    marked = write(tmp_path, text.encode("utf-8-sig"), "marked.ndjson")
    assert [row["a"] for row in read(marked).rows] == ["perché", "x"]


def test_a_json_array_is_read_element_by_element(tmp_path: Path) -> None:
    values = [{"a": i, "b": {"text": 'x"],[{\\', "list": [1, [2, {"c": "}"}]]}} for i in range(40_000)]
    found = read(write(tmp_path, json.dumps(values, indent=1), "file.json"))
    assert [row["a"] for row in found.rows] == [str(value["a"]) for value in values]
    assert found.rows[0]["b.text"] == 'x"],[{\\'
    lines_of_one = len(json.dumps(values[:1], indent=1).splitlines()) - 2
    assert found.lines[:3] == [2, 2 + lines_of_one, 2 + 2 * lines_of_one]


def test_a_json_array_that_does_not_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not end"):
        read(write(tmp_path, '[{"a":1},{"a":2}', "file.json"))


def test_parquet_rows_have_numbers(tmp_path: Path) -> None:
    table = pa.table({"a": range(150_000), "b": [{"c": str(i)} for i in range(150_000)]})
    pq.write_table(table, tmp_path / "file.parquet", row_group_size=50_000)
    found = read(tmp_path / "file.parquet")
    assert found.rows == table.to_pylist()
    assert found.lines == list(range(1, 150_001))
    assert json.loads(found.raw[2]) == {"a": 2, "b": {"c": "2"}}


def test_a_parquet_file_that_is_cut_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": range(1000)}), tmp_path / "whole.parquet")
    data = (tmp_path / "whole.parquet").read_bytes()
    with pytest.raises(FileError):
        read(write(tmp_path, data[:-10], "cut.parquet"))


_CELLS = st.text(alphabet='ab,;" \n\r', max_size=6)


@given(st.lists(st.lists(_CELLS, min_size=2, max_size=3), min_size=1, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_rows_equal_the_twin(rows: list[list[str]], ending: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=ending).writerows(rows)
    text = buffer.getvalue()
    (starts, ends, lines, cells), size, _ = scan(text.encode(), ",", 0, is_last=True)
    expected = naive.rows(text, ",")
    assert cells.tolist() == [len(row) for row in expected]
    assert size == len(text)
    found = [naive.rows(text[s:e], ",")[0] for s, e in zip(starts.tolist(), ends.tolist(), strict=True)]
    assert found == expected
    assert [text[:s].replace("\r\n", "\n").replace("\r", "\n").count("\n") for s in starts.tolist()] == lines.tolist()


@settings(max_examples=50)
@given(st.lists(st.lists(_CELLS, min_size=3, max_size=3), min_size=1, max_size=30), st.integers(1, 40))
def test_the_size_of_blocks_does_not_matter(rows: list[list[str]], block: int) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["a", "b", "c"], *rows])
    text = buffer.getvalue().encode()
    header = csv_reader.read_header(text, is_all=True, name="x")
    header = csv_reader.CsvHeader(",", ("a", "b", "c"), header.size, header.lines)
    blocks = (text[i : i + block] for i in range(0, len(text), block))
    reader = csv_reader._BlockReader(iter(blocks), header)
    found = []
    while (piece := reader.next_rows()) is not None:
        found += [
            (piece.data[s:e], line + piece.first_line)
            for s, e, line in zip(piece.starts.tolist(), piece.ends.tolist(), piece.lines.tolist(), strict=True)
        ]
    (starts, ends, lines, _), _, _ = scan(text, ",", 3, is_last=True)
    expected = [
        (text[s:e], line + 1) for s, e, line in zip(starts.tolist(), ends.tolist(), lines.tolist(), strict=True)
    ]
    assert found == expected[1:]


def test_small_blocks_of_lines_and_elements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("percorso.events.streams.BLOCK_BYTES", 7)
    monkeypatch.setattr(line_reader, "CHUNK_ROWS", 2)
    values = [{"n": i, "t": "é"} for i in range(9)]
    lines = "\n".join(json.dumps(value, ensure_ascii=False) for value in values)
    assert [row["n"] for row in read(write(tmp_path, lines, "a.ndjson")).rows] == [str(i) for i in range(9)]
    array = json.dumps(values, ensure_ascii=False)
    found = read(write(tmp_path, array, "a.json"))
    assert [row["n"] for row in found.rows] == [str(i) for i in range(9)]
    assert {row["t"] for row in found.rows} == {"é"}


@pytest.mark.parametrize("name", ["ordini.xlsx", "ordini.zip", "ordini.xls"])
def test_workbooks_are_refused_with_the_way_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name.endswith(".xls"):
        path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("[Content_Types].xml", "<Types/>")
            archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(FileError, match="Excel workbooks cannot be read") as raised:
        open_input(path)
    assert raised.value.hint == "In Excel: Save as CSV UTF-8, and import that."
