"""`percorso simulate` and `percorso demo`, and the demo as a service."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from percorso.cli import demo as demo_cli
from percorso.cli.main import run
from percorso.demo.simulate import Simulated
from percorso.errors import UserError, WorkspaceError
from percorso.services.demo import MARK, DemoRequest, check_customers, make_demo, make_room, with_settings
from percorso.services.workspace import Workspace
from percorso.settings import load_settings
from percorso.store.lake import Lake


def test_simulate_tells_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--customers", "20", "--months", "1", "--processes", "1"]
    assert run(["simulate", *options, "--out", str(tmp_path / "a")]) == 0
    shown = capsys.readouterr().out
    assert "web.ndjson" in shown
    assert "events in" in shown
    assert run(["simulate", *options, "--out", str(tmp_path / "b"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {"files", "truth", "events", "seconds"} == set(report)
    assert all(Path(file["file"]).stat().st_size == file["bytes"] for file in report["files"])
    assert (tmp_path / "a" / "web.ndjson").read_bytes() == (tmp_path / "b" / "web.ndjson").read_bytes()


@pytest.mark.parametrize(("customers", "months"), [(0, 1), (38_001, 1), (10, 0), (10, 25)])
def test_what_cannot_be_simulated_is_refused(customers: int, months: int, tmp_path: Path) -> None:
    with pytest.raises(UserError):
        check_customers(customers, months)
    options = ["--customers", str(customers), "--months", str(months), "--out", str(tmp_path / "out")]
    assert run(["simulate", *options]) == 2
    assert not (tmp_path / "out").exists()


def test_the_demo_ends_with_what_to_do_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "demo"
    options = ["demo", "--customers", "15", "--months", "1", "--folder", str(folder), "--no-open"]
    assert run(options) == 0
    shown = capsys.readouterr().out
    assert f"percorso -w {folder / 'workspace'} funnel" in shown
    assert str(folder / "files" / "truth.json") in shown
    assert (folder / MARK).is_file()
    workspace = ["-w", str(folder / "workspace")]
    assert run([*workspace, "sql", "select count(*) as n from events", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["n"] > 200
    assert run([*workspace, "segment", "list"]) == 0
    assert "musicista" in capsys.readouterr().out
    make_room(folder)  # as the next run does
    assert [path.name for path in folder.iterdir()] == [MARK]


def test_commands_are_told_as_they_can_be_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", [".venv/bin/percorso", "demo"])
    monkeypatch.setattr("shutil.which", lambda name: None)
    assert demo_cli.called() == ".venv/bin/percorso"
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/percorso")
    assert demo_cli.called() == "percorso"


def test_a_language_that_is_none_of_ours_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    assert run(["demo", "--folder", str(tmp_path / "demo"), "--language", "fr"]) == 2
    assert not (tmp_path / "demo").exists()


def test_the_demo_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(WorkspaceError):
        make_demo(DemoRequest(tmp_path, customers=1, months=1))
    assert (tmp_path / "workspace" / "mine.txt").is_file()


def test_a_browser_opens_only_where_somebody_can_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    assert not demo_cli.has_display()


def test_the_workspace_has_the_settings_of_the_files(workspace: Workspace) -> None:
    identity = workspace.settings.identity
    assert identity.shared_sources == ("tablet",)
    assert identity.single_use_coupons
    assert "load_ms" in workspace.settings.build.coded_properties


def test_a_setting_that_does_not_exist_is_told() -> None:
    with pytest.raises(WorkspaceError):
        with_settings("[identity]\nbackfill = 1\n", "[identity]\nno_such_key = 1\n")


def test_settings_stay_readable(workspace: Workspace) -> None:
    text = (workspace.folder / "percorso.toml").read_text(encoding="utf-8")
    assert load_settings(text, where="percorso.toml") == workspace.settings


def test_everything_is_taken_in(workspace: Workspace, simulated: Simulated) -> None:
    lake = Lake(workspace.lake)
    records = {record.file: record for record in lake.imports()}
    assert set(records) == {written.path.name for written in simulated.files}
    assert sum(record.rejected for record in records.values()) == 4  # two lines of the site, two of a till
    assert lake.catalogue().num_rows > 40
    assert lake.stock().num_rows > 10_000
