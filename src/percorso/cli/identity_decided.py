"""What `identity link` and `identity unlink` say of a decision, and of what it will change."""

from __future__ import annotations

from functools import reduce
from zoneinfo import ZoneInfo

from percorso.cli.identity_words import masked_name, told_decision
from percorso.identity.decisions import Decision
from percorso.language.words import Words
from percorso.services.decide import DecisionReport
from percorso.services.identity_next_build import PersonSize

__all__ = ["decision_sentences"]

_SHORT_ID = 12


def decision_sentences(report: DecisionReport, zone: ZoneInfo, build: str, words: Words) -> list[str]:
    """What the decision did, in sentences.

    Parameters
    ----------
    report : DecisionReport
    zone : ZoneInfo
        Of the times of decisions.
    build : str
        The command that applies it.
    words : Words
    """
    pair = words.text("identity.and", left=masked_name(report.a), right=masked_name(report.b))
    applies = [*_next_build(report, words), words.text("identity.applies", command=build)]
    if report.outcome == "linked":
        return [words.text("identity.linked", pair=pair), *applies]
    if report.outcome == "forbidden":
        return [words.text("identity.forbidden", pair=pair), *applies]
    assert report.before is not None
    before, is_link = told_decision(report.before, zone, words, to_the_second=True), report.kind == "link"
    if report.outcome == "unchanged" and is_link:
        return [words.text("identity.already_linked", decision=before)]
    if report.outcome == "unchanged":
        return [words.text("identity.already_forbidden", decision=before)]
    told = [words.text("identity.cancelled", decision=before, pair=pair)]
    told.append(words.text("identity.left_joined") if is_link else words.text("identity.left_apart"))
    if report.still_joined_by:
        links = "; ".join(_told_of(one, zone, words) for one in report.still_joined_by)
        told.append(words.text("identity.other_links", links=links))
    return [*told, *applies]


def _next_build(report: DecisionReport, words: Words) -> list[str]:
    """What will become of the persons of the two."""
    expected = report.next_build
    if expected is None:
        return [words.text("identity.not_yet_known")]
    if expected.effect == "shared":
        return [words.text("identity.shared_pair")]
    then = _sizes(expected.then, words)
    if expected.effect == "none":
        return [_as_they_are(report.state, len(expected.then) == 1, then, words)]
    now = _sizes(expected.now, words)
    if expected.effect == "joins":
        made = words.text("identity.makes_one", now=now, then=then)
    else:
        made = words.text("identity.makes_two", now=now, then=then)
    return [made, words.text("identity.moved", n=expected.events_moved)]


def _as_they_are(state: str, together: bool, sizes: str, words: Words) -> str:
    """Nothing changes: because they are already what was decided, or because it takes more than that."""
    is_decided = state == ("linked" if together else "forbidden")
    match together, is_decided:
        case True, True:
            return words.text("identity.one_already", sizes=sizes)
        case True, False:
            return words.text("identity.one_all_the_same", sizes=sizes)
        case False, True:
            return words.text("identity.two_already", sizes=sizes)
        case _:
            return words.text("identity.two_all_the_same", sizes=sizes)


def _sizes(persons: tuple[PersonSize, ...], words: Words) -> str:
    return reduce(
        lambda left, right: words.text("identity.and", left=left, right=right),
        [
            words.text(
                "identity.size",
                person=one.person[:_SHORT_ID],
                identifiers=words.text("counted.identifiers", n=one.identifiers),
                events=words.text("counted.events", n=one.events),
            )
            for one in persons
        ],
    )


def _told_of(decision: Decision, zone: ZoneInfo, words: Words) -> str:
    pair = words.text("identity.and", left=masked_name(decision.a), right=masked_name(decision.b))
    told = told_decision(decision, zone, words, to_the_second=True)
    return words.text("identity.other_links_of", decision=told, pair=pair)
