"""The texts that name steps: ``Product Viewed``, ``Order Completed[value >= 50]``, ``touchpoint:cart|place:store``.

Documented for users in docs/reference/steps.md. A step is a condition on one event.

::

    step = term { "|" term }
    term = [ field ":" ] value [ "[" condition "]" ]
    value = "*" | quoted text | text up to one of | [
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from percorso.analyses.conditions import Both, Compare, Condition, Either, Missing, Negated, parse_condition
from percorso.analyses.fields import is_coded
from percorso.errors import SpecError

__all__ = ["Exclusion", "parse_exclusion", "parse_step", "step_values"]

_FIELD = re.compile(r"([a-z_]+|prop\.[\w.-]+)\s*:\s*(.*)", re.DOTALL)
_RANGE = re.compile(r"(.*\S)\s*@\s*(\d+)\s*-\s*(\d+)", re.DOTALL)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """An event that ends an attempt between step `after` and step `before` (0: the last one)."""

    condition: Condition
    after: int = 1
    before: int = 0


def parse_step(text: str) -> Condition:
    """The condition that an event meets to be this step.

    Raises
    ------
    SpecError
        It cannot be read; positions count inside the step's text.

    Examples
    --------
    >>> parse_step("touchpoint:cart[place = site]").parts[0]
    Compare(field='touchpoint', op='=', value='cart')
    """
    terms = [_term(part, text) for part in _split(text)]
    return terms[0] if len(terms) == 1 else Either(tuple(terms))


def parse_exclusion(text: str) -> Exclusion:
    """An exclusion: a step's text, and ``@2-3`` behind it if it matters between these two steps only."""
    found = _RANGE.fullmatch(text.strip())
    if not found:
        return Exclusion(parse_step(text))
    after, before = int(found[2]), int(found[3])
    if not 1 <= after < before:
        raise SpecError(f"'@{after}-{before}' is no range of steps.", hint="Write @1-2 for between steps 1 and 2.")
    return Exclusion(parse_step(found[1]), after, before)


def step_values(condition: Condition) -> tuple[tuple[str, str], ...]:
    """The (field, value) pairs that a step asks for by name, to warn of those that nothing has."""
    match condition:
        case Compare(field=field, op="=", value=value) if is_coded(field):
            return ((field, value),)
        case Both(parts) | Either(parts):
            return tuple(pair for part in parts for pair in step_values(part))
        case _:
            return ()


def _split(text: str) -> list[str]:
    """The alternatives: cut at | outside of quotes and brackets."""
    parts, depth, start, at = [], 0, 0, 0
    while at < len(text):
        quoted = _QUOTED.match(text, at) if text[start:at].strip() == "" or depth else None
        if quoted:
            at = quoted.end()
            continue
        if text[at] == "[":
            depth += 1
        elif text[at] == "]":
            depth -= 1
        elif text[at] == "|" and depth == 0:
            parts.append(text[start:at])
            start = at + 1
        at += 1
    return [*parts, text[start:]]


def _term(part: str, whole: str) -> Condition:
    name, inside = _bracket(part.strip(), whole)
    field = "event"
    found = _FIELD.fullmatch(name)
    if found and is_coded(found[1]):
        field, name = found[1], found[2].strip()
    if _QUOTED.fullmatch(name):
        name = name[1:-1]
    if not name:
        raise SpecError(f"A step has no name in '{whole}'.", hint="Example: Product Viewed|touchpoint:cart")
    named: Condition = Negated(Missing(field)) if name == "*" else Compare(field, "=", name)
    return named if inside is None else Both((named, inside))


def _bracket(term: str, whole: str) -> tuple[str, Condition | None]:
    opening = term.find("[", _QUOTED.match(term).end() if _QUOTED.match(term) else 0)  # type: ignore[union-attr]
    if opening < 0:
        return term, None
    if not term.endswith("]"):
        raise SpecError(f"The condition of a step is not closed in '{whole}'.", hint="Order Completed[value >= 50]")
    return term[:opening].strip(), parse_condition(term[opening + 1 : -1])
