"""Sentences of answers: English texts that can be said again in another language.

An answer is the same whoever reads it, so what it says is English, in JSON, CSV and Python alike. What is said of an
answer knows its key in ``data/texts.toml`` and its values beside that, so that a terminal, a map or a report can say
it in the reader's language.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from percorso.errors import NearestHint
from percorso.language.kpi_words import kpi_name
from percorso.language.measures import Measure
from percorso.language.words import ENGLISH, Family, Words

__all__ = ["Codes", "Figure", "Said", "Value", "again", "said"]

_NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class Figure:
    """A number within a sentence, and what it measures."""

    value: float
    measure: Measure


@dataclass(frozen=True, slots=True)
class Codes:
    """Codes within a sentence, named in each language: the first `most`, and how many more there are."""

    family: Family | Literal["kpi"]
    codes: tuple[str, ...]
    most: int


Value = str | int | datetime.date | Figure | Codes


class Said(str):
    """An English sentence that knows what it says.

    Parameters
    ----------
    key : str
        In ``data/texts.toml``.
    values : mapping
        By placeholder.
    """

    key: str
    values: Mapping[str, Value]

    def __new__(cls, key: str, values: Mapping[str, Value]) -> Said:
        """The text in English."""
        text = super().__new__(cls, _said_in(key, values, ENGLISH))
        text.key = key
        text.values = MappingProxyType(dict(values))
        return text

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles know it too."""
        return Said, (self.key, dict(self.values))


def said(key: str, /, **values: Value) -> Said:
    """The sentence of a key, with its values.

    Examples
    --------
    >>> text = said("warnings.few_journeys", n=12)
    >>> text
    'There are only 12 journeys: their shares say little.'
    >>> again(text, Words("it"))
    'I percorsi sono solo 12: le loro quote dicono poco.'
    """
    return Said(key, values)


def again(text: str, words: Words) -> str:
    """The sentence in the language of `words`; a text that knows nothing of itself stays as it is."""
    match text:
        case Said():
            return _said_in(text.key, text.values, words)
        case NearestHint():
            return _hint_in(text, words)
        case _:
            return text


def _hint_in(hint: NearestHint, words: Words) -> str:
    parts = [words.text("errors.did_you_mean", value=hint.meant)] if hint.meant else []
    if hint.more:
        parts.append(words.text("errors.allowed_of_many", values=hint.listed, n=hint.more))
    elif hint.listed:
        parts.append(words.text("errors.allowed", values=hint.listed))
    return " ".join(parts)


def _said_in(key: str, values: Mapping[str, Value], words: Words) -> str:
    shown = {name: _shown(value, words) for name, value in values.items()}
    text = words.text(key, **shown)
    # A part that says nothing leaves no space behind; what users call their files stays as it is.
    return " ".join(text.split()) if "" in shown.values() else text


def _shown(value: Value, words: Words) -> str | int:
    match value:
        case str():
            return again(value, words)
        case datetime.date():
            return words.numbers.date(value)
        case Figure(number, measure):
            return words.numbers.show(number, measure).replace(_NBSP, " ")
        case Codes():
            return _listed(value, words)
        case _:
            return value


def _listed(codes: Codes, words: Words) -> str:
    more = len(codes.codes) - codes.most
    names = ", ".join(_name(codes.family, code, words) for code in codes.codes[: codes.most])
    return words.text("warnings.and_more", names=names, n=more) if more > 0 else names


def _name(family: Family | Literal["kpi"], code: str, words: Words) -> str:
    return kpi_name(code, words.language) if family == "kpi" else words.code(family, code)
