"""Parameters that stand for several options, which are so written down once for all commands that have them.

Typer reads the options of a command from its signature. A command that has a scope, or an output, takes it as one
parameter; a decorator puts the options it is made of in its place, and makes it when the command runs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from inspect import Parameter
from typing import Any

__all__ = ["parameters_of", "signed", "spread", "take"]


def parameters_of(function: Callable[..., Any]) -> list[Parameter]:
    """The parameters of a function, their annotations evaluated."""
    return list(inspect.signature(function, eval_str=True).parameters.values())


def spread(parameters: Iterable[Parameter], name: str, options: Iterable[Parameter]) -> list[Parameter]:
    """The parameters, and in the place of the one of that name the options that it is made of."""
    found = []
    for parameter in parameters:
        found += list(options) if parameter.name == name else [parameter]
    return found


def take(given: dict[str, Any], options: Iterable[Parameter]) -> dict[str, Any]:
    """What is given for these options, taken out of `given`."""
    return {option.name: given.pop(option.name) for option in options}


def signed(
    function: Callable[..., Any], parameters: Iterable[Parameter], *, like: Callable[..., Any]
) -> Callable[..., Any]:
    """The function with these parameters in its signature, and the name and docstring of another."""
    shown = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in parameters]
    function.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    function.__annotations__ = {parameter.name: parameter.annotation for parameter in shown}
    function.__name__, function.__doc__ = like.__name__, like.__doc__
    return function
