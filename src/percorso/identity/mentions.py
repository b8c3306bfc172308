"""Where an identifier stands in a text: in an address of a page, in JSON, in what somebody wrote, in a rejected line.

Found for certain is what tells somebody wherever it stands, and what is called an identifier there. "1042" stands in
many a text without being customer 1042: there it may mean the person, and is left to whoever asks.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import IntEnum

import pyarrow as pa
import pyarrow.compute as pc

from percorso.identity.identifiers import WORKSPACE_WIDE
from percorso.identity.lookup import Identifier
from percorso.identity.spellings import any_of, phone_pattern, spelled
from percorso.identity.telling import (
    COUNTED_LENGTH,
    is_telling,
    line_cells,
    line_words,
    named_as,
    named_values,
    tells_as_cell,
)

__all__ = ["Mentions", "Standing"]

#: Types whose values are written in groups.
_IN_GROUPS = ("loyalty_id", "card_token")

_PHONE_DIGITS = 7

# More of the same word may not stand around. What ends right before it may be a %-code or one of JSON.
_CODE_BEFORE = r"(?<=%[0-9A-Fa-f]{2})|(?<=%25[0-9A-Fa-f]{2})|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})"
# In an address of a page + is a blank; in an address of mail it belongs to the name.
_BEFORE_WHOLE_ADDRESS = r"(?<!\w)(?<!\w[.+@-])"
_BEFORE_ADDRESS = rf"(?:(?<!\w)(?<!\w[.@-])|{_CODE_BEFORE})"
_BEFORE_WORD = rf"(?:(?<![^\W_])(?<![^\W_][.@-])|{_CODE_BEFORE})"
_AFTER_ADDRESS = r"(?![@.-]?\w)"
_AFTER_WORD = r"(?![@.-]?[^\W_])"
_BEFORE_DIGITS = rf"(?:(?<!\d)|{_CODE_BEFORE})"
_AFTER_DIGITS = r"(?!\d)"


class Standing(IntEnum):
    """Does somebody's identifier stand in a line?"""

    NO = 0
    MAYBE = 1
    SURELY = 2


class Mentions:
    """Finds identifiers in texts.

    Parameters
    ----------
    spellings : mapping of Identifier to collection of str
        Identifiers, and how the sources write each of them.
    country : str
        ISO 3166 code: where telephone numbers without a country code belong.
    """

    def __init__(self, spellings: Mapping[Identifier, Collection[str]], *, country: str) -> None:
        every = {
            one: {text for text in (one.value, *(raw.strip() for raw in raws)) if text}
            for one, raws in spellings.items()
        }
        phones = set[str]().union(
            *(_phone_forms(one, texts, country) for one, texts in every.items() if one.kind == "phone")
        )
        emails = {spelled(text) for one, texts in every.items() if one.kind == "email" for text in texts}
        others = [(one, text) for one, texts in every.items() if one.kind not in WORKSPACE_WIDE for text in texts]
        tokens = {spelled(text, blanks=one.kind in _IN_GROUPS) for one, text in others if is_telling(text)}
        self._every = _Pattern(phones, emails, tokens)
        self._free = _Pattern(phones, emails, (), before_address=_BEFORE_WHOLE_ADDRESS)
        self._faint = [(one, text.casefold()) for one, text in others if not is_telling(text)]
        self._kinds = tuple(sorted({one.kind for one, _ in self._faint}))
        self._counted = {text for _, text in self._faint if len(text) >= COUNTED_LENGTH}
        self._words = _Pattern((), (), [spelled(text) for text in self._counted])
        self._rough = "|".join(part for part in (self._every.rough, self._rough_named()) if part)

    def spans(self, text: str, *, of_identifier: bool = False, space: str | None = None) -> list[tuple[int, int]]:
        """Where in a text identifiers stand for certain: characters from, to; in order and apart.

        Parameters
        ----------
        text : str
        of_identifier : bool
            The text is itself an identifier: then only addresses and telephone numbers count, which are the same
            everywhere. Customer 1042 of one shop is not customer 1042 of another.
        space : str, optional
            Id space of the row, for what tells only by its name. Default: any.
        """
        if of_identifier:
            return _apart(self._free.spans(text))
        return _apart([*self._every.spans(text), *self._named_spans(text, None if space is None else (space,))])

    def note_spans(self, text: str) -> list[tuple[int, int]]:
        """The same in what your own people wrote about customers: there a word of 4 signs tells, too."""
        return _apart([*self._every.spans(text), *self._named_spans(text, None), *self._words.spans(text)])

    def stands(self, raw: str, spaces: Collection[str] | None = None) -> Standing:
        """Does a line of a file hold one of them?

        Parameters
        ----------
        raw : str
        spaces : collection of str, optional
            Id spaces in which its identifiers may live. Default: any.
        """
        if self._every.spans(raw) or self._named_spans(raw, spaces):
            return Standing.SURELY
        there = {text for one, text in self._faint if spaces is None or one.space in spaces}
        cells = there & {cell.casefold() for cell in line_cells(raw)}
        if len(cells) > 1 or any(tells_as_cell(cell) for cell in cells):
            return Standing.SURELY
        maybe = bool(cells) or not self._counted.isdisjoint(word.casefold() for word in line_words(raw))
        return Standing.MAYBE if maybe else Standing.NO

    def likely(self, texts: pa.Array) -> pa.BooleanArray:
        """False where a text holds none for certain, shape (n_texts,); a null does not."""
        return _matching(texts, self._rough)

    def doubtful(self, texts: pa.Array) -> pa.BooleanArray:
        """Texts in which a word of 4 signs or more stands that may mean the person, shape (n_texts,)."""
        rough = self._words.rough
        return _matching(texts, rf"(?:^|[^0-9A-Za-z_]){rough}(?:$|[^0-9A-Za-z_])" if rough else "")

    @property
    def has_doubtful(self) -> bool:
        """Are there words that `doubtful` looks for?"""
        return bool(self._counted)

    def sought_everywhere(self, one: Identifier) -> bool:
        """Is it found wherever it stands? Else only alone in a cell, or where it is named."""
        return one.kind in WORKSPACE_WIDE or is_telling(one.value)

    def _named_spans(self, text: str, spaces: Collection[str] | None) -> list[tuple[int, int]]:
        faint = {(one.kind, value) for one, value in self._faint if spaces is None or one.space in spaces}
        if not faint:
            return []
        named = named_values(text, self._kinds)
        return [(found.start, found.end) for found in named if (found.kind, found.value.casefold()) in faint]

    def _rough_named(self) -> str:
        values = {kind: {spelled(text) for one, text in self._faint if one.kind == kind} for kind in self._kinds}
        return "|".join(f"{named_as(kind)}{any_of(found)}" for kind, found in values.items())


class _Pattern:
    """Numbers, addresses and words that stand by themselves."""

    def __init__(
        self,
        numbers: Collection[str],
        addresses: Collection[str],
        words: Collection[str],
        *,
        before_address: str = _BEFORE_ADDRESS,
    ) -> None:
        parts = [f"{_BEFORE_DIGITS}{any_of(numbers)}{_AFTER_DIGITS}"] if numbers else []
        parts += [f"{before_address}{any_of(addresses)}{_AFTER_ADDRESS}"] if addresses else []
        parts += [f"{_BEFORE_WORD}{any_of(words)}{_AFTER_WORD}"] if words else []
        self._exact = re.compile("|".join(parts), re.IGNORECASE) if parts else None
        forms = {*numbers, *addresses, *words}
        #: For RE2, which cannot look around.
        self.rough = any_of(forms) if forms else ""

    def spans(self, text: str) -> list[tuple[int, int]]:
        return [found.span() for found in self._exact.finditer(text)] if self._exact else []


def _matching(texts: pa.Array, pattern: str) -> pa.BooleanArray:
    if not pattern:
        return pa.repeat(False, len(texts))
    return pc.match_substring_regex(texts, f"(?i){pattern}").fill_null(False)


def _phone_forms(one: Identifier, texts: Collection[str], country: str) -> set[str]:
    """A number with any signs in between, and as the sources write it, which may be with an extension."""
    written = {text for text in texts if len(re.sub(r"\D", "", text)) >= _PHONE_DIGITS}
    return {spelled(text) for text in written} | ({phone_pattern(one.value, country)} if written else set())


def _apart(spans: Collection[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans in order, those that overlap made one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found
