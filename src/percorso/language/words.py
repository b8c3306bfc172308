"""Texts and names in one language, out of the catalogue in ``data/``.

``data/texts.toml`` holds sentences and labels by key, ``data/names.toml`` names of codes by family (those of KPIs
stand with their definitions, see :mod:`percorso.language.kpi_words`). English and
Italian stand beside each other, so that a change to one shows what to do with the other. A test reads every call of
:meth:`Words.text` in the sources: keys exist, values fit the placeholders, and no text is left over.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Literal

from percorso.errors import SpecError, nearest_hint
from percorso.language.numbers import Numbers

__all__ = ["ENGLISH", "LANGUAGES", "Family", "Words", "capital", "catalogue", "heading", "names_of"]

#: Languages that people can be shown things in.
LANGUAGES = ("en", "it")

#: Families of names in data/names.toml.
Family = Literal[
    "stage",
    "signal",
    "place",
    "channel",
    "direction",
    "device",
    "relationship",
    "outcome",
    "journey",
    "unit",
    "column",
    "touchpoint",
    "rejection",
    "event",
    "trouble",
    "answer",
    "action",
    "phase",
    "rule",
    "placed",
    "standing",
    "effect",
    "head",
    "value",
]

Entry = Mapping[str, Any]


@lru_cache(maxsize=2)
def catalogue(name: Literal["texts", "names"]) -> Mapping[str, Mapping[str, Entry]]:
    """A file of the catalogue: section -> key -> entry with ``en`` and ``it``."""
    return tomllib.loads((files("percorso.language") / "data" / f"{name}.toml").read_text(encoding="utf-8"))


def names_of(family: Family, language: str) -> dict[str, str]:
    """All names of a family in a language, by code, in the order of the catalogue."""
    return {code: entry[language] for code, entry in catalogue("names")[family].items()}


def capital(text: str) -> str:
    """The text with a capital at its beginning.

    Examples
    --------
    >>> capital("negozio"), capital("SMS")
    ('Negozio', 'SMS')
    """
    return text[:1].upper() + text[1:]


def heading(text: str) -> str:
    """The head of a column on a page: with a capital, as names of stages and channels have it; "n" is a symbol.

    Examples
    --------
    >>> heading("valore"), heading("n")
    ('Valore', 'n')
    """
    return text if len(text) == 1 else capital(text)


@dataclass(frozen=True, slots=True)
class Words:
    """What is said to people, in one language.

    Parameters
    ----------
    language : {"en", "it"}
    stages : mapping of str to str
        What a workspace calls its own stages, by key, in their order.
    is_for_page : bool
        Codes have names in English too: nobody types an option into a page.

    Raises
    ------
    SpecError
        There are no texts in that language.

    Examples
    --------
    >>> Words("it").name("stage", "retention"), Words("it").text("charts.others", n=3)
    ('Fidelizzazione', 'altri 3')
    """

    language: str = "en"
    stages: Mapping[str, str] = field(default_factory=dict, hash=False)
    is_for_page: bool = False

    def __post_init__(self) -> None:
        if self.language not in LANGUAGES:
            raise SpecError(f"'{self.language}' is no language.", hint=nearest_hint(self.language, LANGUAGES))

    @property
    def numbers(self) -> Numbers:
        """Numbers and dates in this language."""
        return Numbers(self.language)

    def text(self, key: str, /, **values: str | int) -> str:
        """The text of a key, with its placeholders filled; whole numbers get their thousands apart.

        Parameters
        ----------
        key : str
            Section and key in ``data/texts.toml``, such as "charts.others".
        **values : str or int
            By placeholder. A text with plural forms takes the one of `n`.

        Raises
        ------
        KeyError
            No such text, or a placeholder without a value.
        """
        section, _, name = key.partition(".")
        template = catalogue("texts")[section][name][self.language]
        if not isinstance(template, str):
            template = template["one" if values["n"] == 1 else "other"]
        shown = {k: self.numbers.count(v) if isinstance(v, int) else v for k, v in values.items()}
        return template.format_map(shown)  # type: ignore[no-any-return]

    def name(self, family: Family, code: str) -> str:
        """The name of a code; one that the workspace chose itself stays as it is, or has the name that it gave it."""
        if family == "stage" and code in self.stages:
            return self.stages[code]
        entry = catalogue("names")[family].get(code)
        return code if entry is None else entry[self.language]

    @property
    def shows_codes(self) -> bool:
        """Do codes stand as they are?"""
        return self.language == ENGLISH.language and not self.is_for_page

    def code(self, family: Family, code: str) -> str:
        """A code as tables of the terminal show it: in English as it is, for so it is what options take.

        What stands in brackets is no code but a word of ours: "(none)".

        Examples
        --------
        >>> Words("en").code("place", "store"), Words("it").code("place", "store")
        ('store', 'negozio')
        """
        if self.shows_codes:
            return code
        return self.name("value" if code.startswith("(") else family, code)

    def title(self, family: Family, code: str) -> str:
        """The name with a capital, as the head of a row or column."""
        return capital(self.name(family, code))


#: The default.
ENGLISH = Words("en")
