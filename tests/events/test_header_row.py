"""The header below titles: found where it surely is, and nowhere else."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from percorso.errors import FileError
from percorso.events.csv_reader import CsvBlock, read_header
from percorso.events.readers import blocks_of, open_input

HEADER = "Data;Cliente;Totale"
ROWS = "02/01/2024;Anna;12,50\n03/01/2024;Luca;8,00\n"


def found(text: str, line: int = 0) -> tuple[int, tuple[str, ...]]:
    header = read_header(text.encode(), is_all=True, name="x", line=line)
    assert header.size == len("\n".join([*text.encode().decode().split("\n")[: header.line], ""]).encode())
    return header.line, header.columns


@pytest.mark.parametrize(
    ("titles", "line"),
    [
        ("", 1),
        ("Report vendite 01/01–31/03\n", 2),
        ("Report vendite\n\n", 3),
        ("Report vendite\nNegozio: Centro\n\n", 4),
        ("Report vendite;;\n;;\n", 3),
        ("Negozio;Centro\nDal;01/01/2024\n", 3),
        ("# Period: a; b; c; d\n", 2),
        ("Dal;01/01/2024;\n", 2),
        ("Report" + "\n" * 18, 19),
        ("Report" + "\n" * 20, 1),  # too far down
    ],
)
def test_titles_above_the_header(titles: str, line: int) -> None:
    at, columns = found(f"{titles}{HEADER}\n{ROWS}")
    assert at == line
    assert line == 1 or columns == ("Data", "Cliente", "Totale")


def test_of_two_rows_of_names_the_first_is_the_header() -> None:
    assert found(f"Report\n{HEADER}\nn.d.;Anna;omaggio\n{ROWS}") == (2, ("Data", "Cliente", "Totale"))


def test_the_row_that_names_most_columns_is_the_header() -> None:
    rows = "02/01/2024;Anna;12,50;1\n03/01/2024;Luca;8,00;2\n"
    assert found(f"Negozio;Centro;;\n{HEADER};Pezzi\n{rows}")[0] == 2


@pytest.mark.parametrize(
    "text",
    [
        "02/01/2024;Anna;12,50\n03/01/2024;Luca;8,00\n",  # no header at all
        "a;b\n1;2;\n3;4;\n",  # rows that end in a delimiter
        ";evento;utente\n1;visita;a\n2;visita;b\n",  # an index without a name
        "Data;Cliente;Totale\nn.d.;Anna;n.d.\n03/01/2024;Luca;8,00\n",
        "nome;città\nAnna;Roma\nLuca;Milano\n",
        "nome\nAnna\nLuca\n",
        "2022;2023;2024\n1;2;3\n",
        "Data;;\nNegozio;Cliente;Città\nCentro;Anna;Roma\n",  # texts over texts tell nothing
        "a",
    ],
)
def test_the_first_line_stays_where_nothing_else_is_sure(text: str) -> None:
    assert read_header(text.encode(), is_all=True, name="x").line == 1


def test_a_mapping_may_name_the_line() -> None:
    text = f"Report;a;b\n{HEADER}\n{ROWS}"
    assert found(text) == (1, ("Report", "a", "b"))
    assert found(text, line=2) == (2, ("Data", "Cliente", "Totale"))
    assert found(f"sep=;\n{HEADER}\n{ROWS}", line=1) == (2, ("Data", "Cliente", "Totale"))
    with pytest.raises(FileError, match="nothing on line 9"):
        found(text, line=9)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_are_those_of_the_file(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "f.csv"
    text = f"Report\nCentro\n\n{HEADER}\n{ROWS}04/01/2024;x\nTotale;20,50\n"
    path.write_bytes(text.replace("\n", ending).encode())
    for line in (0, 4):
        lines: list[int] = []
        rejects: list[tuple[int, str]] = []
        for block in blocks_of(open_input(path, header_line=line)):
            assert isinstance(block, CsvBlock)
            assert block.header.above == ((1, "Report"), (2, "Centro"))
            chunk, rejected = block.read()
            lines += chunk.lines.tolist()
            rejects += [(reject.line, reject.reason) for reject in rejected]
        assert lines == [5, 6]
        assert rejects == [(7, "cells"), (8, "total_row")]


_TITLES = st.lists(st.text("Abc è,:-/0123456789", max_size=30), max_size=6)
_NAMES = st.lists(
    st.from_regex(r"[a-h][a-h_ ]{0,8}[0-9]?", fullmatch=True), min_size=2, max_size=6, unique_by=str.strip
)
_NUMBERS = st.integers(-9999, 9999).map(str)


@given(_TITLES, _NAMES, st.data())
def test_titles_change_no_row(titles: list[str], names: list[str], data: st.DataObject) -> None:
    rows = data.draw(st.lists(st.lists(_NUMBERS, min_size=len(names), max_size=len(names)), min_size=7, max_size=12))
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=";", lineterminator="\n").writerows([names, *rows])
    above = "".join(f"{title}\n" for title in titles)
    plain = read_header(buffer.getvalue().encode(), is_all=True, name="x")
    header = read_header((above + buffer.getvalue()).encode(), is_all=True, name="x")
    assert (plain.line, header.line) == (1, len(titles) + 1)
    assert header.columns == plain.columns
    assert (header.size, header.lines) == (plain.size + len(above.encode()), plain.lines + len(titles))
    assert [text for _, text in header.above] == [title.strip() for title in titles if title.strip()]


@given(st.lists(st.lists(st.text('ab 1,;-"', max_size=5), min_size=3, max_size=3), max_size=12), _NAMES)
def test_full_names_in_the_first_line_are_always_the_header(rows: list[list[str]], names: list[str]) -> None:
    buffer = io.StringIO()
    names = [f"{name}{i}" for i, name in enumerate(names[:2] + names[:1])]
    csv.writer(buffer, lineterminator="\n").writerows([names, *rows, *rows])
    header = read_header(buffer.getvalue().encode(), is_all=True, name="x")
    if header.delimiter == ",":
        assert header.line == 1
