"""What a segment is called and says: names, and texts that name nobody, as they outlive the erasure of persons."""

from __future__ import annotations

import re
from collections.abc import Iterable

from phonenumbers import PhoneNumberMatcher

from percorso.analyses.conditions import Among, Compare, Leaf, Matches, Missing, leaves_of
from percorso.analyses.person_tree import PersonRule, conditions_of, rule_tests
from percorso.errors import SpecError
from percorso.services.reasons import one_line

__all__ = ["check_impersonal", "check_rule_impersonal", "checked_colour", "checked_name"]

_NAME = re.compile(r"[^\W_](?:[\w .-]{0,58}[^\W_])?")
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
_ADDRESS = re.compile(r"[^\s'\"(]@[^\s'\"]+\.\w|\S\\?@\S+\\\.\w")
_HINT = "A segment is no way to name somebody, and outlives erasure: say it by what the person did."
#: Fields whose values may well be numbers of somebody.
_FREE = ("person.trait.", "prop.")


def checked_name(name: str) -> str:
    """The name in one line.

    Raises
    ------
    SpecError
        It is none, or holds other signs.
    """
    line = one_line(name)
    if not _NAME.fullmatch(line):
        raise SpecError(
            f"'{line[:60]}' is no name of a segment.",
            hint="Use letters, digits, blanks, - _ and ., at most 60, from a letter or digit to another.",
        )
    return line


def checked_colour(colour: str) -> str:
    """``#rrggbb``, or "" for none."""
    if colour and not _COLOUR.fullmatch(colour):
        raise SpecError(f"'{colour[:20]}' is no colour.", hint="Write #RRGGBB, such as #1f77b4.")
    return colour.lower()


def check_impersonal(texts: Iterable[str], country: str) -> None:
    """SpecError if one of the texts holds an e-mail address or a phone number, as the country writes it."""
    for text in texts:
        if _ADDRESS.search(text) or any(PhoneNumberMatcher(text, country)):
            raise SpecError("This holds an e-mail address or a phone number.", hint=_HINT)


def check_rule_impersonal(text: str, rule: PersonRule, country: str) -> None:
    """The same of a rule: numbers of products and amounts may look like a phone number, and are none."""
    check_impersonal((text,), "ZZ")  # numbers with their country's code alone
    for test in rule_tests(rule):
        for condition in conditions_of(test):
            for leaf in leaves_of(condition):
                if leaf.field.startswith(_FREE):
                    check_impersonal(_values(leaf), country)


def _values(leaf: Leaf) -> tuple[str, ...]:
    match leaf:
        case Compare(_, _, value) | Matches(_, value):
            return (value,)
        case Among(_, values):
            return values
        case Missing():
            return ()
