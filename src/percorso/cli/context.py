"""What a command gets from the root of the command line: which workspace, and which language."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import typer

from percorso.language.words import Words
from percorso.services.workspace import Workspace, open_workspace

__all__ = ["Invocation", "command_line", "folder_of", "words_of", "workspace_of"]


@dataclass(slots=True)
class Invocation:
    """The options that stand before the command, and the workspace once a command has opened it."""

    folder: Path
    language: str = ""  # "": the workspace's
    opened: Workspace | None = None


def folder_of(ctx: typer.Context) -> Path:
    """The workspace's folder as the user named it, whether or not there is one."""
    return _invocation(ctx).folder


def workspace_of(ctx: typer.Context) -> Workspace:
    """The workspace, opened once for each command.

    Raises
    ------
    WorkspaceError
        There is none; the hint says how to make one.
    """
    invocation = _invocation(ctx)
    if invocation.opened is None:
        invocation.opened = open_workspace(invocation.folder)
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
    language = chosen or _invocation(ctx).language or settings.workspace.language
    return Words(language, settings.stages.names(language))


def _invocation(ctx: typer.Context) -> Invocation:
    invocation = ctx.find_root().obj
    assert isinstance(invocation, Invocation)  # set by the root's callback before any command runs
    return invocation


def command_line(ctx: typer.Context) -> str:
    """How a further command on the same workspace begins, to be copied from a hint."""
    return f"percorso -w {shlex.quote(str(folder_of(ctx)))}"
