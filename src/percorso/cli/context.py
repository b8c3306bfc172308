"""What a command gets from the root of the command line: which workspace, and which language."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass, field
from pathlib import Path

import typer

from percorso.errors import PercorsoError
from percorso.language.words import ENGLISH, LANGUAGES, Words
from percorso.services.engine import choose_engine
from percorso.services.workspace import Workspace, default_folder, open_workspace

__all__ = [
    "Invocation",
    "command_line",
    "folder_of",
    "invocation_of",
    "words_anywhere",
    "words_of",
    "words_without",
    "workspace_of",
]


@dataclass(slots=True)
class Invocation:
    """The options that stand before the command, and the workspace once a command has opened it."""

    folder: Path = field(default_factory=default_folder)
    language: str = field(default_factory=lambda: os.environ.get("PERCORSO_LANGUAGE", ""))  # "": the workspace's
    engine: str = ""  # "": PERCORSO_ENGINE, else the workspace's
    master: str = ""
    opened: Workspace | None = None


def folder_of(ctx: typer.Context) -> Path:
    """The workspace's folder as the user named it, whether or not there is one."""
    return invocation_of(ctx).folder


def workspace_of(ctx: typer.Context) -> Workspace:
    """The workspace, opened once for each command.

    Raises
    ------
    WorkspaceError
        There is none; the hint says how to make one.
    SpecError
        There is no such engine as was asked for.
    """
    invocation = invocation_of(ctx)
    if invocation.opened is None:
        workspace = open_workspace(invocation.folder)
        invocation.opened = choose_engine(workspace, invocation.engine, invocation.master)
    return invocation.opened


def words_of(ctx: typer.Context, chosen: str = "") -> Words:
    """The words of the language that people are answered in, with the workspace's own names of stages.

    Parameters
    ----------
    ctx : typer.Context
    chosen : str
        By the command's own `--language`, where it has one. Without it goes what stands before the command, then
        PERCORSO_LANGUAGE, then the workspace's language.

    Raises
    ------
    SpecError
        There are no texts in that language.
    WorkspaceError
        There is no workspace to ask for its language and its stages.
    """
    settings = workspace_of(ctx).settings
    language = chosen or invocation_of(ctx).language or settings.workspace.language
    return Words(language, settings.stages.names(language))


def words_without(ctx: typer.Context, language: str) -> Words:
    """The words of a command that makes a workspace: of what stands before it, else of the language it is to have."""
    return Words(invocation_of(ctx).language or language)


def words_anywhere(invocation: Invocation) -> Words:
    """The words for what is said whether or not there is a workspace, such as errors; without one, English.

    What keeps a workspace from being opened is told by who needs it: this raises nothing.
    """
    language = invocation.language
    if language not in LANGUAGES:
        try:
            workspace = invocation.opened or open_workspace(invocation.folder)
        except PercorsoError:
            return ENGLISH
        language = workspace.settings.workspace.language
    return Words(language)


def invocation_of(ctx: typer.Context) -> Invocation:
    """What stands before the command."""
    invocation = ctx.find_root().obj
    assert isinstance(invocation, Invocation)  # given by whoever runs the command line
    return invocation


def command_line(ctx: typer.Context) -> str:
    """How a further command on the same workspace begins, to be copied from a hint."""
    return f"percorso -w {shlex.quote(str(folder_of(ctx)))}"
