"""What every question has in common: period, time zone, as-of time, conditions, break-down, unit.

A spec is what was asked: frozen, validated when made, equal to its JSON. What it means for one log (codes,
instants) is the plan, made when the question is run.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

import msgspec

from percorso.analyses.conditions import Condition, parse_condition
from percorso.analyses.fields import check_breakdown
from percorso.analyses.instants import is_day, parse_instant_us
from percorso.analyses.person_rules import parse_person_rule
from percorso.analyses.person_tree import PersonRule
from percorso.errors import FormatTooNew, SpecError, TimeError, nearest_hint
from percorso.time import zone_of

__all__ = ["SPEC_FORMAT", "UNITS", "Scope", "parse_instant_us", "spec_from_json", "spec_to_json"]

#: Format number in the JSON of a spec: a newer one is refused.
SPEC_FORMAT = 1

#: What a path or an attempt belongs to.
UNITS = ("person", "journey", "session")

S = TypeVar("S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The part that all specs share.

    Parameters
    ----------
    start, end : str
        Period, as ISO day or time in `timezone`; "" is no limit. Events from `start` (inclusive) to `end`
        are considered. A day without a time means all of it, so ``end="2024-01-31"`` includes the 31st;
        a time is excluded itself.
    timezone : str
        IANA name; days begin at its midnight.
    as_of : str
        Events after this time are not considered, and what is open at it is open. "" is the log's own:
        its newest event.
    where : str
        Condition on fields of events and persons (docs/reference/conditions.md); events that don't meet it are
        not considered.
    by : str
        Field to break down by; "" is none.
    include_bots, include_heavy : bool
        Consider events flagged as bots', and persons with more events than the workspace allows.
    per : {"person", "journey", "session"}
        Unit of paths and attempts.
    persona : str
        Name of the segment or persona that the rule `persons` is of; for show.
    persons : str
        Rule of persons (docs/reference/segment.md): only events of persons who meet it are considered. It is written
        out here, so that a question that is kept answers the same after its persona has changed.
    """

    start: str = ""
    end: str = ""
    timezone: str = "UTC"
    as_of: str = ""
    where: str = ""
    by: str = ""
    include_bots: bool = False
    include_heavy: bool = False
    per: str = "person"
    persona: str = ""
    persons: str = ""

    def __post_init__(self) -> None:
        _check_zone(self.timezone)
        start, end = self.start_us(), self.end_us()
        if start is not None and end is not None and start >= end:
            raise SpecError("The period ends before it begins.", fields={"from": self.start, "to": self.end})
        self.as_of_us()
        self.condition()
        check_breakdown(self.by)
        if self.per not in UNITS:
            raise SpecError(f"'{self.per}' is no unit.", hint=nearest_hint(self.per, UNITS))
        if self.persona and not self.persons.strip():
            raise SpecError("A question about a persona holds its rule.", hint="Give the rule in `persons` as well.")
        self.person_rule()

    def start_us(self) -> int | None:
        """First instant of the period, µs UTC."""
        return parse_instant_us(self.start, self.timezone) if self.start else None

    def end_us(self) -> int | None:
        """First instant after the period, µs UTC."""
        return parse_instant_us(self.end, self.timezone, whole_day=True) if self.end else None

    def as_of_us(self) -> int | None:
        """As-of time, µs UTC, itself included; a day means its end."""
        if not self.as_of:
            return None
        instant = parse_instant_us(self.as_of, self.timezone, whole_day=True)
        return instant - 1 if is_day(self.as_of) else instant

    def condition(self) -> Condition | None:
        """`where`, parsed."""
        return parse_condition(self.where) if self.where.strip() else None

    def person_rule(self) -> PersonRule | None:
        """`persons`, parsed."""
        return parse_person_rule(self.persons, timezone=self.timezone) if self.persons.strip() else None


def _check_zone(name: str) -> None:
    try:
        zone_of(name)
    except TimeError as error:
        raise SpecError(error.message, hint=error.hint) from error


def spec_to_json(spec: Any) -> dict[str, Any]:
    """A spec as JSON-ready dict, with its format number and the name of its analysis."""
    if not is_dataclass(spec):
        raise TypeError("not a spec")
    body = msgspec.to_builtins(spec)
    return {"format": SPEC_FORMAT, "analysis": type(spec).__name__.removesuffix("Spec").lower(), **body}


def spec_from_json(kind: type[S], body: dict[str, Any]) -> S:
    """The spec of `kind` that `spec_to_json` wrote, validated again.

    Raises
    ------
    FormatTooNew
        Written by a newer Percorso.
    SpecError
        Another analysis, an unknown field or a value that cannot be.
    """
    if int(body.get("format", 0)) > SPEC_FORMAT:
        raise FormatTooNew("This question was saved by a newer version of Percorso.", hint="Upgrade Percorso.")
    analysis = kind.__name__.removesuffix("Spec").lower()
    if body.get("analysis") != analysis:
        raise SpecError(f"This is not a {analysis}.", hint=f"Its analysis is '{body.get('analysis', '')}'.")
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    for name in body.keys() - known - {"format", "analysis"}:
        raise SpecError(f"A {analysis} has no field '{name}'.", hint=nearest_hint(name, known))
    try:
        return msgspec.convert({name: body[name] for name in known & body.keys()}, kind)
    except msgspec.ValidationError as error:
        raise SpecError(f"This {analysis} cannot be read: {error}.") from error
