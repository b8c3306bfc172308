"""A group of commands whose modules are imported when one of them runs.

Importing the compiled loops, DuckDB and Arrow takes longer than many a command, so ``percorso --help``,
``init`` and typing errors must not pay for it. This is the one place where an import happens inside a
function (house style 1): its price is that a broken command module shows only when the command is called,
which ``tests/cli/test_main.py`` makes up for by loading them all.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

__all__ = ["LazyCommand", "lazy_group", "unknown_command"]


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command by name. `module` has ``register(app: typer.Typer) -> None``, which adds it."""

    name: str
    module: str
    help: str  # one line for the list of commands; the command's own page is in its docstring
    panel: str  # heading in the list of commands


class _Unknown(str):
    """The name of a command that there is not."""


def unknown_command(error: typer.TyperException) -> str:
    """The command that there is not, if that is what is wrong; else "".

    Typer says it within a sentence alone, so the group notes it on the error.
    """
    return next((part for part in error.args if isinstance(part, _Unknown)), "")


def lazy_group(commands: Sequence[LazyCommand]) -> type[TyperGroup]:
    """The class of a group that has these commands, in their order, beside those registered at once."""
    listed = {command.name: command for command in commands}

    class LazyGroup(TyperGroup):
        def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
            return list(self.commands)

        def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def]
            name = args[0]
            if name in listed and isinstance(self.commands.get(name), _Stub):
                self.commands[name] = load(listed[name])
            try:
                return super().resolve_command(ctx, args)
            except typer.TyperException as error:
                error.args = (*error.args, _Unknown(name))
                raise

        def __init__(self, **options) -> None:  # type: ignore[no-untyped-def]
            super().__init__(**options)
            for command in commands:
                self.commands.setdefault(command.name, _stub(command))

    return LazyGroup


class _Stub(TyperCommand):
    """What `--help` shows of a command that is not loaded."""


def _stub(command: LazyCommand) -> _Stub:
    return _Stub(command.name, help=command.help, rich_help_panel=command.panel)


def load(command: LazyCommand):  # type: ignore[no-untyped-def]
    """Import the command's module and build the command."""
    module = importlib.import_module(command.module)
    app = typer.Typer(callback=_no_options)  # with a callback it stays a group, even of one command
    module.register(app)
    return get_group(app).commands[command.name]


def _no_options() -> None: ...
