"""Take a decision by hand: two identifiers are one person, or are not."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, Literal

from percorso.analyses.result import time_text
from percorso.errors import DecisionRefused, SpecError
from percorso.identity.decisions import (
    Decision,
    DecisionKind,
    MaskedIdentifier,
    decisions_in_the_way,
    joining_links,
    pair_of,
    standing_decisions,
)
from percorso.identity.lookup import Identifier
from percorso.identity.masking import mask
from percorso.identity.placement import person_id
from percorso.services.author import system_user
from percorso.services.identifiers import known_identifier
from percorso.services.identity_next_build import NextBuild, next_build
from percorso.services.reasons import OF_DECISION, checked_reason, one_line
from percorso.services.workspace import Workspace
from percorso.store import database

__all__ = ["DecisionReport", "Outcome", "PairState", "decision_json", "link", "unlink"]

#: What a decision did: `linked` and `forbidden` as said; `cancelled` the opposite one; `unchanged`: it stood already.
Outcome = Literal["linked", "forbidden", "cancelled", "unchanged"]

#: What holds for the pair afterwards.
PairState = Literal["linked", "forbidden", "undecided"]

_HOLDS: dict[DecisionKind, Literal["linked", "forbidden"]] = {"link": "linked", "unlink": "forbidden"}


@dataclass(frozen=True, slots=True)
class DecisionReport:
    """What a decision did. The next build applies it.

    Parameters
    ----------
    kind : "link" or "unlink"
    outcome : Outcome
    state : PairState
    a, b : MaskedIdentifier
    before : Decision, optional
        The decision that stood: it was cancelled, or is the same.
    still_joined_by : tuple of Decision
        After an unlink that cancelled a link: other links that join the two all the same.
    next_build : NextBuild, optional
        What the next build will make of the two; None where the last one cannot tell.
    """

    kind: DecisionKind
    outcome: Outcome
    state: PairState
    a: MaskedIdentifier
    b: MaskedIdentifier
    before: Decision | None = None
    still_joined_by: tuple[Decision, ...] = ()
    next_build: NextBuild | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "decision": self.kind,
            "outcome": self.outcome,
            "state": self.state,
            "a": _identifier_json(self.a),
            "b": _identifier_json(self.b),
            "before": None if self.before is None else decision_json(self.before),
            "still_joined_by": [decision_json(one) for one in self.still_joined_by],
            "next_build": None if self.next_build is None else self.next_build.as_json(),
        }


def link(workspace: Workspace, a: str, b: str, *, reason: str, author: str = "") -> DecisionReport:
    """Two identifiers are one person, whatever the limits say; or an earlier `unlink` of the two is cancelled.

    Parameters
    ----------
    workspace : Workspace
    a, b : str
        As :func:`percorso.services.identifiers.known_identifier` takes them.
    reason : str
        Why; kept, so it must not hold the identifiers.
    author : str
        Who says so. Default: the name under which the system knows the user.

    Raises
    ------
    NothingImported, NotFound, SpecError
        See :func:`percorso.services.identifiers.known_identifier`; SpecError also for twice the same identifier and for
        a reason that is missing or holds one of them.
    DecisionRefused
        It would join what an `unlink` keeps apart; `fields` list that decision and the links that lead there.
    """
    return _decide(workspace, "link", a, b, reason, author)


def unlink(workspace: Workspace, a: str, b: str, *, reason: str, author: str = "") -> DecisionReport:
    """Two identifiers are not one person; or an earlier `link` of the two is cancelled. See :func:`link`.

    Raises
    ------
    NothingImported, NotFound, SpecError
    DecisionRefused
        Other links join the two; `fields` list them.
    """
    return _decide(workspace, "unlink", a, b, reason, author)


def decision_json(decision: Decision) -> dict[str, Any]:
    """A decision for programs."""
    return {
        "id": decision.id,
        "decision": decision.kind,
        "a": _identifier_json(decision.a),
        "b": _identifier_json(decision.b),
        "decided_at": time_text(decision.decided_us),
        "author": decision.author,
        "reason": decision.reason,
    }


def _decide(workspace: Workspace, kind: DecisionKind, a: str, b: str, reason: str, author: str) -> DecisionReport:
    first, second = known_identifier(workspace, a), known_identifier(workspace, b)
    if first == second:
        raise SpecError("Both are the same identifier.", hint="A decision is about two different ones.")
    decision = Decision(
        id=0,
        kind=kind,
        a=_masked(first, workspace.secret),
        b=_masked(second, workspace.secret),
        decided_us=time.time_ns() // 1000,
        author=one_line(author) or system_user(),
        reason=checked_reason(reason, OF_DECISION, (first, second)),
    )
    with database.open_database(workspace.database) as opened, opened.writing() as connection:
        # Read and written in one transaction: two decisions at once cannot contradict each other.
        report = _report(decision, database.decisions.all_decisions(connection))
        if report.outcome != "unchanged":
            database.decisions.add_decision(connection, decision)
    decisions = database.read_decisions(workspace.database)
    return replace(report, next_build=next_build(workspace, decisions, decision.a.hash, decision.b.hash))


def _report(decision: Decision, earlier: list[Decision]) -> DecisionReport:
    """What the decision does after the earlier ones.

    Raises
    ------
    DecisionRefused
        It contradicts some of them.
    """
    a, b = decision.a, decision.b
    standing = standing_decisions(earlier)
    before = standing.pop(pair_of(a.hash, b.hash), None)
    if before is None:
        _check_contradiction(decision, decisions_in_the_way(standing, decision.kind, a.hash, b.hash))
        state = _HOLDS[decision.kind]
        return DecisionReport(decision.kind, state, state, a, b)
    if before.kind == decision.kind:
        return DecisionReport(decision.kind, "unchanged", _HOLDS[decision.kind], a, b, before)
    others = joining_links(standing, a.hash, b.hash)
    return DecisionReport(decision.kind, "cancelled", "undecided", a, b, before, others)


def _check_contradiction(decision: Decision, in_the_way: tuple[Decision, ...]) -> None:
    if not in_the_way:
        return
    told = "; ".join(_told(one) for one in in_the_way)
    if decision.kind == "link":
        message = f"This would make one person of two identifiers that are kept apart: {told}."
        hint = "Cancel that unlink first, with `percorso identity link` of its two identifiers, or one of the links."
    else:
        message = f"Other decisions make one person of the two: {told}."
        hint = "Cancel one of these links first, with `percorso identity unlink` of its two identifiers."
    fields: dict[str, object] = {"decisions": [decision_json(one) for one in in_the_way]}
    raise DecisionRefused(message, hint=hint, fields=fields)


def _told(decision: Decision) -> str:
    """A decision in a sentence: which, when, who and why."""
    a, b = (f"{one.kind} {one.shown}{f' in {one.space}' if one.space else ''}" for one in (decision.a, decision.b))
    day = time_text(decision.decided_us)[:10]
    return f"{decision.kind} of {a} and {b} on {day} by {decision.author} ({decision.reason})"


def _masked(identifier: Identifier, secret: bytes) -> MaskedIdentifier:
    hashed = person_id(secret, identifier.text())
    return MaskedIdentifier(hashed, identifier.kind, identifier.space, mask(identifier.kind, identifier.value))


def _identifier_json(identifier: MaskedIdentifier) -> dict[str, Any]:
    return {"type": identifier.kind, "space": identifier.space or None, "value": identifier.shown}
