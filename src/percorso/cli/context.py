"""What a command gets from the root of the command line: which workspace."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import typer

from percorso.services.workspace import Workspace, open_workspace

__all__ = ["Invocation", "command_line", "folder_of", "workspace_of"]


@dataclass(frozen=True, slots=True)
class Invocation:
    """The options that stand before the command."""

    folder: Path


def folder_of(ctx: typer.Context) -> Path:
    """The workspace's folder as the user named it, whether or not there is one."""
    invocation = ctx.find_root().obj
    assert isinstance(invocation, Invocation)  # set by the root's callback before any command runs
    return invocation.folder


def workspace_of(ctx: typer.Context) -> Workspace:
    """The workspace, opened.

    Raises
    ------
    WorkspaceError
        There is none; the hint says how to make one.
    """
    return open_workspace(folder_of(ctx))


def command_line(ctx: typer.Context) -> str:
    """How a further command on the same workspace begins, to be copied from a hint."""
    return f"percorso -w {shlex.quote(str(folder_of(ctx)))}"
