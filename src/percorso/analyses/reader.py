"""A position in a text that is being parsed: words, quoted values, and errors that say where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from percorso.errors import SpecError

__all__ = ["Reader"]

_SPACE = re.compile(r"\s*")
_WORD = re.compile(r"""[^\s,()'"]+""")
_QUOTED = re.compile(r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\"""")
_ESCAPED = re.compile(r"\\(['\"\\])")


class Reader:
    """A position in a text; the only thing in a parser that changes.

    Parameters
    ----------
    text : str
    subject, example : str
        What is read, for the sentence of an error, and how one looks.
    """

    __slots__ = ("_ends", "at", "example", "subject", "text")

    def __init__(
        self, text: str, *, subject: str = "condition", example: str = "place = store and value >= 50"
    ) -> None:
        self.text = text
        self.at = 0
        self.subject = subject
        self.example = example
        self._ends: tuple[str, ...] = ("and", "or")

    @contextmanager
    def ending_at(self, *words: str) -> Iterator[None]:
        """Inside the block bare values end at these words too, beside and, or."""
        before = self._ends
        self._ends = (*before, *words)
        try:
            yield
        finally:
            self._ends = before

    def skip(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def take(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        self.skip()
        found = pattern.match(self.text, self.at)
        if found is not None:
            self.at = found.end()
        return found

    def take_text(self, text: str) -> bool:
        self.skip()
        if self.text.startswith(text, self.at):
            self.at += len(text)
            return True
        return False

    def peek_word(self) -> str:
        self.skip()
        found = _WORD.match(self.text, self.at)
        return found.group().lower() if found else ""

    def take_word(self, word: str) -> bool:
        if self.peek_word() != word:
            return False
        self.at += len(word)
        return True

    def value(self) -> str:
        """A quoted text, or bare words up to one that ends them, a comma or a parenthesis."""
        quoted = self.take(_QUOTED)
        if quoted is not None:
            raw = quoted.group(1) if quoted.group(1) is not None else quoted.group(2)
            return _ESCAPED.sub(r"\1", raw)
        start = self.at
        while (word := self.peek_word()) and word not in self._ends:
            self.at = _WORD.match(self.text, self.at).end()  # type: ignore[union-attr]
        value = self.text[start : self.at].strip()
        if not value:
            raise self.wrong("a value")
        return value

    def wrong(self, expected: str, *, hint: str = "", at: int | None = None) -> SpecError:
        position = (self.at if at is None else at) + 1
        found = f"'{self.text[position - 1 : position + 15]}'" if position <= len(self.text) else "the end"
        return SpecError(
            f"The {self.subject} cannot be read at position {position}: expected {expected}, found {found}.",
            hint=hint or f"Example: {self.example}",
            fields={"position": position},
        )
