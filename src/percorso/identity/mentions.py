"""Where an identifier stands in a text: in an address of a page, in JSON, in what somebody wrote, in a rejected line.

Only what tells somebody is looked for inside other text: addresses, telephone numbers, and long tokens. "1042" stands
in many a text without being customer 1042; it counts where it is a cell of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from urllib.parse import quote, quote_plus

import pyarrow as pa
import pyarrow.compute as pc

from percorso.identity.lookup import Identifier
from percorso.identity.suppression import line_tokens

__all__ = ["Mentions"]

_TELLING_LENGTH = 8  # of a token of letters and digits; of digits alone:
_TELLING_DIGITS = 10
_PHONE_DIGITS = 7

# What may not stand around: more of the same word. Except the two digits of a %-code before it.
_BEFORE = r"(?:(?<![\w.+@-])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
_AFTER = r"(?![\w@-]|\.\w)"
_BEFORE_DIGITS = r"(?:(?<!\d)|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
_AFTER_DIGITS = r"(?!\d)"


class Mentions:
    """Finds identifiers in texts.

    Parameters
    ----------
    spellings : mapping of Identifier to collection of str
        Identifiers, and how the sources write each of them.
    """

    def __init__(self, spellings: Mapping[Identifier, Collection[str]]) -> None:
        every = {one: {one.value, *(raw.strip() for raw in raws)} for one, raws in spellings.items()}
        self._cells = {text.casefold() for texts in every.values() for text in texts if text}
        phones = {form for one, texts in every.items() if one.kind == "phone" for form in _phone_forms(texts)}
        emails = _telling(texts for one, texts in every.items() if one.kind == "email")
        others = _telling(texts for one, texts in every.items() if one.kind not in ("email", "phone"))
        self._cells |= phones
        self._every = _Pattern(phones, emails | others)
        self._free = _Pattern(phones, emails)

    def spans(self, text: str, *, of_identifier: bool = False) -> list[tuple[int, int]]:
        """Where in a text identifiers stand: characters from, to.

        Parameters
        ----------
        text : str
        of_identifier : bool
            The text is itself an identifier: then only addresses and telephone numbers count, which are the same
            everywhere. Customer 1042 of one shop is not customer 1042 of another.
        """
        return (self._free if of_identifier else self._every).spans(text)

    def in_line(self, raw: str) -> bool:
        """Does a line of a file hold one of them, inside a text or as a cell of its own?"""
        if self.spans(raw):
            return True
        return any(token.casefold() in self._cells for token in line_tokens(raw))

    def likely(self, texts: pa.Array) -> pa.BooleanArray:
        """False where a text holds none, shape (n_texts,); a null does not."""
        return self._every.likely(texts)


class _Pattern:
    """Numbers and words that stand by themselves."""

    def __init__(self, numbers: Collection[str], words: Collection[str]) -> None:
        parts = [f"{_BEFORE_DIGITS}{_any_of(numbers)}{_AFTER_DIGITS}"] if numbers else []
        parts += [f"{_BEFORE}{_any_of(words)}{_AFTER}"] if words else []
        self._exact = re.compile("|".join(parts), re.IGNORECASE) if parts else None
        self._rough = f"(?i){_any_of({*numbers, *words})}" if parts else ""

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [found.span() for found in self._exact.finditer(text)] if self._exact else []

    def likely(self, texts: pa.Array) -> pa.BooleanArray:
        if not self._rough:
            return pa.repeat(False, len(texts))
        return pc.match_substring_regex(texts, self._rough).fill_null(False)


def _telling(every: Iterable[Collection[str]]) -> set[str]:
    """Ways to write those of the texts that tell somebody inside another text."""
    return {form for texts in every for text in texts if _is_telling(text) for form in _written(text)}


def _any_of(forms: Collection[str]) -> str:
    """A pattern that Python and RE2 read alike; longer forms first, since the first that fits is taken."""
    return f"(?:{'|'.join(re.escape(form) for form in sorted(forms, key=lambda form: (-len(form), form)))})"


def _is_telling(text: str) -> bool:
    if "@" in text:
        return True
    if text.isdigit():
        return len(text) >= _TELLING_DIGITS
    return len(text) >= _TELLING_LENGTH and any(sign.isdigit() for sign in text)


def _phone_forms(texts: Collection[str]) -> set[str]:
    """A number as the sources write it, and its digits."""
    digits = {re.sub(r"\D", "", text) for text in texts}
    forms = {form for text in texts for form in _written(text)} | digits
    return {form for form in forms if len(re.sub(r"\D", "", form)) >= _PHONE_DIGITS}


def _written(text: str) -> set[str]:
    """A text as it is, in an address, and in JSON."""
    return {
        text,
        quote(text, safe=""),
        quote_plus(text),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    }
