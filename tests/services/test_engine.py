"""Which engine a workspace is asked by: settings, environment, what was said for this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from percorso.cli.main import COMMANDS
from percorso.engines.abilities import ABILITIES, ability_of
from percorso.engines.session import SparkOnDemand
from percorso.engines.spark_choice import SparkChoice
from percorso.errors import SpecError
from percorso.services.build import build_log, fresh_log, is_stale
from percorso.services.engine import check_command, choose_engine, chosen_engine, engine_of, spark_choice
from percorso.services.workspace import Workspace, open_workspace
from percorso.settings import EngineSettings
from tests.services.shop_workspace import make_shop
from tests.workspaces import change_settings


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = make_shop(tmp_path_factory.mktemp("shop"))
    build_log(workspace)
    return workspace


#: Settings, environment (engine, master), said (engine, master) -> name and master.
CHOICES = [
    (("local", "local[*]"), ("", ""), ("", ""), ("local", "local[*]")),
    (("spark", "yarn"), ("", ""), ("", ""), ("spark", "yarn")),
    (("spark", "yarn"), ("", ""), ("local", ""), ("local", "yarn")),
    (("local", "yarn"), ("spark", ""), ("", ""), ("spark", "yarn")),
    (("local", "yarn"), ("", "sc://host"), ("", ""), ("spark", "sc://host")),
    (("local", "yarn"), ("local", "no master"), ("", ""), ("local", "yarn")),
    (("local", "yarn"), ("local", ""), ("", "local[2]"), ("spark", "local[2]")),
    (("local", "yarn"), ("", "sc://host"), ("spark", "local[2]"), ("spark", "local[2]")),
    (("local", "yarn"), ("", "sc://host"), ("local", ""), ("local", "yarn")),
]


@pytest.mark.parametrize(("settings", "environment", "said", "chosen"), CHOICES)
def test_what_is_said_goes_before_the_environment_and_that_before_the_settings(
    settings: tuple[str, str],
    environment: tuple[str, str],
    said: tuple[str, str],
    chosen: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PERCORSO_ENGINE", environment[0])
    monkeypatch.setenv("PERCORSO_MASTER", environment[1])
    found = chosen_engine(EngineSettings(*settings), *said)
    assert (found.name, found.master) == chosen


@pytest.mark.parametrize(
    ("engine", "master", "hint"),
    [("sparc", "", "spark"), ("", "spark:host", "spark://HOST:7077"), ("local", "yarn", "Leave one of them out")],
)
def test_a_wrong_choice_is_refused(engine: str, master: str, hint: str) -> None:
    with pytest.raises(SpecError) as refused:
        chosen_engine(EngineSettings(), engine, master)
    assert hint in refused.value.hint


def test_a_token_of_the_environment_is_taken_and_never_shown(monkeypatch: pytest.MonkeyPatch, shop: Workspace) -> None:
    monkeypatch.setenv("PERCORSO_MASTER", "sc://host/;token=abc123")
    choice = spark_choice(shop)
    assert choice is not None
    assert choice.master.endswith("abc123")
    assert choice.shown == "sc://host/"


def test_the_log_comes_with_its_engine_and_nothing_is_started(shop: Workspace) -> None:
    assert fresh_log(shop).engine is None
    engine = fresh_log(choose_engine(shop, master="local[2]")).engine
    assert engine == SparkOnDemand(SparkChoice("local[2]"))
    assert engine_of(choose_engine(shop, "local")) is None


def test_the_engine_does_not_make_a_log_stale(shop: Workspace) -> None:
    log = fresh_log(shop)
    changed = change_settings(shop, 'name = "local"', 'name = "spark"')
    assert not is_stale(changed, log)
    change_settings(changed, 'name = "spark"', 'name = "local"')


def test_an_archive_is_seen_from_the_workspace(shop: Workspace) -> None:
    changed = change_settings(shop, 'archive = ""', 'archive = "workers.tar.gz"')
    choice = spark_choice(choose_engine(changed, "spark"))
    assert choice is not None
    assert Path(choice.archive) == shop.folder / "workers.tar.gz"
    away = change_settings(changed, '"workers.tar.gz"', '"hdfs://host/workers.tar.gz"')
    choice = spark_choice(choose_engine(away, "spark"))
    assert choice is not None
    assert choice.archive == "hdfs://host/workers.tar.gz"
    change_settings(away, '"hdfs://host/workers.tar.gz"', '""')
    assert open_workspace(shop.folder).settings == shop.settings


def test_every_command_is_in_the_table_of_abilities_once() -> None:
    commands = [command for one in ABILITIES for command in one.commands]
    assert sorted(commands) == sorted(command.name for command in COMMANDS)


def test_what_an_engine_does_not_do_is_refused_where_it_was_asked_for_by_name() -> None:
    check_command("funnel", "spark", "")
    check_command("sql", "", "local[2]")
    check_command("import", "local", "")
    check_command("import", "", "")
    check_command("no such command", "spark", "")
    with pytest.raises(SpecError, match="import") as refused:
        check_command("import", "", "local[2]")
    assert "--engine" in refused.value.hint
    assert ability_of("import") is not None
