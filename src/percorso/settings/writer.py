"""Write the commented `percorso.toml`, and the reference page, from the table of settings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from percorso.errors import SettingsError
from percorso.settings import kinds
from percorso.settings.durations import duration_text
from percorso.settings.kinds import Kind, WrongValueError
from percorso.settings.sections import Key, Section
from percorso.settings.stages import STAGE_MODELS
from percorso.settings.table import ROOT, SECTIONS
from percorso.settings.values import Settings, WorkspaceSettings

__all__ = ["all_sections", "default_toml", "settings_reference"]

_HEAD = {
    "en": "Settings of this Percorso workspace. Every key stands here with its default; a wrong value is refused with "
    "its line. Results change at the next build.",
    "it": "Impostazioni di questo spazio di lavoro Percorso. Ogni chiave è qui con il suo valore; un valore sbagliato "
    "è rifiutato indicando la riga. I risultati cambiano alla prossima costruzione (build).",
}
_ALLOWED = {"en": "Allowed", "it": "Ammessi"}


def default_toml(
    *,
    currency: str = "EUR",
    timezone: str = "Europe/Rome",
    language: str = "it",
    country: str = "IT",
    stage_model: str = "retail",
) -> str:
    """A complete, commented `percorso.toml`; comments are in `language`.

    Raises
    ------
    SettingsError
        A value is not allowed; the hint names the nearest that is.
    """
    workspace = WorkspaceSettings(
        currency=_checked("currency", kinds.CURRENCY, currency),
        timezone=_checked("timezone", kinds.TIMEZONE, timezone),
        language=_checked("language", kinds.LANGUAGE, language),
        country=_checked("country", kinds.COUNTRY, country),
    )
    # A custom model needs its stages, which only the file can give.
    model = STAGE_MODELS.get(stage_model) or STAGE_MODELS[_checked("stage model", _SHIPPED_MODEL, stage_model)]
    settings = replace(Settings(), workspace=workspace, stages=model)
    blocks = ["\n".join(_comment(_HEAD[language]))]
    for section in SECTIONS:
        blocks += _blocks(section, getattr(settings, section.target), language)
    return "\n\n".join(blocks) + "\n"


def _read_shipped_model(value: object) -> str:
    name: str = kinds.MODEL.read(value)
    if name == "custom":
        raise WrongValueError("own stages are written into percorso.toml.", f"Allowed here: {', '.join(STAGE_MODELS)}.")
    return name


_SHIPPED_MODEL = Kind(_read_shipped_model, kinds.MODEL.en, kinds.MODEL.it)


def _checked(name: str, kind: Kind, value: str) -> str:
    try:
        return str(kind.read(value))
    except WrongValueError as refused:
        raise SettingsError(
            f"The {name} cannot be set: {refused.message}", hint=refused.hint, fields={"key": name}
        ) from refused


def _blocks(section: Section, value: Any, language: str) -> Iterator[str]:
    """The section as TOML, one block a table; lists and maps that are empty show an example in comments."""
    help_text = section.it if language == "it" else section.en
    if section.form == "list":
        entries = value or ()
        yield from (_list_block(section, entry, language) for entry in entries)
        if not entries:
            yield "\n".join([*_comment(help_text), *_key_notes(section, language), *_example(section)])
        return
    lines = [*_comment(help_text), f"[{section.name}]"]
    if section.form == "map":
        yield "\n".join([*lines, *(f"# {line}" for line in section.example.splitlines())])
        return
    for key in section.keys:
        lines += _key_lines(key, _default(section, key, value), language)
    # A table that only holds others needs no header, but its comment says what they are for.
    yield "\n".join(lines if section.keys else _comment(help_text))
    for part in section.parts:
        empty = section.make is None  # [[stages.custom]] is written by hand only
        yield from _blocks(part, () if empty else getattr(value, part.target), language)


def _default(section: Section, key: Key, value: Any) -> Any:
    return value.name if section.make is None else getattr(value, key.target)


def _key_lines(key: Key, value: Any, language: str) -> list[str]:
    help_text = key.it if language == "it" else key.en
    allowed = key.kind.it if language == "it" else key.kind.en
    return [*_comment(f"{help_text} {_ALLOWED[language]}: {allowed}."), f"{key.name} = {_toml(key, value)}"]


def _key_notes(section: Section, language: str) -> list[str]:
    """What each key of a list's entries means."""
    notes: list[str] = []
    for key in section.keys:
        help_text = key.it if language == "it" else key.en
        allowed = key.kind.it if language == "it" else key.kind.en
        notes += _comment(f"{key.name}: {help_text} {_ALLOWED[language]}: {allowed}.")
    return notes


def _list_block(section: Section, entry: Any, language: str) -> str:
    help_text = section.it if language == "it" else section.en
    lines = [*_comment(help_text), f"[[{section.name}]]"]
    for key in section.keys:
        lines += _key_lines(key, getattr(entry, key.target), language)
    return "\n".join(lines)


def _example(section: Section) -> list[str]:
    return [f"# [[{section.name}]]", *(f"# {line}" for line in section.example.splitlines())]


def _comment(text: str) -> list[str]:
    return [f"# {line}" for line in textwrap.wrap(text, 98, break_long_words=False)]


def _toml(key: Key, value: Any) -> str:
    if key.kind is kinds.DURATION:
        return f'"{duration_text(value)}"'
    if key.kind is kinds.MEMORY:
        return '"auto"' if not value else f'"{value // 1_000_000}MB"'
    if key.kind is kinds.SIZE:
        return f'"{value / 1_000_000_000:g}GB"'
    if key.kind is kinds.YES_NO:
        return "true" if value else "false"
    if key.kind is kinds.BUCKET_BITS and value is None:
        return '"auto"'
    if isinstance(value, tuple):
        return "[" + ", ".join(f'"{entry}"' for entry in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def settings_reference() -> str:
    """The page ``docs/reference/settings.md``, in Markdown."""
    lines = [
        "# Settings",
        "",
        "`percorso init` writes every setting with its default and a comment into `percorso.toml`. A wrong value is",
        "refused with its key, its line, what is allowed and the nearest match. Durations are a number with a unit;",
        "bare numbers are refused. This page is written from the table that validates the file.",
    ]
    for section in SECTIONS:
        lines += _reference(section, getattr(Settings(), section.target))
    return "\n".join(lines) + "\n"


def _reference(section: Section, value: Any) -> Iterator[str]:
    title = f"[[{section.name}]]" if section.form == "list" else f"[{section.name}]"
    yield from ("", f"## `{title}`", "", section.en)
    if section.keys:
        yield from ("", "| key | default | allowed | meaning |", "|---|---|---|---|")
    for key in section.keys:
        default = "required" if key.required else ""
        if section.form == "table":
            default = f"`{_toml(key, _default(section, key, value))}`"
        yield f"| `{key.name}` | {default} | {key.kind.en} | {key.en} |"
    if section.form == "map":
        yield from ("", f"Values: {section.values.en}.")
    if section.example:
        head = title if section.form == "list" else f"[{section.name}]"
        yield from ("", "```toml", head, *section.example.splitlines(), "```")
    for part in section.parts:
        yield from _reference(part, None if section.make is None else getattr(value, part.target))


def all_sections() -> Iterator[Section]:
    """Every section of the file, parents before parts."""
    pending = list(ROOT.parts)
    while pending:
        section = pending.pop(0)
        yield section
        pending = [*section.parts, *pending]
