"""What `identity explain` and `identity report` say of identifiers, rules and reasons."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from percorso.cli.texts import local_text, percent_text, span_text
from percorso.identity.decisions import Decision
from percorso.services.explained import EventExplanation, Refusal, Sharing, ShownEvent
from percorso.services.identity_state import ShownIdentifier

__all__ = ["RULES", "event_name", "event_paragraph", "name_of", "refusal_words", "sharing_words", "told_decision"]

#: What each rule means, said of its events.
RULES = {
    "strong": "carry a strong identifier of the person",
    "login_before": "come after a login of the person on the device",
    "login_after": "come before the first login on the device",
    "signed_out_same": "come after a sign-out; the same person signs in next",
    "signed_out": "come after a sign-out; somebody else or nobody signs in next",
    "anonymous": "are on a device without a login that claims them",
    "shared_session": "are in a visit without login on a shared source",
    "reference": "carry only a number; its owner is the person",
    "unidentified": "carry nothing that tells whose they are",
}

_SHORT_ID = 12


def name_of(identifier: ShownIdentifier) -> str:
    """An identifier in words.

    Examples
    --------
    >>> name_of(ShownIdentifier("user_id", "shop", "u…42")), name_of(ShownIdentifier("email", None, "a•••@b.it"))
    ('user_id u…42 in shop', 'email a•••@b.it')
    """
    where = f" in {identifier.space}" if identifier.space else ""
    return f"{identifier.type} {identifier.value}{where}"


def event_name(event: ShownEvent, zone: ZoneInfo) -> str:
    """An event in words: what, when, and where to find it."""
    what = f"{event.name} of " if event.name else ""
    return f"{what}{local_text(event.time_us, zone)} ({event.source}, message {event.message_id})"


def told_decision(decision: Decision, zone: ZoneInfo) -> str:
    """A decision in words."""
    return f"{decision.kind} of {local_text(decision.decided_us, zone)[:10]} by {decision.author}: {decision.reason}"


def sharing_words(sharing: Sharing) -> str:
    """Why an identifier is shared, in a sentence."""
    if sharing.reason == "contradictions":
        share = percent_text(sharing.contradicting / max(sharing.events, 1))
        return (
            f"On {sharing.contradicting:,} of its {sharing.events:,} events beside others as good as it or better "
            f"({share}) the other is another person's (identity.shared_share)."
        )
    if sharing.reason == "too_large":
        return (
            f"It stands beside {sharing.partners:,} others, in a group of more than {sharing.most:,} connected ones "
            "(identity.largest_group)."
        )
    where = f" in {sharing.space}" if sharing.space else ""
    setting = "identity.hub_partners" if sharing.reason == "too_many_better" else f"twice the limit of {sharing.type}"
    return (
        f"It was seen beside {sharing.partners:,} different ones of type {sharing.type}{where}; up to {sharing.most:,} "
        f"may be ({setting})."
    )


def refusal_words(refusal: Refusal, zone: ZoneInfo) -> str:
    """Why an edge was refused, and what follows from it."""
    if refusal.effect == "apart":
        return "kept apart: " + ("a decision" if refusal.decision is None else told_decision(refusal.decision, zone))
    why = "limits"
    if refusal.limit_type is not None:
        why = f"one person has at most {refusal.limit} of type {refusal.limit_type}"
    blamed = "" if refusal.charged is None else f", charged to {name_of(refusal.charged)}"
    effect = "which is shared by it" if refusal.effect == "shared" else "without effect"
    return f"{why}{blamed}, {effect}"


def event_paragraph(told: EventExplanation, zone: ZoneInfo, backfill_us: int) -> str:
    """Why one event is whose it is, in a paragraph."""
    return " ".join([*_carried(told), *_because(told, zone, backfill_us), *_whose(told)])


def _carried(told: EventExplanation) -> list[str]:
    if not told.identifiers:
        return ["It carries no identifier."]
    return [f"It carries {', '.join(map(name_of, told.identifiers))}."]


def _whose(told: EventExplanation) -> list[str]:
    person = told.event.person
    if person is None:
        return ["So it belongs to nobody; it counts in totals."]
    kind = "an anonymous person" if told.rule in ("signed_out", "anonymous", "shared_session") else "person"
    return [f"So it belongs to {kind} {person[:_SHORT_ID]}."]


def _because(told: EventExplanation, zone: ZoneInfo, backfill_us: int) -> list[str]:
    """What the rule looked at."""
    by = name_of(told.decided_by) if told.decided_by else "it"
    if told.rule == "strong":
        return [
            "That is not shared." if len(told.identifiers) == 1 else f"The best of them that is not shared is {by}."
        ]
    if told.rule in ("reference", "unidentified"):
        return _by_reference(told, zone)
    those = "That is nobody's alone" if len(told.identifiers) == 1 else "None of them is one person's"
    said = [f"{those}, so the logins on {by} decide."]
    if told.rule == "shared_session":
        return [
            f"{told.event.source} is a shared source (identity.shared_sources), and nobody signed in on this visit."
        ]
    if told.login is None and told.next_login is None:
        return [*said, "There is none."]
    if told.login is None:
        assert told.next_login is not None
        wait = span_text(told.next_login.time_us - told.event.time_us)
        within = "within" if told.rule == "login_after" else "not within"
        limit = f"{within} {span_text(backfill_us).split()[0]} (identity.backfill)"
        return [*said, f"The first comes {wait} later, {limit}: {event_name(told.next_login, zone)}."]
    said.append(f"The last one before it: {event_name(told.login, zone)}.")
    if told.sign_out is not None:
        said.append(f"It ended with {event_name(told.sign_out, zone)}.")
    if told.rule == "signed_out_same" and told.next_login is not None:
        said.append(f"The same person signs in next: {event_name(told.next_login, zone)}.")
    if told.rule == "signed_out":
        following = "nobody" if told.next_login is None else f"somebody else: {event_name(told.next_login, zone)}"
        said.append(f"Who signs in next is {following}.")
    return said


def _by_reference(told: EventExplanation, zone: ZoneInfo) -> list[str]:
    if told.reference is None:
        return []
    number = f"{told.reference} {told.reference_value}"
    if told.owner is None:
        return [f"No event that names somebody carries its {number} yet."]
    return [f"Its {number} belongs to whom this event names: {event_name(told.owner, zone)}."]
