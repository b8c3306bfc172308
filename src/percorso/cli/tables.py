"""Tables for people: numbers to the right, fitted to the terminal, never a letter or a digit cut off.

Where a table is wider than the terminal, columns that its command calls secondary go first, and a line says which;
then texts wrap between words; and if that does not help, each row is written downwards, a line a column. Piped, a
table is as wide as it needs to be.

A layout is of no language: what a column is called, how its numbers read and what its codes are called come from the
`Words` that the table is written with. English shows heads and codes as the layout and the answer have them, because
so they are what options take.
"""

from __future__ import annotations

import datetime
import math
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import typer
from rich.cells import cell_len

from percorso.cli.texts import Formatter, amount_text, count_text, flat_text, plain_value, rough_text
from percorso.language.words import ENGLISH, Family, Words, names_of

__all__ = ["Layout", "code_of", "fitted", "left_out_line", "render", "value_code", "value_name", "wrapped"]

_GAP = "  "
_NARROW = 12  # no text column is ever narrower than this, unless its texts are
_SHORT_ID = 12
_UNKNOWN = "–"

#: What the texts of a column name, wherever it stands.
_FAMILIES: Mapping[str, Family] = {
    **dict.fromkeys(("channel", "first_channel", "person.first_channel"), "channel"),
    **dict.fromkeys(("device", "person.device"), "device"),
    **dict.fromkeys(("place", "first_place", "order_place"), "place"),
    **dict.fromkeys(("stage", "stage_reached"), "stage"),
    **dict.fromkeys(("flag", "kind", "level", "measure", "season", "way"), "value"),
    "direction": "direction",
    "outcome": "outcome",
    "reason": "rejection",
    "relationship": "relationship",
    "touchpoint": "touchpoint",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """How people read a table.

    Parameters
    ----------
    formats : mapping of str to callable
        How the values of a column read in a language: `percent_text`, `span_text`, ...
    titles : mapping of str to str
        Heads that differ from the column's name, in English; other languages find theirs by it in the catalogue.
    families : mapping of str to str
        What the codes of a column name, where its name does not say it.
    secondary : tuple of str
        Columns that a narrow terminal may lack, the first to go first; "low high" go together.
    ids : tuple of str
        Columns of long hexadecimal ids, of which a narrow terminal shows the first 12 digits.
    zone : ZoneInfo, optional
        Times are shown as its clocks do; without one, in UTC.
    fold : tuple of str
        Columns of texts that may be broken inside words too, such as rows of a file.
    plain : bool
        Numbers as they are, without thousands apart and rounding.
    numbers : tuple of str
        Columns of numbers that are written already, to be set right as others.
    comfortable : int
        No text column is made narrower than this while secondary columns are shown.
    """

    formats: Mapping[str, Formatter] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, Family] = field(default_factory=dict)
    secondary: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    fold: tuple[str, ...] = ()
    zone: ZoneInfo | None = None
    plain: bool = False
    numbers: tuple[str, ...] = ()
    comfortable: int = 32


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    title: str
    cells: tuple[str, ...]
    is_number: bool
    may_wrap: bool
    may_break: bool = False  # inside words

    @property
    def natural(self) -> int:
        return max(cell_len(self.title), *map(cell_len, self.cells), 0)

    def least(self, limit: int) -> int:
        """The narrowest it may be, if texts wrap between words and are no narrower than `limit`."""
        if not self.may_wrap:
            return self.natural
        if self.may_break:
            return max(cell_len(self.title), min(self.natural, limit))
        words = (word for cell in self.cells for word in cell.split())
        return max(cell_len(self.title), min(self.natural, limit), *map(cell_len, words), 0)


def render(table: pa.Table, layout: Layout, *, words: Words = ENGLISH, width: int | None = None) -> list[str]:
    """The lines of a table.

    Parameters
    ----------
    table : pyarrow.Table
    layout : Layout
    words : Words
        Of the language of heads, names and numbers.
    width : int, optional
        Of the terminal, whose heads are bold and underlined; without one, plain text as wide as needed.
    """
    lines, left_out = fitted(table, layout, words=words, width=width)
    return [*lines, *left_out_line(left_out, words, width)]


def fitted(table: pa.Table, layout: Layout, *, words: Words, width: int | None) -> tuple[list[str], list[str]]:
    """The lines of a table as :func:`render` has them, and the heads of the columns that were left out."""
    columns = [_column(table, name, layout, words) for name in table.column_names]
    if width is None:
        return _lines(columns, [column.natural for column in columns]), []
    left_out: list[str] = []
    columns = _with_short_ids(columns, layout, width)
    for group in layout.secondary:
        if _needed(columns, layout.comfortable) <= width:
            break
        gone = [column for column in columns if column.name in (group, *group.split())]
        left_out += [column.title for column in gone if column.title.strip()]
        columns = [column for column in columns if column not in gone]
    if _needed(columns, _NARROW) > width:
        return _downwards([_column(table, name, layout, words) for name in table.column_names], words), []
    return _lines(columns, _widths(columns, width), head=True), left_out


def left_out_line(names: Sequence[str], words: Words, width: int | None) -> list[str]:
    """Which columns a narrow terminal lacks, below a blank line; nothing where it lacks none."""
    said = words.text("terminal.left_out", names=", ".join(names)) if names else ""
    return ["", *wrapped(said, width)] if said else []


def wrapped(text: str, width: int | None, *, may_break: bool = False) -> list[str]:
    """A sentence in lines that fit; words stay whole unless they may be broken."""
    if width is None or cell_len(text) <= width:
        return [text]
    return textwrap.wrap(text, width, break_long_words=may_break, break_on_hyphens=False) or [""]


def _column(table: pa.Table, name: str, layout: Layout, words: Words) -> _Column:
    kind = table.schema.field(name).type
    cells = tuple(_cell(value, layout, name, words) for value in table.column(name).to_pylist())
    number = bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
    number = number or name in layout.numbers
    return _Column(
        name=name,
        title=_head(name, layout, words),
        cells=cells,
        is_number=number,
        may_wrap=not number and not pa.types.is_temporal(kind) and name not in layout.ids,
        may_break=name in layout.fold,
    )


def _head(name: str, layout: Layout, words: Words) -> str:
    title = layout.titles.get(name, name)
    return title if layout.plain else words.code("head", title)


def _with_short_ids(columns: list[_Column], layout: Layout, width: int) -> list[_Column]:
    if _needed(columns, layout.comfortable) <= width:
        return columns
    return [
        _Column(one.name, one.title, tuple(cell[:_SHORT_ID] for cell in one.cells), one.is_number, one.may_wrap)
        if one.name in layout.ids
        else one
        for one in columns
    ]


def _needed(columns: Sequence[_Column], limit: int) -> int:
    return sum(column.least(limit) for column in columns) + len(_GAP) * (len(columns) - 1)


def _widths(columns: Sequence[_Column], width: int) -> list[int]:
    """The widths of columns that fit: those that may wrap share what the others leave."""
    least = [column.least(_NARROW) for column in columns]
    natural = [column.natural for column in columns]
    room = width - len(_GAP) * (len(columns) - 1)
    level = max(natural, default=0)
    while sum(chosen := [max(low, min(full, level)) for low, full in zip(least, natural, strict=True)]) > room:
        level -= 1
    return chosen


def _lines(columns: Sequence[_Column], widths: Sequence[int], *, head: bool = False) -> list[str]:
    titles = _GAP.join(_aligned(one, one.title, width) for one, width in zip(columns, widths, strict=True)).rstrip()
    rule = "─" * (sum(widths) + len(_GAP) * (len(widths) - 1))
    lines = [typer.style(titles, bold=True), rule] if head else [titles]
    if not titles:
        lines = []  # columns that need no heads
    for cells in zip(*(column.cells for column in columns), strict=True):
        parts = [
            wrapped(cell, width, may_break=one.may_break) if one.may_wrap else [cell]
            for one, cell, width in zip(columns, cells, widths, strict=True)
        ]
        for n in range(max(map(len, parts), default=0)):
            row = [part[n] if n < len(part) else "" for part in parts]
            padded = (_aligned(one, cell, width) for one, cell, width in zip(columns, row, widths, strict=True))
            lines.append(_GAP.join(padded).rstrip())
    return lines


def _aligned(column: _Column, text: str, width: int) -> str:
    pad = " " * (width - cell_len(text))
    return pad + text if column.is_number else text + pad


def _downwards(columns: Sequence[_Column], words: Words) -> list[str]:
    """Each row as lines of "column  value"."""
    n_rows = len(columns[0].cells) if columns else 0
    width = max((cell_len(column.title) for column in columns), default=0)
    lines = []
    for n in range(n_rows):
        row = words.text("terminal.row_of", at=n + 1, of=n_rows)
        lines += ([""] if n else []) + [typer.style(row, bold=True)]
        for one in columns:
            lines.append(f"{one.title}{' ' * (width - cell_len(one.title))}{_GAP}{one.cells[n]}".rstrip())
    return lines or [", ".join(column.title for column in columns)]


def _cell(value: object, layout: Layout, name: str, words: Words) -> str:
    """A value for people; what is not known is a dash, never an invented zero."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return _UNKNOWN
    formatter: Callable[..., str] | None = layout.formats.get(name)
    if formatter is not None:
        return _printable(formatter(value, words))
    if isinstance(value, bool):
        return words.text("terminal.yes") if value else words.text("terminal.no")
    if isinstance(value, int):
        return str(value) if layout.plain else count_text(value, words)
    if isinstance(value, float):
        return f"{value:.15g}" if layout.plain else rough_text(value, words)
    if isinstance(value, Decimal):
        return str(value) if layout.plain else amount_text(value, words)
    if isinstance(value, datetime.datetime):
        return _time_text(value, layout, words)
    if isinstance(value, list | tuple | dict):
        return _printable(flat_text(list(value) if isinstance(value, tuple) else value))
    text = value if isinstance(value, str) else str(plain_value(value))
    return _printable(text if layout.plain else _named(text, layout, name, words))


def _named(code: str, layout: Layout, name: str, words: Words) -> str:
    """The name of a code; "(none)" and the like are words of ours in any column."""
    family = layout.families.get(name)
    return value_name(name, code, words) if family is None else words.code(family, code)


def value_name(field: str, code: str, words: Words) -> str:
    """What a value of a field is called."""
    family = _FAMILIES.get(field)
    return words.code(family or "value", code) if family or code.startswith("(") else code


def code_of(family: Family | None, shown: str, words: Words) -> str:
    """The code that a table shows so, or the code itself; what is neither stays as it is.

    Without a family only "(none)" and the like have names.

    Examples
    --------
    >>> code_of("place", "negozio", Words("it")), code_of("place", "store", Words("it"))
    ('store', 'store')
    """
    of = "value" if shown.startswith("(") else family
    if of is None:
        return shown
    codes = words.stages if of == "stage" and words.stages else names_of(of, words.language)
    if shown in codes:
        return shown
    return {words.name(of, code).casefold(): code for code in codes}.get(shown.casefold(), shown)


def value_code(field: str, shown: str, words: Words) -> str:
    """The value of a field that :func:`value_name` calls so."""
    return code_of(_FAMILIES.get(field), shown, words)


def _time_text(value: datetime.datetime, layout: Layout, words: Words) -> str:
    """To the minute; where numbers are plain, to the last digit there is."""
    if value.tzinfo is not None:
        if layout.zone is None:
            return str(plain_value(value))
        value = value.astimezone(layout.zone).replace(tzinfo=None)
    return value.isoformat(sep=" ") if layout.plain else f"{words.numbers.date(value)} {value:%H:%M}"


def _printable(text: str) -> str:
    """Without control characters: a page title must not be able to write on the user's terminal."""
    if text.isprintable():
        return text
    return "".join(letter if unicodedata.category(letter)[0] != "C" else " " for letter in text)
