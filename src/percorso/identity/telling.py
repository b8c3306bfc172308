"""How much a text says by itself: whether "anna-7731", "mrossi" or "12" means somebody where it is found.

Addresses, telephone numbers and long tokens with digits tell wherever they stand. "mrossi" tells alone in a cell, and
nowhere in prose; "12" tells where its name says what it is, as in ``customer_id=12``, and nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

__all__ = [
    "COUNTED_LENGTH",
    "NamedValue",
    "is_telling",
    "line_cells",
    "line_words",
    "named_as",
    "named_values",
    "tells_as_cell",
]

#: A word of fewer signs stands everywhere: where it may mean somebody is not even counted.
COUNTED_LENGTH = 4

_TOKEN_LENGTH = 8  # of letters and digits
_NUMBER_LENGTH = 10
_CELL_LENGTH = 5  # alone in a cell: of a word,
_CELL_DIGITS = 6  # of a number; years have 4 digits, postcodes 5
_PHONE_DIGITS = (7, 15)

_SEPARATORS = re.compile(r"[\s,;|\t\"'<>(){}\[\]=&?]+")
_CELL_ENDS = re.compile(r"[,;\t|]")
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"')
_GROUPS = re.compile(r"\+?\d+(?:[\s./()-]{1,3}\d+)*")
_DIGITS = re.compile(r"\+?\d+")

# What values are called in addresses of pages and in JSON, with any sign or none between the words.
_NAMES = {
    "user_id": "user|user id|uid|user ?name|login|account|account id|customer|customer id|client id|member|member id"
    "|cliente|id cliente|utente|id utente",
    "loyalty_id": "loyalty|loyalty id|loyalty card|card no|card number|tessera|fidelity|fidelity card|membership",
    "card_token": "card token|payment token|pan token",
    "anonymous_id": "anonymous id|client id|cookie|cookie id|visitor id|cid",
    "device_id": "device id|device|idfa|idfv|gaid|aaid|advertising id",
}
_QUOTE = r"""(?:\\{0,3}["']|%22|%27)?"""
_IS = rf"""{_QUOTE}\s*(?:[:=/]|%3[AaDd]|%2[Ff])\s*{_QUOTE}"""
_VALUE = r"""[^\s"'&,;:=<>(){}\[\]/\\?#]+"""
_ENDS = re.compile(r"%(?:2[02367CcFf]|3[BbDdFf]|7[Dd])|\.(?!\w)")


@dataclass(frozen=True, slots=True)
class NamedValue:
    """A value in a text that is called an identifier of some type there; characters `start` to `end`."""

    kind: str
    value: str
    start: int
    end: int


def is_telling(text: str) -> bool:
    """Does it tell somebody wherever it stands? Telephone numbers do, too, and are not asked about here."""
    if "@" in text:
        return True
    if text.isdigit():
        return len(text) >= _NUMBER_LENGTH
    return len(text) >= _TOKEN_LENGTH and any(sign.isdigit() for sign in text)


def tells_as_cell(text: str) -> bool:
    """Does it tell somebody where it is all that stands in a cell?"""
    digits = sum(sign.isdigit() for sign in text)
    words = len(text) >= _CELL_LENGTH and any(sign.isalpha() for sign in text)
    return is_telling(text) or words or digits >= _CELL_DIGITS


def named_as(kind: str) -> str:
    """What stands before a value of a type, as a pattern that Python and RE2 read alike."""
    names = _NAMES.get(kind) or re.escape(kind).replace("_", " ")
    spaced = names.replace(" ?", "[_ -]?").replace(" ", "[_ -]?")
    return rf"(?:{spaced})s?{_IS}"


@lru_cache(maxsize=64)
def _named(kind: str) -> re.Pattern[str]:
    # Looked ahead, for what is a value may be the next name: /account/login/mrossi.
    return re.compile(rf"(?<![A-Za-z])(?={named_as(kind)}({_VALUE}))", re.IGNORECASE)


def named_values(text: str, kinds: Iterable[str]) -> Iterator[NamedValue]:
    """Values that are called identifiers: of an address of a page, of JSON, of `name: value`.

    Examples
    --------
    >>> [found.value for found in named_values('?user_id=mrossi&q=12', ["user_id"])]
    ['mrossi']
    """
    for kind in kinds:  # a name may be that of several types
        for found in _named(kind).finditer(text):
            start, end = found.span(1)
            ended = _ENDS.search(text, start, end)
            if ended:
                end = ended.start()
            if end > start:
                yield NamedValue(kind, unquote(text[start:end]), start, end)


def line_cells(raw: str) -> set[str]:
    """What stands alone in a cell of a line, be it CSV or JSON."""
    line = unquote(raw)
    cells = (*_CELL_ENDS.split(line), *_STRINGS.findall(line))
    return {token for token in (cell.strip().strip("\"'").strip() for cell in cells) if token}


def line_words(raw: str) -> set[str]:
    """The words of a line, and everything in it that may be a telephone number."""
    line = unquote(raw)
    return {token for token in _SEPARATORS.split(line) if token} | set(_phones(line))


def _phones(line: str) -> Iterator[str]:
    """Groups of digits that make a number together: a date or a price may stand right before it."""
    for run in _GROUPS.findall(line):
        groups = _DIGITS.findall(run)
        for first in range(len(groups)):
            number = ""
            for group in groups[first:]:
                number += group
                if len(number) > _PHONE_DIGITS[1] + 1:
                    break
                if len(number) >= _PHONE_DIGITS[0]:
                    yield number
