"""The commands `report` and `quality`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from percorso.cli.main import run

pytestmark = pytest.mark.usefixtures("both_engines")

Captured = pytest.CaptureFixture[str]


def test_report_writes_a_page(shop: str, tmp_path: Path, capsys: Captured) -> None:
    target = tmp_path / "report.html"
    assert run(["-w", shop, "report", "--html", str(target), "--language", "en"]) == 0
    assert f"Written to {target}" in capsys.readouterr().err
    page = target.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert '<html lang="en">' in page


def test_report_of_some_sections_and_another_period(shop: str, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    period = ["--from", "2024-03-01", "--to", "2024-03-03"]
    assert run(["-w", shop, "report", "--html", str(target), "--section", "funnel", *period]) == 0
    page = target.read_text(encoding="utf-8")
    assert 'id="funnel"' in page
    assert 'id="quality"' not in page
    assert "1–3\xa0March 2024" in page


def test_a_report_of_nothing_says_so(shop: str, tmp_path: Path, capsys: Captured) -> None:
    period = ["--from", "2030-01-01", "--to", "2030-02-01", "--section", "kpis"]
    assert run(["-w", shop, "report", "--html", str(tmp_path / "report.html"), *period]) == 0
    warning, written = capsys.readouterr().err.splitlines()
    assert warning.startswith("Warning: No events between 2030-01-01 and ")
    assert written.startswith("Written to ")


def test_report_into_a_folder_that_is_not_there(shop: str, tmp_path: Path, capsys: Captured) -> None:
    assert run(["-w", shop, "report", "--html", str(tmp_path / "none" / "report.html")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert run(["-w", shop, "report", "--html", str(tmp_path)]) == 2


def test_quality_for_people(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "quality"]) == 0
    told = capsys.readouterr().out
    assert "What to know" in told
    assert "are by robots" in told
    assert "With robots, and without" in told


def test_quality_as_json_and_for_scheduled_runs(shop: str, capsys: Captured) -> None:
    assert run(["-w", shop, "quality", "--json"]) == 0
    body = json.loads(capsys.readouterr().out)
    assert body["sources"][0]["bots"] == 1
    assert body["spec"]["analysis"] == "quality"
    problems = [row for row in body["findings"] if row["level"] == "problem"]
    assert run(["-w", shop, "quality", "--strict"]) == (2 if problems else 0)
