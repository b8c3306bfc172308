"""Define, show and forget segments and personas, and find the rule of one for a question."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from percorso.analyses.person_rules import parse_person_rule
from percorso.analyses.person_tree import RULE_FORMAT
from percorso.analyses.person_words import rule_words
from percorso.analyses.result import Result
from percorso.analyses.segment import SegmentSpec, run_segment, segment_people
from percorso.analyses.select import plan_scope
from percorso.analyses.spec import Scope
from percorso.errors import SpecError
from percorso.services.author import system_user
from percorso.services.question import Ask, log_and_basis, people_answer, question
from percorso.services.reasons import one_line
from percorso.services.segment_lookup import find_segment
from percorso.services.segment_texts import check_impersonal, check_rule_impersonal, checked_colour, checked_name
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.database import Segment, SegmentRule
from percorso.store.journey_log import JourneyLog
from percorso.time import time_text

__all__ = [
    "Change",
    "SegmentReport",
    "define_segment",
    "people_of_segment",
    "remove_segment",
    "segment_json",
    "show_segment",
]

Change = Literal["made", "changed", "unchanged"]

#: That nobody is in it needs no further reason.
_ask: Ask[SegmentSpec] = question(run_segment, lambda answer: True)


@dataclass(frozen=True, slots=True)
class SegmentReport:
    """What a definition did, and what it gives.

    Parameters
    ----------
    segment : Segment
    change : Change
    answer : Result
        As `show_segment` answers.
    """

    segment: Segment
    change: Change
    answer: Result

    def as_json(self) -> dict[str, Any]:
        return {"change": self.change, **self.answer.as_json()}


def define_segment(
    workspace: Workspace,
    name: str,
    rule: str,
    *,
    persona: bool | None = None,
    title: str | None = None,
    description: str | None = None,
    traits: Mapping[str, str] | None = None,
    colour: str | None = None,
    author: str = "",
    log: JourneyLog | None = None,
    threads: int | None = None,
) -> SegmentReport:
    """Make a segment or a persona, or change the one of this name; a new rule keeps the older ones.

    Parameters
    ----------
    workspace : Workspace
    name, rule : str
    persona : bool, optional
        Default: as it was; a new one is a segment.
    title, description, colour : str, optional
        Default: as they were.
    traits : mapping of str to str, optional
        What the team says of it. Default: as they were.
    author : str
        Who says so. Default: the name under which the system knows the user.
    log, threads
        As of every question.

    Raises
    ------
    SpecError
        The rule cannot be read, or a text holds an e-mail address or a phone number.
    """
    told = checked_name(name)
    who, now = one_line(author) or system_user(), time.time_ns() // 1000
    _check(workspace, told, rule, who, (title, description), traits)
    checked_colour(colour or "")
    # Asked before it is written: a rule that this workspace cannot answer is not kept.
    answer = _ask(workspace, SegmentSpec(scope=_scope(workspace, told, rule)), log=log, threads=threads)
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        known = {one.name.casefold(): one for one in database.segments.all_segments(connection)}
        before = known.get(told.casefold())
        wanted = _changed(
            before or Segment(told, "segment", "", "", (), "", who, now, now, ()),
            told,
            persona,
            title,
            description,
            traits,
            colour,
        )
        if before is None or before.rule != rule.strip():
            version = 1 + len(wanted.rules)
            wanted = replace(wanted, rules=(*wanted.rules, SegmentRule(version, rule.strip(), RULE_FORMAT, who, now)))
        change: Change = "made" if before is None else "unchanged" if wanted == before else "changed"
        if change != "unchanged":
            wanted = replace(wanted, changed_us=now)
            database.segments.save_segment(connection, wanted)
    return SegmentReport(wanted, change, _with_definition(answer, wanted))


def _changed(
    before: Segment,
    name: str,
    persona: bool | None,
    title: str | None,
    description: str | None,
    traits: Mapping[str, str] | None,
    colour: str | None,
) -> Segment:
    """The segment with what is said anew."""
    kind = before.kind if persona is None else "persona" if persona else "segment"
    return replace(
        before,
        name=name,
        kind=kind,
        title=before.title if title is None else one_line(title),
        description=before.description if description is None else one_line(description),
        traits=before.traits if traits is None else tuple((one_line(k), one_line(v)) for k, v in traits.items()),
        colour=before.colour if colour is None else checked_colour(colour),
    )


def _check(
    workspace: Workspace,
    name: str,
    rule: str,
    author: str,
    texts: tuple[str | None, ...],
    traits: Mapping[str, str] | None,
) -> None:
    country = workspace.settings.workspace.country
    parsed = parse_person_rule(rule, timezone=workspace.settings.workspace.timezone)
    check_rule_impersonal(rule, parsed, country)
    words = [*(text for text in texts if text), *(part for pair in (traits or {}).items() for part in pair)]
    check_impersonal((name, author, *words), country)


def show_segment(
    workspace: Workspace, name: str, *, as_of: str = "", log: JourneyLog | None = None, threads: int | None = None
) -> Result:
    """What the persons of a segment are like; its definition is among the totals, as ``definition``."""
    segment = find_segment(workspace, name)
    spec = SegmentSpec(scope=_scope(workspace, segment.name, segment.rule, as_of))
    answer = _ask(workspace, spec, log=log, threads=threads)
    return _with_definition(answer, segment)


def people_of_segment(
    workspace: Workspace, name: str, *, as_of: str = "", log: JourneyLog | None = None, threads: int | None = None
) -> Result:
    """The persons of a segment: table ``people``, total ``count``."""
    segment = find_segment(workspace, name)
    log, basis = log_and_basis(workspace, log)
    spec = SegmentSpec(scope=_scope(workspace, segment.name, segment.rule, as_of))
    task, as_of_us = segment_people(spec, log, basis), plan_scope(spec.scope, log, basis).as_of_us
    return people_answer(task, spec, log, basis, as_of_us, threads=threads)


def remove_segment(workspace: Workspace, name: str) -> Segment:
    """Forget a segment and its earlier rules; returns what it was. Raises as :func:`find_segment`."""
    segment = find_segment(workspace, name)
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        database.segments.forget_segment(connection, segment.name)
    return segment


def segment_json(segment: Segment, *, timezone: str = "UTC") -> dict[str, Any]:
    """A segment for programs."""
    return {
        "name": segment.name,
        "kind": segment.kind,
        "title": segment.title,
        "description": segment.description,
        "traits": dict(segment.traits),
        "colour": segment.colour or None,
        "author": segment.author,
        "created_at": time_text(segment.created_us),
        "changed_at": time_text(segment.changed_us),
        "rule": segment.rule,
        "words": rule_words(parse_person_rule(segment.rule, timezone=timezone)),
        "rules": [
            {
                "version": one.version,
                "rule": one.rule,
                "rule_format": one.rule_format,
                "author": one.author,
                "defined_at": time_text(one.defined_us),
            }
            for one in segment.rules
        ],
    }


def _scope(workspace: Workspace, name: str, rule: str, as_of: str = "") -> Scope:
    zone = workspace.settings.workspace.timezone
    if not rule.strip():
        raise SpecError("A segment has a rule.", hint="Say it with --where, such as: orders >= 2")
    return Scope(persona=name, persons=rule.strip(), timezone=zone, as_of=as_of)


def _with_definition(answer: Result, segment: Segment) -> Result:
    zone = answer.spec.scope.timezone
    return replace(answer, totals={"definition": segment_json(segment, timezone=zone), **answer.totals})
