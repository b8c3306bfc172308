"""Find what there is of somebody who is to be erased: a person, or a mere name in rejected rows and texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from percorso.errors import NotFound, SpecError
from percorso.events.event import STRONG_COLUMNS, WEAK_COLUMNS
from percorso.identity.identifiers import IdentifierRules
from percorso.identity.lookup import Identifier, aliases_of, known_spaces, possible_identifiers
from percorso.identity.masking import mask
from percorso.identity.mentions import Mentions
from percorso.language.said import said
from percorso.services.customer import PERSON, CustomerMatch, find_customers
from percorso.services.erasure_cuts import reworded
from percorso.services.erasure_job import Reworded, done_records
from percorso.services.erasure_report import ErasedIdentifier, ErasureReport
from percorso.services.person_elsewhere import Elsewhere, Rejected, matching_rejects, rows_elsewhere, standing
from percorso.services.person_rows import PersonRows, held_without_events, identifier_rules, person_rows
from percorso.services.person_where import one_customer, place_of
from percorso.services.workspace import Workspace
from percorso.store import database
from percorso.store.journey_log import JourneyLog
from percorso.store.lake import Lake

__all__ = ["Plan", "plan_erasure", "report_of"]

_ABROAD = ("+", "00")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is found of somebody, and where.

    Parameters
    ----------
    match : CustomerMatch, optional
        None: no event is there.
    held : PersonRows
    elsewhere : Elsewhere
    rejected : Rejected
    named : frozenset of int
        Imports whose file's name names the person.
    decisions : int
        About the person.
    reworded : tuple of Reworded
    mentions : Mentions
    rules : IdentifierRules
    """

    match: CustomerMatch | None
    held: PersonRows
    elsewhere: Elsewhere
    rejected: Rejected
    named: frozenset[int]
    decisions: int
    reworded: tuple[Reworded, ...]
    mentions: Mentions
    rules: IdentifierRules

    @property
    def own(self) -> set[Identifier]:
        return {one.identifier for one in self.held.own}

    @property
    def has_something(self) -> bool:
        """Is there anything to erase for certain?"""
        found = (self.held.rows, self.elsewhere.rows, self.rejected.rows, self.named, self.reworded)
        return any(len(each) for each in found) or self.decisions > 0


def plan_erasure(workspace: Workspace, log: JourneyLog | None, text: str, kind: str, space: str) -> Plan:
    """What there is of the person that an identifier means; where it means nobody, of the identifier itself.

    Parameters
    ----------
    workspace : Workspace
    log : JourneyLog or None
        None: there are no events at all.
    text, kind, space : str
        As of :func:`percorso.services.erasure.erase_person`.

    Raises
    ------
    NotFound, SpecError
        See there.
    """
    try:
        if log is None or (space and space in _silent_sources(Lake(workspace.lake))):
            raise NotFound(said("errors.nobody_known"), hint=said("errors.no_events_in_space"))
        match = one_customer(find_customers(workspace, text, kind=kind, space=space, log=log))
    except NotFound:
        plan = _plan_without_events(workspace, text, kind, (space,) if space else _spaces(workspace))
        if plan is None:
            raise
        return plan
    return _plan(workspace, match, person_rows(workspace, log, place_of(log, match.person)))


def report_of(plan: Plan, *, done: bool) -> ErasureReport:
    """What is told of a plan."""
    match, held = plan.match, plan.held
    return ErasureReport(
        person=match.person if match else "",
        events=len(held.rows),
        orders=match.orders if match else 0,
        rejected=len(plan.rejected.rows),
        elsewhere=len(plan.elsewhere.rows),
        decisions=plan.decisions,
        reworded=len(plan.reworded),
        first_us=match.first_us if match else None,
        last_us=match.last_us if match else None,
        identifiers=tuple(
            ErasedIdentifier(
                one.identifier.kind,
                one.identifier.space,
                mask(one.identifier.kind, one.identifier.value),
                one.rows,
                one.own,
                plan.mentions.sought_everywhere(one.identifier),
            )
            for one in held.carried
        ),
        imports=len(set(held.rows.column("batch").to_pylist())),
        doubtful_rejected=plan.rejected.doubtful,
        doubtful_elsewhere=plan.elsewhere.doubtful,
        done=done,
    )


def _plan(workspace: Workspace, match: CustomerMatch | None, held: PersonRows) -> Plan:
    lake, rules = Lake(workspace.lake), identifier_rules(workspace)
    mentions, files = held.mentions(workspace.settings.workspace.country), lake.live_files()
    own = {bytes(one) for one in aliases_of([one.identifier for one in held.own], workspace.secret)}
    decisions = database.read_decisions(workspace.database)
    others = [one for one in decisions if own.isdisjoint((one.a.hash, one.b.hash))]
    return Plan(
        match=match,
        held=held,
        elsewhere=rows_elsewhere(files, held, rules, mentions),
        rejected=matching_rejects(lake, files, mentions),
        named=frozenset(record.batch for record in lake.imports() if standing(mentions, record.file)),
        decisions=len(decisions) - len(others),
        reworded=reworded(others, done_records(workspace), mentions),
        mentions=mentions,
        rules=rules,
    )


def _plan_without_events(workspace: Workspace, text: str, kind: str, spaces: Sequence[str]) -> Plan | None:
    """What there is of an identifier that stands on no event; None: nothing.

    Raises
    ------
    SpecError
        There is something, and the text can be several identifiers.
    """
    possible = _readings(workspace, text, kind, spaces)
    if not possible:
        return None
    plan = _plan(workspace, None, held_without_events(possible, text))
    if len(possible) > 1 and (plan.has_something or plan.rejected.doubtful or plan.elsewhere.doubtful):
        kinds, found = sorted({one.kind for one in possible}), report_of(plan, done=False)
        raise SpecError(
            "No event is known by this, but it may stand in"
            f" {found.rejected + found.doubtful_rejected} rejected rows and"
            f" {found.elsewhere + found.doubtful_elsewhere} events of others; nothing was done.",
            hint="Say what it is, for it is to stay out from now on: "
            + (f"--type {' or '.join(kinds)}." if len(kinds) > 1 else f"--space {' or '.join(spaces)}."),
            fields={"types": kinds, "spaces": sorted({one.space for one in possible if one.space})},
        )
    return plan if plan.has_something else None


def _readings(workspace: Workspace, text: str, kind: str, spaces: Sequence[str]) -> tuple[Identifier, ...]:
    """What a text can be. An address of mail is one, and so is a number with its country; all else is to be told."""
    if kind == PERSON:
        return ()
    rules = identifier_rules(workspace)
    kinds: Sequence[str] = (*STRONG_COLUMNS, *workspace.settings.identity.own_types, *WEAK_COLUMNS)
    if kind:
        kinds = (kind,)
    elif rules.normalise("email", text) is not None:
        kinds = ("email",)
    elif text.strip().startswith(_ABROAD) and rules.normalise("phone", text) is not None:
        kinds = ("phone",)
    return possible_identifiers(text, rules, kinds=kinds, spaces=spaces)


def _spaces(workspace: Workspace) -> tuple[str, ...]:
    """Id spaces in which an identifier may live."""
    lake = Lake(workspace.lake)
    return tuple(sorted({*known_spaces(lake.live_files()), *_silent_sources(lake)}))


def _silent_sources(lake: Lake) -> set[str]:
    """Sources whose rows were all rejected: as far as anybody knows, their id spaces are called like them."""
    return {one.source for one in lake.imports()} - {file.source for file in lake.live_files()}
