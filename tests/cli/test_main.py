"""The root of the command line: help, errors, exit codes, and how fast it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import percorso
from percorso.cli import init as init_command
from percorso.cli.lazy import load
from percorso.cli.main import COMMANDS, run, wants_json
from percorso.errors import Busy, SpecError
from percorso.services.build import build_log
from tests.services.shop_workspace import VIEW, make_shop

Captured = pytest.CaptureFixture[str]
HEAVY = ("numba", "duckdb", "pyarrow", "numpy", "deltalake", "pandas")


def python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=folder, check=False)


def test_help_lists_every_command(capsys: Captured) -> None:
    assert run(["--help"]) == 0
    told = capsys.readouterr().out
    assert all(f" {command.name} " in told and command.help[:30] in told for command in COMMANDS)


def test_without_a_command_it_shows_the_help(capsys: Captured) -> None:
    assert run([]) == 0
    assert "Usage: percorso" in capsys.readouterr().out


def test_version(capsys: Captured) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"percorso {percorso.__version__}\n"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_listed_command_can_be_loaded(command: object, capsys: Captured) -> None:
    listed = next(entry for entry in COMMANDS if entry is command)
    assert load(listed).name == listed.name
    assert run([listed.name, "--help"]) == 0
    assert f"percorso {listed.name}" in capsys.readouterr().out


def test_help_and_init_load_nothing_heavy(tmp_path: Path) -> None:
    for arguments in (["--help"], ["-w", "shop", "init"], ["no-such-command"]):
        script = (
            "import sys; from percorso.cli.main import run; "
            f"run({arguments!r}); print('loaded:', *(name for name in {HEAVY!r} if name in sys.modules))"
        )
        told = python("-c", script, folder=tmp_path)
        assert told.stdout.splitlines()[-1].strip() == "loaded:", told.stderr


def test_a_build_with_nothing_to_do_loads_nothing_heavy(tmp_path: Path) -> None:
    build_log(make_shop(tmp_path / "shop"))
    script = (
        "import sys; from percorso.cli.main import run; "
        f"print(run(['-w', 'shop', 'build', '--json']), *(name for name in {HEAVY!r} if name in sys.modules))"
    )
    report, told = python("-c", script, folder=tmp_path).stdout.splitlines()
    assert not json.loads(report)["built"]
    assert told == "0"


@pytest.mark.parametrize(
    "arguments",
    [
        ["build", "--full"],
        ["import", "more.csv", "--dry-run"],
        ["funnel", "--step", VIEW],
        ["flow"],
        ["customer", "u0"],
    ],
)
def test_no_command_loads_pandas(arguments: list[str], tmp_path: Path) -> None:
    build_log(make_shop(tmp_path / "shop"))
    (tmp_path / "more.csv").write_text("user_id,event,timestamp\nu9,Page Viewed,2024-03-01 10:00:00\n")
    (tmp_path / "pandas.py").write_text("import sys; sys.exit('pandas')\n")  # whether or not it is installed
    script = (
        f"import sys; from percorso.cli.main import main; sys.argv = {['percorso', '-w', 'shop', *arguments]!r}; main()"
    )
    told = python("-c", script, folder=tmp_path)
    assert told.returncode == 0, told.stderr


def test_the_lake_lists_its_files_without_pandas(tmp_path: Path) -> None:
    lake = make_shop(tmp_path / "shop").lake
    script = (
        "import sys; from pathlib import Path; from percorso.store.lake import Lake; "
        f"print(len(Lake(Path({str(lake)!r})).live_files()), 'pandas' in sys.modules)"
    )
    assert python("-c", script, folder=tmp_path).stdout.split() == ["1", "False"]


def test_it_runs_as_a_program_from_any_folder(tmp_path: Path) -> None:
    script = "import sys; from percorso.cli.main import main; sys.argv = ['percorso', '--version']; main()"
    told = python("-c", script, folder=tmp_path)
    assert (told.returncode, told.stdout, told.stderr) == (0, f"percorso {percorso.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [["fnnel"], ["init", "--curency", "EUR"], ["--foo"], ["init", "too", "many"], ["-w"]]
)
def test_a_wrong_word_is_the_users_mistake(arguments: list[str], capsys: Captured) -> None:
    assert run(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("Error: ")
    assert "--help" in told.err


def test_a_near_command_is_named(capsys: Captured) -> None:
    run(["fnnel"])
    assert "'funnel'" in capsys.readouterr().err


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the service behind `init` fail: everything around it is real."""

    def failing(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(init_command, "init_workspace", failing)


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"], ["--format=json"]])
def test_errors_are_json_too_where_json_was_asked_for(words: list[str], tmp_path: Path, capsys: Captured) -> None:
    assert run(["-w", str(tmp_path), "init", *words]) == 2  # init has no such options: a usage error
    told = capsys.readouterr()
    error = json.loads(told.out)["error"]
    assert error["code"] == "usage"
    assert error["message"] in told.err
    assert error["hint"] in told.err


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (SpecError("No such step.", hint="Try another."), 2),
        (Busy("Another build is running."), 1),
        (OSError(28, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_exit_codes(
    error: BaseException, exit_code: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    fail_with(error, monkeypatch)
    assert run(["-w", str(tmp_path), "init"]) == exit_code
    told = capsys.readouterr()
    assert told.out == ""
    assert "Traceback" not in told.err
    assert str(error.args[-1] if error.args else "Interrupted") in told.err


def test_our_own_mistakes_show_no_value_and_how_to_see_more(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: Captured
) -> None:
    fail_with(ValueError("cannot parse anna@example.com"), monkeypatch)
    assert run(["-w", str(tmp_path), "init"]) == 1
    told = capsys.readouterr().err
    assert "anna" not in told
    assert "Traceback" not in told
    assert "PERCORSO_DEBUG=1" in told
    monkeypatch.setenv("PERCORSO_DEBUG", "1")
    assert run(["-w", str(tmp_path), "init"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error_of_ours(tmp_path: Path) -> None:
    script = "from percorso.cli.main import main; import sys; sys.argv = ['percorso', '--help']; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path, env=os.environ
    )
    assert process.stdout is not None
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert b"Traceback" not in err
    assert b"Percorso" not in err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ([], False),
        (["--json"], True),
        (["--format", "json"], True),
        (["--format=json"], True),
        (["--format", "csv"], False),
        (["import", "--format"], False),
        (["import", "--", "--json"], False),
        (["--output", "json"], False),
    ],
)
def test_when_json_is_wanted(arguments: list[str], wanted: bool) -> None:
    assert wants_json(arguments) is wanted


def test_a_value_that_is_none_of_the_choices(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["kpis", "--format", "pdf"]) == 2
    told = capfd.readouterr().err
    assert "'pdf' is not one of 'table', 'json', 'csv', 'parquet'." in told
    assert "Value error" not in told
