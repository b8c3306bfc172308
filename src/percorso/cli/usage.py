"""A command line that is wrong as such: what Typer found, in words that another language can say again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from percorso.cli.lazy import unknown_command
from percorso.errors import nearest
from percorso.language.said import said

__all__ = ["usage_error"]


#: Options of the engine, which stand before the command, each with a value that it takes.
_ENGINE = {"--engine": "spark", "--master": "'local[2]'"}


def usage_error(error: typer.TyperException, commands: Sequence[str]) -> dict[str, Any]:
    """The error as the JSON that answers carry.

    Parameters
    ----------
    error : TyperException
    commands : sequence of str
        All there are, for one that was probably meant.
    """
    ctx = getattr(error, "ctx", None)
    path = ctx.command_path if ctx is not None else "percorso"
    command = path.partition(" ")[2]
    hint = said("errors.see_help", command=path)
    option = getattr(error, "option_name", "")
    if command and option in ("-w", "--workspace"):
        hint = said("errors.workspace_first", command=command)
    if command and option == "--language":
        hint = said("errors.language_first", command=command)
    if command and option in _ENGINE:
        hint = said("errors.engine_first", option=option, value=_ENGINE[option], command=command)
    return {"code": "usage", "message": _message(error, commands), "hint": hint}


def _message(error: typer.TyperException, commands: Sequence[str]) -> str:
    """What is wrong. Typer's classes of errors are private: what they hold tells which one it is."""
    unknown = unknown_command(error)
    if unknown:
        meant = nearest(unknown, commands)
        return said("errors.no_command", name=unknown, meant=said("errors.did_you_mean", value=meant) if meant else "")
    if hasattr(error, "possibilities"):
        near = ", ".join(sorted(error.possibilities or ()))
        told = said("errors.no_option", option=error.option_name)  # type: ignore[attr-defined]
        return said("errors.no_option_but", told=told, near=near) if near else told
    if hasattr(error, "param_type") and getattr(error, "param", None) is not None:
        name = error.param.get_error_hint()  # type: ignore[attr-defined]
        is_option = error.param.param_type_name == "option"  # type: ignore[attr-defined]
        return said("errors.option_missing", name=name) if is_option else said("errors.argument_missing", name=name)
    return error.format_message().replace("Value error, ", "")  # how pydantic, which Typer asks, begins
