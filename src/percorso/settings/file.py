"""Read `percorso.toml`, and say exactly what is wrong with it and where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from percorso.errors import SettingsError, nearest_hint
from percorso.settings.kinds import Kind, WrongValueError
from percorso.settings.lines import line_of
from percorso.settings.sections import Section
from percorso.settings.stages import STAGE_MODELS, StageModel, stage_model_problem
from percorso.settings.table import ROOT
from percorso.settings.values import Settings
from percorso.settings.writer import default_toml

__all__ = ["default_toml", "load_settings"]

_Path = tuple[str | int, ...]


def load_settings(text: str, *, where: str) -> Settings:
    """The settings that a `percorso.toml` says; what it leaves out has its default.

    Parameters
    ----------
    text : str
        Content of the file.
    where : str
        Its name, for messages.

    Raises
    ------
    SettingsError
        Names key, line, allowed values and nearest match.

    Examples
    --------
    >>> load_settings('[sessions]\\ntimeout = "45m"', where="percorso.toml").sessions.timeout_us
    2700000000
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(error, text, where) from error
    settings: Settings = _Reader(text, where).table(ROOT, raw, ())
    return settings


def _syntax_error(error: tomllib.TOMLDecodeError, text: str, where: str) -> SettingsError:
    found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
    reason = str(error).split(" (at ")[0]
    line = int(found[1]) if found else text.rstrip().count("\n") + 1  # "at end of document"
    again = re.search(r"Cannot declare \((.+?),?\) twice", reason)
    hint = 'Texts stand in quotes, and each key once: timeout = "30m".'
    if again:
        name = ".".join(re.findall(r"'([^']*)'", again[1]))
        reason = f"[{name}] stands there twice"
        hint = f"[{name}] stands further up already: write what it is to say there."
    return SettingsError(
        f"{where}, line {line}: this is not TOML: {reason}.",
        hint=hint,
        fields={"where": where, "line": line},
    )


class _Reader:
    """Turns raw TOML into settings along the table; holds what messages need."""

    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where

    def table(self, section: Section, raw: Any, path: _Path) -> Any:
        if not isinstance(raw, dict):
            raise self._error(path, "is a table of settings.", f"Write [{section.name}] on a line of its own.")
        known = {key.name: key for key in section.keys}
        parts = {part.last: part for part in section.parts}
        values: dict[str, Any] = {}
        for name, value in raw.items():
            at = (*path, name)
            if name in known:
                values[known[name].target] = self._value(known[name].kind, value, at)
            elif name in parts:
                values[parts[name].target] = self._part(parts[name], value, at)
            else:
                hint = nearest_hint(name, (*known, *parts))
                raise self._error(at, "is not a setting.", f"{section.unknown} {hint}" if section.unknown else hint)
        self._check_complete(section, raw, path)
        problem = section.check(values) if section.check else None
        if problem is not None:
            raise self._error((*path, *problem.path), problem.message, problem.hint)
        return section.make(**values) if section.make else self._stage_model(values, path)

    def _part(self, section: Section, raw: Any, path: _Path) -> Any:
        if section.form == "list":
            if not isinstance(raw, list):
                raise self._error(path, "is a list of tables.", f"Write [[{section.name}]] above each entry.")
            return tuple(self.table(section, entry, (*path, index)) for index, entry in enumerate(raw))
        if section.form == "map":
            if not isinstance(raw, dict):
                raise self._error(path, "is a table.", f"Write [{section.name}] on a line of its own.")
            return {name: self._value(section.values, value, (*path, name)) for name, value in raw.items()}
        return self.table(section, raw, path)

    def _value(self, kind: Kind, value: Any, path: _Path) -> Any:
        try:
            return kind.read(value)
        except WrongValueError as refused:
            raise self._error(path, f"cannot have this value: {refused.message}", refused.hint) from refused

    def _check_complete(self, section: Section, raw: Mapping[str, Any], path: _Path) -> None:
        missing = [key.name for key in section.keys if key.required and key.name not in raw]
        if missing:
            raise self._error(path, f"needs the key '{missing[0]}'.", f"For example: {section.example or missing[0]}")

    def _stage_model(self, values: Mapping[str, Any], path: _Path) -> StageModel:
        name = values.get("model", "retail")
        stages = values.get("custom", ())
        if name != "custom":
            if stages:
                raise self._error((*path, "custom"), 'needs model = "custom".', f'[stages] says model = "{name}".')
            return STAGE_MODELS[name]
        problem = stage_model_problem(stages) if stages else "There are no stages."
        if problem:
            at = (*path, "custom") if stages else (*path, "model")
            raise self._error(at, f"is no stage model: {problem}", "See [[stages.custom]] in the settings reference.")
        return StageModel("custom", stages)

    def _error(self, path: _Path, problem: str, hint: str) -> SettingsError:
        line = line_of(self._text, path)
        key = ".".join(part for part in path if isinstance(part, str))
        return SettingsError(
            f"{self._where}{f', line {line}' if line else ''}: '{key}' {problem}",
            hint=hint,
            fields={"where": self._where, "key": key, "line": line},
        )
