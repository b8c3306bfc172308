"""Making and opening workspaces."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from percorso.errors import Corrupt, SettingsError, WorkspaceError
from percorso.services.workspace import Workspace, default_folder, init_workspace, open_workspace
from percorso.settings import STAGE_MODELS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "a brand" / "workspace"


def test_a_new_workspace_has_its_parts(folder: Path) -> None:
    workspace = init_workspace(folder, currency="USD", timezone="America/New_York", language="en", country="US")
    assert workspace.folder == folder
    assert workspace.settings.workspace.currency == "USD"
    assert workspace.settings.workspace.timezone == "America/New_York"
    assert (workspace.lake, workspace.log, workspace.tmp) == (folder / "lake", folder / "log", folder / "tmp")
    assert all((folder / part).is_dir() for part in ("lake", "log", "tmp", "mappings"))
    assert sorted(path.name for path in folder.iterdir()) == [
        "lake",
        "log",
        "mappings",
        "percorso.toml",
        "secret.key",
        "tmp",
    ]


def test_the_key_is_secret_and_its_own(folder: Path, tmp_path: Path) -> None:
    workspace = init_workspace(folder)
    assert len(workspace.secret) == 32
    assert (folder / "secret.key").read_bytes() == workspace.secret
    assert stat.S_IMODE((folder / "secret.key").stat().st_mode) == 0o600
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in ("lake", "log", "tmp")} == {0o700}
    assert init_workspace(tmp_path / "other").secret != workspace.secret
    assert repr(workspace.secret) not in repr(workspace)


def test_opened_again_it_is_the_same(folder: Path) -> None:
    made = init_workspace(folder, stage_model="support")
    opened = open_workspace(folder)
    assert isinstance(opened, Workspace)
    assert opened == made
    assert opened.settings.stages == STAGE_MODELS["support"]


def test_a_relative_folder_becomes_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    init_workspace(folder)
    monkeypatch.chdir(folder.parent)
    assert open_workspace(Path("workspace")).folder == folder


def test_an_existing_workspace_is_left_alone(folder: Path) -> None:
    init_workspace(folder)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(WorkspaceError) as caught:
        init_workspace(folder, currency="USD")
    assert caught.value.status == 409
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_wrong_value_makes_nothing(folder: Path) -> None:
    with pytest.raises(SettingsError):
        init_workspace(folder, timezone="Europe/Milano")
    assert not folder.exists()


def test_what_an_interrupted_run_left_can_be_finished(folder: Path) -> None:
    secret = init_workspace(folder).secret
    (folder / "percorso.toml").unlink()
    assert init_workspace(folder).secret == secret


def test_where_no_folder_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError) as caught:
        init_workspace(tmp_path / "file" / "workspace")
    assert "-w" in caught.value.hint


@pytest.mark.parametrize("at", [".", "file", "file/below", "missing"])
def test_where_there_is_none_the_hint_says_how_to_make_one(tmp_path: Path, at: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(WorkspaceError) as caught:
        open_workspace(tmp_path / at)
    assert f"percorso -w {tmp_path / at} init" in caught.value.hint
    assert caught.value.status == 404


@pytest.mark.parametrize("content", [None, b"", b"too short", b"x" * 33])
def test_a_damaged_key_is_told(folder: Path, content: bytes | None) -> None:
    init_workspace(folder)
    (folder / "secret.key").unlink()
    if content is not None:
        (folder / "secret.key").write_bytes(content)
    with pytest.raises(Corrupt) as caught:
        open_workspace(folder)
    assert "backup" in caught.value.hint


def test_settings_written_by_an_editor_of_another_system(folder: Path) -> None:
    init_workspace(folder)
    file = folder / "percorso.toml"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert open_workspace(folder).settings.workspace.currency == "EUR"
    file.write_bytes(b'[workspace]\ncurrency = "\xff"\n')
    with pytest.raises(WorkspaceError, match="UTF-8"):
        open_workspace(folder)


def test_the_default_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert default_folder() == Path("percorso-data")
    monkeypatch.setenv("PERCORSO_HOME", "")
    assert default_folder() == Path("percorso-data")
    monkeypatch.setenv("PERCORSO_HOME", str(tmp_path))
    assert default_folder() == tmp_path
