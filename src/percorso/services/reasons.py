"""Why somebody decided or erased: a line that is kept, also after the person it is about has been erased."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from percorso.errors import SpecError
from percorso.identity.lookup import Identifier
from percorso.language.said import said

__all__ = ["OF_DECISION", "OF_ERASURE", "ReasonWords", "checked_reason", "one_line"]

_ADDRESS = re.compile(r"\S@\S+\.\S")
_TELLTALE = 4  # a shorter value is a word like any other
_PHONE_TAIL = 7  # digits of a telephone number that tell whose it is, however it begins


@dataclass(frozen=True, slots=True)
class ReasonWords:
    """What to say where a reason is missing, and where it names somebody: sentence and hint, made when said."""

    missing: Callable[[], tuple[str, str]]
    telling: Callable[[], tuple[str, str]]


OF_DECISION = ReasonWords(
    missing=lambda: (said("errors.decision_reason"), said("errors.decision_reason_hint")),
    telling=lambda: (said("errors.decision_tells"), said("errors.decision_tells_hint")),
)
OF_ERASURE = ReasonWords(
    missing=lambda: (said("errors.erasure_reason"), said("errors.erasure_reason_hint")),
    telling=lambda: (said("errors.erasure_tells"), said("errors.erasure_tells_hint")),
)


def checked_reason(reason: str, words: ReasonWords, named: Collection[Identifier] = ()) -> str:
    """The reason in one line.

    Parameters
    ----------
    reason : str
    words : ReasonWords
    named : collection of Identifier
        What it must not hold, however it is written.

    Raises
    ------
    SpecError
        There is none, or it holds one of the identifiers or an e-mail address: it outlives the erasure of persons.

    Examples
    --------
    >>> checked_reason(" asked\\n her", OF_DECISION)
    'asked her'
    """
    line = one_line(reason)
    if not line:
        message, hint = words.missing()
        raise SpecError(message, hint=hint)
    if _ADDRESS.search(line) or any(_gives_away(line, one) for one in named):
        message, hint = words.telling()
        raise SpecError(message, hint=hint)
    return line


def one_line(text: str) -> str:
    """The text without line breaks and signs that a terminal obeys."""
    return "".join(sign for sign in " ".join(text.split()) if sign.isprintable())


def _gives_away(line: str, identifier: Identifier) -> bool:
    value = _squeezed(identifier.value)
    telltale = value[-_PHONE_TAIL:] if identifier.kind == "phone" else value
    return len(telltale) >= _TELLTALE and telltale in _squeezed(line)


def _squeezed(text: str) -> str:
    """Letters and digits alone: signs and blanks inside a value do not hide it."""
    return re.sub(r"[\W_]", "", text.casefold())
