"""Where a workspace's questions are worked out: what was asked for, and the engine behind it.

Nothing is started here: a session of Spark is made when a question is worked out by it, so that what needs none, such
as a build that finds everything up to date, does not wait for Java.
"""

from __future__ import annotations

import importlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from percorso.engines.abilities import ability_of
from percorso.errors import SpecError
from percorso.language.said import said
from percorso.services.workspace import Workspace
from percorso.settings import EngineSettings
from percorso.settings.engine_sections import ENGINE_NAME, MASTER
from percorso.settings.kinds import Kind, WrongValueError

if TYPE_CHECKING:
    from percorso.engines.spark import SparkEngine
    from percorso.engines.spark_choice import SparkChoice
    from percorso.store.journey_log import BucketEngine, JourneyLog

__all__ = [
    "asked_by",
    "check_command",
    "choose_engine",
    "chosen_engine",
    "engine_of",
    "spark_choice",
    "spark_engine",
    "with_engine",
]


def choose_engine(workspace: Workspace, engine: str = "", master: str = "") -> Workspace:
    """The workspace, to be asked by another engine than its settings say.

    Parameters
    ----------
    workspace : Workspace
    engine : str
        ``local`` or ``spark``; "" is PERCORSO_ENGINE, else what the settings say.
    master : str
        Where Spark is; "" is PERCORSO_MASTER, else what the settings say. Whoever names one means Spark.

    Raises
    ------
    SpecError
        There is no such engine, or no such form of a master.
    """
    return replace(workspace, engine=chosen_engine(workspace.settings.engine, engine, master))


def chosen_engine(settings: EngineSettings, engine: str = "", master: str = "") -> EngineSettings:
    """Settings of the engine with what goes before them; parameters and errors as of `choose_engine`."""
    if engine == "local" and master:
        raise SpecError(said("errors.engine_two"), hint=said("errors.engine_two_hint"))
    from_environment = (os.environ.get("PERCORSO_ENGINE", ""), os.environ.get("PERCORSO_MASTER", ""))
    for named, at in ((engine, master), from_environment):
        name = named or ("spark" if at else "")
        if name:
            settings = replace(settings, name=_checked(ENGINE_NAME, name))
            break
    where = master or from_environment[1]
    if settings.name != "spark" or not where:
        return settings
    return replace(settings, master=_checked(MASTER, where))


def _checked(kind: Kind, text: str) -> str:
    try:
        return str(kind.read(text))
    except WrongValueError as refused:
        raise SpecError(refused.message, hint=refused.hint) from refused


def check_command(command: str, engine: str, master: str) -> None:
    """Refuse to work a command out by an engine that does not do it; only one that was asked for by name.

    Raises
    ------
    SpecError
        Spark was named, and does not do this.
    """
    ability = ability_of(command)
    if ability is not None and ability.spark == "no" and (engine == "spark" or master):
        raise SpecError(said("errors.engine_not_done", what=command), hint=said("errors.engine_local_hint"))


def asked_by(workspace: Workspace) -> EngineSettings:
    """What `choose_engine` chose, else what the environment and the settings say."""
    return workspace.engine or chosen_engine(workspace.settings.engine)


def engine_of(workspace: Workspace) -> BucketEngine | None:
    """What works out the workspace's questions; None: this process."""
    choice = spark_choice(workspace)
    if choice is None:
        return None
    engine: BucketEngine = importlib.import_module("percorso.engines.session").SparkOnDemand(choice)
    return engine


def spark_engine(workspace: Workspace) -> SparkEngine | None:
    """Session and number of tasks behind `engine_of`, started where it is not yet, for more than questions.

    Raises
    ------
    EngineError
        It cannot be started, not be reached, or its workers have other versions than this process.
    """
    choice = spark_choice(workspace)
    if choice is None:
        return None
    engine: SparkEngine = importlib.import_module("percorso.engines.session").spark_of(choice)
    return engine


def spark_choice(workspace: Workspace) -> SparkChoice | None:
    """Which Spark the workspace is asked by; None: by none."""
    asked = asked_by(workspace)
    if asked.name != "spark":
        return None
    archive = asked.archive
    if archive and "://" not in archive:
        archive = str(workspace.folder / Path(archive).expanduser())
    choice: SparkChoice = importlib.import_module("percorso.engines.spark_choice").SparkChoice(
        master=asked.master,
        tasks=asked.tasks,
        archive=archive,
        wait_us=asked.wait_us,
        settings=tuple(sorted(asked.spark.items())),
    )
    return choice


def with_engine(workspace: Workspace, log: JourneyLog) -> JourneyLog:
    """The log, asked by the workspace's engine."""
    engine = engine_of(workspace)
    return log if engine is None else replace(log, engine=engine)
