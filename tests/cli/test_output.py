"""How answers leave the command line."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from percorso.cli.output import (
    Format,
    Layout,
    Output,
    money_text,
    output_of,
    percent_text,
    span_text,
    write_answer,
    write_json,
    write_table,
)
from percorso.errors import FileError, UserError

Captured = pytest.CaptureFixture[str]
TABLE = pa.table(
    {
        "step": ["Product Viewed", "[red]Sale![/red]", "bad\x1b[31m\nname"],
        "count": [1234567, 20, None],
        "share": [1.0, 0.5, float("nan")],
        "path": [["a", "b"], ["c"], None],
        "when": pa.array([0, 1_500_000, None], pa.timestamp("us", "UTC")),
    }
)


@dataclass(frozen=True)
class Answered:
    table: pa.Table = field(default_factory=lambda: TABLE)
    warnings: tuple[str, ...] = ("Fewer than 30 journeys.",)

    def as_json(self) -> dict[str, Any]:
        return {"steps": self.table.to_pylist(), "total": 3, "warnings": list(self.warnings)}


def test_a_piped_table_is_plain_and_whole(capsys: Captured) -> None:
    wide = TABLE.append_column("long", pa.array(["x" * 150, None, "y"]))
    layout = Layout(formats={"share": percent_text})
    write_table(wide, Output(Format.table), title="Funnel", layout=layout, notes=["A note."])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Funnel"
    assert lines[2].split() == ["step", "count", "share", "path", "when", "long"]
    assert "1,234,567  100.0 %  a > b  1970-01-01T00:00:00Z" in lines[3]
    assert "x" * 150 in lines[3]
    assert lines[4].startswith("[red]Sale![/red] ")
    assert "\x1b" not in "".join(lines)
    assert lines[5].startswith("bad [31m name")
    assert lines[5].split()[-4:] == ["–", "–", "–", "y"]
    assert lines[-1] == "A note."
    assert all(line == line.rstrip() for line in lines)


def test_numbers_stand_to_the_right(capsys: Captured) -> None:
    write_table(pa.table({"n": [5, 12345], "t": ["a", "b"]}), Output(Format.table))
    assert capsys.readouterr().out == "     n  t\n     5  a\n12,345  b\n"


def test_an_empty_table_shows_its_head(capsys: Captured) -> None:
    write_table(TABLE.slice(0, 0), Output(Format.table))
    assert capsys.readouterr().out.split() == TABLE.column_names


def test_json_is_the_answers_and_strict(capsys: Captured) -> None:
    write_answer(Answered(), Output(Format.json), layout=Layout(formats={"share": percent_text}))
    told = capsys.readouterr()
    body = json.loads(told.out)
    assert body["total"] == 3
    assert body["steps"][2]["share"] is None
    assert body["steps"][1]["when"] == "1970-01-01T00:00:01.500000Z"
    assert body["steps"][0]["path"] == ["a", "b"]
    assert told.err == "Warning: Fewer than 30 journeys.\n"


def test_json_of_a_table_is_its_rows(capsys: Captured) -> None:
    write_table(pa.table({"a": [1, 2]}), Output(Format.json))
    assert json.loads(capsys.readouterr().out) == [{"a": 1}, {"a": 2}]


def test_json_knows_what_json_does_not(capsys: Captured) -> None:
    write_json(
        {"day": datetime.date(2026, 1, 2), "id": b"\x01\xff", 1: float("inf"), "path": Path("a"), "t": (1, True)}
    )
    assert json.loads(capsys.readouterr().out) == {
        "day": "2026-01-02",
        "id": "01ff",
        "1": None,
        "path": "a",
        "t": [1, True],
    }


def test_csv_joins_paths(capsys: Captured) -> None:
    write_answer(Answered(), Output(Format.csv))
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["path"] for row in rows] == ["a > b", "c", ""]
    assert [row["count"] for row in rows] == ["1234567", "20", ""]
    assert rows[2]["step"] == "bad\x1b[31m\nname"  # data stays as it is


@pytest.mark.parametrize("ending", ["json", "csv", "parquet"])
def test_a_files_ending_chooses_the_format(ending: str, tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / f"answer.{ending}"
    write_answer(Answered(), output_of(None, file))
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith(f"Written to {file}\n")
    if ending == "json":
        assert json.loads(file.read_text())["total"] == 3
    elif ending == "parquet":
        assert pq.read_table(file).to_pylist()[:2] == TABLE.to_pylist()[:2]
    else:
        assert file.read_text().startswith('"step","count"')


def test_an_ending_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.json, \.csv, \.parquet"):
        output_of(None, tmp_path / "answer.xlsx")
    write_answer(Answered(), output_of(Format.table, tmp_path / "answer.txt"))
    assert "Warning: Fewer than 30 journeys." in (tmp_path / "answer.txt").read_text()


def test_json_has_a_short_name() -> None:
    assert output_of(None, None, as_json=True) == Output(Format.json)
    with pytest.raises(UserError, match="contradict"):
        output_of(Format.csv, None, as_json=True)


def test_the_format_asked_for_goes_before_the_ending(tmp_path: Path) -> None:
    assert output_of(Format.csv, tmp_path / "x.json").format is Format.csv
    assert output_of(None, None) == Output(Format.table)


def test_parquet_is_not_for_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UserError) as caught:
        output_of(Format.parquet, None)
    assert "--output" in caught.value.hint


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileError):
        write_table(TABLE, Output(Format.csv, tmp_path / "missing" / "x.csv"))


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> Callable[..., list[str]]:
    """Lines of a table on a terminal of a width, without its styles."""

    def shown(table: pa.Table, width: int, **how: Any) -> list[str]:
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(width))
        write_table(table, Output(Format.table), **how)
        return re.sub(r"\x1b\[\d+m", "", capsys.readouterr().out).splitlines()

    return shown


def test_secondary_columns_go_first_and_it_is_said(terminal: Callable[..., list[str]]) -> None:
    numbers = {"count": [1234567], "low": [0.1], "high": [0.2], "p90_s": [3]}
    table = pa.table({"label": ["A label of some length"], **numbers})
    layout = Layout(secondary=("low high", "p90_s"), titles={"p90_s": "p90"})
    assert terminal(table, 60, layout=layout)[0].split() == ["label", "count", "low", "high", "p90"]
    lines = terminal(table, 44, layout=layout)
    assert lines[0].split() == ["label", "count", "p90"]
    assert lines[2].split() == ["A", "label", "of", "some", "length", "1,234,567", "3"]
    assert lines[4:] == ["left out: low, high (widen the window, or", "--format csv)"]


@pytest.mark.parametrize("width", [20, 40, 80])
def test_nothing_is_cut_off(width: int, terminal: Callable[..., list[str]]) -> None:
    texts = {f"column {n}": [f"some words of number {n}", "x" * 30 + str(n)] for n in range(5)}
    lines = terminal(pa.table({**texts, "count": [1234567, 2]}), width, notes=["2 rows"])
    assert lines[0] == "row 1 of 2"
    assert "count     1,234,567" in lines
    assert all(text in "\n".join(lines) for column in texts.values() for text in column)


def test_texts_wrap_between_words(terminal: Callable[..., list[str]]) -> None:
    lines = terminal(pa.table({"count": [12], "path": ["Page Viewed > Product Viewed > Order Completed"]}), 30)
    assert max(map(len, lines)) <= 30
    assert " ".join(" ".join(lines[2:]).split()) == "12 Page Viewed > Product Viewed > Order Completed"


def test_ids_are_short_where_there_is_no_room(terminal: Callable[..., list[str]]) -> None:
    table = pa.table({"person": ["0123456789abcdef" * 2], "count": [1]})
    assert "0123456789abcdef" * 2 in terminal(table, 80, layout=Layout(ids=("person",)))[2]
    assert terminal(table, 30, layout=Layout(ids=("person",)))[2] == "0123456789ab      1"


def test_times_are_of_the_zone_and_numbers_plain_where_asked(capsys: Captured) -> None:
    layout = Layout(zone=ZoneInfo("Europe/Rome"))
    write_table(TABLE.select(["when", "count"]).slice(1, 1), Output(Format.table), layout=layout)
    assert capsys.readouterr().out.splitlines()[1] == "1970-01-01 01:00     20"
    write_table(TABLE.select(["when", "count"]).slice(0, 1), Output(Format.table), layout=replace(layout, plain=True))
    assert capsys.readouterr().out.splitlines()[1] == "1970-01-01 01:00:00  1234567"


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0s"),
        (1_500_000, "1.5s"),
        (59.99e6, "1m"),
        (61e6, "1m 1s"),
        (3_660e6, "1h 1m"),
        (90_000e6, "1d 1h"),
        (40 * 86_400e6, "40d"),
        (3_599.9e6, "1h"),
        (140_000e6, "1d 15h"),
    ],
)
def test_durations_read_well(us: float, text: str) -> None:
    assert span_text(us) == text


def test_money_reads_well() -> None:
    assert [money_text(2)(minor) for minor in (0, 5, -123456)] == ["0.00", "0.05", "-1,234.56"]
    assert money_text(0)(1234) == "1,234"
