"""`percorso init`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from percorso.cli.main import run
from percorso.services.workspace import open_workspace

Captured = pytest.CaptureFixture[str]


def test_it_makes_a_workspace_and_says_what_to_do_next(tmp_path: Path, capsys: Captured) -> None:
    folder = tmp_path / "shop"
    assert run(["-w", str(folder), "init"]) == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert f"percorso -w {folder} import FILE" in told.out
    assert f"percorso -w {folder} build" in told.out
    workspace = open_workspace(folder).settings.workspace
    assert (workspace.currency, workspace.timezone, workspace.language) == ("EUR", "Europe/Rome", "it")


def test_its_options_are_settings(tmp_path: Path) -> None:
    options = "init --currency JPY --timezone Asia/Tokyo --language en --country JP --stage-model familiarity"
    assert run(["--workspace", str(tmp_path), *options.split()]) == 0
    settings = open_workspace(tmp_path).settings
    assert settings.workspace.currency == "JPY"
    assert settings.workspace.country == "JP"
    assert settings.stages.name == "familiarity"
    assert (
        "# Every key" in (tmp_path / "percorso.toml").read_text()
        or "Settings of this" in (tmp_path / "percorso.toml").read_text()
    )


def test_without_a_folder_it_takes_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["init"]) == 0
    assert (tmp_path / "percorso-data" / "percorso.toml").is_file()
    monkeypatch.setenv("PERCORSO_HOME", str(tmp_path / "home"))
    assert run(["init"]) == 0
    assert (tmp_path / "home" / "percorso.toml").is_file()


def test_again_is_refused(tmp_path: Path, capsys: Captured) -> None:
    assert run(["-w", str(tmp_path), "init", "--language", "en"]) == 0
    capsys.readouterr()
    assert run(["-w", str(tmp_path), "init"]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert "already" in told.err


@pytest.mark.parametrize(
    ("option", "value", "near"),
    [
        ("--currency", "EURO", "EUR"),
        ("--timezone", "Rome", "Europe/Rome"),
        ("--language", "ita", "it"),
        ("--country", "ITA", "IT"),
    ],
)
def test_a_wrong_value_is_refused_with_the_nearest(
    tmp_path: Path, capsys: Captured, option: str, value: str, near: str
) -> None:
    assert run(["-w", str(tmp_path / "new"), "init", option, value]) == 2
    told = capsys.readouterr()
    assert f"Did you mean '{near}'?" in told.err
    assert not (tmp_path / "new").exists()


def test_a_wrong_setting_is_told_with_its_line_when_a_command_opens_the_workspace(
    tmp_path: Path, capsys: Captured
) -> None:
    assert run(["-w", str(tmp_path), "init", "--language", "en"]) == 0
    file = tmp_path / "percorso.toml"
    line = file.read_text().splitlines().index('timeout = "30m"') + 1
    file.write_text(file.read_text().replace('timeout = "30m"', 'timeout = "soon"'))
    capsys.readouterr()
    assert run(["-w", str(tmp_path), "build", "--json"]) == 2
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert error["code"] == "settings"
    assert error["fields"]["line"] == line
    assert f"line {line}" in told.err
